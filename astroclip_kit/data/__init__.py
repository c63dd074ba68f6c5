"""Survey files to a dataset folder, and the folder as arrays.

Touch this when observations must be matched in another way, or rows divided in another way. `ingest` takes any
readers (see `astroclip_kit.surveys`), `Dataset` opens what it wrote; `crossmatch` and `splits` are plain functions on
arrays and replace nothing: pass your own groups or sides instead.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Dataset": ".dataset",
        "Labelled": ".labelled",
        "assign": ".splits",
        "check_leaks": ".splits",
        "class_cap": ".label_shares",
        "describe": ".contents",
        "divide": ".splits",
        "ingest": ".build",
        "label_objects": ".labelled",
        "label_share": ".label_shares",
        "render": ".contents",
    },
)
