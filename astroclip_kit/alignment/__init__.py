"""From features, or raw samples, of several modalities to one shared space.

`align` trains; `ContrastiveModel` is what it trains: per modality an optional encoder, the standardisation of
its features and a head. Touch this room to change how a space is learned. To use another head, pass any
``torch.nn.Module`` with ``in_features`` and ``out_features`` to `align`; the encoders are replaced likewise.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "ContrastiveModel": ".model",
        "Ensemble": ".ensemble",
        "MocoHead": ".moco_head",
        "ProjectionHead": ".heads",
        "align": ".train",
        "astrom3_modalities": ".astrom3",
        "astrom3_model": ".astrom3",
    },
)
