"""Mock surveys with known truth, in the file formats of real ones.

Touch this room to make data for tests, examples and benchmarks, or to deepen the physics. A survey (`galaxies`) draws
latent properties (`population`), turns them into light (`stellar_populations`, `emission_lines`, `dust` and `templates`
in `spectra`; `components` and `background`), observes it (`instruments`, `camera` with `artifacts`, `spectrograph`) and
writes files and tables (`files`, `catalogue`, `published`); another kind of object is another such survey.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"simulate_galaxies": ".galaxies", "simulate_stars": ".stars"})
