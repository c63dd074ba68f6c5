"""Real eigenspectra: read in both published layouts, used so that the latents still decide, refused with one line."""

import numpy as np
import pytest
from astropy.io import fits

from astroclip_kit.errors import FileError
from astroclip_kit.mock import simulate_galaxies
from astroclip_kit.mock.population import draw_galaxies
from astroclip_kit.mock.spectra import rest_spectra
from astroclip_kit.mock.stellar_populations import REST_WAVELENGTH
from astroclip_kit.mock.templates import read_eigenspectra, with_real_shapes

WAVELENGTH = np.power(10, 3.54 + 1e-4 * np.arange(3800))


def shapes(wavelength):
    x = (wavelength - 6000) / 3000
    return np.stack([np.ones_like(x), x, x**2, np.exp(-0.5 * ((wavelength - 6564.61) / 3) ** 2)])


def write_yip(folder, wavelength=WAVELENGTH, spectra=None):
    spectra = shapes(wavelength) if spectra is None else spectra
    columns = [
        fits.Column("WAVE", f"{len(wavelength)}D", array=wavelength[None]),
        fits.Column("PCA", f"{spectra.size}D", dim=f"({len(wavelength)},{len(spectra)})", array=spectra[None]),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(folder / "gal_eigenspec_Yip2004.fits")
    return str(folder)


def write_pipeline(folder, coefficients=(3.54, 1e-4), spectra=None):
    hdu = fits.PrimaryHDU(np.float32(shapes(WAVELENGTH) if spectra is None else spectra))
    hdu.header.update({f"COEFF{k}": value for k, value in enumerate(coefficients)})
    hdu.writeto(folder / "spEigenGal-12345.fits")
    return str(folder)


@pytest.mark.parametrize("write", [write_yip, write_pipeline])
def test_both_layouts_are_read_onto_the_rest_frame_grid(tmp_path, write):
    eigen, covered = read_eigenspectra(write(tmp_path))
    assert eigen.shape == (4, len(REST_WAVELENGTH)) and eigen.dtype == np.float32
    assert REST_WAVELENGTH[covered][[0, -1]] == pytest.approx(WAVELENGTH[[0, -1]], rel=3e-4)
    np.testing.assert_allclose(eigen[:, covered], shapes(REST_WAVELENGTH[covered]), atol=0.05)


def test_the_first_choice_is_yip(tmp_path):
    write_pipeline(tmp_path)
    write_yip(tmp_path, spectra=shapes(WAVELENGTH)[:2])
    assert len(read_eigenspectra(str(tmp_path))[0]) == 2


def test_what_the_eigenspectra_span_is_kept_and_the_rest_joins_on(tmp_path):
    folder = write_yip(tmp_path)
    _, covered = read_eigenspectra(folder)
    spectra = (np.array([[3.0, 1.0, 0.5, 2.0], [2.0, -0.5, 0.2, 0.0]]) @ shapes(REST_WAVELENGTH)).astype(np.float32)
    real = with_real_shapes(spectra, folder)
    np.testing.assert_allclose(real[:, covered], spectra[:, covered], rtol=0.02)
    np.testing.assert_allclose(real, spectra, rtol=0.05)
    tilted = spectra * (1 + 0.5 * np.sin(REST_WAVELENGTH / 40)).astype(np.float32)
    smooth = np.abs(np.diff(with_real_shapes(tilted, folder)[:, covered]))
    assert np.median(smooth) < 0.1 * np.median(np.abs(np.diff(tilted)))


@pytest.mark.shared_data
def test_real_eigenspectra_keep_colour_and_lines(shared_data, tmp_path):
    (tmp_path / "spEigenGal-56436.fits").symlink_to(shared_data / "templates" / "spEigenGal-56436.fits")
    galaxies = draw_galaxies(100, np.random.default_rng(0), 19.9)
    own = sum(rest_spectra(galaxies))
    for folder in (str(shared_data / "templates"), str(tmp_path)):
        real = with_real_shapes(own, folder)
        assert np.all(real > 0)

        def colour(spectra):
            blue, red = (np.abs(REST_WAVELENGTH - centre) < 250 for centre in (4200, 6200))
            return -2.5 * np.log10(spectra[:, blue].mean(axis=1) / spectra[:, red].mean(axis=1))

        assert np.corrcoef(colour(real), colour(own))[0, 1] > 0.95
        assert np.abs(np.median(colour(real) - colour(own))) < 0.05
        line = np.abs(REST_WAVELENGTH - 6564.6) < 8
        side = (np.abs(REST_WAVELENGTH - 6564.6) > 45) & (np.abs(REST_WAVELENGTH - 6564.6) < 80)
        width = real[:, line].mean(axis=1) / real[:, side].mean(axis=1)
        forming = galaxies["sfr"] - galaxies["logmstar"]
        assert np.median(width[forming > -10]) > np.median(width[forming < -11.5]) + 0.3


@pytest.mark.shared_data
def test_survey_with_templates(shared_data, tmp_path):
    surveys = [
        simulate_galaxies(tmp_path / name, count=3, templates=folder)
        for name, folder in (("own", ""), ("real", shared_data / "templates"))
    ]
    spectra = [fits.getdata(sorted(survey.glob("spectra/*.fits"))[0], 1)["model"] for survey in surveys]
    assert not np.allclose(*spectra) and np.all(spectra[1] > 0)


def foreign(folder):
    fits.PrimaryHDU(np.ones((2, 100), np.float32)).writeto(folder / "spEigenGal-1.fits")


def short(folder):
    write_pipeline(folder, spectra=shapes(WAVELENGTH)[:, :200])


def backwards(folder):
    write_yip(folder, WAVELENGTH[::-1])


def uneven(folder):
    columns = [fits.Column("WAVE", "7D", array=np.ones((1, 7))), fits.Column("PCA", "15D", array=np.ones((1, 15)))]
    fits.BinTableHDU.from_columns(columns).writeto(folder / "gal_eigenspec_Yip2004.fits")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, r"holds no eigenspectra of galaxies, expected gal_eigenspec_Yip2004.fits or spEigenGal"),
        (lambda folder: (folder / "spEigenGal-1.fits").write_text("<html>"), "not a FITS file"),
        (foreign, "expected one image of spectra with COEFF0 and COEFF1"),
        (short, r"covers 3467 to 36\d\d A, expected the optical range"),
        (backwards, "wavelengths that do not ascend"),
        (uneven, "15 values do not divide into spectra of 7 pixels"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path, make, message):
    folder = tmp_path / "templates"
    folder.mkdir()
    make(folder)
    with pytest.raises(FileError, match=message):
        simulate_galaxies(tmp_path / "survey", count=1, templates=folder)
    assert not (tmp_path / "survey").exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match="nowhere: no such folder of templates"):
        simulate_galaxies(tmp_path / "survey", count=1, templates=tmp_path / "nowhere")
