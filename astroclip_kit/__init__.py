"""One embedding space for images, spectra, light curves and catalogues of the same astronomical objects."""

__version__ = "0.1.0"
