"""The panel of the object that is looked at."""

import numpy as np
import pytest
from odd_objects import COUNT, HOSTILE, odd_space

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.errors import FolderError
from astroclip_kit.explorer.objects.panel import coordinates, object_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return odd_space(tmp_path_factory.mktemp("odd"))


def panel_of(space):
    session = Session(space)
    return session, object_panel(session)


def head(panel):
    return panel.select_one({"name": "object"})


def shown(panel):
    """Names of the figures that are laid out."""
    rest = panel.children[1]
    figures = (child.select_one({"name": name}) for child in rest.children for name in NAMES if child.visible)
    return {figure.name.split("-")[0] for figure in figures if figure is not None}


NAMES = ["cutout-figure-image", "spectrum-figure-spectrum", "lightcurve-figure-lightcurve", "table-table"]


def test_with_no_object_it_says_what_to_do(space):
    session, panel = panel_of(space)
    assert "Click a point" in head(panel).text and not panel.children[1].visible
    session.look_at(0)
    assert "Click a point" not in head(panel).text and panel.children[1].visible
    session.look_at(-1)
    assert "Click a point" in head(panel).text and not panel.children[1].visible


def test_an_object_is_named_placed_and_shown_in_every_modality(space):
    session, panel = panel_of(space)
    session.look_at(0)
    assert "<script" not in head(panel).text and "&lt;script&gt;" in head(panel).text
    assert "10.000000 -5.000000" in head(panel).text and "00h40m00.00s -05d00m00.0s" in head(panel).text
    assert head(panel).tags == [HOSTILE, "10.000000 -5.000000", "00h40m00.00s -05d00m00.0s"]
    assert shown(panel) == {"cutout", "spectrum", "lightcurve", "table"}
    assert "image, spectrum, lightcurve, table" in head(panel).text


def test_what_it_lacks_is_said_and_not_drawn(space):
    session, panel = panel_of(space)
    session.look_at(COUNT - 1)
    assert shown(panel) == {"cutout"}
    assert "It has no spectrum. It has no lightcurve. It has no table." in head(panel).text
    session.look_at(0)
    assert shown(panel) == {"cutout", "spectrum", "lightcurve", "table"}


def test_an_object_without_a_position_says_so(space):
    session, panel = panel_of(space)
    session.look_at(1)
    assert "No position of it is known." in head(panel).text and head(panel).tags == ["o1"]


def test_the_columns_of_a_table_are_text_and_missing_numbers_are_named_below(space):
    session, panel = panel_of(space)
    session.look_at(0)
    text = panel.select_one({"name": "table-table"}).text
    assert "<script" not in text and "<td>1.5" in text and "<p>Without a value: nothing.</p>" in text


def test_without_a_dataset_it_says_why(space):
    session, panel = panel_of(Space(space.store, None, "no cutouts: <b>gone</b>."))
    session.look_at(0)
    assert "no cutouts: &lt;b&gt;gone&lt;/b&gt;." in head(panel).text and not shown(panel)
    session, panel = panel_of(Space(space.store))
    session.look_at(0)
    assert "There is no dataset" in head(panel).text


def test_a_dataset_of_other_objects_says_so(space, tmp_path):
    store = EmbeddingStore.write(tmp_path / "s", {"image": np.eye(2)}, ["x", "y"])
    session, panel = panel_of(Space(store, space.dataset))
    session.look_at(0)
    assert "has no object of this id" in head(panel).text and not shown(panel)


def test_a_damaged_dataset_is_a_sentence(space, monkeypatch):
    session, panel = panel_of(space)

    def broken(row, name, at):
        raise FolderError("the shard <i>7</i> is damaged.")

    monkeypatch.setattr(space, "view", broken)
    session.look_at(0)
    assert "the shard &lt;i&gt;7&lt;/i&gt; is damaged." in head(panel).text and not shown(panel)


@pytest.mark.parametrize(("ra", "dec"), [(np.nan, 1.0), (1.0, np.nan), (1.0, 91.0), (np.inf, 0.0)])
def test_what_is_no_position_has_no_text(ra, dec):
    assert coordinates(ra, dec) == []


def test_a_store_in_another_order_than_its_dataset_shows_the_right_object(space, tmp_path):
    ids = [str(one) for one in space.store.object_ids[::-1]]
    turned = Space(EmbeddingStore.write(tmp_path / "s", {"image": np.eye(COUNT)}, ids), space.dataset)
    for row, own in enumerate(ids):
        assert str(space.dataset.object_ids[turned.dataset_row(row)]) == own
        assert str(space.dataset.object_ids[space.dataset_row(COUNT - 1 - row)]) == own
