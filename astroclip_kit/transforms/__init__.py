"""Callables for the views of one modality: what is done to pixels before an encoder sees them.

A transform maps a batch of views [B, ...] to a batch, deterministically, and copes with NaN. An augmentation also
takes one int64 seed per row, and what it does to a row is a function of that seed alone (see `randomness`); it keeps
the shape, but may crop images. Any callable with one of these two signatures works wherever a transform or an
augmentation is asked for; to be saved with a model it must keep its arguments as attributes, as a frozen dataclass
does. An augmentation that is for some data only has `check_modality`, which raises for others.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Asinh": ".images",
        "CatalogueColumns": ".catalogue_columns",
        "CenterCrop": ".images",
        "ClipOutliers": ".spectra",
        "Compose": ".compose",
        "ComposeAugmentations": ".compose",
        "ContinuumWarp": ".spectral_augmentations",
        "Downsample": ".images",
        "DropPoints": ".lightcurves",
        "ErrorNoise": ".lightcurves",
        "Extinction": ".extinction",
        "FillGaps": ".spectra",
        "GaussianNoise": ".images",
        "IvarNoise": ".spectra",
        "ImageQuality": ".image_quality",
        "JitterCrop": ".geometry",
        "LightCurveSteps": ".lightcurve_steps",
        "MaskPixels": ".spectral_augmentations",
        "MaskSkyLines": ".sky_lines",
        "MinMax": ".scaling",
        "Normalise": ".spectra",
        "PSFBlur": ".seeing",
        "PartOfPoints": ".lightcurves",
        "QuadratureNoise": ".seeing",
        "RandomFlipRotate": ".images",
        "RandomPart": ".random_part",
        "RandomRotate": ".geometry",
        "RandomScale": ".geometry",
        "RandomWindow": ".chronology",
        "Rebin": ".spectra",
        "RedshiftShift": ".spectral_augmentations",
        "Resample": ".regrid",
        "Resize": ".images",
        "ScaleImages": ".scaling",
        "SelectChannels": ".spectra",
        "SpectrumChannels": ".spectrum_channels",
        "Standardise": ".tables",
        "ToRGB": ".images",
        "resample": ".resampling",
        "stein_augmentations": ".stein",
        "wavelength_grid": ".resampling",
    },
)
