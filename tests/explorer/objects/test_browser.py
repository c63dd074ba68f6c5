"""The object that is looked at, in a real browser."""

import numpy as np
import pytest
from odd_objects import COUNT, HOSTILE, odd_space

pytestmark = pytest.mark.slow
ROW = 7


@pytest.fixture
def looked_at(open_page, space):
    """The page of the mock galaxies with one of them chosen, when its properties have been read."""
    page = open_page(space, f"&focus={space.store.object_ids[ROW]}")
    page.wait(lambda: "labelled" in page.text("properties"), "its properties")
    page.wait_idle()
    return page


def test_the_right_object_is_drawn(looked_at, space):
    assert str(space.store.object_ids[ROW]) in looked_at.text("object")
    cutout = looked_at.picture("cutout-figure-image").astype(int)
    height, width = cutout.shape[:2]
    middle = cutout[height // 2 - 20 : height // 2 + 5, width // 2 - 5 : width // 2 + 20]
    assert middle.mean() > 40 and middle.std() > 5  # a galaxy on a dark sky
    frame = looked_at.js("const {width, height} = view('cutout-figure-image').frame.bbox; return [width, height]")
    assert frame == [200, 200]  # as high as wide, as the sky is
    spectrum = looked_at.picture("spectrum-figure-spectrum").astype(int)
    blue = (abs(spectrum - np.array([0, 0x72, 0xB2])).sum(axis=2) < 60).any(axis=0)
    assert blue.mean() > 0.7  # of the columns have a piece of the line
    assert looked_at.value("spectrum-figure-spectrum", "y_range.end") > 0


def test_properties_stand_beside_what_the_neighbours_say(looked_at, space):
    text = " ".join(looked_at.text("properties").split())
    assert "logmstar" in text and f"{space.store.labels['z'][ROW]:.5g}" in text
    assert "hold the truth for 90 % of objects" in text


def test_buttons_of_the_spectrum_are_reached_and_do_what_they_say(looked_at, space):
    redshift = space.store.labels["z"][ROW]
    end = looked_at.value("spectrum-figure-spectrum", "x_range.end")
    looked_at.js("view('frame-spectrum').el.shadowRoot.querySelectorAll('button, .bk-btn')[1].click()")
    looked_at.wait(lambda: looked_at.value("spectrum-figure-spectrum", "x_range.end") < end, "the rest frame")
    assert looked_at.value("spectrum-figure-spectrum", "x_range.end") == pytest.approx(end / (1 + redshift))
    names = looked_at.value("emission lines-spectrum", "data")
    assert names is not None and looked_at.console_errors() == []


def test_one_band_is_shown_in_grey(looked_at):
    looked_at.choose("bands-image", "z")
    looked_at.wait(lambda: looked_at.value("cutout-figure-image", "title.text.text") == "image: z", "the band")
    looked_at.wait_idle()
    cutout = looked_at.picture("cutout-figure-image").astype(int)
    height, width = cutout.shape[:2]
    middle = cutout[height // 2 - 20 : height // 2 + 5, width // 2 - 5 : width // 2 + 20]
    assert abs(middle - middle.mean(axis=2, keepdims=True)).max() <= 1


def test_without_an_object_it_says_what_to_do(page):
    assert "Click a point of the map" in page.text("object") and not page.is_shown("properties")


def test_hostile_names_are_text_and_every_kind_of_view_is_drawn(open_page, tmp_path):
    space = odd_space(tmp_path)
    page = open_page(space)
    page.session.document.add_next_tick_callback(lambda: page.session.look_at(0))
    page.wait(lambda: "Too few other objects" in page.text("properties"), "its properties")
    page.wait_idle()
    assert HOSTILE in page.text("object") and HOSTILE in page.text("table-table")
    page.js("view('lightcurve-figure-lightcurve').el.scrollIntoView()")
    points = page.picture("lightcurve-figure-lightcurve").astype(int)
    for colour in ((0, 0x72, 0xB2), (0xD5, 0x5E, 0)):
        assert (abs(points - np.array(colour)).sum(axis=2) < 60).sum() > 100
    page.session.document.add_next_tick_callback(lambda: page.session.look_at(COUNT - 1))
    page.wait(lambda: "It has no spectrum" in page.text("object"), "what it lacks")
    assert not page.is_shown("spectrum-figure-spectrum") and page.is_shown("cutout-figure-image")
    assert page.console_errors() == []


def test_it_fits_a_phone(open_page, space):
    page = open_page(space, f"&focus={space.store.object_ids[ROW]}", size=(390, 844))
    page.wait(lambda: "labelled" in page.text("properties"), "its properties")
    widest = max(
        page.box(name)["right"] for name in ("object", "copy", "cutout-figure-image", "properties", "bands-image")
    )
    assert widest <= 390
