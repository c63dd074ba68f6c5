"""Mock surveys with known truth, in the file formats of real ones.

Touch this room to make data for tests, examples and benchmarks, or to deepen the physics. A survey is a function
that draws latent properties (`population`), turns them into light (`stellar_populations`, `spectra`, `images`) and
observes it (`instruments`); another kind of object is another such function beside `galaxies`.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"simulate_galaxies": ".galaxies"})
