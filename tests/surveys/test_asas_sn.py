import gzip

import numpy as np
import pytest
from layout_lightcurves import SKY_PATROL_1, SKY_PATROL_2, write_sky_patrol_1, write_sky_patrol_2

from astroclip_kit.errors import FileError, UsageError
from astroclip_kit.surveys import ASASSNLightCurves
from astroclip_kit.types import Drop, Sample


def read(path, **settings):
    items = list(ASASSNLightCurves(path, **settings).read(path))
    return [item for item in items if isinstance(item, Sample)], [
        (item.source.rpartition(": ")[2], item.reason) for item in items if isinstance(item, Drop)
    ]


def test_sky_patrol_1_with_upper_limits(tmp_path):
    path = write_sky_patrol_1(tmp_path / "star 1.csv")
    [sample], drops = read(path, upper_limits="keep")
    assert sample.object_id == "star 1" and sample.labels == {"time_zero_mjd": pytest.approx(57999.97009)} and not drops
    expected = [
        [0, 14.839, 0.117, 0],
        [1.00128, 15.73, np.nan, 2],
        [2.00254, 14.759, 0.088, 0],
        [403.00254, 14.959, 0.028, 1],
        [404.00254, 16.551, np.nan, 3],
    ]
    np.testing.assert_allclose(sample.views["lightcurve"], expected, rtol=1e-6)
    [sample], drops = read(path)
    assert len(sample.views["lightcurve"]) == 3 and drops == [("star 1 (2 rows)", "upper limit")]


def test_a_non_detection_is_a_flux_like_any_other(tmp_path):
    path = write_sky_patrol_1(tmp_path / "star.csv")
    [sample], drops = read(path, value="flux")
    np.testing.assert_allclose(sample.views["lightcurve"][:, 1], [4.448, 0.421, 4.789, 3.983], rtol=1e-6)
    np.testing.assert_allclose(sample.views["lightcurve"][:, 2], [0.477, 0.392, 0.39, 0.1], rtol=1e-6)
    assert drops == [("star (1 rows)", "no value")]
    assert ASASSNLightCurves(path, value="flux").modality.unit == "mJy"


def test_sky_patrol_2_says_what_the_object_is(tmp_path):
    [sample], drops = read(write_sky_patrol_2(tmp_path / "a.csv"), upper_limits="keep")
    assert (sample.object_id, sample.ra, sample.dec) == ("661428967431", 130.5, -62.1)
    assert sample.labels == {"time_zero_mjd": 58402.0, "gaia_id": "5211052415435948544", "name": "X"}
    expected = [[0, 14.92, 0.028, 1], [1, 14.89, 0.027, 1], [3, 16.9, np.nan, 3]]
    np.testing.assert_allclose(sample.views["lightcurve"], expected, rtol=1e-6)
    assert drops == [("661428967431 (1 rows)", "quality")]
    [sample], drops = read(tmp_path / "a.csv", quality=("G", "B"))
    assert len(sample.views["lightcurve"]) == 3


def test_cameras_say_the_filter_where_no_column_does(tmp_path):
    rows = "hjd,camera,mag,mag_err,flux,flux_err\n"
    rows += "".join(
        f"{2458000.5 + day},{camera},15,0.1,1,1\n" for day, camera in enumerate(["ba", "bh", "bi", "bA", "bt"])
    )
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(rows.encode()))
    [sample], _ = read(tmp_path / "a.csv.gz")
    assert sample.object_id == "a" and sample.views["lightcurve"][:, 3].tolist() == [0, 0, 1, 1, 1]


def test_files_that_cannot_be_used(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(SKY_PATROL_1)
    with pytest.raises(FileError, match=r"a.csv: the table has no row"):
        read(path)
    path.write_text(SKY_PATROL_1.replace("Camera", "Kamera") + "1,2,3,4,5,6,7,8,9,V\n")
    with pytest.raises(
        FileError, match=r"a.csv: no export of Sky Patrol: no column camera or cam \(found hjd, ut date, k"
    ):
        read(path)
    write_sky_patrol_1(path, "2458000.5,2017,be,1.7,15.5,>15.5,99.99,0.4,0.4,V\n" * 3)
    with pytest.raises(FileError, match=r"none of its 3 rows can be used; the first: upper limit"):
        read(path)
    assert read(path, upper_limits="keep") == ([], [("a", "fewer than 2 usable measurements in the bands")])
    write_sky_patrol_1(path, "2458000.5,2017,be,1.7,15.5,nan,nan,nan,nan,V\n")
    with pytest.raises(FileError, match=r"none of its 1 rows can be used; the first: no value|upper limit"):
        read(path, value="flux")
    write_sky_patrol_2(path)
    path.write_text(path.read_text().replace("130.5", "530.5"))
    assert ("661428967431", "coordinates out of range") in read(path)[1]
    path.write_text('# {"asas_sn_id": 7,\n' + SKY_PATROL_2 + "2458403.5,4.0,0.1,14.89,0.02,17.1,1.4,c,bi,G,g\n" * 2)
    assert read(path)[0][0].object_id == "a"  # half a line of JSON says nothing


def test_settings_that_are_not_known():
    with pytest.raises(UsageError, match="value is 'magnitude', expected 'mag' or 'flux'"):
        ASASSNLightCurves("a", value="magnitude")
    with pytest.raises(UsageError, match="upper_limits is 'flag', expected 'drop' or 'keep'"):
        ASASSNLightCurves("a", upper_limits="flag")


@pytest.mark.shared_data
def test_real_export(shared_data):
    path = shared_data / "format-examples" / "vxmen.csv"
    [sample], drops = read(path, upper_limits="keep")
    view = sample.views["lightcurve"]
    assert len(view) == 1065 and not drops  # every row is a detection,
    assert np.bincount(view[:, 3].astype(int), minlength=4).tolist() == [0, 1065, 0, 0]  # and of g: no upper limit
    assert (sample.object_id, sample.labels["name"]) == ("12702", "VX Men")
    assert sample.labels["gaia_id"] == "5211052415435948544"
    [flux], _ = read(path, value="flux")
    np.testing.assert_allclose(-2.5 * np.log10(flux.views["lightcurve"][:, 1] / 3.631e6), view[:, 1], atol=1e-5)
