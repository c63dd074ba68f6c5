import numpy as np
import pytest
from layout_lightcurves import make_asas, make_asas_sn, make_ztf

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import (
    ASASSNLightCurves,
    JoinedReaders,
    SDSSSpectra,
    WithCovariates,
    WithVariability,
    write_asassn_light_curve,
)
from astroclip_kit.types import Sample


def samples_of(reader):
    return [item for path in reader.files() for item in reader.read(path) if isinstance(item, Sample)]


def write_star(folder, period=1.7, points=150):
    rng = np.random.default_rng(0)
    hjd = 2457000.5 + np.sort(rng.uniform(0, 200, points))
    mag = 14 + 0.4 * np.sin(2 * np.pi * hjd / period) + 0.01 * rng.normal(size=points)
    write_asassn_light_curve(folder / f"star-{points}.dat", hjd, mag, np.full(points, 0.01), mag, mag)


def test_period_amplitude_and_smoothness_are_beside_each_point(tmp_path):
    write_star(tmp_path)
    reader = WithVariability(ASASSNLightCurves(tmp_path))
    assert reader.modality.covariates == ("amplitude", "period", "lksl_statistic", "explained")
    [sample] = samples_of(reader)
    view = sample.views["lightcurve"]
    assert view.shape == (150, 8) and view.dtype == np.float32 and (view[:, 4:] == view[0, 4:]).all()
    amplitude, period, length, explained = view[0, 4:]
    assert period == pytest.approx(1.7, rel=1e-3) and amplitude == pytest.approx(0.8, abs=0.03)
    assert length < 0.05 and explained > 0.99


def test_hardly_any_points_have_no_period(tmp_path):
    write_star(tmp_path, points=5)
    [sample] = samples_of(WithVariability(ASASSNLightCurves(tmp_path)))
    assert np.isnan(sample.views["lightcurve"][:, 4:]).all() and np.isfinite(sample.views["lightcurve"][:, :4]).all()


def test_bands_are_taken_together_and_limits_left_out(tmp_path):
    plain = samples_of(WithVariability(make_asas_sn(tmp_path)))
    assert all(np.isnan(one.views["lightcurve"][:, 4:]).all() for one in plain)  # 3 detections, and limits


def test_surveys_become_one_modality_and_bands_keep_their_names(tmp_path):
    (tmp_path / "asas").mkdir()
    (tmp_path / "ztf").mkdir()
    ztf, asas = make_ztf(tmp_path / "ztf"), make_asas(tmp_path / "asas")
    reader = JoinedReaders([ztf, asas], name="variable")
    assert reader.modality.bands == ("g", "r", "g_limit", "r_limit", "V") and reader.modality.name == "variable"
    found = {one.object_id: one.views["variable"][:, 3] for one in samples_of(reader)}
    assert len(found) == 4 and set(found["215707"].tolist()) == {4}
    assert set(found["1786104593715015000"].tolist()) == {0, 1, 2}
    assert reader.also_reads() == []


def test_the_tables_of_joined_readers_are_checked_against_all_objects(tmp_path):
    readers = []
    for name, make, star in (("asas", make_asas, "215707"), ("ztf", make_ztf, "1786104593715015000")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "periods.csv").write_text(f"name,period\n{star},4.5\n")
        table = {"path": str(tmp_path / name / "periods.csv"), "id": "name"}
        readers.append(WithCovariates(make(tmp_path / name), ["period"], table))
    ids = [one.object_id for one in samples_of(JoinedReaders(readers))]
    assert len(ids) == 4 and JoinedReaders(readers).check_objects(ids) == 2
    assert JoinedReaders([readers[0], make_ztf(tmp_path / "ztf")]).check_objects(ids) == 0
    with pytest.raises(FileError, match="none of 1 objects has a row"):
        JoinedReaders(readers).check_objects(["215727"])


def test_what_does_not_fit_is_refused(tmp_path):
    asas = make_asas(tmp_path)
    with pytest.raises(UsageError, match=r"WithVariability: SDSSSpectra.* reads no light curves"):
        WithVariability(SDSSSpectra(tmp_path)).modality  # noqa: B018
    for wrong in ([], [asas, SDSSSpectra(tmp_path)]):
        with pytest.raises(UsageError, match="JoinedReaders takes readers of light curves; found"):
            JoinedReaders(wrong).modality  # noqa: B018
    with pytest.raises(UsageError, match=r"units and channels are .*'mag'.* and .*period.*, expected the same"):
        JoinedReaders([asas, WithCovariates(asas, ["period"])]).modality  # noqa: B018
