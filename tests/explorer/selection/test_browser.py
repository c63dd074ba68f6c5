"""The selection in a real browser: drawn around, looked at, taken home, sent."""

import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from astropy.table import Table
from browser import DESK, PHONE
from selenium.webdriver.common.keys import Keys

from astroclip_kit.explorer.exchange.samp_hub import joined, samp_library
from astroclip_kit.explorer.space import Space

pytestmark = pytest.mark.slow


@pytest.fixture
def page(open_page, galaxies, tmp_path):
    """A page on a store of its own, beside which columns are saved."""
    shutil.copytree(galaxies / "embeddings", tmp_path / "embeddings")
    page = open_page(Space.open(tmp_path / "embeddings", galaxies / "data"), "&plane=z|logmstar")
    page.wait(lambda: "400 of 400" in page.text("map_status"), "the map")
    return page


def around_the_left(page):
    """Draws around the left half of the map, and gives the flags of who is there."""
    ends = [page.value("map", f"{axis}_range.{end}") for axis in "xy" for end in ("start", "end")]
    (left, right), (low, high) = ends[:2], ends[2:]
    middle = (left + right) / 2
    places = [(0.01, 0.01), (0.25, 0.01), (0.5, 0.01), (0.5, 0.5), (0.5, 0.99), (0.25, 0.99), (0.01, 0.99), (0.01, 0.5)]
    page.lasso("map", [(left + x * (right - left), low + y * (high - low)) for x, y in places])
    page.wait(lambda: page.session.selection is not None, "a selection")
    return page.session.space.columns["z"].values < middle


def pictures(page, name):
    """Where the buttons of a wall of pictures are, and the id on each."""
    return page.js(
        """const at = view(arguments[0])?.el.shadowRoot.querySelectorAll("button") ?? []
           return [...at].map((one) => [box(one), one.querySelector('div').textContent])""",
        name,
    )


def press(page, name):
    """Presses a button when it is there and nothing moves any more."""
    page.wait(lambda: page.is_shown(name), name)
    page.wait_idle()
    page.press(name)


def part(page, title):
    """Opens a tab of the selection, of which there are more when something is selected."""
    count = 2 if page.session.selection is None else 5
    page.wait(lambda: page.js("return named('selection-tabs').tabs.length") == count, "the tabs")
    page.wait_idle()
    find = "const el = view('selection-tabs').header_els.find((el) => el.textContent == arguments[0])"
    page.js(f"{find}; el.scrollIntoView({{block: 'center'}})", title)
    box = page.js(f"{find}; return box(el)", title)
    page.click(box)
    page.wait(
        lambda: page.js("const tabs = named('selection-tabs'); return tabs.tabs[tabs.active].title") == title, title
    )


def test_a_lasso_opens_the_selection_with_its_histograms_and_pictures(page):
    expected = around_the_left(page)
    count = int(expected.sum())
    assert abs(int(page.session.selection.sum()) - count) <= 2  # the line itself
    page.wait(
        lambda: f"{int(page.session.selection.sum())} of 400 objects are selected" in page.text("selection-count")
    )
    page.wait(
        lambda: page.js("return named('histogram-0')?.renderers[0].data_source.data.top.length > 0"), "histograms"
    )
    page.wait(lambda: page.is_shown("histogram-0"), "histograms")
    page.wait_idle()
    colours = page.picture("histogram-0").reshape(-1, 3).astype(int)
    assert ((colours[:, 2] - colours[:, 0]) > 50).sum() > 100  # blue bars of the selection
    assert "selected" in page.text("histogram-0-caption") and "d = " in page.text("histogram-0-caption")
    part(page, "Sample")
    page.wait(lambda: len(pictures(page, "sample")) == 20, "pictures")
    page.wait_idle()
    assert len(np.unique(page.picture("sample").reshape(-1, 3), axis=0)) > 2000  # cutouts
    box, name = pictures(page, "sample")[0]
    page.click(box)
    page.wait(lambda: page.session.state.focus == name and page.is_shown("object"), "the object")
    assert page.session.selection[page.session.focus]
    page.open_tab("Selection")
    part(page, "Typical and odd")
    page.wait(lambda: len(pictures(page, "odd")) == 10, "the odd ones")
    assert "mean cosine" in page.text("odd-told")
    page.wait(lambda: page.is_shown("typical"), "the tab")
    page.wait_idle()
    ids = [name for _, name in pictures(page, "typical")]
    page.js("view('typical').el.shadowRoot.querySelector('button').focus()")
    page.type(Keys.TAB, Keys.ENTER)
    page.wait(lambda: page.session.state.focus == ids[1], "the second typical one, by the keyboard")
    assert page.console_errors() == []


def test_a_selection_is_saved_as_a_file_and_in_the_store_and_taken_up_again(page, tmp_path):
    around_the_left(page)
    chosen = page.session.selection.copy()
    part(page, "Save")
    page.saves_into(tmp_path)
    for style, ending in (("FITS", "fits"), ("VOTable", "vot"), ("CSV", "csv")):
        page.choose("save-format", style)
        press(page, "save-file")
        content = page.saved(tmp_path / f"embeddings-selection.{ending}")
        (tmp_path / f"read.{ending}").write_bytes(content)
        table = Table.read(tmp_path / f"read.{ending}")
        assert [str(one) for one in table["object_id"]] == page.session.space.ids_of(np.flatnonzero(chosen))
    page.enter("save-name", "no/name")
    press(page, "save-store")
    page.wait(lambda: "expected a name of letters" in page.said, "the sentence")
    page.enter("save-name", "left")
    press(page, "save-store")
    page.wait(lambda: "left" in page.session.space.store.saved_columns, "the column")
    page.wait(lambda: page.is_shown("saved-load"), "the list")
    press(page, "select-nothing")
    page.wait(lambda: "Nothing is selected" in page.text("selection-count"), "nothing")
    press(page, "saved-load")
    page.wait(lambda: page.session.selection is not None, "what was saved")
    np.testing.assert_array_equal(page.session.selection, chosen)
    assert page.console_errors() == []


def test_another_program_and_the_page_show_each_other_what_is_selected(page, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    page.open_tab("Selection")
    part(page, "Send")
    press(page, "samp-connect")
    page.wait(lambda: "no SAMP hub is running" in page.said, "the sentence")
    hub = samp_library().SAMPHubServer(web_profile=False, addr="127.0.0.1")
    hub.start()
    viewer, heard = joined("viewer", "a viewer"), []

    def hear(key, sender, message, mtype, about, more):
        heard.append((mtype, about))

    try:
        for mtype in ("table.load.votable", "table.select.rowList", "table.highlight.row"):
            viewer.bind_receive_message(mtype, hear)
        press(page, "samp-connect")
        page.wait(lambda: "viewer" in page.text("samp-to"), "the list of programs")
        press(page, "select-shown")
        page.wait(lambda: page.session.selection is not None, "all")
        part(page, "Send")
        press(page, "samp-send")
        page.wait(lambda: heard, "the table")
        table = Table.read(urlsplit(heard[0][1]["url"]).path)
        assert len(table) == 400
        rows = {"table-id": heard[0][1]["table-id"], "row-list": ["1", "3", "7"]}
        viewer.enotify_all("table.select.rowList", **rows)
        page.wait(lambda: "3 of 400 objects are selected" in page.text("selection-count"), "its rows")
        page.session.document.add_next_tick_callback(lambda: page.session.look_at(3))
        row = {"table-id": rows["table-id"], "row": "3"}
        page.wait(lambda: ("table.highlight.row", row) in heard, "the row")
        sent = urlsplit(heard[0][1]["url"]).path
        page.driver.get("about:blank")
        end = time.monotonic() + 40
        while len(viewer.get_registered_clients()) > 1:
            assert time.monotonic() < end, "the page was closed and is still there"
            time.sleep(0.2)
        assert not Path(sent).exists()
    finally:
        viewer.disconnect()
        hub.stop()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_nothing_is_cut_off(page, size):
    page.resize(*size)
    page.session.document.add_next_tick_callback(lambda: page.session.select(np.arange(400) < 90))
    page.wait(lambda: page.session.selection is not None and page.is_shown("histogram-3"), "the selection")
    for title, names in {
        "Properties": ["histogram-0", "histogram-3", "histogram-3-caption", "histogram-choice"],
        "Sample": ["sample", "sample-another"],
        "Typical and odd": ["typical", "odd", "odd-by"],
        "Save": ["save-file", "save-store"],
        "Send": ["samp-connect", "samp-start"],
    }.items():
        part(page, title)
        for name in names:
            page.wait(lambda name=name: page.is_shown(name), name)
            box = page.box(name)
            assert box["left"] >= 0 and box["right"] <= size[0] and box["width"] > 30, name
        for name in {"Sample": ["sample"], "Typical and odd": ["typical", "odd"]}.get(title, []):
            page.wait(lambda name=name: len(pictures(page, name)) >= 10, name)
            boxes = [one for one, _ in pictures(page, name)]
            assert min(one["left"] for one in boxes) >= 0 and max(one["right"] for one in boxes) <= size[0]
    assert page.console_errors() == []
