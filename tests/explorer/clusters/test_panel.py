"""The tab of clusters: what its widgets do, without a browser."""

import numpy as np
import pytest
from bokeh.events import ButtonClick
from bokeh.models import Div
from three_clusters import HOSTILE, SIZES, made, truth

from astroclip_kit.embeddings import EmbeddingStore
from astroclip_kit.explorer.clusters.cards import MOST
from astroclip_kit.explorer.clusters.panel import cluster_panel
from astroclip_kit.explorer.session import Session
from astroclip_kit.explorer.space import Space


class Tab:
    """The panel, as a reader uses it."""

    def __init__(self, store):
        self.store, self.session = store, Session(Space(store))
        self.layout = cluster_panel(self.session)

    def __getitem__(self, name):
        return self.layout.select_one({"name": name})

    def press(self, name):
        self[name]._trigger_event(ButtonClick(self[name]))

    def find(self, **widgets):
        for name, value in widgets.items():
            self[f"cluster-{name}"].value = value
        self.press("find-clusters")

    @property
    def text(self):
        return " ".join(div.text for div in self.layout.select({"type": Div}))


@pytest.fixture
def tab(tmp_path):
    return Tab(made(tmp_path))


def test_clusters_colour_the_map_and_are_listed(tab):
    assert "Find groups that nobody labelled" in tab.text and not tab["clusters-saving"].visible
    tab.find(modality="spectrum", k=3)
    assert tab["clusters-saving"].visible
    assert tab.session.state.colour == "clusters" and "<b>3 clusters</b> of 120 objects" in tab.text
    assert "by <code>clusters</code>. It is in no address until it is saved." in tab.text
    column = tab.session.columns["clusters"]
    assert column.is_class and column.classes == ["cluster 1", "cluster 2", "cluster 3"]
    np.testing.assert_array_equal(column.codes, truth(tab.store))
    assert column.values[truth(tab.store) == 2][0] == "cluster 3"
    assert [tab[f"cluster-select-{number}"].label for number in range(3)] == [f"Select {n}" for n in SIZES]
    assert "mass: " in tab.text and "solMass" in tab.text
    assert list(tab.store.saved_columns) == []


def test_a_cluster_is_selected(tab):
    tab.find(modality="spectrum", k=3)
    tab.press("cluster-select-1")
    np.testing.assert_array_equal(tab.session.selection, truth(tab.store) == 1)
    tab.session.change(where=("clusters == 'cluster 1'",))
    assert tab.session.shown.sum() == 60


def test_names_are_given_and_clusters_put_together(tab):
    tab.find(modality="spectrum", k=3)
    tab["cluster-name-2"].value = f" {HOSTILE} "
    assert tab.session.columns["clusters"].classes == ["cluster 1", "cluster 2", HOSTILE]
    assert tab["cluster-name-2"].value == HOSTILE and tab.session.state.colour == "clusters"
    tab["cluster-name-0"].value = HOSTILE
    assert "<b>2 clusters</b>" in tab.text and tab["cluster-select-0"].label == "Select 80"
    assert "<img src=x" not in tab.text
    tab["cluster-name-1"].value = "  "
    assert tab.session.said == (
        "a cluster needs a name. Give two clusters the same name to put them together.",
        "error",
    )
    assert tab["cluster-name-1"].value == "cluster 2"


def test_what_sets_a_cluster_apart_is_shown_as_text(tab):
    tab.find(modality="spectrum", k=3)
    assert "kind is &lt;img src=x onerror=alert(1)&gt;: 100% (others " in tab.text and "<img src=x" not in tab.text


def test_they_are_saved_beside_the_store_and_known_to_verbs(tab):
    tab.find(modality="spectrum", k=3)
    tab["cluster-name-0"].value = "the many"
    tab["clusters-name"].value = "groups"
    tab.press("clusters-save")
    assert tab.session.state.colour == "groups" and "clusters" not in tab.session.columns
    assert "groups is a column now" in tab.session.said[0] and "groups == 'the many'" in tab.session.said[0]
    assert "saved as <code>groups</code>" in tab.text and "in no address" not in tab.text
    opened = EmbeddingStore(tab.store)
    assert (
        opened.search("o3", query="spectrum", k=3, where="groups == 'the many'")["groups"].tolist() == ["the many"] * 3
    )
    about = opened.saved_columns["groups"].about
    assert about["method"] == "kmeans" and about["clusters"] == ["the many", "cluster 2", "cluster 3"]
    tab.find()
    assert tab.session.state.colour == "clusters"
    for name, said in (
        ("groups", "there is a column of this name"),
        ("a/b", "expected a name of letters"),
        ("mass", "there is"),
    ):
        tab["clusters-name"].value = name
        tab.press("clusters-save")
        assert said in tab.session.said[0] and tab.session.said[1] == "error"


def test_clusters_of_the_same_name_as_a_column_get_another(tab):
    tab.store.save_column("clusters", np.arange(120))
    tab = Tab(EmbeddingStore(tab.store))
    tab.find(modality="spectrum", k=3)
    assert tab.session.state.colour == "clusters_2"


def test_new_clusters_take_the_place_of_older_ones(tab):
    tab.find(modality="spectrum", k=3)
    tab.session.change(where=("clusters == 'cluster 1'",))
    tab.find(k=2)
    assert tab.session.columns["clusters"].classes == ["cluster 1", "cluster 2"]
    assert tab.session.state.where == () and tab.session.state.colour == "clusters"


def test_they_are_looked_for_where_one_says(tab):
    tab.find(modality="spectrum", k=3, among="selection")
    assert tab.session.said[0].startswith("nothing is selected.") and tab.session.said[1] == "error"
    tab.session.select(truth(tab.store) != 0)
    tab.find(k=2)
    assert "<b>2 clusters</b> of 60 objects" in tab.text
    tab.session.change(where=("kind == 'b'",))
    tab.find(among="shown", k=2)
    assert "<b>2 clusters</b> of 40 objects" in tab.text


def test_crowds_are_looked_for_on_the_map_that_is_shown(tab):
    tab["cluster-method"].value = "map"
    assert tab["cluster-least"].visible and not tab["cluster-k"].visible
    tab.session.change(plane="pca:spectrum")
    tab.find(modality="spectrum", least=8)
    assert "<b>3 clusters</b>" in tab.text
    tab.find(method="vectors")
    assert "<b>3 clusters</b>" in tab.text and not tab["cluster-k"].visible


def test_no_cluster_and_too_few_objects_are_said_in_words(tab, tmp_path):
    tab.find(modality="spectrum", k=3)
    tab.find(method="vectors", least=119)
    assert "<b>No clusters were found.</b>" in tab.text and "HDBSCAN saw no crowd among 120 objects" in tab.text
    assert tab.session.state.colour == "" and "clusters" not in tab.session.columns
    two = Tab(EmbeddingStore.write(tmp_path / "two", {"image": np.eye(2)}, ["a", "b"]))
    two.find()
    assert two.session.said == (
        "2 objects with image to look for clusters among, at least 3 are needed. Show more.",
        "error",
    )
    same = Tab(EmbeddingStore.write(tmp_path / "same", {"image": np.ones((9, 2))}, range(9)))
    same.find()
    assert "all are the same, so there are no clusters" in same.session.said[0]


def test_of_very_many_clusters_the_largest_are_listed(tab):
    tab.find(modality="spectrum", k=MOST + 3)
    assert "3 smaller clusters are not listed." in tab.text and tab[f"cluster-select-{MOST}"] is None
