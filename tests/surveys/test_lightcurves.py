import numpy as np
import pandas as pd
import pytest
from synthetic_survey import LONG, write_photometry

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import LightCurveTable
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
