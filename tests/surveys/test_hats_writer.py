"""HATS catalogues that the kit writes: read back, in the layout, opened by lsdb."""

import numpy as np
import pytest
from layout_multimodal import samples_of
from pyarrow import parquet

from astroclip_kit.errors import InputError, UsageError
from astroclip_kit.surveys import HATSCatalogue, write_hats
from astroclip_kit.surveys.multimodal.hats_writer import partitions
from astroclip_kit.surveys.multimodal.multimodal_columns import pixels
from astroclip_kit.types import Modality, Sample

WAVELENGTH = np.linspace(4000, 4300, 151)
CUBE = Modality("image", "image", ("g", "r", "ivar_g", "ivar_r"), (4, 6, 5), "nmgy", (0.262,))
WISE = Modality("wise", "image", ("W1",), (1, 3, 3), "", (2.75,))
FLUX = Modality("spectrum", "spectrum", ("flux", "ivar"), (2, 151), "Jy", tuple(WAVELENGTH))
CURVE = Modality("lightcurve", "lightcurve", ("time", "value", "error", "band"), (-1, 4), "mag", bands=("g", "Y"))
TABLE = Modality("photometry", "table", ("mag", "ebv"), (2,))
ALL = {one.name: one for one in (CUBE, WISE, FLUX, CURVE, TABLE)}


def make_samples(count=30):
    """Objects in a strip of the sky, so that some pixels are dense, that lack one modality or another."""
    rng = np.random.default_rng(0)
    for number in range(count):
        cube, flux = rng.normal(size=(4, 6, 5)), rng.normal(size=(2, 151))
        cube[2:], flux[1] = np.abs(cube[2:]) + 0.1, np.abs(flux[1]) + 0.1
        cube[2:, 0, 0] = 0
        points = int(rng.integers(1, 7))
        time = np.sort(rng.uniform(0, 100, points))
        curve = [time - time[0], rng.normal(size=points), rng.uniform(0.1, 1, points), rng.integers(0, 2, points)]
        views = {"image": cube, "wise": rng.normal(size=(1, 3, 3)), "spectrum": flux, "lightcurve": np.array(curve).T}
        views["photometry"] = np.array([number, 0.5])
        views = {name: view.astype("f4") for place, (name, view) in enumerate(views.items()) if (number + place) % 3}
        labels = {"z": number / 10, "time_zero_mjd": 50000.25 + number} | ({"class": "GALAXY"} if number % 2 else {})
        yield Sample(f"{2**60 + number}", views, 100 + number**2 / 10, 0.5, labels, f"group {number // 2}")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("hats") / "demo"
    assert write_hats(root, make_samples(), ALL, partition_rows=6) == []
    return root


@pytest.mark.parametrize("name", ALL)
def test_what_is_written_is_read_back(written, name):
    modality, table = ALL[name], ALL[name].kind == "table"
    columns, ivar = modality.channels if table else (), name == "image"
    reader = HATSCatalogue(written, modality.kind, columns, ["z", "class", "time_zero_mjd"], name=name, ivar=ivar)
    got = {one.object_id: one for one in samples_of(reader)}
    want = {one.object_id: one for one in make_samples() if name in one.views}
    assert set(got) == set(want) and (reader.modality.channels, reader.modality.unit) == (
        modality.channels,
        modality.unit,
    )
    np.testing.assert_allclose(reader.modality.grid, modality.grid)
    for object_id, one in want.items():
        view = one.views[name]
        if modality.kind == "lightcurve":
            view = view[np.lexsort((view[:, 3], view[:, 0]))]
        np.testing.assert_allclose(got[object_id].views[name], view, rtol=1e-5, atol=2e-5)
        assert got[object_id].labels == pytest.approx(one.labels)
        assert (got[object_id].ra, got[object_id].dec, got[object_id].group) == (one.ra, one.dec, one.group)


def test_the_layout_is_that_of_hats(written):
    catalogue = written / "demo"
    said = dict(line.split("=") for line in (catalogue / "hats.properties").read_text().splitlines()[1:])
    assert (said["obs_collection"], said["dataproduct_type"], said["hats_nrows"]) == ("demo", "object", "30")
    assert "hats_primary_table_url=demo" in (written / "collection.properties").read_text().splitlines()
    listed = (catalogue / "partition_info.csv").read_text().split()[1:]
    files = sorted((catalogue / "dataset").rglob("*.parquet"))
    assert len(listed) == len(files) > 3
    for path in files:
        table = parquet.read_table(path, partitioning=None)
        order, pixel = (int(part.split("=")[1].removesuffix(".parquet")) for part in (path.parts[-3], path.name))
        healpix = table.column("_healpix_29").to_numpy()
        assert table.schema.names[0] == "_healpix_29" and (np.diff(healpix) >= 0).all() and len(table) <= 6
        assert f"{order},{pixel}" in listed and (healpix >> 2 * (29 - order) == pixel).all()
        np.testing.assert_array_equal(healpix, pixels(table.column("ra"), table.column("dec")))
    footer = parquet.read_metadata(catalogue / "dataset" / "_metadata")
    assert footer.num_rows == 30
    assert footer.row_group(0).column(0).file_path.startswith("Norder=")
    schema = parquet.read_schema(catalogue / "dataset" / "_common_metadata")
    assert [field.name for field in schema.field("image").type] == ["band", "flux", "ivar", "mask", "psf_fwhm", "scale"]


def test_dense_pixels_are_split_until_they_are_small():
    sky = np.sort(pixels(np.linspace(10, 11, 1000), np.full(1000, 5.0)))
    found = partitions(sky, 100)
    counts = [np.sum(sky >> 2 * (29 - order) == pixel) for order, pixel in found]
    assert sum(counts) == 1000 and max(counts) <= 100
    assert partitions(sky, 1000) == [(0, int(sky[0] >> 58))]
    assert partitions(np.full(50, sky[0]), 10) == [(10, int(sky[0] >> 38))]  # one place cannot be split


def test_many_runs_and_blocks_give_the_same_catalogue(written, tmp_path, monkeypatch):
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_runs.RUN_ROWS", 7)
    monkeypatch.setattr("astroclip_kit.surveys.multimodal.multimodal_runs.BLOCK_BYTES", 1)
    write_hats(tmp_path / "demo", reversed(list(make_samples())), ALL, partition_rows=6)
    for path in sorted((written / "demo").rglob("*.parquet")):
        other = tmp_path / "demo" / path.relative_to(written)
        one, two = (parquet.read_table(file, partitioning=None) for file in (path, other))
        assert parquet.read_metadata(other).num_row_groups == len(two)
        assert str(one.select(two.schema.names).to_pylist()) == str(two.to_pylist())


def test_arguments_of_the_writer(tmp_path):
    with pytest.raises(UsageError, match="a HATS catalogue 'x' with 0 rows per pixel"):
        write_hats(tmp_path / "x", make_samples(), ALL, partition_rows=0)
    with pytest.raises(UsageError, match="a HATS catalogue 'a/b' with"):
        write_hats(tmp_path / "x", make_samples(), ALL, name="a/b")
    with pytest.raises(InputError, match="none of 1 objects can be written; the first: a: no place on the sky"):
        write_hats(tmp_path / "x", [Sample("a", {"photometry": np.ones(2, "f4")}, 1.0, 95.0)], ALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_lsdb_opens_searches_and_matches_what_is_written(written):
    import lsdb

    catalogue = lsdb.open_catalog(written)
    frame = catalogue.compute()
    assert set(frame["object_id"]) == {one.object_id for one in make_samples()}
    some = next(one for one in make_samples() if one.object_id.endswith("0"))
    cone = catalogue.cone_search(ra=some.ra, dec=some.dec, radius_arcsec=1).compute()
    assert cone["object_id"].tolist() == [some.object_id]
    other = lsdb.open_catalog(written, columns=["object_id", "ra", "dec"])
    sides = {"suffixes": ("_left", "_right"), "suffix_method": "all_columns"}
    with pytest.warns(RuntimeWarning, match="no margin|not have a margin"):
        pairs = catalogue.crossmatch(other, n_neighbors=1, radius_arcsec=1, **sides).compute()
    assert len(pairs) == 30 and (pairs["object_id_left"] == pairs["object_id_right"]).all()
