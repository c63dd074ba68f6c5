"""Clusters in a real browser: found, looked at, renamed and saved."""

import numpy as np
import pytest
from three_clusters import made

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.space import Space
from astroclip_kit.report.figures.canvas import COLOURS

pytestmark = pytest.mark.slow


def found(page, text):
    page.wait(lambda: text in page.text("clusters-told"), text)
    page.wait_idle()


def inked(page):
    """Pixels of the map in the colours of the second and third cluster, which nothing else has."""
    wanted = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in COLOURS[1:3]]
    return [int((np.abs(page.picture("map").astype(int) - one).max(axis=2) < 25).sum()) for one in wanted]


def test_clusters_are_found_named_and_put_together(open_page, galaxies):
    page = open_page(Space.open(galaxies / "embeddings", galaxies / "data"), "&colour=z")
    page.open_tab("Clusters")
    assert "Find groups that nobody labelled" in page.text("clusters-told")
    assert max(inked(page)) < 10
    page.enter("cluster-k", "4")
    page.press("find-clusters")
    found(page, "4 clusters")
    assert page.session.state.colour == "clusters" and "clusters" not in page.driver.current_url, "nobody else has them"
    page.wait(lambda: min(inked(page)) > 30, "a map in the colours of four clusters")
    assert page.is_shown("cluster-select-3") and np.ptp(page.picture("cluster-cards")) > 100
    page.press("cluster-select-1")
    page.wait(lambda: page.session.selection is not None, "a selection")
    assert page.session.selection.sum() == int(page.value("cluster-select-1", "label").split()[1])
    assert page.is_shown("cluster-select-1")
    page.enter("cluster-name-1", "blue & <b>faint</b>")
    page.wait(lambda: "blue & <b>faint</b>" in page.session.columns["clusters"].classes, "the name")
    page.wait_idle()
    page.enter("cluster-name-0", "blue & <b>faint</b>")
    found(page, "3 clusters")
    assert page.console_errors() == []


def test_saved_clusters_are_a_column_of_the_next_page(open_page, tmp_path):
    store = made(tmp_path)
    page = open_page(Space(store))
    page.open_tab("Clusters")
    page.choose("cluster-modality", "spectrum")
    page.enter("cluster-k", "3")
    page.press("find-clusters")
    found(page, "3 clusters")
    page.enter("clusters-name", "../groups")
    page.press("clusters-save")
    page.wait(lambda: "expected a name of letters, digits and _" in page.said, "the refusal")
    page.enter("clusters-name", "groups")
    page.press("clusters-save")
    page.wait(lambda: "groups is a column now" in page.said, "the column")
    again = open_page(Space(EmbeddingStore(store)), "&colour=groups")
    assert again.session.state.colour == "groups" and again.session.columns["groups"].classes[0] == "cluster 1"
    assert page.console_errors() == again.console_errors() == []


def test_a_phone_shows_the_list_in_one_column(open_page, tmp_path):
    page = open_page(Space(made(tmp_path)), size=(390, 844))
    page.js("view('tabs').el.scrollIntoView()")
    page.open_tab("Clusters")
    page.enter("cluster-k", "3")
    page.press("find-clusters")
    found(page, "3 clusters")
    for name in ("cluster-modality", "cluster-method", "find-clusters", "cluster-name-0", "cluster-select-0"):
        box = page.box(name)
        assert 0 <= box["left"] and box["right"] <= 390, name
