import h5py
import numpy as np
import pandas as pd
import pytest
from synthetic_survey import RAGGED, write_catalogue, write_ragged

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import RaggedSpectra
from astroclip_kit.types import Drop, Sample

GRID = (4000, 4500, 5)


def read(paths, columns=RAGGED, grid=GRID, **settings):
    reader = RaggedSpectra(*paths, columns, grid, **settings)
    items = list(reader.read(reader.files()[0]))
    return {item.object_id: item for item in items if isinstance(item, Sample)}, [
        i for i in items if isinstance(i, Drop)
    ]


def test_rows_of_one_object_are_numbered_and_share_a_group(tmp_path):
    samples, drops = read(write_ragged(tmp_path))
    assert {name: sample.group for name, sample in samples.items()} == {"SN1#0": "SN1", "SN2#0": "SN2", "SN1#1": "SN1"}
    assert not drops


def test_objects_with_one_spectrum_keep_their_id(tmp_path):
    index = pd.DataFrame({"name": ["0012", "0013"], "offset": [0, 200], "n_pix": [200, 300]})
    samples, _ = read(write_ragged(tmp_path, index))
    assert list(samples) == ["0012", "0013"] == [sample.group for sample in samples.values()]


def test_flux_is_averaged_and_errors_become_inverse_variance(tmp_path):
    flux = np.arange(750, dtype="f4")
    samples, _ = read(write_ragged(tmp_path, flux=flux, error=np.full(750, 2, "f4")), grid=(4001, 4301, 4))
    view = samples["SN1#0"].views["spectrum"]
    np.testing.assert_allclose(view[0], np.arange(0.5, 151.5, 2))
    np.testing.assert_allclose(view[1], 2 / 4)


def test_pixels_outside_the_spectrum_have_no_inverse_variance(tmp_path):
    view = read(write_ragged(tmp_path))[0]["SN1#0"].views["spectrum"]
    wavelength = np.arange(4000, 4501, 5)
    assert not view[1, wavelength > 4402].any() and view[1, wavelength < 4395].all()


@pytest.mark.parametrize("error", ["absent", "nan", "copy of the flux", "zero"])
def test_missing_errors_are_estimated_from_the_noise(tmp_path, error):
    flux = np.random.default_rng(1).normal(100, 2, 750).astype("f4")
    arrays = {"nan": np.full(750, np.nan), "copy of the flux": flux, "zero": np.full(750, 1e-20), "absent": flux}
    paths = write_ragged(tmp_path, flux=flux, error=arrays[error].astype("f4"))
    columns = {**RAGGED, "error": "" if error == "absent" else "error"}
    samples, _ = read(paths, columns, grid=np.arange(4000.0, 4400, 2))
    assert np.median(samples["SN2#0"].views["spectrum"][1]) == pytest.approx(1 / 4, rel=0.3)


def test_some_missing_errors_mask_their_pixels(tmp_path):
    error = np.ones(750, "f4")
    error[[10, 11]], error[20], error[30] = np.nan, -1, np.inf
    view = read(write_ragged(tmp_path, error=error), grid=np.arange(4000.0, 4400, 2))[0]["SN1#0"].views["spectrum"]
    assert (np.flatnonzero(view[1] == 0) == [10, 11, 20, 30]).all()
    assert np.isfinite(view).all()


def test_scale_makes_flux_absolute_with_the_unit_of_the_index(tmp_path):
    paths = write_ragged(tmp_path, flux=np.full(750, 2, "f4"), error=np.ones(750, "f4"), factor=np.array([3.0, 5, 7]))
    columns = {**RAGGED, "scale": "factor", "unit": "u_flux"}
    where = {"u_flux": "erg/s/cm^2/Angstrom"}
    samples, _ = read(paths, columns, where=where)
    np.testing.assert_allclose(samples["SN1#1"].views["spectrum"][0], 14)
    assert RaggedSpectra(*paths, columns, GRID, where).modality.unit == "erg / (Angstrom s cm2)"
    assert RaggedSpectra(*paths, columns, GRID).modality.unit == ""
    assert RaggedSpectra(*paths, RAGGED, GRID, where).modality.unit == ""


def test_where_keeps_rows_and_says_what_it_left_out(tmp_path):
    samples, drops = read(write_ragged(tmp_path), where={"deredshifted": False})
    assert list(samples) == ["SN1#0", "SN2#0"]
    assert [drop.reason for drop in drops] == ["left out by where: deredshifted"] and drops[0].source.endswith("SN1#1")
    samples, _ = read(write_ragged(tmp_path), where={"u_flux": ["Uncalibrated", "COUNTS"], "deredshifted": [False]})
    assert list(samples) == ["SN2#0"]


def test_labels_of_the_row(tmp_path):
    samples, _ = read(write_ragged(tmp_path), labels=["mjd", "u_flux"])
    assert samples["SN2#0"].labels == {"mjd": 56540.0, "u_flux": "Uncalibrated"}
    assert samples["SN1#1"].labels == {"u_flux": "erg/s/cm^2/Angstrom"}


def test_phase_is_a_constant_channel_and_nan_where_unknown(tmp_path):
    table = str(write_catalogue(tmp_path))
    phase = {"time": "mjd", "table": table, "id": "name", "reference": "maxdate"}
    paths = write_ragged(tmp_path)
    reader = RaggedSpectra(*paths, RAGGED, GRID, covariates={"phase_day": phase, "n_pix": "n_pix"})
    samples, _ = read(paths, covariates=reader.covariates)
    assert reader.modality.channels == ("flux", "ivar", "phase_day", "n_pix")
    assert np.unique(samples["SN1#0"].views["spectrum"][2]) == pytest.approx([56533 - 56534.0])
    assert np.isnan(samples["SN2#0"].views["spectrum"][2]).all()  # no date of maximum
    assert np.isnan(samples["SN1#1"].views["spectrum"][2]).all()  # no date of the spectrum
    assert np.unique(samples["SN2#0"].views["spectrum"][3]) == [300]


def test_coordinates_of_the_index(tmp_path):
    index = pd.DataFrame(
        {"name": list("abc"), "offset": 0, "n_pix": 200, "ra": ["10:00:00", "12:00:00", "25:00:00"], "dec": [1, 2, 3]}
    )
    unplaced = index.assign(ra=["10:00:00", None, "11:00:00"], dec=[1, None, 3])
    assert read(write_ragged(tmp_path, unplaced), {**RAGGED, "ra": "ra", "dec": "dec"})[1] == []
    samples, drops = read(write_ragged(tmp_path, index), {**RAGGED, "ra": "ra", "dec": "dec"})
    assert {name: (sample.ra, sample.dec) for name, sample in samples.items()} == {"a": (150, 1), "b": (180, 2)}
    assert [drop.reason for drop in drops] == ["coordinates out of range"]


def test_descending_and_repeated_wavelengths_are_put_in_order(tmp_path):
    wave = np.concatenate([np.arange(4398.0, 3998, -2), np.arange(4000.0, 4600, 2), np.arange(4000.0, 4500, 2)])
    wave[5] = wave[6]
    samples, _ = read(write_ragged(tmp_path, wave=wave, flux=wave.astype("f4")), grid=np.arange(4010.0, 4380, 4))
    np.testing.assert_allclose(samples["SN1#0"].views["spectrum"][0], np.arange(4010.0, 4380, 4), atol=0.7)


def test_rows_that_cannot_be_used_are_drops_with_reasons(tmp_path):
    flux = np.random.default_rng(0).normal(size=750).astype("f4")
    flux[200:500] = np.nan
    index = pd.DataFrame(
        {"name": ["a", "b", "c", "d", "e", "f"], "offset": [0, 200, 700, -5, 0, 0], "n_pix": [200, 300, 100, 10, 1, 50]}
    )
    index.loc[5, "name"] = ""
    wave = np.concatenate([np.arange(4000.0, 4400, 2), np.arange(4000.0, 5100, 2)])
    _, drops = read(write_ragged(tmp_path, index, flux=flux, wave=wave))
    assert [drop.reason for drop in drops] == [
        "no good pixel: flux is NaN or 0, or the inverse variance 0 everywhere",
        "lies beyond the end of the file's arrays",
        "lies beyond the end of the file's arrays",
        "wavelengths are missing",
        "no id",
    ]


def test_zero_inverse_variance_everywhere_is_a_drop(tmp_path):
    _, drops = read(write_ragged(tmp_path, error=np.full(750, np.inf, "f4")))
    assert len(drops) == 3 and all("the inverse variance 0 everywhere" in drop.reason for drop in drops)


def test_spectra_off_the_grid_are_dropped(tmp_path):
    samples, drops = read(write_ragged(tmp_path), grid=(4450, 4700, 5))
    assert list(samples) == ["SN2#0", "SN1#1"]
    assert [drop.reason for drop in drops] == ["covers none of the grid"]


def test_flux_that_float32_cannot_hold_is_dropped(tmp_path):
    paths = write_ragged(tmp_path, factor=np.full(3, 1e-21))
    _, drops = read(paths, {**RAGGED, "scale": "factor"})
    assert {drop.reason for drop in drops} == {"flux is too small for float32: leave out `scale`"}


def test_where_that_keeps_nothing(tmp_path):
    with pytest.raises(FileError, match=r"spectra.csv: no row has {'u_flux': 'Jy'}"):
        read(write_ragged(tmp_path), where={"u_flux": "Jy"})


def test_missing_array_and_missing_column(tmp_path):
    paths = write_ragged(tmp_path)
    with pytest.raises(FileError, match=r"no array 'lambda' \(found error, flux, wave\)"):
        read(paths, {**RAGGED, "wavelength": "lambda"})
    with pytest.raises(FileError, match=r"spectra.csv: no column 'start' \(found name, offset, n_pix"):
        read(paths, {**RAGGED, "offset": "start"})


def test_index_that_is_missing(tmp_path):
    path, index = write_ragged(tmp_path)
    index.unlink()
    with pytest.raises(FileError, match=r"spectra.csv: no such file"):
        read((path, index))


def test_columns_that_are_not_mapped(tmp_path):
    with pytest.raises(UsageError, match="columns: n_pix, wavelength, flux missing, sigma unknown"):
        RaggedSpectra("a.h5", "a.csv", {"id": "name", "offset": "offset", "sigma": "e"}, GRID)


def test_covariate_that_is_not_described():
    with pytest.raises(UsageError, match=r"covariate 'phase_day': expected a column or .*'reference'"):
        RaggedSpectra("a.h5", "a.csv", RAGGED, GRID, covariates={"phase_day": {"time": "mjd"}})


def test_big_endian_arrays(tmp_path):
    path, index = write_ragged(tmp_path)
    with h5py.File(path) as file:
        before = {name: file[name][:] for name in file}
    native = read((path, index))[0]["SN2#0"].views["spectrum"]
    paths = write_ragged(
        tmp_path, **{name: values.astype(values.dtype.newbyteorder(">")) for name, values in before.items()}
    )
    swapped = read(paths)[0]["SN2#0"].views["spectrum"]
    assert swapped.dtype.isnative
    np.testing.assert_array_equal(swapped, native)


@pytest.mark.shared_data
def test_real_supernovae(shared_data):
    folder = shared_data / "supernovae"
    columns = {**RAGGED, "wavelength": "wavelength_angstrom", "flux": "flux_scaled", "error": "flux_error_scaled"}
    phase = {"time": "time_mjd", "table": str(folder / "objects.csv"), "id": "name", "reference": "maxdate"}
    samples, drops = read(
        (folder / "spectra.h5", folder / "spectra.csv"),
        columns,
        grid=(3800, 8000, 10),
        where={"deredshifted": False},
        covariates={"phase_day": phase},
    )
    assert len(samples) == 1392 and len(drops) == 4
    assert len({sample.group for sample in samples.values()}) == 531
    views = np.stack([sample.views["spectrum"] for sample in samples.values()])
    assert np.isfinite(views[:, :2]).all() and (views[:, 1] >= 0).all()
    phases = views[:, 2, 0]
    assert abs(np.nanmedian(phases)) < 10 and 0 < np.isnan(phases).sum() < 200
