"""The shared space: unit vectors of every object on disk, searched exactly, or by faiss where they are very many.

You touch it after `align`: `embed` writes an `EmbeddingStore`, whose `search` finds what is similar, and on which
the functions of `downstream` work. `ExactIndex` searches any matrix of vectors; an object with the same `search`
can stand in for it, as `FaissIndex` does. A `Query` says who asks: objects, a position, or files that are not in the
store, which `embed_queries` reads and embeds.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "EmbeddingStore": ".store",
        "ExactIndex": ".index",
        "FaissIndex": ".faiss_index",
        "Query": ".query",
        "build_indexes": ".saved_index",
        "embed": ".embedding",
        "embed_queries": ".newcomers",
        "find": ".queries",
    },
)
