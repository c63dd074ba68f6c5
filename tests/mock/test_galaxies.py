"""The mock survey as files: layout, determinism, truth, and errors."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from survey_files import digests

from astroclip_kit.errors import FolderError, UsageError
from astroclip_kit.mock import simulate_galaxies
from astroclip_kit.settings import Observing
from astroclip_kit.storage import open_folder


@pytest.fixture(scope="module")
def survey(tmp_path_factory):
    return simulate_galaxies(tmp_path_factory.mktemp("mock") / "survey", count=120, seed=5, workers=1)


def test_layout(survey):
    manifest = open_folder(survey, "survey")
    assert (manifest["origin"], manifest["seed"], manifest["count"]) == ("mock", 5, 120)
    catalogue = Table.read(survey / "catalogue.fits")
    assert len(catalogue) == len(set(catalogue["object_id"])) == 120
    assert all(
        (survey / name.strip()).is_file() for column in ("cutout_file", "spectrum_file") for name in catalogue[column]
    )
    assert len(list(survey.glob("cutouts/*.fits"))) == len(list(survey.glob("spectra/spec-*.fits"))) == 120
    assert catalogue["mag_r"].max() < Observing().faint_limit
    assert 0.01 <= catalogue["z"].min() and catalogue["z"].max() <= 0.6


def test_same_seed_same_bytes_for_any_number_of_workers(survey, tmp_path):
    assert digests(simulate_galaxies(tmp_path / "again", count=120, seed=5, workers=2)) == digests(survey)


def test_smaller_survey_is_the_beginning_of_a_larger_one(survey, tmp_path):
    part = digests(simulate_galaxies(tmp_path / "part", count=7, seed=5))
    whole = digests(survey)
    shared = [name for name in part if name.startswith(("cutouts", "spectra"))]
    assert len(shared) == 14 and all(part[name] == whole[name] for name in shared)


def test_another_seed_is_another_survey(survey, tmp_path):
    other = digests(simulate_galaxies(tmp_path / "other", count=3, seed=6))
    assert not set(other.values()) & set(digests(survey).values())


def test_artifacts_change_nothing_but_their_own_cutouts(survey, tmp_path):
    many = simulate_galaxies(tmp_path / "many", count=30, seed=5, observing=Observing(artifacts=0.5))
    kinds = Table.read(many / "catalogue.fits")["artifact"]
    before = Table.read(survey / "catalogue.fits")["artifact"][:30]
    part, whole = digests(many), digests(survey)
    changed = {name for name in part if name.startswith(("cutouts", "spectra")) and part[name] != whole[name]}
    clean = [f"cutouts/9000-57000-{k + 1}.fits" for k in range(30) if kinds[k] == before[k] == "none"]
    assert 5 < len(changed) < 25 and not changed & set(clean)
    assert all(name.startswith("cutouts") for name in changed)


def test_magnitude_limits(tmp_path):
    limits = Observing(bright_limit=16.5, faint_limit=17.77, size=32)
    magnitude = Table.read(simulate_galaxies(tmp_path / "bright", 100, observing=limits) / "catalogue.fits")["mag_r"]
    assert magnitude.min() > 16.5 and 17.6 < magnitude.max() < 17.77


def test_image_and_spectrum_have_the_same_colour(survey):
    """The g - r of the fibre spectrum agrees with that of the same aperture on the image, for bright galaxies."""
    from astroclip_kit.mock.instruments import band_fluxes

    catalogue = Table.read(survey / "catalogue.fits")
    catalogue = catalogue[catalogue["mag_r"] < 18.5]
    offset = (np.arange(64) - 31.5) * 0.262
    aperture = np.hypot(offset[:, None], offset) < 1.0
    images = np.stack([fits.getdata(survey / row["cutout_file"].strip()) for row in catalogue])
    fibre = images[:, :, aperture].sum(axis=2)
    spectra = np.stack([fits.getdata(survey / row["spectrum_file"].strip(), 1)["flux"] for row in catalogue])
    synthetic = band_fluxes(spectra.astype(np.float32))
    difference = -2.5 * np.log10(fibre[:, 0] / fibre[:, 1]) + 2.5 * np.log10(synthetic[:, 0] / synthetic[:, 1])
    assert len(catalogue) > 15
    assert abs(np.median(difference)) < 0.1 and difference.std() < 0.15


def test_spectra_are_redshifted_as_the_catalogue_says(survey):
    """H alpha of star-forming galaxies lies where the redshift puts it."""
    catalogue = Table.read(survey / "catalogue.fits")
    forming = catalogue[(catalogue["ssfr"] > -10) & (catalogue["z"] < 0.4)]
    for row in forming[:10]:
        spectrum = fits.getdata(survey / row["spectrum_file"].strip(), 1)
        line = 6564.6 * (1 + row["z"])
        near = np.abs(10.0 ** spectrum["loglam"] - line) < 150
        peak = 10.0 ** spectrum["loglam"][near][np.argmax(spectrum["model"][near])]
        assert peak == pytest.approx(line, abs=4)


def test_desi_grid(tmp_path):
    survey = simulate_galaxies(tmp_path / "desi", count=2, spectra="desi", observing=Observing(size=32))
    spectrum = fits.getdata(next(survey.glob("spectra/spec-*.fits")), 1)
    wavelength = 10.0 ** spectrum["loglam"].astype(float)
    assert len(wavelength) == 7781 and wavelength[[0, -1]] == pytest.approx([3600, 9824], abs=0.1)
    assert fits.getdata(next(survey.glob("cutouts/*.fits"))).shape == (3, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count and workers must be at least 1, found 0 and 2"),
        ({"spectra": "lamost"}, "spectra must be 'sdss' or 'desi', found 'lamost'"),
        ({"seed": -1}, "seed must be 0 or more, found -1"),
        ({"observing": Observing(size=33)}, "size must be even and at least 32 pixels, found 33"),
        ({"observing": Observing(faint_limit=24)}, "faint_limit must be 14 to 21 mag, found 24"),
        (
            {"observing": Observing(bright_limit=19.6)},
            "bright_limit must be 0.5 mag or more below the faint_limit of 19",
        ),
        ({"observing": Observing(artifacts=4)}, "artifacts must be a share from 0 to 1, found 4"),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        simulate_galaxies(tmp_path / "survey", **arguments)
    assert not (tmp_path / "survey").exists()


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        simulate_galaxies(tmp_path, count=1)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
