"""Published experiments, to be repeated: what was published, with which settings, and how it was measured.

One file per experiment (`astroclip`) composes the rooms above it and ends in a table of published beside measured
numbers. Touch this room to add an experiment: write its numbers in `published`, its configuration in a YAML file here,
and a `Recipe` that names them; add it to `RECIPES`. ``astroclip-kit reproduce NAME`` does the rest.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Comparison": ".comparison",
        "Measured": ".recipe",
        "Published": ".published",
        "Recipe": ".recipe",
        "Run": ".recipe",
        "Stage": ".recipe",
        "find_recipe": ".recipe",
    },
)
