"""Survey files to samples, and samples to survey files: one module per format.

Touch this when you have files of a survey. A reader has `modality`, `files()` and `read(path)`; to add one, write
a class with these three members anywhere (see `astroclip_kit.types.Reader`) and pass it where a reader is asked for:
`astroclip_kit.check_reader` says what is wrong with it. Where one file is one object, a function is enough:
`FunctionReader`. Writers stand beside the readers of their format.
"""

from .._lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "ASASLightCurves": ".asas",
        "ASASSNLightCurves": ".asas_sn",
        "AstroCLIPFile": ".astroclip",
        "AstroM3Parquet": ".astrom3",
        "Arm": ".desi_files.coaddition",
        "CleanImages": ".clean_images",
        "DESIService": ".services.desi_service",
        "DESISpectra": ".desi",
        "Fetched": ".services.fetched",
        "FITSImages": ".fits_images",
        "FunctionReader": ".functions",
        "GaiaXP": ".gaia_xp",
        "HATSCatalogue": ".hats_catalogues",
        "HuggingFaceDataset": ".hugging_face",
        "LAMOSTPhotometry": ".lamost_photometry",
        "LAMOSTSpectra": ".lamost",
        "ImageArrays": ".image_arrays",
        "ImageCubes": ".image_cubes",
        "JoinedReaders": ".joined_readers",
        "LegacySurveyCutouts": ".legacysurvey",
        "LegacySurveyService": ".services.legacysurvey_service",
        "LightCurveTable": ".lightcurves",
        "MultimodalUniverse": ".multimodal_universe",
        "PROVABGSCatalogue": ".provabgs",
        "RaggedSpectra": ".ragged_spectra",
        "Resampled": ".resampled",
        "SDSSService": ".services.sdss_service",
        "SDSSSpectra": ".sdss",
        "TableReader": ".tables",
        "WithCovariates": ".with_covariates",
        "WithVariability": ".with_variability",
        "WithoutSky": ".without_sky",
        "catalogue": ".catalogues",
        "lamost_file_name": ".lamost_writer",
        "fetch_observations": ".services.fetched",
        "reader_for": ".recognition",
        "recognise": ".recognition",
        "spectrum_file_name": ".sdss",
        "write_asassn_light_curve": ".asas_sn_variables",
        "write_desi_coadd": ".desi_files.desi_writer",
        "write_hats": ".multimodal.hats_writer",
        "write_lamost_spectrum": ".lamost_writer",
        "write_legacysurvey_cutout": ".legacysurvey",
        "write_multimodal_universe": ".multimodal.multimodal_universe_writer",
        "write_sdss_spectrum": ".sdss",
    },
)
