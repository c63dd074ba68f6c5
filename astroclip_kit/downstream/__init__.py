"""What a space is good for: functions on an `EmbeddingStore`.

`knn` reads properties off nearest neighbours, `retrieval` finds an object again by another view of it, and
`evaluate` measures both on the held-out objects; `project` and `cluster` show how a space is built. You touch it to
judge a space or to predict for new objects. A measurement of your own is a function on `store.vectors(name)` and
`store.labels` that gives `types.Result`s.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Centroids": ".centroids",
        "Clusters": ".clusters",
        "Grouping": ".clustering",
        "KnnPrediction": ".knn",
        "Map": ".maps",
        "NewObjects": ".table",
        "Ranks": ".retrieval",
        "Subclasses": ".subclasses",
        "centred": ".centring",
        "class_centroids": ".centroids",
        "cluster": ".clusters",
        "compare": ".comparison",
        "diagnose": ".diagnostics",
        "evaluate": ".evaluation",
        "few_shot": ".few_examples",
        "find_anomalies": ".anomalies",
        "find_subclasses": ".subclasses",
        "label_audit": ".audit",
        "measure_coverage": ".coverage",
        "measure_detection": ".planted",
        "predict": ".knn",
        "predict_table": ".table",
        "probe": ".probes",
        "project": ".maps",
        "rank": ".retrieval",
        "recall": ".retrieval",
        "separate": ".separation",
    },
)
