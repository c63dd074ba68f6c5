"""One embedding space for images, spectra, light curves and catalogues of the same astronomical objects.

The verbs (`ingest`, `extract`, `align`, `embed`, `search`, `predict`, `classify`, `evaluate`, `run`) are the steps of
every journey; see `astroclip_kit.pipeline`. Names are imported when they are first used.
"""

from ._lazy import lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Alignment": ".settings",
        "Classification": ".settings",
        "ContrastiveModel": ".alignment",
        "Dataset": ".data",
        "EmbeddingStore": ".embeddings",
        "ExactIndex": ".embeddings",
        "FaissIndex": ".embeddings",
        "FeatureSet": ".features",
        "ImageConvNet": ".encoders",
        "KitError": ".errors",
        "MoCo": ".settings",
        "MocoResNet50": ".encoders",
        "ProjectionHead": ".alignment",
        "Query": ".embeddings",
        "Sample": ".types",
        "SpectrumConvNet": ".encoders",
        "SpenderEncoder": ".encoders",
        "Split": ".settings",
        "Training": ".settings",
        "align": ".pipeline",
        "anomalies": ".pipeline",
        "check_reader": ".contracts",
        "classify": ".pipeline",
        "cluster": ".pipeline",
        "compare": ".pipeline",
        "convert": ".pipeline",
        "embed": ".pipeline",
        "evaluate": ".pipeline",
        "explore": ".pipeline",
        "export": ".pipeline",
        "extract": ".pipeline",
        "fetch": ".pipeline",
        "index": ".pipeline",
        "info": ".pipeline",
        "ingest": ".pipeline",
        "predict": ".pipeline",
        "pretrain": ".pipeline",
        "project": ".pipeline",
        "quickstart": ".pipeline",
        "reader": ".surveys.functions",
        "reproduce": ".pipeline",
        "run": ".pipeline",
        "search": ".pipeline",
        "simulate": ".pipeline",
        "weights": ".pipeline",
    },
)
