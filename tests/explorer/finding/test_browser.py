"""Finding, filtering and overlays, as a reader does it in a real browser."""

from urllib.parse import urlsplit

import pytest
from browser import PHONE
from small_sky import IMG, SCRIPT, small_session

pytestmark = pytest.mark.slow


def test_an_object_is_found_by_id_name_and_position(page, space):
    ids, store = space.ids_of(range(3)), space.store
    page.enter("search", ids[1])
    page.wait(lambda: f"Found: {ids[1]}." in page.said, "an id")
    page.enter("search", f"{store.ra[2]:.6f} {store.dec[2]:.6f}")
    page.wait(lambda: "arcsec away" in page.said and ids[2] in page.said, "a position")
    assert page.session.state.focus == ids[2]
    page.enter("search", "nobody")
    page.wait(lambda: "No object is called 'nobody'" in page.said, "what is not there")
    page.enter("search", "spiral")
    page.wait(lambda: "objects whose morphology is 'spiral'" in page.said, "a class")
    chosen = page.value("find-choice", "options")[1][0]
    page.choose("find-choice", chosen)
    page.wait(lambda: page.session.focus == int(chosen), "a choice")
    page.press("find-button")
    page.wait(lambda: "Choose one." in page.said, "the button")
    assert page.console_errors() == []


def test_objects_are_filtered_by_mouse_and_keyboard(page, space):
    page.open_tab("Filter")
    page.choose("filter-column", "z")
    page.wait(lambda: page.is_shown("filter-low"), "a range")
    page.enter("filter-low", "0.2")
    page.wait(lambda: page.session.state.where == ("z >= 0.2",), "a limit")
    expected = int((space.store.catalog["z"] >= 0.2).sum())
    page.wait(lambda: f"{expected} of 400 objects shown" in page.text("chips"), "its count")
    page.js("view('filter-slider').el.shadowRoot.querySelectorAll('[role=slider]')[1].focus()")
    page.type("\ue012" * 20)  # the arrow to the left
    page.wait(lambda: "<= z <=" in "".join(page.session.state.where), "the slider")
    page.choose("filter-column", "morphology")
    page.wait(lambda: page.is_shown("filter-boxes") and "spiral (" in page.text("filter-boxes"), "classes")
    page.press("filter-boxes")
    page.wait(lambda: len(page.session.state.where) == 2, "a class")
    page.wait(lambda: "where=" in page.driver.current_url and "morphology" in page.driver.current_url, "the address")
    page.enter("filter-expression", "zz > 1")
    page.wait(lambda: "name 'zz' is not defined" in page.said, "an error")
    buttons = page.js("return named('chips').children.filter((one) => one.type == 'Button').map((one) => one.label)")
    assert len(buttons) == 3 and buttons[-1] == "✕ Clear all"
    page.js("Bokeh.index.find_one(named('chips').children.at(-1)).el.shadowRoot.querySelector('button').click()")
    page.wait(lambda: page.session.state.where == (), "all conditions to go")
    page.wait(lambda: not page.is_shown("chips"), "no chips")
    assert page.console_errors() == []


def test_the_address_keeps_the_filter(open_page, space):
    page = open_page(space, "&where=z+%3C+0.2&where=morphology+in+%5B%27spiral%27%5D")
    assert page.session.state.where == ("z < 0.2", "morphology in ['spiral']")
    page.open_tab("Filter")
    page.choose("filter-column", "morphology")
    page.wait(
        lambda: page.is_shown("filter-boxes") and page.value("filter-boxes", "active.length") == 1, "what is ticked"
    )
    assert page.js("return named('filter-boxes').labels[named('filter-boxes').active[0]]").startswith("spiral (")


def test_a_catalogue_is_laid_over_the_map(page, space, tmp_path):
    store = space.store
    rows = "".join(f"star {row},{store.ra[row]},{store.dec[row]},{row}\n" for row in range(50))
    (tmp_path / "mine.csv").write_text(f"name,ra,dec,mag\n{rows}far,{store.ra[0]},{-store.dec[0] - 5},99\n")
    page.open_tab("Overlay")
    page.upload("overlay-upload", tmp_path / "mine.csv")
    page.wait(lambda: "51 rows read, 50 matched by position" in page.said, "a match")
    assert len(page.session.marks["mine"]) == 50
    page.wait(lambda: page.is_shown("overlay-table") and "star 1" in page.text("overlay-table"), "the list")
    page.js(
        """const cells = view("overlay-table").el.shadowRoot.querySelectorAll(".slick-row .slick-cell");
           [...cells].find((cell) => cell.textContent == "star 1").click()"""
    )
    page.wait(lambda: page.session.focus == 1, "the row that was clicked")
    page.open_tab("Overlay")
    page.press("overlay-remove")
    page.wait(lambda: "mine" not in page.session.marks and not page.is_shown("overlay-table"), "its end")
    (tmp_path / "broken.fits").write_bytes(b"no table")
    page.upload("overlay-upload", tmp_path / "broken.fits")
    page.wait(lambda: "broken.fits" in page.said and page.said.startswith("Not done"), "what is no table")
    assert page.console_errors() == []


def test_nothing_that_comes_from_data_is_run(open_page, tmp_path):
    page = open_page(small_session(tmp_path / "space").space)
    hostile = tmp_path / "<img src=x onerror=window.hacked=1>.csv"
    quoted = IMG.replace('"', '""')
    hostile.write_text(f'object_id,"{quoted}","{SCRIPT}"\n"{quoted}",{SCRIPT},"{quoted}"\nobj-1,{SCRIPT},"{quoted}"\n')
    page.enter("search", IMG)
    page.wait(lambda: page.session.focus == 59, "an id")
    page.enter("search", SCRIPT)
    page.wait(lambda: page.said.startswith("Not done") and SCRIPT in page.said, "an error")
    page.open_tab("Filter")
    page.choose("filter-column", IMG)
    page.wait(lambda: page.is_shown("filter-low"), "a range")
    page.enter("filter-low", "0.1")
    page.wait(lambda: len(page.session.state.where) == 1, "a limit")
    page.choose("filter-column", SCRIPT)
    page.wait(lambda: page.is_shown("filter-classes"), "classes")
    page.js("view('filter-classes').el.shadowRoot.querySelector('input').focus()")
    page.type(SCRIPT, "\ue007")  # chooses what is found
    page.wait(lambda: len(page.session.state.where) == 2, "a class")
    page.open_tab("Overlay")
    page.upload("overlay-upload", hostile)
    page.wait(lambda: "2 rows read, 2 matched by id (object_id)" in page.said, "a match")
    page.wait(lambda: SCRIPT in page.text("overlay-table"), "the list")
    assert page.driver.execute_script("return window.hacked") is None
    assert page.console_errors() == []
    asked, own = page.requests(), f"127.0.0.1:{page.server.port}"
    assert [one for one in asked if urlsplit(one).scheme not in ("data", "blob") and urlsplit(one).netloc != own] == []


@pytest.mark.parametrize("title", ["Filter", "Overlay"])
def test_it_fits_a_phone(open_page, space, title):
    page = open_page(space, size=PHONE)
    page.open_tab(title)
    if title == "Filter":
        page.choose("filter-column", "z")
        page.wait(lambda: page.is_shown("filter-low"), "a range")
    assert page.js("return document.documentElement.scrollWidth") <= PHONE[0]
    for name in ("search", "find-button", f"{title.lower()}-panel"):
        box = page.box(name)
        assert box["left"] >= 0 and box["right"] <= PHONE[0], f"{name} is cut off: {box}"
    assert page.console_errors() == []
