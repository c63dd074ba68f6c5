"""The shared space: unit vectors of every object on disk, searched exactly.

You touch it after `align`: `embed` writes an `EmbeddingStore`, whose `search` finds what is similar, and on which
the functions of `downstream` work. `ExactIndex` searches any matrix of vectors; an object with the same `search`
can stand in for it.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "EmbeddingStore": ".store",
        "ExactIndex": ".index",
        "embed": ".embedding",
        "find": ".search",
    },
)
