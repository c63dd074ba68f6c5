"""Encoders that learn from one modality alone, without labels: one method, one file.

Touch this room to add a method. A method is a function ``(dataset, out, *, modality, encoder, settings, training,
split, quiet) -> encoder``: it gives `Pretraining` a module and a loss, which trains on the training side of the split
with `training.fit` and ends in an encoder folder that `extract` takes. Any encoder can be pretrained.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Pretraining": ".course",
        "RawViews": ".course",
        "pretrain_autoencoder": ".autoencoder",
        "pretrain_masked_spectra": ".masked_spectra",
        "pretrain_moco": ".moco",
    },
)
