"""Catalogues of one's own, matched, listed and drawn."""

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from bokeh.events import ButtonClick
from own_catalogue import IDS, TABLE, written
from small_sky import DEC, RA, N, named

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FileError, InputError
from astroclip_kit.explorer.overlays.catalogue_file import CatalogueFile
from astroclip_kit.explorer.overlays.columns import short_name
from astroclip_kit.explorer.overlays.counterparts import by_id, by_position, counterparts
from astroclip_kit.explorer.overlays.panel import Overlays, overlay_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", r"^empty\.csv: the file is empty"),
        ("head.csv", b"ra,dec\n", r"^head\.csv: the table has no row"),
        ("cut.fits", written(TABLE, "fits")[:4000], r"^cut\.fits: cannot be read as a table"),
        ("cut.vot", written(TABLE, "votable")[:900], r"^cut\.vot: cannot be read as a table"),
        ("cut.parquet", written(TABLE, "parquet")[:500], r"^cut\.parquet: cannot be read as a table"),
        ("a.pdf", b"%PDF-1.4 a b\n1 2\n", r"^a\.pdf: is a PDF file, no table"),
        ("a.doc", b"a b\n1 2\n-", r"^a\.doc: is no table of a format that is known here: FITS, VOTable"),
        ("image.fits", b"SIMPLE  = T", r"^image\.fits: is no table of a format that is known here"),
        ("bytes.csv", bytes(range(256)) * 9, r"^bytes\.csv: cannot be read as a table"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_by_its_name(overlays, session, name, content, message):
    with pytest.raises(FileError, match=message):
        CatalogueFile.read(name, content)
    session.guarded(lambda: overlays.add(name, content, 1.0))
    assert session.said[1] == "error" and not overlays.all and not session.marks


def test_an_unknown_column_is_refused(session):
    catalogue = CatalogueFile.read("a.csv", b"x,y\n1,2\n")
    assert "No column is called like coordinates or an id" in str(counterparts(session.space, catalogue, 1.0))
    with pytest.raises(InputError, match=r"a\.csv: choose a column to match by, found ''"):
        by_position(session.space, catalogue, "", "", 1.0)
    with pytest.raises(InputError, match=r"a\.csv: choose a column to match by, found 'z'"):
        by_id(session.space, catalogue, "z")


def test_its_columns_are_columns_of_the_page(session, overlays):
    overlays.add("my stars.fits", written(TABLE, "fits"), 1.0)
    flux, kind = session.columns["my_stars_flux"], session.columns["my_stars_main_id"]
    assert (flux.unit, flux.is_class) == ("mJy", False)
    assert np.flatnonzero(np.isfinite(flux.values)).tolist() == [1, 3] and flux.values[3] == 1.5
    assert kind.values[[1, 3, 9, 20]].tolist() == ["e", "a", "b", ""]
    assert session.columns["my_stars_known"].values[[0, 3, 9]].tolist() == ["", "True", "False"]
    session.change(where=("in_my_stars",), colour="my_stars_count")
    assert np.flatnonzero(session.shown).tolist() == [1, 3, 9]
    assert sorted(session.marks["my_stars"].tolist()) == [1, 3, 9]


def test_ids_of_many_digits_are_columns_of_text(session, overlays):
    keys = [4611686018427387905, 2**60 + 1, 3]
    table = Table({"ra": RA[:3], "dec": DEC[:3], "objkey": np.array(keys, "i8"), "small": np.arange(3)})
    overlays.add("mine.fits", written(table, "fits"), 1.0)
    assert session.columns["mine_objkey"].is_class and not session.columns["mine_small"].is_class
    assert session.columns["mine_objkey"].values[:4].tolist() == [*map(str, keys), ""]


def test_which_of_several_tables_was_taken_is_said(session, overlays):
    file = fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(Table({"x": [1.0]})), fits.table_to_hdu(TABLE["count",])])
    file.append(fits.table_to_hdu(Table({"ra": [RA[3]], "dec": [DEC[3]]})))
    file[3].name = "STARS"
    out = io.BytesIO()
    file.writeto(out)
    overlays.add("a.fits", out.getvalue(), 1.0)
    assert session.marks["a"].tolist() == [3]
    assert session.said[0].endswith("It holds 3 tables, of which number 3 (STARS) was taken.")


def test_several_overlays_stand_beside_each_other(session, overlays):
    for _ in range(2):
        overlays.add("a.fits", written(TABLE, "fits"), 1.0)
    overlays.add("2.csv", IDS, 1.0)
    assert list(overlays.all) == list(session.marks) == ["a", "a_2", "_2"]
    session.change(where=("in_a_2 and in_a",), colour="a_flux")
    overlays.remove("a")
    assert list(session.marks) == ["a_2", "_2"] and session.state.where == () and session.state.colour == ""
    assert not [name for name in session.columns if name.startswith("a_flux")]


def test_it_is_matched_again_as_one_says(session, overlays):
    text = f"name,alpha,delta\nobj-3,{RA[9]},{DEC[9]}\n"
    overlays.add("a.csv", text.encode(), 1.0)
    assert session.marks["a"].tolist() == [3]
    overlays.match("a", "position", "alpha", "delta", 1.0)
    assert session.marks["a"].tolist() == [9]
    overlays.match("a", "name", "", "", 1.0)
    assert session.marks["a"].tolist() == [3] and np.flatnonzero(session.columns["in_a"].values).tolist() == [3]


def test_the_columns_of_the_store_stay_what_they_are(tmp_path):
    labels = {"gaia_g": np.linspace(40, 60, 8), "in_sky": np.arange(8.0), "object_mag": np.arange(8.0)}
    session = Session(Space(EmbeddingStore.write(tmp_path / "s", {"image": np.eye(8)}, range(8), labels=labels)))
    overlays = Overlays(session, lambda short: None)
    session.change(where=("gaia_g > 50",))
    before, shown = dict(session.space.columns), session.shown.copy()
    overlays.add("gaia.csv", b"object_id,g\n0,0.1\n5,0.2\n", 1.0)
    overlays.add("sky.csv", b"object_id,g\n1,0.3\n", 1.0)
    overlays.add("object.csv", b"id,mag\n2,0.4\n", 1.0)
    assert list(overlays.all) == ["gaia", "sky_2", "object"]
    assert {name: session.columns[name] for name in before} == before
    assert session.columns["gaia_g_2"].values[[0, 5]].tolist() == [0.1, 0.2]
    assert {"in_gaia", "in_sky_2", "object_id_2", "object_mag_2"} <= set(session.own_columns)
    session.change(where=())
    session.change(where=("gaia_g > 50",))
    np.testing.assert_array_equal(session.shown, shown)
    overlays.match("gaia", "object_id", "", "", 1.0)
    assert {name for name in session.own_columns if "gaia" in name} == {"in_gaia", "gaia_object_id", "gaia_g_2"}


def test_a_removed_overlay_does_not_come_back_when_it_was_just_matched_again(session, overlays, monkeypatch):
    overlays.add("a.csv", b"name\nobj-3\n", 1.0)
    later = []
    monkeypatch.setattr(session, "work", lambda job, then, title="", lane="": later.append(lambda: then(job())))
    overlays.match("a", "name", "", "", 1.0)
    overlays.remove("a")
    later[0]()
    assert not overlays.all and not session.marks and not session.own_columns


def receive(panel, name, content):
    """What the browser does after a file was chosen."""
    button = named(panel, "overlay-upload")
    source = next(
        one.args["source"]
        for one in button.js_event_callbacks.get("button_click", [])
        if "source" in getattr(one, "args", {})
    )
    source.data = {name: np.frombuffer(content, np.uint8)}


def test_the_panel_lists_what_was_found(session):
    panel = overlay_panel(session)
    hostile = "<img src=x onerror=alert(1)>.csv"
    receive(panel, hostile, b"object_id,<b>\nobj-5,<script>\nobj-6,2\nnobody,3\n")
    told, table = named(panel, "overlay-told").text, named(panel, "overlay-table")
    assert "<img" not in told and "3 rows read, 2 matched by id (object_id), 1 without a counterpart." in told
    assert table.source.data["object here"] == ["obj-5", "obj-6"]
    assert [one.title for one in table.columns] == ["object here", "object_id", "&lt;b&gt;"]
    table.source.selected.indices = [1]
    assert session.state.focus == "obj-6"
    named(panel, "overlay-which").active = 1
    assert table.source.data["column 0"] == ["nobody"]
    table.source.selected.indices = [0]
    assert session.said[0] == "This row is matched to no object."
    remove = named(panel, "overlay-remove")
    remove._trigger_event(ButtonClick(remove))
    assert named(panel, "overlay-told").text == "" and not session.marks


def test_the_objects_of_a_catalogue_are_selected(session):
    panel = overlay_panel(session)
    receive(panel, "a.csv", b"object_id\nobj-5\nobj-6\nobj-5\n")
    select = named(panel, "overlay-select")
    select._trigger_event(ButtonClick(select))
    assert np.flatnonzero(session.selection).tolist() == [5, 6]
    receive(panel, "b.csv", b"object_id\nnobody\n")
    select._trigger_event(ButtonClick(select))
    assert session.said == (
        "no row of this catalogue is matched. Match by other columns, or within a larger radius.",
        "error",
    )
    assert np.flatnonzero(session.selection).tolist() == [5, 6]


def test_coordinates_have_the_room_that_they_need(session):
    panel = overlay_panel(session)
    receive(panel, "sky.csv", b"ra,dec\n279.23473479,38.78368896\n5.5,5.5\n")
    columns = {one.title: one for one in named(panel, "overlay-table").columns}
    assert columns["ra"].width == columns["dec"].width == 84  # for "-123.45678"
    assert columns["ra"].formatter.precision == 5


def test_the_radius_and_the_columns_are_chosen_in_the_panel(session):
    panel = overlay_panel(session)
    receive(panel, "a.csv", f"x,y\n{RA[3]},{DEC[3]}\n".encode())
    assert "No column is called like coordinates or an id: choose them below." in named(panel, "overlay-told").text
    again = named(panel, "overlay-match")
    named(panel, "overlay-ra").value, named(panel, "overlay-dec").value = "x", "y"
    again._trigger_event(ButtonClick(again))
    assert session.marks["a"].tolist() == [3]
    named(panel, "overlay-radius").value = None
    again._trigger_event(ButtonClick(again))
    assert session.said == ("Type a radius in arcsec that is larger than 0.", "error")


def test_long_lists_are_cut_and_say_so(session, monkeypatch):
    monkeypatch.setattr("astroclip_kit.explorer.overlays.table.MOST_ROWS", 10)
    monkeypatch.setattr("astroclip_kit.explorer.overlays.table.MOST_COLUMNS", 2)
    panel = overlay_panel(session)
    receive(panel, "a.csv", ("id,b,c\n" + "".join(f"obj-{row},1,2\n" for row in range(N))).encode())
    note = named(panel, "overlay-table-note").text
    assert note == "The first 10 of 59 rows are listed. 1 more columns are not listed."
    assert len(named(panel, "overlay-table").source.data["column 0"]) == 10


@pytest.mark.parametrize(
    ("name", "short"), [("a b.fits.gz", "a_b"), ("<script>.csv", "script"), ("3xmm.fits", "_3xmm"), (".csv", "overlay")]
)
def test_a_file_has_a_short_name(name, short):
    assert short_name(name, set()) == short
    assert short_name(name, {short}) == f"{short}_2"
