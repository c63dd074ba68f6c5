import ast
import csv

import numpy as np
import pytest
from layout_gaia import SOURCES, write_coefficients, write_csv, write_sampled

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import GaiaXP
from astroclip_kit.types import Drop, Sample


def read(path, **settings):
    items = list(GaiaXP(path, **settings).read(path))
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [item.reason for item in items if isinstance(item, Drop)]


def values_of(path, column):
    with path.open() as file:
        csv.field_size_limit(1 << 30)
        return np.array([ast.literal_eval(row[column]) for row in csv.DictReader(file)])


def test_coefficients_errors_and_correlations_are_channels(tmp_path):
    path = write_coefficients(tmp_path)
    samples, drops = read(path, errors=True, correlations=True)
    assert [sample.object_id for sample in samples] == [str(source) for source in SOURCES] and not drops
    names = ["coefficients", "coefficient_errors", "coefficient_correlations"]
    expected = np.concatenate([values_of(path, f"{xp}_{name}") for name in names for xp in ("bp", "rp")], axis=1)
    np.testing.assert_allclose([sample.views["xp"] for sample in samples], expected, rtol=1e-6)
    channels = GaiaXP(path, errors=True, correlations=True).modality.channels
    assert channels[54:56] == ("bp_54", "rp_0") and channels[110] == "bp_error_0"
    assert channels[219:221] == ("rp_error_54", "bp_correlation_0") and len(channels) == 3190


def test_labels_say_how_good_the_coefficients_are(tmp_path):
    samples, _ = read(write_coefficients(tmp_path))
    assert samples[0].labels["bp_n_relevant_bases"] == 53 and samples[0].labels["rp_standard_deviation"] == 1.12
    assert "bp_n_relevant_bases" not in samples[1].labels


def test_normalised_by_their_length_or_by_the_flux_in_g(tmp_path):
    path = write_coefficients(tmp_path)
    [raw, _], _ = read(path, errors=True)
    [unit, _], _ = read(path, errors=True, normalise="norm")
    length = np.linalg.norm(raw.views["xp"][:110])
    np.testing.assert_allclose(unit.views["xp"], raw.views["xp"] / length, rtol=1e-6)
    path = write_coefficients(tmp_path, phot_g_mean_flux=[200.0, ""])
    [first], drops = read(path, errors=True, normalise="g")
    np.testing.assert_allclose(first.views["xp"], raw.views["xp"] / 200, rtol=1e-6)
    assert drops == ["no value"]
    path = write_coefficients(tmp_path, phot_g_mean_mag=[25.6873668671 - 5, 15])
    [first, _], _ = read(path, correlations=True, normalise="g")
    np.testing.assert_allclose(first.views["xp"][:110], raw.views["xp"][:110] / 100, rtol=1e-6)
    np.testing.assert_allclose(first.views["xp"][110], values_of(path, "bp_coefficient_correlations")[0, 0], rtol=1e-6)
    with pytest.raises(FileError, match="no column 'phot_g_mean_flux' or 'phot_g_mean_mag': join gaia_source, or norm"):
        read(write_coefficients(tmp_path), normalise="g")


def test_a_source_without_bp_keeps_rp(tmp_path):
    samples, drops = read(write_coefficients(tmp_path, bp_coefficients=["", "null"]))
    assert not drops and np.isnan(samples[0].views["xp"][:55]).all() and np.isfinite(samples[0].views["xp"][55:]).all()


def test_rows_that_cannot_be_used(tmp_path):
    empty = {f"{xp}_coefficients": ["", str((1.0,) * 55)] for xp in ("bp", "rp")}
    samples, drops = read(write_coefficients(tmp_path, **empty))
    assert len(samples) == 1 and drops == ["no value"]
    assert read(write_coefficients(tmp_path, source_id=[7, 7]))[1] == ["duplicated id"]
    assert read(write_coefficients(tmp_path, source_id=["", 7]))[1] == ["no id"]
    assert read(write_sampled(tmp_path, ra=[400, 1]), kind="spectrum")[1] == ["coordinates out of range"]
    with pytest.raises(FileError, match="none of its 2 rows can be used; the first: no id"):
        read(write_coefficients(tmp_path, source_id=["", ""]))


def test_samples_are_a_spectrum_with_inverse_variance(tmp_path):
    flux, error = [1e-16] * 343, [1e-18] * 343
    error[5], error[6], flux[7] = 0, None, None
    rows = [str(flux).replace("None", "null")] * 2, [str(error).replace("None", "null"), str([None] * 343)]
    [sample], drops = read(write_sampled(tmp_path, flux=rows[0], flux_error=rows[1]), kind="spectrum")
    assert (sample.object_id, sample.ra, sample.dec) == (str(SOURCES[0]), 210.1, -61.5) and drops == ["no value"]
    view = sample.views["xp"]
    np.testing.assert_allclose(view[0], 1000, rtol=1e-6)  # 1e-16 W/m2/nm is 1e-14 erg/s/cm2/Angstrom
    assert np.flatnonzero(view[1] == 0).tolist() == [5, 6, 7]
    np.testing.assert_allclose(np.delete(view[1], [5, 6, 7]), 0.01, rtol=1e-6)


def test_the_unit_is_astropy_s(tmp_path):
    from astropy import units

    reader = GaiaXP(tmp_path, kind="spectrum", grid=(4000, 9000, 50))
    assert (1 * units.Unit("W / (m2 nm)")).to(units.Unit(reader.modality.unit)).value == pytest.approx(1e19)
    [first, _], _ = read(write_sampled(tmp_path), kind="spectrum", grid=(4000, 9000, 50))
    assert first.views["xp"].shape == reader.modality.shape == (2, 101) and (first.views["xp"][1] > 0).all()
    assert GaiaXP(tmp_path, kind="spectrum").modality.grid[::342] == (3360, 10200)


def test_a_file_of_one_source(tmp_path):
    table = {"wavelength": np.arange(336, 1021, 2), "flux": [1e-16] * 343, "flux_error": [1e-18] * 343}
    path = write_csv(tmp_path / f"XP_SAMPLED-Gaia DR3 {SOURCES[0]}.csv", table)
    [sample], _ = read(path, kind="spectrum")
    assert sample.object_id == str(SOURCES[0])
    np.testing.assert_allclose(sample.views["xp"], [[1000] * 343, [0.01] * 343], rtol=1e-6)
    with pytest.raises(FileError, match="its name holds no source_id, which a file of one source needs"):
        read(write_csv(tmp_path / "a.csv", table), kind="spectrum")
    with pytest.raises(FileError, match="its wavelengths do not ascend, expected nm from 336 to 1020"):
        read(write_csv(path, {**table, "wavelength": table["wavelength"][::-1]}), kind="spectrum")


def test_files_of_another_kind(tmp_path):
    with pytest.raises(FileError, match=r"no column 'bp_coefficients' \(found source_id"):
        read(write_sampled(tmp_path))
    with pytest.raises(FileError, match=r"no column 'flux' \(found source_id"):
        read(write_coefficients(tmp_path), kind="spectrum")
    with pytest.raises(FileError, match="column 'bp_coefficients' holds 3 values in a row, expected 55"):
        read(write_coefficients(tmp_path, bp_coefficients=["(1, 2, 3)"] * 2))
    with pytest.raises(UsageError, match="kind 'fluxes' with normalise '': expected a kind of coefficients, spectrum"):
        GaiaXP(tmp_path, kind="fluxes")


def test_internal_samples_of_one_band(tmp_path):
    row = str(tuple(range(481)))
    path = write_csv(tmp_path / "a.csv", {"source_id": [8, 9, 9], "xp": ["RP", "BP", "RP"], "flux": [row] * 3})
    samples, _ = read(path, kind="internal")
    assert [sample.object_id for sample in samples] == ["8", "9"]
    assert np.isnan(samples[0].views["xp"]).sum() == 481 and samples[0].views["xp"][-1] == 480
    with pytest.raises(FileError, match=r"holds samples in pseudo-wavelength \(GaiaXPy's convert\), not in nm. Read"):
        read(path, kind="spectrum")


@pytest.mark.shared_data
def test_real_coefficients(shared_data):
    path = shared_data / "format-examples" / "XP_CONTINUOUS_RAW.csv"
    samples, drops = read(path, errors=True, correlations=True)
    assert [sample.object_id for sample in samples] == [str(source) for source in SOURCES] and not drops
    first = dict(
        zip(GaiaXP(path, errors=True, correlations=True).modality.channels, samples[0].views["xp"], strict=True)
    )
    assert first["bp_0"] == np.float32(56947.03696840172) and first["rp_0"] == np.float32(735186.2157096652)
    assert first["bp_error_0"] == np.float32(55.701263) and first["rp_correlation_0"] == np.float32(0.17973025)
    assert samples[0].labels["rp_n_relevant_bases"] == 40
    correlations = np.array([value for name, value in first.items() if "correlation" in name])
    assert len(correlations) == 2970 and np.abs(correlations).max() <= 1


@pytest.mark.shared_data
def test_real_internal_samples(shared_data):
    path = shared_data / "format-examples" / "SampledMeanSpectrum.csv"
    samples, drops = read(path, kind="internal", errors=True)
    assert [sample.object_id for sample in samples] == [str(source) for source in SOURCES] and not drops
    view = samples[0].views["xp"]
    assert view.shape == (1924,) and np.isfinite(view).all() and (view[962:] > 0).all()
    assert view[0] == np.float32(790.6652760273903) and view[481] == np.float32(908.9968995861024)
