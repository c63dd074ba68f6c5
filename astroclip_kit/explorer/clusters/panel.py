"""Clusters: found from the page, looked at, named, put together, and saved beside the store."""

from __future__ import annotations

import html
from functools import partial

from bokeh.models import Button, Column, Div, InlineStyleSheet, Select, Spinner, TextInput, UIElement

from ...downstream.clustering import Grouping
from ...errors import UsageError
from ...filters import columns_in
from ..columns import Column as Values
from ..exchange.saving import free_name
from ..session import Session
from ..stylesheet import line
from .cards import ClusterCards
from .clusters import Clustered, find_clusters

__all__ = ["cluster_panel"]

HINT = """<p><b>Find groups that nobody labelled.</b> Press the button: objects that are alike are put together, the map
is coloured by their clusters, and each cluster is listed here with what sets it apart. Then you can name clusters, put
some together and save them as a column.</p>"""
UNSAVED = "It is in no address until it is saved."
METHODS = {  # k-means divides all objects, HDBSCAN finds crowds and leaves the others
    "kmeans": "k-means",
    "map": "HDBSCAN on the map",
    "vectors": "HDBSCAN on vectors",
}
AMONG = {"all": "all objects", "shown": "what is shown", "selection": "what is selected"}


def cluster_panel(session: Session) -> UIElement:
    """The tab of clusters.

    Args:
        session: The page.
    """
    return _ClusterPanel(session).layout


class _ClusterPanel:
    """How clusters are looked for, and what was found."""

    def __init__(self, session: Session) -> None:
        self._session, self._found, self._column = session, None, ""
        choices = session.space.store.choices
        self._modality = Select(
            title="Alike in", options=choices, value=choices[-1], name="cluster-modality", width=110
        )
        self._method = Select(
            title="Method", options=list(METHODS.items()), value="kmeans", name="cluster-method", width=175
        )
        self._among = Select(title="Among", options=list(AMONG.items()), value="all", name="cluster-among", width=125)
        self._k = Spinner(
            title="Clusters (0: find how many)", value=0, low=0, high=1000, step=1, name="cluster-k", width=170
        )
        self._least = Spinner(
            title="Fewest objects in one (0: 1 %)",
            value=0,
            low=0,
            step=5,
            name="cluster-least",
            width=190,
            visible=False,
        )
        find = Button(label="Find clusters", button_type="primary", name="find-clusters", width=120)
        self._told = Div(
            text=HINT,
            name="clusters-told",
            stylesheets=[InlineStyleSheet(css="p { margin: 0 0 6px; }")],
        )
        self._cards = ClusterCards(session, self._rename)
        self._name = TextInput(title="Name of the column", value="clusters", name="clusters-name", width=170)
        save = Button(label="Save beside the store", name="clusters-save", width=160)
        self._saving = Column(line(self._name, save), name="clusters-saving", visible=False)
        find.on_click(partial(session.guarded, self._find))
        save.on_click(partial(session.guarded, self._save))
        self._method.on_change("value", lambda attribute, old, new: session.guarded(self._fit_method))
        head = line(self._modality, self._method, self._among, self._k, self._least, find)
        self.layout = Column(
            head, self._told, self._saving, self._cards.layout, name="clusters-panel", sizing_mode="stretch_width"
        )

    _found: Clustered | None

    def _fit_method(self) -> None:
        self._k.visible = self._method.value == "kmeans"
        self._least.visible = not self._k.visible

    def _find(self) -> None:
        session, method = self._session, self._method.value
        among = {"all": None, "shown": session.shown, "selection": session.selection}[self._among.value]
        if self._among.value == "selection" and among is None:
            raise UsageError("nothing is selected. Draw around objects of the map, or look among all objects.")
        if method == "kmeans":
            grouping = Grouping("kmeans", k=self._k.value or 0)
        else:
            grouping = Grouping("hdbscan", min_size=self._least.value or 0)
        space, on = session.space, self._modality.value
        key, columns = session.state.plane or space.planes.default, session.columns

        def job() -> Clustered:
            plane = space.planes.open(key, columns) if method == "map" else None
            return find_clusters(space.store, on, grouping, among=among, plane=plane)

        session.work(job, self._show, f"Looks for clusters of {on}", lane="clusters")

    def _rename(self, cluster: int, name: str) -> None:
        found = self._found
        assert found is not None
        name = name.strip()
        if not name:
            self._show(found)
            raise UsageError("a cluster needs a name. Give two clusters the same name to put them together.")
        if name != found.names[cluster]:
            store = self._session.space.store
            self._session.work(lambda: found.renamed(store, cluster, name), self._show, lane="clusters")

    def _show(self, found: Clustered) -> None:
        """Shows clusters, as a column of the page that colours the map."""
        session, self._found = self._session, found
        self._saving.visible = bool(found.names)
        self._told.text = _told(found)
        self._cards.show(found, self._modality.value)
        if not found.names:
            session.remove_columns(self._column)
            self._column = ""
            return
        kept = tuple(one for one in session.state.where if not columns_in(one, [self._column]))  # of other columns
        self._column = self._column or _free("clusters", session)
        self._told.text = f"{_told(found)}<p>Colour and filter the map by <code>{self._column}</code>. {UNSAVED}</p>"
        session.add_columns(Values.of_classes(self._column, found.codes, found.names))
        session.change(where=kept, colour=self._column)

    def _save(self) -> None:
        session, found = self._session, self._found
        assert found is not None
        name = free_name(session.space.columns, self._name.value)
        about = {**found.about, "where": " and ".join(session.state.where), "clusters": found.names}
        column = Values.of_classes(name, found.codes, found.names)
        session.work(
            lambda: session.space.save_column(name, column.comparable.array, about=about),
            lambda saved: self._saved(name, found),
            f"Saves {name}",
            lane="clusters",
        )

    def _saved(self, name: str, found: Clustered) -> None:
        session = self._session
        session.remove_columns(self._column)
        self._column = ""
        self._told.text = f"{_told(found)}<p>They are saved as <code>{html.escape(name)}</code>.</p>"
        session.change(colour=name)
        where = f"{name} == {found.names[0]!r}"
        session.say(f'{name} is a column now: colour or filter by it, or search with --where "{where}".')


def _free(name: str, session: Session) -> str:
    """A name that no column has."""
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, 10**6))) if one not in session.columns)


def _told(found: Clustered) -> str:
    """What was found in words, as HTML."""
    notes = "".join(f"<p>{html.escape(note[:1].upper() + note[1:].rstrip('.'))}.</p>" for note in found.notes)
    count = len(found.names)
    if not count:
        return f"<p><b>No clusters were found.</b></p>{notes}"
    how = "Write another name to rename a cluster; two of the same name become one." if count > 1 else ""
    return (
        f"<p><b>{count} {'clusters' if count > 1 else 'cluster'}</b> of {sum(found.sizes):,} objects. {how}</p>{notes}"
    )
