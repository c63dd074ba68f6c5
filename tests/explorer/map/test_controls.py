"""The widgets above the map."""

import numpy as np
import pytest
from bokeh.events import ButtonClick

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.columns import Column
from astroclip_kit.explorer.map import controls as module
from astroclip_kit.explorer.map.controls import map_controls
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space

N = 30


@pytest.fixture
def session(tmp_path):
    rng = np.random.default_rng(0)
    coordinates = {"ra": np.linspace(0, 300, N), "dec": np.zeros(N)}
    labels = {"z": rng.normal(size=N), "mass": rng.normal(size=N), "kind": ["A"] * N}
    vectors = {"image": rng.normal(size=(N, 6))}
    store = EmbeddingStore.write(
        tmp_path / "space", vectors, [f"o{i}" for i in range(N)], catalog=coordinates, labels=labels
    )
    return Session(Space(store))


@pytest.fixture
def controls(session):
    return map_controls(session)


def named(controls, name):
    return controls.select_one({"name": name})


def test_maps_the_sky_and_columns_are_to_be_chosen(session, controls):
    plane, colour = named(controls, "plane"), named(controls, "colour")
    assert [key for key, _ in plane.options] == ["pca:image", "ra|dec", "|"] and plane.value == "pca:image"
    assert [key for key, _ in colour.options] == ["", *session.columns] and colour.value == "z"
    plane.value = "ra|dec"
    assert session.state.plane == "ra|dec" and not named(controls, "across").visible
    colour.value = "kind"
    assert session.state.colour == "kind"


def test_two_columns_are_chosen_beside_it(session, controls):
    across, up = named(controls, "across"), named(controls, "up")
    named(controls, "plane").value = "|"
    assert session.state.plane == "z|mass" and (across.value, up.value) == ("z", "mass") and up.visible
    assert [key for key, _ in across.options] == ["ra", "dec", "z", "mass"]
    up.value = "dec"
    assert session.state.plane == "z|dec"
    named(controls, "plane").value = "pca:image"
    assert session.state.plane == "pca:image" and not up.visible


def test_what_others_change_is_shown_and_changes_nothing_itself(session, controls):
    session.change(plane="mass|z", colour="z")
    assert session.state.plane == "mass|z"
    assert [named(controls, one).value for one in ("plane", "across", "up", "colour")] == ["|", "mass", "z", "z"]
    session.add_columns(Column("cluster", "", lambda: np.zeros(N), False))
    assert ("cluster", "cluster") in named(controls, "colour").options


def test_a_umap_is_made_on_demand_and_then_shown(session, controls):
    button = named(controls, "make_umap")
    assert button.visible and button.label == "Make UMAP of image"
    button._trigger_event(ButtonClick(button))
    assert session.state.plane == "umap:image" and not button.visible
    assert (session.space.store.root.with_name("space.maps") / "umap-image" / "manifest.json").is_file()
    assert named(controls, "plane").value == "umap:image"


def test_a_umap_that_cannot_be_made_is_said(session, controls, monkeypatch):
    (session.space.store.root.with_name("space.maps")).write_text("in the way")
    button = named(controls, "make_umap")
    button._trigger_event(ButtonClick(button))
    assert session.said[1] == "error" and "space.maps" in session.said[0] and session.state.plane == ""
    assert button.visible and button.label == "Make UMAP of image"  # to try again


def test_of_too_many_objects_no_umap_is_offered(session, monkeypatch):
    monkeypatch.setattr(module, "UMAP_ROWS", N - 1)
    assert not named(map_controls(session), "make_umap").visible
