import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from synthetic_survey import LONG, write_photometry

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import LightCurveTable, TableReader
from astroclip_kit.types import Drop, Sample


def read(path, columns=LONG, **settings):
    reader = LightCurveTable(path, columns, **settings)
    items = list(reader.read(path))
    return {item.object_id: item for item in items if isinstance(item, Sample)}, [
        i for i in items if isinstance(i, Drop)
    ]


def test_one_view_per_object_in_order_of_time(tmp_path):
    samples, drops = read(write_photometry(tmp_path), bands=["g", "r"])
    assert list(samples) == ["SN1", "SN2"] and not drops
    np.testing.assert_allclose(
        samples["SN1"].views["lightcurve"],
        [[0, 17.0, 0.2, 1], [1, 17.2, np.nan, 0], [2.5, 17.5, 0.1, 1], [4, 17.9, 0.1, 1]],
        rtol=1e-6,
    )
    assert samples["SN1"].labels == {"time_zero_mjd": 56000.0}
    assert np.isnan(samples["SN1"].ra)


def test_minutes_survive_float32(tmp_path):
    mjd = [56000.0, 56100.0, 56000.0 + 1 / 1440, 56001.0, 56103.0, 56004.0]
    samples, _ = read(write_photometry(tmp_path, mjd=mjd))
    assert samples["SN1"].views["lightcurve"][1, 0] == pytest.approx(1 / 1440, rel=1e-5)


def test_the_most_frequent_bands(tmp_path):
    path = write_photometry(tmp_path, band=["r", "g", "i", "r", "g", "r"])
    assert LightCurveTable(path, LONG, bands=2).modality.bands == ("r", "g")
    assert LightCurveTable(path, LONG, bands=9).modality.bands == ("r", "g", "i")


def test_bands_of_equal_frequency_are_in_order_of_name(tmp_path):
    path = write_photometry(tmp_path, band=["z", "z", "u", "u", "b", "b"])
    assert LightCurveTable(path, LONG, bands=2).modality.bands == ("b", "u")


def test_given_bands_need_no_table():
    modality = LightCurveTable("nowhere.parquet", LONG, bands=["g"], unit="uJy").modality
    assert (modality.bands, modality.unit, modality.shape) == (("g",), "uJy", (-1, 4))


def test_unusable_rows_are_counted_per_object_and_reason(tmp_path):
    path = write_photometry(
        tmp_path,
        mag=[99.0, 19.0, 17.0, np.nan, 19.3, 17.9],
        mjd=[56002.5, 56100.0, 56000.0, 56001.0, 56103.0, 56004.0],
        upper=[False, False, False, False, False, True],
        name=["SN1", "SN2", "SN1", "SN1", "SN2", "SN1"],
    )
    samples, drops = read(path, {**LONG, "upper_limit": "upper"}, bands=["g", "r"], min_points=1)
    assert [(drop.source.rsplit(": ")[-1], drop.reason) for drop in drops] == [
        ("SN1 (2 rows)", "no value"),
        ("SN1 (1 rows)", "upper limit"),
    ]
    assert len(samples["SN1"].views["lightcurve"]) == 1


def test_upper_limits_as_text(tmp_path):
    path = write_photometry(tmp_path, upper=["", "F", ">", "no", "0", None])
    _, drops = read(path, {**LONG, "upper_limit": "upper"})
    assert [drop.reason for drop in drops] == ["upper limit"]


def test_rows_without_id_or_time(tmp_path):
    path = write_photometry(tmp_path, name=["SN1", "SN2", "SN1", "", "SN2", "SN1"], mjd=[1.0, 2, np.nan, 4, 5, 6])
    samples, drops = read(path)
    assert {drop.reason for drop in drops} == {"no id", "no time"} and list(samples) == ["SN1", "SN2"]


def test_a_light_curve_of_one_point_is_dropped(tmp_path):
    samples, drops = read(write_photometry(tmp_path), bands=["r"])
    assert list(samples) == ["SN1"]
    assert [drop.reason for drop in drops] == ["fewer than 2 usable measurements in the bands"]


def test_dates_as_text(tmp_path):
    path = write_photometry(tmp_path, mjd=["2013/08/30", "2013-08-31", "2013/09/01.5", "56600", "56601", "56602"])
    samples, _ = read(path)
    assert samples["SN1"].labels["time_zero_mjd"] == 56534
    assert samples["SN1"].views["lightcurve"][1, 0] == 2.5


def test_an_object_without_coordinates_is_kept(tmp_path):
    path = write_photometry(tmp_path, ra=[np.nan] * 6, dec=[np.nan] * 6)
    samples, drops = read(path, {**LONG, "ra": "ra", "dec": "dec"})
    assert np.isnan(samples["SN1"].ra) and "coordinates out of range" not in [drop.reason for drop in drops]


def test_sexagesimal_coordinates_and_coordinates_out_of_range(tmp_path):
    path = write_photometry(tmp_path, ra=["10:00:00", "27:00:00"] * 2 + ["27:00:00", "10:00:00"], dec=["-01:30:00"] * 6)
    columns = {**LONG, "ra": "ra", "dec": "dec"}
    samples, drops = read(path, columns)
    assert (samples["SN1"].ra, samples["SN1"].dec) == (150, -1.5)
    assert [drop.reason for drop in drops] == ["coordinates out of range"]


def test_where_keeps_rows(tmp_path):
    samples, _ = read(write_photometry(tmp_path, system=["AB", "AB", "Vega", "AB", "AB", "AB"]), where={"system": "AB"})
    assert samples["SN1"].labels["time_zero_mjd"] == 56001.0
    with pytest.raises(FileError, match=r"no row has {'system': 'ST'}"):
        read(write_photometry(tmp_path, system=["AB"] * 6), where={"system": "ST"})


def test_csv_ids_keep_their_zeros(tmp_path):
    path = tmp_path / "photometry.csv"
    pd.DataFrame({"name": ["007", "007"], "mjd": [1.0, 2], "mag": [1.0, 2], "e_mag": "", "band": "g"}).to_csv(
        path, index=False
    )
    samples, _ = read(path)
    assert list(samples) == ["007"] and np.isnan(samples["007"].views["lightcurve"][:, 2]).all()


def test_no_usable_row(tmp_path):
    with pytest.raises(FileError, match="none of its 6 rows can be used; the first: no value"):
        read(write_photometry(tmp_path, mag=[np.nan] * 6))


def test_missing_column(tmp_path):
    with pytest.raises(FileError, match=r"no column 'flux' \(found name, mjd, mag, e_mag, band\)"):
        read(write_photometry(tmp_path), {**LONG, "value": "flux"})


def test_columns_that_are_not_mapped():
    with pytest.raises(UsageError, match=r"columns: time, value, band missing, colour unknown. Map id, time, value"):
        LightCurveTable("a.csv", {"id": "name", "colour": "filter"})


@pytest.mark.shared_data
def test_real_photometry(shared_data):
    path = shared_data / "supernovae" / "photometry.parquet"
    columns = {"id": "name", "time": "time_mjd", "value": "mag", "error": "e_mag", "band": "band"}
    table = pd.read_parquet(path)
    samples, drops = read(path, columns, bands=int(table["band"].nunique()))
    assert len(samples) == 531 and not drops
    assert sum(len(sample.views["lightcurve"]) for sample in samples.values()) == len(table)
    name = table["name"].value_counts().index[0]
    one = table[table["name"] == name].sort_values("time_mjd", kind="stable")
    view = samples[name].views["lightcurve"]
    np.testing.assert_allclose(view[:, 0], one["time_mjd"] - one["time_mjd"].iloc[0], atol=1e-3)
    assert LightCurveTable(path, columns, bands=3).modality.bands == ("R", "I", "V")


ALERTS = {"id": "candid", "group": "objectId", "time": "jd", "value": {"column": "mag", "unit": "mag"}}
ALERTS |= {"error": "e_mag", "band": "fid", "upper_limit": "upperlimit", "sign": "isdiffpos"}
FILTERS = {1: "g", 2: "r", 3: "i"}


def write_alerts(folder, **columns):
    """Two alerts: a detection in g, a limit in r, a negative difference in r and a detection in g."""
    table = {
        "candid": [11, 11, 11, 11, 12, 12],
        "objectId": ["ZTF1"] * 4 + ["ZTF2"] * 2,
        "jd": [2459000.5, 2458998.5, 2458999.5, 2458997.5, 2459000.5, 2459001.5],
        "mag": [18.0, 20.5, 19.0, 18.5, 19.0, 19.1],
        "e_mag": [0.1, np.nan, 0.2, 0.1, 0.1, 0.1],
        "fid": [1, 2, 2, 1, 2, 2],
        "upperlimit": [0, 1, 0, 0, 0, 0],
        "isdiffpos": ["t", None, "f", "1", "t", "t"],
    }
    pd.DataFrame({**table, **columns}).to_parquet(folder / "alerts.parquet")
    return folder / "alerts.parquet"


def test_upper_limits_are_bands_of_their_own(tmp_path):
    reader = LightCurveTable(write_alerts(tmp_path), ALERTS, bands=FILTERS, upper_limits="keep")
    assert reader.modality.bands == ("g", "r", "i", "g_limit", "r_limit", "i_limit")
    first, drop = sorted(reader.read(reader.files()[0]), key=lambda item: isinstance(item, Drop))[::2]
    np.testing.assert_allclose(
        first.views["lightcurve"], [[0, 18.5, 0.1, 0], [1, 20.5, np.nan, 4], [3, 18, 0.1, 0]], rtol=1e-6
    )
    assert (first.object_id, first.group, first.labels) == ("11", "ZTF1", {"time_zero_mjd": 58997.0})
    assert (drop.source, drop.reason) == (f"{reader.path}: 11 (1 rows)", "negative difference flux")


def test_magnitudes_with_a_sign_become_fluxes(tmp_path):
    reader = LightCurveTable(write_alerts(tmp_path), ALERTS, bands=FILTERS, unit="uJy", upper_limits="keep")
    view = next(iter(reader.read(reader.files()[0]))).views["lightcurve"]
    flux = 3631e6 * 10 ** (-0.4 * np.array([18.5, 20.5, 19.0, 18.0]))
    np.testing.assert_allclose(view[:, 1], flux * [1, 1, -1, 1], rtol=1e-5)
    np.testing.assert_allclose(view[:, 2], flux * 0.921034 * [0.1, np.nan, 0.2, 0.1], rtol=1e-5)
    assert view[:, 3].tolist() == [0, 4, 1, 0] and reader.modality.unit == "uJy"


def test_limits_do_not_count_as_detections(tmp_path):
    path = write_alerts(tmp_path, upperlimit=[1, 1, 1, 1, 0, 0])
    samples, drops = read(path, ALERTS, bands=FILTERS, upper_limits="keep")
    assert list(samples) == ["12"]
    assert [drop.reason for drop in drops] == ["fewer than 2 usable measurements in the bands"]
    with pytest.raises(FileError, match="none of its 6 rows can be used; the first: upper limit"):
        read(write_alerts(tmp_path, upperlimit=[1] * 6), ALERTS, bands=FILTERS)


def test_limits_in_a_column_of_their_own_and_as_text(tmp_path):
    path = write_alerts(tmp_path, mag=[18.0, None, 19.0, 18.5, None, None], maglim=[20.1, 20.2, 20.3, 20.4, 20.5, None])
    columns = {role: column for role, column in ALERTS.items() if role not in ("upper_limit", "sign")}
    samples, drops = read(path, {**columns, "limit": "maglim"}, bands=FILTERS, upper_limits="keep", min_points=0)
    np.testing.assert_allclose(samples["11"].views["lightcurve"][1], [1, 20.2, np.nan, 4], rtol=1e-6)
    np.testing.assert_allclose(samples["12"].views["lightcurve"], [[0, 20.5, np.nan, 4]], rtol=1e-6)
    assert [drop.reason for drop in drops] == ["no value"]
    path = write_alerts(tmp_path, mag=["18.0", "> 20.2", ">19.0", "18.5", "<3", "nothing"])
    _, drops = read(path, columns, bands=FILTERS, min_points=0)
    assert [(drop.source.rsplit(": ")[-1], drop.reason) for drop in drops[:3]] == [
        ("11 (2 rows)", "upper limit"),
        ("12 (1 rows)", "upper limit"),
        ("12 (1 rows)", "no value"),
    ]


def test_the_table_s_own_unit_counts(tmp_path):
    table = Table({"id": [b"a", b"a"], "t": [1.0, 2], "f": np.array([1.0, 4], ">f4"), "b": ["g", "g"]})
    table["e"] = np.array([0.5, 0.0], ">f8")
    table["f"].unit = "mJy"
    table.write(tmp_path / "a.fits")
    columns = {"id": "id", "time": "t", "value": {"column": "f", "unit": "Jy"}, "band": "b", "error": "e"}
    samples, _ = read(tmp_path / "a.fits", columns, unit="uJy", bands=["g"])
    np.testing.assert_allclose(samples["a"].views["lightcurve"], [[0, 1000, 500, 0], [1, 4000, np.nan, 0]])
    samples, _ = read(tmp_path / "a.fits", columns, bands=["g"])
    expected = 16.4 - 2.5 * np.log10([1, 4])
    np.testing.assert_allclose(samples["a"].views["lightcurve"][:, 1], expected, atol=2e-4)
    assert samples["a"].views["lightcurve"][0, 2] == pytest.approx(0.5 / 0.921034, rel=1e-5)
    with pytest.raises(FileError, match=r"a.fits: column 'f' is in 'mJy', which does not convert to 'K'"):
        read(tmp_path / "a.fits", columns, unit="K")
    with pytest.raises(
        UsageError, match=r"unit 'counts per day' is none that astropy knows\. Write it as astropy does"
    ):
        read(tmp_path / "a.fits", columns, unit="counts per day")


def test_a_flux_that_is_not_positive_has_no_magnitude(tmp_path):
    path = write_photometry(tmp_path, mag=[1.0, 2, -3, 0, 5, 6])
    columns = {**LONG, "value": {"column": "mag", "unit": "mJy"}}
    _, drops = read(path, columns, min_points=1)
    assert [(drop.source.rsplit(": ")[-1], drop.reason) for drop in drops] == [("SN1 (2 rows)", "no value")]


def test_times_with_an_offset(tmp_path):
    columns = {**LONG, "time": {"column": "mjd", "offset": 2450000}}
    samples, _ = read(write_photometry(tmp_path, mjd=[1868.5, 1, 2, 3, 4, 1870.75]), columns)
    assert samples["SN1"].labels["time_zero_mjd"] == 50001.5
    assert samples["SN1"].views["lightcurve"][-1, 0] == 1868.75


def test_markers_are_a_property_of_the_column(tmp_path):
    columns = {**LONG, "value": {"column": "mag", "missing": [17.5]}}
    _, drops = read(write_photometry(tmp_path), columns, min_points=1)
    assert [drop.reason for drop in drops] == ["no value"]


def test_columns_and_limits_that_are_not_described():
    with pytest.raises(UsageError, match=r"columns: time: expected a column, or \{column: ...\} with offset, found"):
        LightCurveTable("a.csv", {**LONG, "time": {"column": "jd", "unit": "d"}})
    with pytest.raises(UsageError, match="upper_limits is 'ignore', expected 'drop' or 'keep'"):
        LightCurveTable("a.csv", LONG, upper_limits="ignore")


@pytest.mark.shared_data
def test_real_ztf_supernovae(shared_data):
    folder = shared_data / "ztf-sn-ia"
    columns = {"id": "id", "time": "time", "value": "mag", "error": "magerr", "band": "band"}
    samples, drops = read(folder / "SNIa_lightcurves.parquet", columns, bands=3, min_points=1)
    assert len(samples) == 2289 and not drops
    views = [sample.views["lightcurve"] for sample in samples.values()]
    assert np.bincount(np.concatenate(views)[:, 3].astype(int)).tolist() == [22540, 21798, 1]
    reader = LightCurveTable(folder / "SNIa_lightcurves.parquet", columns, bands=["g", "R"])
    _, drops = read(reader.path, columns, bands=["g", "R"])
    assert {drop.reason for drop in drops} == {"fewer than 2 usable measurements in the bands"}
    table = TableReader(folder / "SNIa_bts.csv", ["peakmag", "A_V"], "ZTFID", "RA", "Dec", {"z": "redshift"})
    rows = [item for item in table.read(table.files()[0]) if isinstance(item, Sample)]
    assert len(rows) == 2314 and len(samples.keys() & {row.object_id for row in rows}) == 2289
    assert not np.isnan([[row.ra, row.dec] for row in rows]).any()
    peak = {row.object_id: row.views["table"][0] for row in rows}
    brightest = [np.nanmin(sample.views["lightcurve"][:, 1]) - peak[name] for name, sample in samples.items()]
    assert np.median(np.abs(brightest)) < 0.02  # the same magnitudes: the peaks agree


@pytest.mark.shared_data
def test_real_ztf_alerts(shared_data):
    path = shared_data / "ztf-alerts" / "lightcurves.parquet"
    samples, drops = read(path, ALERTS, bands=FILTERS, unit="uJy", upper_limits="keep", min_points=0)
    assert len(samples) == 263 and not drops
    assert len({sample.group for sample in samples.values()}) == 236
    rows = np.concatenate([sample.views["lightcurve"] for sample in samples.values()])
    assert np.bincount(rows[:, 3].astype(int), minlength=6).tolist() == [986, 1075, 0, 1182, 1412, 0]
    assert (rows[:, 1] < 0).sum() == 668  # isdiffpos "f" and "0"
    _, drops = read(path, ALERTS, bands=FILTERS, min_points=1)
    assert sum(int(drop.source.split("(")[1].split()[0]) for drop in drops if drop.reason == "upper limit") == 2594
