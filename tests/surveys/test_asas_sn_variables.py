"""ASAS-SN's catalogue of variable stars: the .dat files, read and written."""

import gzip

import numpy as np
import pytest
from layout_lightcurves import write_variable_star

from astroclip_kit.errors import FileError, InputError, OutputError
from astroclip_kit.surveys import ASASSNLightCurves, write_asassn_light_curve
from astroclip_kit.surveys.recognition import reader_for, survey_of
from astroclip_kit.types import Drop, Sample

HEAD = "# ASASSN-V J000001.00+000001.0\nHJD MAG MAG_ERR FLUX FLUX_ERR\n"
COLUMNS = ("hjd", "mag", "mag_err", "flux", "flux_err")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ASASSN-VJ000001.00+000001.0.dat"


def read(path, **settings):
    items = list(ASASSNLightCurves(path.parent, **settings).read(path))
    samples = [item for item in items if isinstance(item, Sample)]
    return samples, [(item.source.rpartition(": ")[2], item.reason) for item in items if isinstance(item, Drop)]


def test_round_trip(path):
    rng = np.random.default_rng(0)
    hjd = 2457000.5 + np.sort(rng.uniform(0, 1000, 50)).round(5)
    mag, flux = rng.normal(14, 0.3, 50).round(3), rng.normal(9, 1, 50).round(4)
    write_asassn_light_curve(path, hjd, mag, np.full(50, 0.021), flux, np.full(50, 0.11))
    [sample], drops = read(path)
    assert sample.object_id == "ASASSN-VJ000001.00+000001.0" and not drops
    assert sample.labels == {"time_zero_mjd": pytest.approx(hjd[0] - 2400000.5, abs=1e-8)}
    view = sample.views["lightcurve"]
    np.testing.assert_allclose(view[:, 0], hjd - hjd[0], rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(view[:, 1:], np.stack([mag, np.full(50, 0.021), np.zeros(50)], 1).astype("f4"))
    [sample], _ = read(path, value="flux")
    np.testing.assert_array_equal(sample.views["lightcurve"][:, 1], flux.astype("f4"))


def test_non_detections_are_dropped_and_counted_and_stay_fluxes(path):
    write_variable_star(path)
    assert path.read_text().splitlines()[5].split()[1:3] == ["99.990", "99.990"]
    [sample], drops = read(path)
    assert len(sample.views["lightcurve"]) == 28 and drops == [(f"{path.stem} (2 rows)", "upper limit")]
    assert len(read(path, value="flux")[0][0].views["lightcurve"]) == 30
    assert len(read(path, upper_limits="keep")[0][0].views["lightcurve"]) == 28  # they say no limit


def test_other_bands_and_too_few_measurements(path):
    write_variable_star(path)
    few = [(path.stem, "fewer than 40 usable measurements in the bands")]
    assert read(path, bands=["g"])[0] == [] and read(path, min_points=40)[1][1:] == few
    assert read(path, bands=["g", "V"])[0][0].views["lightcurve"][:, 3].tolist() == [1] * 28


def test_as_the_archive_writes_them_unordered_blanks_and_packed(path):
    path.with_suffix(".dat.gz").write_bytes(
        gzip.compress((HEAD + "2457002.1  14.2 0.02   7.1 0.1\n2457001.1 14.1 -1 7.2 0.1\n\n").encode())
    )
    [sample], drops = read(path.with_suffix(".dat.gz"))
    np.testing.assert_allclose(sample.views["lightcurve"], [[0, 14.1, np.nan, 0], [1, 14.2, 0.02, 0]], rtol=1e-6)
    assert sample.object_id == path.stem and not drops


def test_is_recognised_and_found_without_a_pattern(path):
    write_variable_star(path)
    assert survey_of(path).name == "ASAS-SN variable stars"
    assert reader_for(path.parent, "lightcurve").files() == [path]
    path.write_text("a table of\nhjd mag mag_err flux\n1 2 3 4\n")
    assert survey_of(path) is None or survey_of(path).reader != "ASASSNLightCurves"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD, r"0 measurements of 5 numbers, expected some of five each"),
        (HEAD + "1 2 3\n", "1 measurements of 3 numbers, expected some of five each"),
        (HEAD + "1 2 3 4 5\n1 2 3\n", "damaged: rows of five numbers were expected"),
        (HEAD + "2457001.1 99.99 99.99 7 0.1\n", "none of its 1 rows can be used: no detection among them"),
        (HEAD.replace("MAG_ERR", "ERR"), "its second line does not name HJD, MAG, MAG_ERR, FLUX, FLUX_ERR"),
        ("", "its second line does not name HJD, MAG"),
        ("\x00\xff", "no light curve of ASAS-SN"),
    ],
)
def test_files_that_cannot_be_used(path, content, message):
    path.write_text(content)
    with pytest.raises(FileError, match=message):
        read(path)


def test_files_that_are_no_text(path):
    path.write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(FileError, match="cannot be read as text"):
        read(path)
    with pytest.raises(FileError, match=r"cannot be read as text .*No such file"):
        read(path.with_name("b.dat"))


def test_writer_refuses_what_it_cannot_write(path, monkeypatch):
    good = dict.fromkeys(COLUMNS, np.ones(3))
    with pytest.raises(InputError, match=r"expected columns of one length, found hjd \(3,\), mag \(2,\)"):
        write_asassn_light_curve(path, **good | {"mag": np.ones(2)})
    with pytest.raises(InputError, match=r"expected columns of one length, found hjd \(0,\)"):
        write_asassn_light_curve(path, **dict.fromkeys(COLUMNS, ()))
    with pytest.raises(InputError, match="a date, a flux or its error is not finite"):
        write_asassn_light_curve(path, **good | {"flux": [1, np.nan, 1]})

    def full(self, data):
        raise OSError(28, "No space left on device")

    write_asassn_light_curve(path, **good)
    before = path.read_bytes()
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OutputError, match="no space left"):
        write_asassn_light_curve(path, **good | {"mag": np.full(3, 2)})
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_same_input_same_bytes_also_packed(path):
    packed = path.with_suffix(".dat.gz")
    assert write_variable_star(packed).read_bytes() == write_variable_star(packed).read_bytes()
    assert gzip.decompress(packed.read_bytes()) == write_variable_star(path).read_bytes()
