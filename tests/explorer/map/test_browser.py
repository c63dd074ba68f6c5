"""The map in a real browser: what is drawn, and what gestures do."""

import numpy as np
import pytest
from browser import PHONE
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.space import Space

pytestmark = pytest.mark.slow

N = 900
HOSTILE = '"><img src=x onerror="window.hacked = 1">'
LASSO = [(-0.5, -0.5), (9.5, -0.5), (9.5, 9.5), (-0.5, 9.5)]


@pytest.fixture
def grid(tmp_path):
    """Objects on a grid of 30 x 30."""
    number = np.arange(N)
    labels = {"x": number % 30, "y": number // 30, "z": number / N, "kind": np.where(number % 30 < 15, "left", "right")}
    vectors = {"image": np.random.default_rng(0).normal(size=(N, 4))}
    ids = [f"{HOSTILE}{one}" for one in number]
    return Space(EmbeddingStore.write(tmp_path / "grid", vectors, ids, labels=labels))


def drawn(page, text="in view"):
    page.wait(lambda: text in page.text("map_status"), text)
    page.wait_idle()


def selected(page):
    rows = page.session.selection
    return set() if rows is None else set(np.flatnonzero(rows).tolist())


def block(x, y):
    """Rows of some columns and lines of the grid."""
    return {30 * line + column for line in y for column in x}


def coloured(page):
    """Share of the pixels of the map that are no grey."""
    pixels = page.picture("map").astype(int)
    return float((np.ptp(pixels, axis=-1) > 30).mean())


@pytest.mark.parametrize("points", [10_000, 100], ids=["points", "density"])
def test_lasso_click_and_zoom_in_either_way_of_drawing(open_page, grid, points):
    grid.points = points
    page = open_page(grid, "&plane=x%7Cy")
    drawn(page, "900 of 900 objects in view" + ", as a picture of their density" * (points < N))
    assert coloured(page) > 0.01
    page.lasso("map", LASSO)
    page.wait(lambda: selected(page), "a selection")
    assert selected(page) == block(range(10), range(10))
    page.wait(lambda: page.is_shown("clear") and "comparing" not in page.said, "the end of what the selection sets off")
    page.wait_idle()
    ActionChains(page.driver).key_down(Keys.SHIFT).perform()
    page.lasso("map", [(x + 15, y) for x, y in LASSO])
    ActionChains(page.driver).key_up(Keys.SHIFT).perform()
    both = block([*range(10), *range(15, 25)], range(10))
    page.wait(lambda: selected(page) == both, "more in the selection")
    ActionChains(page.driver).key_down(Keys.CONTROL).key_down(Keys.SHIFT).perform()
    page.lasso("map", [(x + 15, y) for x, y in LASSO])
    ActionChains(page.driver).key_up(Keys.SHIFT).key_up(Keys.CONTROL).perform()
    page.wait(lambda: selected(page) == block(range(10), range(10)), "less in the selection")
    page.tap("map", 20, 20)
    page.wait(lambda: page.session.state.focus == f"{HOSTILE}620", "the object of the click")
    page.wait(lambda: page.value("focus", "data.x.length") == 1, "a ring")
    x, y = page.point("map", 20, 20)
    for _ in range(4):
        wheel = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -240}
        page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
    page.wait(lambda: "900 of 900" not in page.text("map_status"), "a part of the map")
    assert page.value("map", "x_range.start") > 1 and page.value("map", "x_range.end") < 29
    page.wait(lambda: "view=" in page.driver.current_url, "the part in view in the address")
    page.press("clear")
    page.wait(lambda: page.session.selection is None, "no selection")
    assert page.js("return window.hacked") is None


def test_the_pointer_tells_id_and_value_as_text(open_page, grid):
    page = open_page(grid, "&plane=x%7Cy&colour=z")
    drawn(page)
    x, y = page.point("map", 4, 5)
    move = ActionChains(page.driver, duration=20)
    move.w3c_actions.pointer_action.move_to_location(round(x), round(y))
    move.perform()
    told = "return document.querySelector('.bk-Tooltip')?.shadowRoot.querySelector('.bk-tooltip-content')?.textContent"
    page.wait(lambda: page.js(told), "what the pointer tells")
    assert f"{HOSTILE}154" in page.js(told) and "0.1711" in page.js(told)
    assert page.js("return window.hacked") is None
    page.js("view('map').el.focus()")
    page.type("+", "+")  # between objects
    page.wait(lambda: not page.js("return document.querySelector('.bk-Tooltip')?.checkVisibility()"), "no tooltip")
    assert page.value("colour_bar", "visible") and page.value("colour_bar", "title.text") == "z"


def test_planes_and_colours_are_chosen_above_the_map(open_page, grid):
    page = open_page(grid)
    drawn(page)
    page.choose("colour", "kind")
    page.wait(lambda: "left" in page.text("legend"), "the classes")
    page.choose("plane", "Two columns")
    page.wait(lambda: page.session.state.plane == "x|y", "two columns")
    page.choose("up", "z")
    page.wait(lambda: page.session.state.plane == "x|z" and page.value("map", "left.0.axis_label.text") == "z", "axis")
    drawn(page)
    assert page.console_errors() == []


def test_on_a_phone_the_map_is_whole(open_page, grid):
    page = open_page(grid, "&plane=x%7Cy&colour=z", size=PHONE)
    drawn(page)
    box = page.box("map")
    assert box["left"] >= 0 and box["right"] <= PHONE[0] and box["height"] > 300
    assert coloured(page) > 0.01


def test_the_part_in_view_is_shown_again(open_page, grid):
    page = open_page(grid, "&plane=x%7Cy&view=2%2C8%2C3%2C9")
    drawn(page)
    ends = [page.value("map", f"{axis}_range.{end}") for axis in "xy" for end in ("start", "end")]
    assert ends == [2, 8, 3, 9] and "49 of 900 objects in view" in page.text("map_status")
    page.js("view('map').el.focus()")
    page.type("0")
    drawn(page, "900 of 900")
    page.wait(lambda: "view=" not in page.driver.current_url, "an address of all of it")
