"""Frozen encoders run once: feature matrices on disk, computed again only where something changed.

Touch this room when features are too slow or too large. To bring your own encoder, pass any module that meets
`astroclip_kit.types.Encoder`; its weights, arguments, preprocessing and code become part of the cache key by
themselves.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "FeatureSet": ".feature_set",
        "extract": ".extraction",
        "fingerprint": ".fingerprints",
    },
)
