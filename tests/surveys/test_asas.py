import numpy as np
import pytest
from layout_lightcurves import CYCLE, make_asas, write_asas

from astroclip_kit.errors import FileError
from astroclip_kit.surveys import ASASLightCurves
from astroclip_kit.types import Drop, Sample


def read(reader):
    items = list(reader.read(reader.files()[0]))
    return [item for item in items if isinstance(item, Sample)], [
        (item.source.rpartition(": ")[2], item.reason) for item in items if isinstance(item, Drop)
    ]


def test_members_are_objects_with_their_class(tmp_path):
    samples, drops = read(make_asas(tmp_path))
    assert [(sample.object_id, sample.labels) for sample in samples] == [
        ("215707", {"time_zero_mjd": 51868.0, "class": "Mira"}),
        ("215727", {"time_zero_mjd": 51867.0, "class": "RR_Lyrae_FM"}),
    ]
    view = samples[0].views["lightcurve"]
    np.testing.assert_allclose(view[:, 0], 2 * np.arange(40), atol=1e-4)
    np.testing.assert_allclose(view[:, 1], CYCLE, atol=6e-4)
    assert (view[:, 2] == np.float32(0.05)).all() and not view[:, 3].any() and not drops


def test_rows_are_sorted_and_what_is_not_measured_is_left_out(tmp_path):
    rows = "5.5,12.0,0.1\n3.5,12.1,0\n4.5,29.999,0.1\n6.5,nan,0.1\n7.5,12.2,29.999\n"
    samples, _ = read(ASASLightCurves(write_asas(tmp_path, **{"215707": rows})[0]))
    expected = [[0, 12.1, np.nan, 0], [2, 12.0, 0.1, 0], [4, 12.2, np.nan, 0]]
    np.testing.assert_allclose(samples[0].views["lightcurve"], expected, rtol=1e-6)
    assert samples[0].labels == {"time_zero_mjd": 50003.0}


def test_members_that_cannot_be_used_are_listed(tmp_path):
    members = {"1": "5.5,12.0,0.1\n", "2": "", "3": "<html></html>", "4": "1,2\n3,4\n", "5": b"\xff\xfe", "_215727": ""}
    members |= {"6": "nan,1,1\n2,nan,1\n"}
    archive, classes = write_asas(tmp_path, **members)
    classes.write_text("filename,class\n215707,Mira\n999,Cepheid\n888,\n")
    samples, drops = read(ASASLightCurves(archive, classes))
    assert [sample.labels.get("class") for sample in samples] == ["Mira", None]
    few, rows = "fewer than 2 usable measurements in the bands", "expected rows of HJD - 2450000, magnitude and error"
    assert drops[:3] == [("1", few), ("2", few), ("3", rows)] and drops[3:5] == [("4", rows), ("5", rows)]
    assert drops[5:] == [
        ("215727", "duplicated id"),
        ("6", few),
        ("999", "no light curve in the archive"),
        ("888", "no light curve in the archive"),
    ]


def test_archives_that_are_none(tmp_path):
    archive, classes = write_asas(tmp_path)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match=r"no whole tar archive \(EOFError: Compressed file ended.*Download it again"):
        read(ASASLightCurves(archive))
    archive.write_bytes(content[:40] + bytes(40) + content[80:])
    with pytest.raises(FileError, match=r"no whole tar archive \((error: Error -3|ReadError)"):
        read(ASASLightCurves(archive))
    with pytest.raises(FileError, match=r"none.tar.gz: no such file"):
        read(ASASLightCurves(tmp_path / "none.tar.gz"))
    with pytest.raises(FileError, match=r"none of its 2 members is a light curve"):
        read(ASASLightCurves(write_asas(tmp_path, **{"215707": "", "215727": ""})[0]))
    archive, classes = write_asas(tmp_path)
    classes.write_text("name,type\n215707,Mira\n")
    with pytest.raises(FileError, match=r"classes.dat: no column 'filename' \(found name, type\)"):
        read(ASASLightCurves(archive, classes))


@pytest.mark.shared_data
@pytest.mark.parametrize("table", ["classes", "classes_with_metadata"])
def test_real_archive(shared_data, table):
    folder = shared_data / "asas-variables"
    samples, drops = read(
        ASASLightCurves(folder / "asas_training_set.tar.gz", folder / f"asas_training_set_{table}.dat")
    )
    assert len(samples) == 810 and not drops
    classes = [sample.labels["class"] for sample in samples]
    assert len(set(classes)) == 28 and (classes.count("Mira"), classes.count("RR_Lyrae_FM")) == (91, 86)
    views = [sample.views["lightcurve"] for sample in samples]
    assert sum(len(view) for view in views) == 490855 and min(len(view) for view in views) == 50
    assert all(np.isfinite(view).all() and (np.diff(view[:, 0]) >= 0).all() for view in views)


@pytest.mark.shared_data
def test_a_real_period_is_found(shared_data):
    """RR Lyrae stars of the fundamental mode pulsate in 0.3 to 1 day: the times and the values belong together."""
    from astropy.timeseries import LombScargle

    folder = shared_data / "asas-variables"
    reader = ASASLightCurves(folder / "asas_training_set.tar.gz", folder / "asas_training_set_classes.dat")
    sample = next(item for item in reader.read(reader.files()[0]) if item.labels.get("class") == "RR_Lyrae_FM")
    time, value, error, _ = sample.views["lightcurve"].T.astype(float)
    frequency, power = LombScargle(time, value, error).autopower(minimum_frequency=1.0, maximum_frequency=3.3)
    assert power.max() > 0.4 and 0.3 < 1 / frequency[power.argmax()] < 1
