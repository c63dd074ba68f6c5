"""Networks that turn the views of one modality into feature vectors.

Touch this when you bring a network of your own: any `torch.nn.Module` with an integer `out_features` is an encoder
(see `astroclip_kit.types.Encoder`), and `astroclip_kit.contracts.check_encoder` says what is wrong with it. What is
done to raw views first is the encoder's `preprocess`, a transform that is saved with it. The encoders here are sized by
`Encoder.for_modality(modality)`; each keeps its arguments as attributes, so that `models.save_model` can save it.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "FoldedLightCurve": ".folded_lightcurve",
        "GalSpecNet": ".galspecnet",
        "IICNet": ".iicnet",
        "ImageBackbone": ".image_backbones",
        "ImageConvNet": ".convnets",
        "Informer": ".informer",
        "InterpolatedLightCurve": ".interpolated_lightcurve",
        "LightCurveFeatures": ".lightcurve_features",
        "LightCurveStatistics": ".lightcurve_statistics",
        "LightCurveTransformer": ".lightcurve_transformer",
        "MetadataMLP": ".metadata_mlp",
        "MocoResNet50": ".moco_resnet50",
        "ResNet1d": ".resnet1d",
        "RetrievedSpectra": ".retrieved_spectra",
        "RingProfiles": ".ring_profiles",
        "SEResNet": ".se_resnet",
        "SpecFormer": ".specformer",
        "SpectralGenerator": ".spectral_generator",
        "SpectralShape": ".spectral_shape",
        "SpectrumConvNet": ".convnets",
        "SpenderEncoder": ".spender",
        "StampResNet": ".stamp_resnet",
        "TableValues": ".table_values",
        "TabularMLP": ".tabular",
        "VGG1D": ".vgg1d",
    },
)
