"""A selection as a file and as a column beside the store."""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import Table
from bokeh.events import ButtonClick

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import OutputError, UsageError
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.exchange import saving
from astroclip_kit.explorer.exchange.saving import (
    COMBINED,
    FORMATS,
    combine,
    offer_file,
    remove_saved,
    rename_saved,
    save_in_store,
)
from astroclip_kit.explorer.exchange.saving_controls import SavingControls
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 12
HOSTILE = '"><img onerror=x>, <script>'


@pytest.fixture
def session(tmp_path):
    rng = np.random.default_rng(0)
    labels = {"z": np.where(np.arange(N) == 3, np.nan, np.arange(N) / 10), "class": [HOSTILE, "QSO", ""] * 4}
    store = EmbeddingStore.write(
        tmp_path / "space",
        {"image": rng.normal(size=(N, 4)), "spectrum": rng.normal(size=(N, 4))},
        [HOSTILE, *(f"o{i}" for i in range(1, N))],
        present={"spectrum": np.arange(N) != 3},
        catalog={"ra": np.arange(N, dtype=float), "dec": np.zeros(N)},
        labels={**labels, "vdisp": np.arange(N) * 100.0},
        values={"units": {"vdisp": "km / s"}},
    )
    made = Session(Space(store))
    made.files = []
    made.on("offered", call=lambda: made.files.append(made.offered))
    return made


def flags(*rows):
    return np.isin(np.arange(N), rows)


@pytest.mark.parametrize("style", FORMATS)
def test_ids_and_numbers_of_every_size_keep_their_digits_in_every_file(session, tmp_path, style):
    large = [int(np.iinfo(kind).max) for kind in ("i1", "u2", "u4", "u8")]
    for kind, greatest in zip(("i1", "u2", "u4", "u8"), large, strict=True):
        session.space.save_column(f"of_{kind}", np.full(N, greatest, dtype=kind))
    session.select(flags(0, 3))
    offer_file(session, style)
    [(name, content)] = session.files
    (tmp_path / name).write_bytes(content)
    table = pd.read_csv(tmp_path / name) if style == "CSV" else Table.read(tmp_path / name)
    assert [int(table[name][1]) for name in ("of_i1", "of_u2", "of_u4", "of_u8")] == large


def test_no_text_of_a_csv_is_run_by_a_spreadsheet(session, tmp_path):
    words = ["=HYPERLINK(1)", "-1.5", "+12:30:00.5", "@SUM(1)", "+1+cmd|' /C calc'!A0", "-", "plain", "", "a=b", *"xyz"]
    session.add_columns(
        Column("note", "", lambda: np.array(words), True), Column("=x", "", lambda: np.arange(N), False)
    )
    session.select(np.ones(N, bool))
    offer_file(session, "CSV")
    rows = list(csv.DictReader(io.StringIO(session.files[0][1].decode())))
    told = ["'=HYPERLINK(1)", "-1.5", "+12:30:00.5", "'@SUM(1)", "'+1+cmd|' /C calc'!A0", *words[5:]]
    assert [row["note"] for row in rows] == told and rows[2]["'=x"] == "2"
    offer_file(session, "VOTable")
    (tmp_path / "t.vot").write_bytes(session.files[1][1])
    assert Table.read(tmp_path / "t.vot")["note"].tolist()[:2] == words[:2]


@pytest.mark.parametrize("style", FORMATS)
def test_a_file_holds_the_selected_rows_with_all_that_is_known(session, tmp_path, style):
    session.add_columns(Column("mag", "mag", lambda: np.arange(N) + 0.5, False))
    session.select(flags(0, 3, 5))
    offer_file(session, style)
    [(name, content)] = session.files
    assert name == f"space-selection{FORMATS[style]}"
    assert session.said[0].startswith(f"{name}: 3 objects, ") and session.said[1] == "note"
    if style == "CSV":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert [row["object_id"] for row in rows] == [HOSTILE, "o3", "o5"] and rows[1]["mag"] == "3.5"
        assert rows[1]["has_spectrum"] == "false"
        return
    (tmp_path / name).write_bytes(content)
    table = Table.read(tmp_path / name)
    assert [str(one) for one in table["object_id"]] == [HOSTILE, "o3", "o5"]
    assert np.ma.filled(np.ma.asarray(table["z"], float), np.nan) == pytest.approx([0, np.nan, 0.5], nan_ok=True)
    assert np.asarray(table["has_spectrum"], bool).tolist() == [True, False, True]
    assert (table["vdisp"].unit, table["mag"].unit, table["mag"][1]) == ("km / s", "mag", 3.5)
    if style == "VOTable":
        fields = {field.name: field for field in parse_single_table(tmp_path / name).fields}
        assert fields["ra"].ucd == "pos.eq.ra;meta.main" and fields["z"].ucd == "src.redshift"


def test_vectors_go_with_it_when_they_are_wanted(session, tmp_path):
    session.select(flags(1, 2))
    offer_file(session, "FITS", vectors=True)
    (tmp_path / "s.fits").write_bytes(session.files[0][1])
    np.testing.assert_array_equal(Table.read(tmp_path / "s.fits")["image"], session.space.store.vectors("image")[1:3])


def test_nothing_selected_or_too_much_is_refused(session, monkeypatch):
    with pytest.raises(UsageError, match=r"nothing is selected\. Draw around objects"):
        offer_file(session, "CSV")
    with pytest.raises(UsageError, match="nothing is selected"):
        save_in_store(session, "mine")
    session.select(flags(1))
    monkeypatch.setattr(saving, "LARGEST", 10)
    with pytest.raises(UsageError, match=r"the file would have about .* GB, expected up to .* Leave the vectors out"):
        offer_file(session, "CSV", vectors=True)
    assert session.files == []


def test_a_selection_in_the_store_is_a_column_that_one_filters_and_searches_by(session):
    told = []
    session.on("columns", call=lambda: told.append(set(session.columns)))
    session.change(where=("z > 0.1",))
    session.select(flags(4, 7))
    save_in_store(session, " mergers ")
    assert "mergers" in told[0] and "search with --where mergers" in session.said[0]
    session.change(where=("mergers",))
    assert np.flatnonzero(session.shown).tolist() == [4, 7]
    again = EmbeddingStore(session.space.store.root)
    assert again.saved_columns["mergers"].about["where"] == "z > 0.1"
    assert {str(one) for one in again.search("o1", k=2, where="mergers")["object_id"]} == {"o4", "o7"}


@pytest.mark.parametrize("name", [HOSTILE, "a" * 300, "größer", "../x", "class", "image", "has_image", "1st"])
def test_a_name_that_cannot_be_is_refused_in_a_sentence(session, name):
    session.select(flags(1))
    with pytest.raises(UsageError, match=r"^column .*(expected a name of letters|there is a column of this name)"):
        save_in_store(session, name)
    assert not session.space.store.saved_columns


def test_spaces_are_no_mistake_and_no_name_is_asked_for(session):
    session.select(flags(1))
    save_in_store(session, " my best-mergers ")
    assert list(session.space.store.saved_columns) == ["my_best_mergers"]
    with pytest.raises(UsageError, match="Type a name first"):
        save_in_store(session, "  ")


def test_what_was_saved_gets_another_name_with_what_needs_it(session):
    session.select(flags(1, 2))
    save_in_store(session, "mine")
    session.space.save_column("kinds", np.array(["a", "b"] * N)[:N])
    session.change(where=("mine", "z > 0.05", "mine or z > 3"), colour="mine")
    other = Session(session.space)
    other.change(colour="mine")
    controls = SavingControls(session)
    saved, name, rename = (
        controls.layout.select_one({"name": one}) for one in ("saved-selections", "saved-new-name", "saved-rename")
    )
    assert [one for _, one in saved.options] == ["mine (2 objects)", f"kinds (classes of {N} objects)"]
    saved.value, name.value = "mine", "my mergers"
    rename._trigger_event(ButtonClick(rename))
    again = EmbeddingStore(session.space.store.root).saved_columns
    assert list(again) == ["kinds", "my_mergers"] and again["my_mergers"].about["made by"] == "astroclip-kit explore"
    assert session.state.where == ("my_mergers", "z > 0.05") and session.state.colour == "my_mergers"
    assert session.said[0] == "mine is called my_mergers now." and other.state.colour == "" and name.value == ""
    assert np.flatnonzero(session.columns["my_mergers"].values).tolist() == [1, 2]
    saved.value, name.value = "kinds", "morphs"
    assert not controls._combining.visible
    rename._trigger_event(ButtonClick(rename))
    assert list(session.space.store.saved_columns) == ["morphs", "my_mergers"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("theirs", "x", r"no saved selection 'theirs' to rename\. Choose one of the list"),
        ("mine", "", "Type a name first"),
        ("mine", "1st", "expected a name of letters"),
        ("mine", "class", "there is a column of this name"),
        ("mine", "Other", r"Other\.parquet is there\. Choose another name"),
    ],
)
def test_a_new_name_that_cannot_be_is_refused(session, old, new, message):
    session.select(flags(1))
    for name in ("mine", "other"):
        save_in_store(session, name)
    with pytest.raises(UsageError, match=message):
        rename_saved(session, old, new)
    assert list(session.space.store.saved_columns) == ["mine", "other"]


def test_where_nothing_may_be_written_it_is_said(session, monkeypatch):
    session.select(flags(1))
    save_in_store(session, "mine")

    def refused(name):
        does = getattr(Path, name)

        def call(path, *rest, **more):
            if path.suffix == ".parquet":
                raise PermissionError(13, "Permission denied")
            return does(path, *rest, **more)

        return call

    for name in ("rename", "unlink", "replace"):
        monkeypatch.setattr(Path, name, refused(name))
    for call in (
        lambda: rename_saved(session, "mine", "other"),
        lambda: remove_saved(session, "mine"),
        lambda: save_in_store(session, "third"),
    ):
        with pytest.raises(OutputError, match="not allowed to write here"):
            call()


def test_a_name_in_use_is_not_overwritten(session):
    session.select(flags(1))
    save_in_store(session, "mine")
    session.select(flags(2))
    with pytest.raises(UsageError, match=r"there is a column of this name, which is not changed\. Choose another name"):
        save_in_store(session, "mine")
    assert np.flatnonzero(session.columns["mine"].values).tolist() == [1]


@pytest.mark.parametrize(("how", "rows"), [("", [1, 2]), ("and", [2]), ("or", [1, 2, 3]), ("without", [3])])
def test_saved_selections_are_taken_up_and_combined(session, how, rows):
    session.select(flags(1, 2))
    save_in_store(session, "mine")
    session.select(flags(2, 3))
    combine(session, "mine", how)
    assert np.flatnonzero(session.selection).tolist() == rows and set(COMBINED) == {"and", "or", "without"}
    session.selection[:] = True
    assert session.columns["mine"].values.sum() == 2  # what is saved is not what is selected


def test_a_saved_selection_is_removed_by_a_second_click_with_what_needs_it(session):
    session.select(flags(1, 2))
    for name in ("mine", "theirs"):
        save_in_store(session, name)
    session.change(where=("mine", "z > 0.05"), colour="mine")
    other = Session(session.space)
    other.change(where=("not mine",), colour="mine")
    controls = SavingControls(session)
    saved, remove = (controls.layout.select_one({"name": name}) for name in ("saved-selections", "saved-remove"))
    saved.value = "mine"
    remove._trigger_event(ButtonClick(remove))
    assert remove.label == "Remove it for good? Click again" and "mine" in session.space.store.saved_columns
    saved.value = "theirs"
    assert remove.label == "Remove"  # another one was not asked for
    saved.value = "mine"
    for _ in range(2):
        remove._trigger_event(ButtonClick(remove))
    assert list(EmbeddingStore(session.space.store.root).saved_columns) == ["theirs"]
    assert session.state.where == ("z > 0.05",) and session.state.colour == ""
    assert session.shown.sum() == N - 2 and "mine" not in session.columns and session.said[0] == "mine was removed."
    assert other.state.where == () and other.state.colour == "" and other.shown is None
    assert [name for name, _ in saved.options] == ["theirs"] and remove.label == "Remove"
    with pytest.raises(UsageError, match=r"no saved selection 'mine' to remove\. Choose one of the list"):
        remove_saved(session, "mine")


def test_nothing_left_and_unknown_names_are_said(session):
    session.select(flags(1, 2))
    save_in_store(session, "mine")
    session.select(flags(5))
    combine(session, "mine", "and")
    assert session.selection is None and "No object is left" in session.said[0]
    combine(session, "mine", "or")
    assert session.selection.sum() == 2
    with pytest.raises(UsageError, match=r"no saved selection 'theirs'\. Choose one of the list"):
        combine(session, "theirs")
