"""What a space is good for: functions on an `EmbeddingStore`.

`knn` reads properties off nearest neighbours, `retrieval` finds an object again by another view of it, and
`evaluate` measures both on the held-out objects. You touch it to judge a space or to predict for new objects. A
measurement of your own is a function on `store.vectors(name)` and `store.labels` that gives `types.Result`s.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "KnnPrediction": ".knn",
        "Ranks": ".retrieval",
        "diagnose": ".diagnostics",
        "evaluate": ".evaluation",
        "predict": ".knn",
        "predict_table": ".table",
        "rank": ".retrieval",
        "recall": ".retrieval",
    },
)
