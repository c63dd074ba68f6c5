"""Sets of the Multimodal Universe that the kit writes: read back, in the layout, whole or not there at all."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from layout_multimodal import everything, samples_of

from astroclip_kit.errors import FolderError, InputError
from astroclip_kit.surveys import (
    HATSCatalogue,
    MultimodalUniverse,
    WithCovariates,
    write_hats,
    write_multimodal_universe,
)
from astroclip_kit.surveys.multimodal.multimodal_columns import pixel_of, pixels
from astroclip_kit.types import Drop, Modality, Sample

GRID = np.linspace(4000, 4300, 151)
IMAGE = Modality("image", "image", ("g", "r", "ivar_g", "ivar_r"), (4, 6, 5), "nmgy", (0.262,))
SPECTRUM = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 151), "1e-17 erg / (Angstrom s cm2)", tuple(GRID))
LIGHTCURVE = Modality("lc", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", bands=("g", "r", "Y"))
TABLE = Modality("photometry", "table", ("mag", "ebv"), (2,))
ALL = {one.name: one for one in (IMAGE, SPECTRUM, LIGHTCURVE, TABLE)}


def make_samples(count=40, seed=0):
    """Objects all over the sky that lack one modality or another."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        image, spectrum = rng.normal(size=(4, 6, 5)), rng.normal(size=(2, 151))
        image[2:], spectrum[1] = np.abs(image[2:]) + 0.1, np.abs(spectrum[1]) + 0.1
        image[2:, 0, 0], spectrum[1, :3], spectrum[0, :3] = 0, 0, spectrum[0, 3]
        points = int(rng.integers(2, 9))
        time = np.sort(rng.uniform(0, 100, points))
        curve = [time - time[0], rng.normal(size=points), rng.uniform(0.1, 1, points), rng.integers(0, 3, points)]
        curve[2][0] = np.nan
        views = {"image": image, "spectrum": spectrum, "lc": np.stack(curve, axis=1)}
        views["photometry"] = np.array([number, np.nan if number % 4 else 1.5])
        views = {name: view.astype("f4") for place, (name, view) in enumerate(views.items()) if (number + place) % 4}
        ra, dec = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
        labels = {"z": number / 10, "time_zero_mjd": 50000.25 + number}
        labels |= {"class": "G" * (number % 3 + 1)} if number % 5 else {}
        group = f"group {number // 2}" if number < 10 else ""
        yield Sample(f"object {number} ä", views, float(ra), float(dec), labels, group)


def check_same(read, name, modality):
    """The samples that a reader gave are those that were written."""
    got = {one.object_id: one for one in read}
    want = {one.object_id: one for one in make_samples() if name in one.views}
    assert set(got) == set(want) and len(read) == len(got)
    for object_id, one in want.items():
        view = one.views[name]
        if modality.kind == "lightcurve":
            view = view[np.lexsort((view[:, 3], view[:, 0]))]
        np.testing.assert_allclose(got[object_id].views[name], view, rtol=1e-5, atol=2e-5)
        assert (got[object_id].ra, got[object_id].dec, got[object_id].group) == (one.ra, one.dec, one.group)
        assert {key: got[object_id].labels.get(key) for key in ("z", "class")} == {
            key: one.labels.get(key) for key in ("z", "class")
        }


def reader_options(modality):
    return {"columns": modality.channels} if modality.kind == "table" else {"ivar": modality.kind == "image"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("universe") / "out"
    assert write_multimodal_universe(root, make_samples(), ALL) == []
    return root


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_is_read_back(written, name):
    modality = ALL[name]
    labels = ["z", "class"]
    reader = MultimodalUniverse(written / name, modality.kind, labels=labels, name=name, **reader_options(modality))
    samples, drops = everything(reader)
    assert drops == [] and reader.modality.channels == modality.channels and reader.modality.unit == modality.unit
    assert reader.modality.bands == modality.bands
    np.testing.assert_allclose(reader.modality.grid, modality.grid)
    check_same(samples, name, modality)


def test_each_object_lies_in_its_pixel_and_all_columns_are_there(written):
    for path in (written / "image").glob("healpix=*/*.hdf5"):
        with h5py.File(path) as file:
            assert path.name == "001-of-001.hdf5" and {"object_id", "ra", "dec", "healpix"} <= set(file)
            assert (file["healpix"][:] == pixel_of(path)).all()
            np.testing.assert_array_equal(pixels(file["ra"], file["dec"], 4), file["healpix"])
            assert file["image_band"].dtype.kind == "S" and (file["image_mask"][:] == (file["image_ivar"][:] > 0)).all()
    # As the hats package has it.
    assert pixels([29.99891294634474], [-17.389183343548346]).tolist() == [2570743767726196006]


def test_the_last_band_is_written(written):
    curves = samples_of(MultimodalUniverse(written / "lc", kind="lightcurve"))
    assert any((one.views["lightcurve"][:, 3] == 2).any() for one in curves)


def test_files_grow_block_by_block(tmp_path, monkeypatch):
    near = [Sample(one.object_id, one.views, 10.0, 10.0, one.labels, one.group) for one in make_samples()]
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_runs.RUN_ROWS", 7)
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_runs.BLOCK_BYTES", 1)
    for number, one in enumerate(near):
        one.ra += number / 1000
    write_multimodal_universe(tmp_path / "out", near, ALL)
    for name in ALL:
        reader = MultimodalUniverse(
            tmp_path / "out" / name, ALL[name].kind, labels=["z", "class"], name=name, **reader_options(ALL[name])
        )
        assert len(reader.files()) == 1
        moved = [Sample(*(vars(one) | place(one)).values()) for one in samples_of(reader)]
        check_same(moved, name, ALL[name])


def place(one):
    original = next(other for other in make_samples() if other.object_id == one.object_id)
    return {"ra": original.ra, "dec": original.dec}


def test_objects_that_have_no_place_are_left_out_and_listed(tmp_path):
    lost = Sample("lost", {"photometry": np.ones(2, "f4")})
    empty = Sample("empty", {}, 1.0, 1.0)
    unread = Drop("file.fits", "truncated")
    drops = write_multimodal_universe(tmp_path / "out", [*make_samples(3), lost, empty, unread], {"photometry": TABLE})
    listed = [(drop.source, drop.reason) for drop in drops if not drop.source.startswith("object")]
    assert listed == [
        ("lost", "no place on the sky: ra nan, dec nan"),
        ("empty", "has none of the modalities"),
        ("file.fits", "truncated"),
    ]
    assert 'lost,"no place on the sky: ra nan, dec nan"' in (tmp_path / "out" / "skipped.csv").read_text()


@pytest.mark.parametrize(
    ("samples", "modalities", "message"),
    [
        ([Sample("a", {"photometry": np.ones(2, "f4")})], {"photometry": TABLE}, "none of 1 objects .*: a: no place"),
        ([], {"photometry": TABLE}, "none of 0 objects can be written"),
        ([], {}, "nothing to write: there are no modalities"),
        ([], {"mag": IMAGE, "photometry": TABLE}, "two columns would be called 'mag'"),
        ([Sample("a", {"photometry": np.ones(3, "f4")}, 1.0, 1.0)], {"photometry": TABLE}, "shape \\(3,\\), expected"),
        (
            [Sample(str(n), {"photometry": np.ones(2, "f4")}, 1.0, 1.0, {"x": x}) for n, x in enumerate([1.0, "a"])],
            {"photometry": TABLE},
            "label 'x' is text in some objects and a number in others",
        ),
        (
            [Sample("a", {"photometry": np.ones(2, "f4")}, 1.0, 1.0, {"mag": 1.0, "label_mag": 2.0})],
            {"photometry": TABLE},
            "label 'mag' is called like a column, and so is 'label_mag'. Choose `labels` without it",
        ),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, samples, modalities, message):
    with pytest.raises(InputError, match=message):
        write_multimodal_universe(tmp_path / "out", samples, modalities)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_multimodal_universe, write_hats])
def test_labels_that_are_called_like_a_column_are_written_beside_it(tmp_path, write):
    labels = {"mag": 7.0, "ra": 8.0, "z": 9.0}
    sample = Sample("a", {"photometry": np.array([1, 2], "f4")}, 10.0, 20.0, labels)
    assert write(tmp_path / "out", [sample], {"photometry": TABLE}) == []
    own = ["label_mag", "label_ra", "z"]
    root = tmp_path / "out"
    reader = (
        HATSCatalogue(root, "table", TABLE.channels, own, name="photometry")
        if write is write_hats
        else MultimodalUniverse(root / "photometry", "table", TABLE.channels, own)
    )
    [back] = [one for path in reader.files() for one in reader.read(path)]
    assert (back.ra, back.labels) == (10.0, dict(zip(own, labels.values(), strict=True)))
    np.testing.assert_array_equal(next(iter(back.views.values())), [1, 2])


def test_a_label_may_not_change_its_type_between_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_runs.RUN_ROWS", 1)
    view = {"photometry": np.ones(2, "f4")}
    samples = [Sample("a", view, 1.0, 1.0, {"x": 1.0}), Sample("b", view, 1.0, 1.0, {"x": "text"})]
    with pytest.raises(InputError, match="a label is text in some objects and a number in others"):
        write_multimodal_universe(tmp_path / "out", samples, {"photometry": TABLE})


def test_an_older_set_is_replaced_and_anything_else_refused(tmp_path):
    for count in (10, 4):
        write_multimodal_universe(tmp_path / "out", make_samples(count), ALL, labels=["z", "never"])
    reader = MultimodalUniverse(tmp_path / "out" / "image", labels=["z", "never"])
    assert len(samples_of(reader)) == sum("image" in one.views for one in make_samples(4))
    assert set(samples_of(reader)[0].labels) == {"z"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(FolderError, match="was not written by astroclip_kit"):
        write_multimodal_universe(tmp_path / "mine", make_samples(2), ALL)


def test_a_killed_writer_leaves_no_half_set(tmp_path):
    code = (
        "import sys, time, numpy as np\n"
        "from astroclip_kit.surveys import write_multimodal_universe\n"
        "from astroclip_kit.types import Drop, Modality, Sample\n"
        "def samples():\n"
        "    for number in range(50):\n"
        "        yield Sample(str(number), {'t': np.ones(1, 'f4')}, 1.0 * number, 0.0)\n"
        "    print('taken', flush=True)\n"
        "    time.sleep(60)\n"
        "modalities = {'t': Modality('t', 'table', ('x',), (1,))}\n"
        f"write_multimodal_universe({str(tmp_path / 'out')!r}, samples(), modalities)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"taken\n"
    process.kill()
    process.wait()
    assert not (tmp_path / "out").exists()
    write_multimodal_universe(tmp_path / "out", make_samples(3), ALL)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_light_curve_s_covariates_become_columns(tmp_path):
    channels = ("time", "value", "error", "band", "period", "amplitude")
    modality = Modality("curve", "lightcurve", channels, (-1, 6), "mag", bands=("V",))
    view = np.array([[0, 15, 0.1, 0, 3.5, 1], [1, 16, 0.1, 0, 3.5, 1]], "f4")
    samples = [Sample("a", {"curve": view}, 1.0, 1.0), Sample("b", {"other": np.ones(1, "f4")}, 200.0, 80.0)]
    modalities = {"curve": modality, "other": Modality("other", "table", ("x",), (1,))}
    write_multimodal_universe(tmp_path / "universe", samples, modalities)
    write_hats(tmp_path / "hats", samples, modalities)
    for reader in (
        MultimodalUniverse(tmp_path / "universe" / "curve", kind="lightcurve", labels=["period", "amplitude"]),
        HATSCatalogue(tmp_path / "hats", "lightcurve", labels=["period", "amplitude"], name="curve"),
    ):
        (one,) = samples_of(reader)
        assert one.labels["period"] == 3.5 and one.labels["amplitude"] == 1
        np.testing.assert_allclose(one.views[reader.modality.name], view[:, :4], rtol=1e-6)
        (whole,) = samples_of(WithCovariates(reader, ["period", "amplitude"]))
        np.testing.assert_allclose(whole.views[reader.modality.name], view, rtol=1e-6)


def test_a_spectrum_s_covariates_become_columns(tmp_path):
    channels = ("flux", "ivar", "phase_day")
    modality = Modality("spectrum", "spectrum", channels, (3, 151), "", tuple(GRID))
    view = np.stack([np.arange(151), np.ones(151), np.full(151, 7.5)]).astype("f4")
    write_multimodal_universe(tmp_path / "out", [Sample("a", {"spectrum": view}, 1.0, 1.0)], {"spectrum": modality})
    (one,) = samples_of(MultimodalUniverse(tmp_path / "out", kind="spectrum", labels=["phase_day"]))
    assert one.labels == {"phase_day": 7.5}
    np.testing.assert_allclose(one.views["spectrum"], view[:2], rtol=1e-6)
