"""The page as a whole, in a real browser: what it asks for, where it has its parts, and what it answers."""

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from browser import DESK, PHONE, Page
from selenium.webdriver.common.keys import Keys

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.space import Space
from astroclip_kit.explorer.transfer import LARGEST_FILE

pytestmark = pytest.mark.slow

TABS = ("Object", "Neighbours", "Selection", "Filter", "Clusters", "Overlay")
SCRIPTS = ["<script>window.hacked = 1</script>", '"><img src=x onerror="window.hacked = 1">', "$$\\href{x}{y}$$"]

# Words that are to be seen, each with the size of its letters and its contrast, (L1 + 0.05) / (L2 + 0.05) of WCAG 2.
TEXTS = """
const found = []
const light = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => (c /= 255) <= 0.03928 ? c / 12.92
    : ((c + 0.055) / 1.055) ** 2.4)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
const solid = (colour) => { const part = colour.match(/[\\d.]+/g); return part.length == 3 || part[3] > 0.9 }
const walk = (at, behind) => {
  if (at.nodeType == 3 && /[\\w]/.test(at.data)) {
    const range = document.createRange()
    range.selectNode(at)
    const style = getComputedStyle(at.parentElement ?? at.getRootNode().host), where = range.getBoundingClientRect()
    if (!where.width || style.visibility == "hidden") return
    const [low, high] = [light(style.color), light(behind)].sort((a, b) => a - b)
    found.push({text: at.data.trim(), size: parseFloat(style.fontSize), contrast: (high + 0.05) / (low + 0.05),
                left: where.left, right: where.right})
  }
  if (at.nodeType == 1) {
    const style = getComputedStyle(at)
    if (["STYLE", "SCRIPT"].includes(at.tagName) || style.display == "none") return
    if (solid(style.backgroundColor)) behind = style.backgroundColor
    if (at.shadowRoot) walk(at.shadowRoot, behind)
  }
  if (at.nodeType != 3) at.childNodes.forEach((inner) => walk(inner, behind))
}
walk(document.body, "rgb(255, 255, 255)")
return found
"""


def later(page, call):
    """Does something in the page's own turn, as a callback would."""
    page.session.document.add_next_tick_callback(call)


def overlap(one, other):
    return min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1 and (
        min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 1
    )


@pytest.fixture
def hostile(tmp_path):
    """A store all of whose words are scripts."""
    ids = [f"{SCRIPTS[i % 3]}{i}" for i in range(30)]
    labels = {"<img src=x onerror='window.hacked = 1'>": np.linspace(0, 1, 30), "kind": SCRIPTS * 10}
    vectors = {"image": np.random.default_rng(0).normal(size=(30, 8))}
    catalog = {"ra": np.linspace(10, 11, 30), "dec": np.zeros(30)}
    root = tmp_path / "<img src=x onerror=hacked=1>"
    return Space(EmbeddingStore.write(root, vectors, ids, catalog=catalog, labels=labels))


def test_it_opens_and_asks_nobody_else(page):
    assert "400 objects: image 400, spectrum 400" in page.text("title") and "mock data" in page.text("title")
    assert page.driver.title == "embeddings - astroclip-kit"
    assert page.js("return view('tabs').header_els.map((el) => el.textContent)") == list(TABS)
    page.wait(lambda: "400 of 400" in page.text("map_status"), "the map")
    assert len(np.unique(page.picture("map").reshape(-1, 3), axis=0)) > 10  # something is drawn
    for title in TABS:
        page.open_tab(title)
    asked = page.requests()
    assert len(asked) > 5 and any(one.startswith("ws:") for one in asked)
    own = f"127.0.0.1:{page.server.port}"
    assert [one for one in asked if urlsplit(one).scheme not in ("data", "blob") and urlsplit(one).netloc != own] == []
    assert page.console_errors() == []


def test_without_the_token_there_is_a_sentence(page):
    page.driver.get(page.server.address.partition("?")[0])
    text = page.driver.find_element("tag name", "body").text
    assert text.startswith("This page opens with the whole address that") and "Bokeh" not in page.driver.page_source


def test_what_is_wrong_with_a_space_stays_on_the_page(open_page, hostile):
    hostile.store.save_column("mine", range(30)).path.write_bytes(b"no column")
    page = open_page(Space.open(EmbeddingStore(hostile.store.root)))
    page.wait(lambda: page.text("map_status"), "the map")
    told = page.text("space-note")
    assert "no dataset of these objects was found. Give --dataset." in told and "mine.parquet is no column" in told
    later(page, lambda: page.session.say("all is well"))
    page.wait(lambda: page.said == "all is well", "another sentence")
    assert page.is_shown("space-note") and 20 < page.box("space-note")["height"] < 120
    assert page.text("space-note") == told and not page.js("return window.hacked") and page.console_errors() == []


def test_the_address_keeps_what_is_shown(page):
    row = 17
    wanted = {"colour": "z", "where": ("z < 0.4", "logmstar > 8"), "plane": "z|logmstar"}
    later(page, lambda: (page.session.change(**wanted), page.session.look_at(row)))
    page.wait(lambda: "focus=" in page.driver.current_url, "the address")
    address = urlsplit(page.driver.current_url)
    assert f"token={parse_qs(address.query)['token'][0]}" in page.server.address
    page.wait_idle()
    first, state = page.driver.current_window_handle, page.session.state
    page.driver.switch_to.new_window("tab")
    try:
        again = Page(page.driver, page.server, f"&{address.query}")
        again.wait(lambda: again.session.state == state, "the same view")
        assert again.session is not page.session and again.text("chips").count("✕") == 3
        assert again.said == "" and again.console_errors() == []
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)


def test_rubbish_in_the_address_is_a_line_on_the_page(open_page, space):
    page = open_page(space, "&colour=flux&where=z+%3C+0.4&where=%3Cscript%3E&focus=nobody&plane=umap:radio&x=y")
    page.wait(lambda: "flux" in page.said, "the line")
    assert page.said.startswith("Not done: The address could not be followed in all") and "nobody" in page.said
    assert page.session.state.where == ("z < 0.4",) and page.console_errors() == []


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_everything_has_its_place_and_can_be_read(open_page, space, size):
    page = open_page(space, "&where=z+%3C+0.4&colour=z", size=size)
    later(page, lambda: (page.session.say("A note that is told."), page.session.look_at(3)))
    page.wait(lambda: page.session.state.focus and page.said, "the object")
    page.wait_idle()
    page.driver.execute_script("scrollTo(0, 0)")
    width, height = size
    whole = page.js("const all = document.documentElement; return [all.scrollWidth, all.scrollHeight, all.clientWidth]")
    assert whole[0] <= whole[2] and (whole[1] <= height or size == PHONE)
    boxes = {name: page.box(name) for name in ("title", "find-bar", "chips", "message", "map", "tabs")}
    for name, box in boxes.items():
        assert box["width"] > 50 and box["height"] > 15 and box["left"] >= 0 and box["right"] <= width + 1, name
        assert all(not overlap(box, other) for other_name, other in boxes.items() if other_name != name), name
    assert boxes["map"]["height"] > 250 and boxes["map"]["width"] > 300
    for title in TABS:
        page.open_tab(title)
        texts = page.js(TEXTS)
        small = {one["text"] for one in texts if one["size"] < 12}
        pale = {(one["text"], round(one["contrast"], 1)) for one in texts if one["contrast"] < 4.5}
        cut = {one["text"] for one in texts if one["right"] > width + 1 or one["left"] < -1}
        assert len(texts) > 15 and not small and not pale and not cut, title
        assert page.js("const all = document.documentElement; return all.scrollWidth <= all.clientWidth"), title
    assert page.console_errors() == []


def test_it_is_used_without_a_mouse(page):
    page.type("/")
    page.wait(lambda: page.js("return Bokeh.index.find_one(named('search')).input_el.matches(':focus')"), "the search")
    page.type("a/b", Keys.ESCAPE)  # is written, and takes nothing away
    assert page.js("return view('search').input_el.value") == "a/b"
    later(page, lambda: page.session.select(np.arange(400) < 9))
    page.wait(lambda: page.value("tabs", "active") == TABS.index("Selection"), "the tab of the selection")
    page.js("view('tabs').header_els[2].focus()")
    assert page.js("return view('tabs').header_els[2].getAttribute('aria-selected')") == "true"
    page.type(Keys.ESCAPE)
    page.wait(lambda: page.session.selection is None, "an empty selection")
    page.type(Keys.ARROW_RIGHT, Keys.ENTER)
    page.wait(lambda: page.value("tabs", "active") == TABS.index("Filter"), "the next tab")
    page.js("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        page.type(Keys.TAB)
        path = """let at = document.activeElement
                  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
                  const style = getComputedStyle(at)
                  return [at.tagName + at.className + at.textContent, style.outlineStyle + style.boxShadow]"""
        where, ring = page.js(path)
        reached.add(where)
        assert ring != "nonenone" or "BODY" in where or "CANVAS" in where, where
    assert len(reached) > 12 and sum("bk-tab" in one for one in reached) >= 6


def test_a_file_is_saved_by_the_browser_again_and_again(page, tmp_path):
    page.saves_into(tmp_path)
    content = np.random.default_rng(0).integers(0, 256, 3_000_000).astype(np.uint8).tobytes()
    for name in ("some objects.fits", "again.fits"):
        later(page, lambda name=name: page.session.offer(name, content))
        assert page.saved(tmp_path / name) == content
    assert page.console_errors() == []


def test_a_file_that_is_too_large_is_not_even_read(page):
    page.js(
        """const file = new File(["x"], "cube <b>.fits")
           Object.defineProperty(file, "size", {value: 2147483648})
           file.arrayBuffer = () => { window.was_read = true }
           document.getElementById("new-file").take(file)"""
    )
    page.wait(lambda: "cube <b>.fits has 2,147 MB, expected up to 209.7 MB" in page.said, "the refusal")
    assert not page.js("return window.was_read") and page.console_errors() == []


def test_a_dropped_file_goes_where_it_fits(page):
    page.open_tab("Overlay")
    drop = """const dataTransfer = new DataTransfer()
              dataTransfer.items.add(new File([arguments[1]], arguments[0]))
              document.body.dispatchEvent(new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true}))"""
    ids = page.session.space.ids_of([1, 2])
    page.js(drop, "mine.csv", "object_id,flux\n" + "".join(f"{one},1\n" for one in ids))
    page.wait(lambda: any("mine" in name for name in page.session.marks), "the overlay")
    page.js(drop, "spectrum.fits", "no FITS at all")
    page.wait(lambda: "spectrum.fits" in page.said, "what is wrong with it")
    assert page.console_errors() == []


def test_a_file_of_many_megabytes_arrives_whole(page, tmp_path):
    large = tmp_path / "large.fits"
    large.write_bytes(bytes(range(256)) * (40 << 12))  # 42 MB, more than Bokeh takes unless it is told to
    page.upload("new-file", large)
    page.wait(lambda: "large.fits" in page.said, "what is wrong with it")
    assert large.stat().st_size < LARGEST_FILE and page.console_errors() == []


def test_what_nobody_foresaw_is_said_and_the_page_goes_on(page, monkeypatch):
    def fails(rows):
        raise ZeroDivisionError("nobody <b>knows</b>")

    with monkeypatch.context() as patch:
        patch.setattr(page.session, "select", fails)
        page.type(Keys.ESCAPE)
        page.wait(lambda: "ZeroDivisionError: nobody <b>knows</b>" in page.said, "the sentence")
    page.session.document.get_model_by_name("tabs").on_change("active", lambda attribute, old, new: 1 / 0)
    page.open_tab("Filter")
    page.wait(lambda: "division by zero" in page.said, "the sentence of a widget")
    later(page, lambda: page.session.say("all is well"))
    page.wait(lambda: page.said == "all is well", "the page to go on")
    assert page.console_errors() == []


def test_words_of_the_data_are_text(open_page, hostile):
    page = open_page(hostile)
    assert "<img src=x" in page.text("title")
    column = next(iter(hostile.store.labels))
    later(page, lambda: (page.session.change(colour="kind"), page.session.look_at(1)))
    page.wait(lambda: page.session.state.focus, "the object")
    later(page, lambda: page.session.select(np.arange(30) < 7))
    page.wait(lambda: "7 of 30" in page.text("selection-count"), "the selection")
    later(page, lambda: page.session.change(colour=column, where=(f"kind != {SCRIPTS[0]!r}",)))
    for title in TABS:
        page.open_tab(title)
    assert not page.js("return window.hacked") and page.console_errors() == []


def test_the_map_has_most_of_the_window_and_a_message_does_not_move_it(page):
    empty = page.box("map")
    assert empty["height"] > 0.75 * DESK[1] and page.box("tabs")["top"] < 90
    later(page, lambda: page.session.say("A condition cannot be read: expected a column and a number. " * 3, "error"))
    page.wait(lambda: page.said, "the message")
    page.wait_idle()
    assert page.box("map") == empty
    later(page, lambda: page.session.say(""))  # an error stays until something else is said
    for state in ({"colour": "z"}, {"colour": "morphology"}, {"colour": ""}, {"where": ("z < 0.4", "logmstar > 8")}):
        later(page, lambda state=state: page.session.change(**state))
        page.wait(lambda state=state: state.items() <= vars(page.session.state).items(), "another state")
        page.wait(lambda: not page.session.said[0], "no work")
        page.wait_idle()
        assert page.box("map") == empty, state
    page.wait(lambda: page.is_shown("chips"), "the conditions")
    assert page.box("map") == empty and page.console_errors() == []


def test_the_map_is_moved_and_zoomed_by_keys(page):
    def span():
        return np.array([page.value("map", f"x_range.{end}") for end in ("start", "end")])

    page.wait(lambda: "400 of 400" in page.text("map_status"), "the map")
    whole = span()
    page.js("view('map').el.focus()")
    page.type("+", "+")
    page.wait(lambda: "400 of 400" not in page.text("map_status"), "a part of it")
    closer = span()
    assert np.ptp(closer) == pytest.approx(0.64 * np.ptp(whole)) and closer.mean() == pytest.approx(whole.mean())
    page.type(Keys.ARROW_RIGHT)
    assert span() == pytest.approx(closer + 0.1 * np.ptp(closer))
    page.type("0")
    page.wait(lambda: "400 of 400" in page.text("map_status"), "all of it")
    assert span() == pytest.approx(whole) and page.console_errors() == []
