"""Tests on real survey files beside the repository."""

import numpy as np
import pytest

from astroclip_kit.data import ingest, splits
from astroclip_kit.settings import Matching, Split
from astroclip_kit.surveys import LightCurveTable, RaggedSpectra, SDSSSpectra, TableReader

pytestmark = pytest.mark.shared_data
MAGNITUDES = [f"psfmag_{band}" for band in "ugriz"]


def test_sdss_spectra_and_photometry_by_position(shared_data, tmp_path):
    folder = shared_data / "sdss-spectra"
    sources = {
        "spectrum": SDSSSpectra(folder),
        "photometry": TableReader(folder / "catalog.csv", columns=MAGNITUDES, ra_column="ra", dec_column="dec"),
    }
    matching = Matching(by="position", group="position", rows="spectrum", repeats={"photometry": "first"})
    dataset = ingest(sources, tmp_path / "data", matching=matching, quiet=True)
    both = dataset.present("spectrum") & dataset.present("photometry")
    assert dataset.present("spectrum").sum() == 203 and both.sum() > 185
    assert 180 < len(np.unique(dataset.groups)) < 190  # one quasar was visited ten times
    spectra = dataset.views("spectrum")
    assert np.isfinite(spectra).all() and (spectra[:, 1] >= 0).all()
    splits.check_leaks(dataset.groups, splits.divide(dataset, Split(folds=5)))


def test_supernovae_with_a_row_for_every_spectrum(shared_data, tmp_path):
    folder = shared_data / "supernovae"
    photometry = {"id": "name", "time": "time_mjd", "value": "mag", "error": "e_mag", "band": "band"}
    spectra = {"id": "name", "offset": "offset", "n_pix": "n_pix", "wavelength": "wavelength_angstrom"}
    columns = {**spectra, "flux": "flux_scaled"}
    sources = {
        "lightcurve": LightCurveTable(folder / "photometry.parquet", photometry),
        "spectrum": RaggedSpectra(folder / "spectra.h5", folder / "spectra.csv", columns, (3800, 8000, 10)),
        "catalogue": TableReader(folder / "objects.csv", id_column="name", labels=["claimedtype", "redshift"]),
    }
    dataset = ingest(sources, tmp_path / "data", matching=Matching(rows="spectrum"), quiet=True)
    rows = dataset.present("spectrum")
    assert rows.sum() > 1350 and len(np.unique(dataset.groups[rows])) > 520
    assert len(np.unique(dataset.object_ids)) == len(dataset)
    assert np.isfinite(dataset.labels["redshift"]).mean() > 0.98
    one = np.flatnonzero(dataset.groups == "SN1986L")
    curves = {dataset[row].views["lightcurve"].tobytes() for row in one if "lightcurve" in dataset[row].views}
    assert len(one) > 20 and len(curves) == 1  # every spectrum of an object has the same light curve
