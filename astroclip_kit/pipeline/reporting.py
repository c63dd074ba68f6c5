"""The verb that puts what came out of several verbs on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError, FolderError, InputError, UsageError
from .outcome import SHOWN
from .parts import Folder, open_store, words
from .table_files import FORMATS, is_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..data import Dataset
    from ..downstream.clusters import Clusters

__all__ = ["report"]

AUDITED = (
    "Labels against the space: distance to the centroid of the own class and to the nearest other one. Below the line "
    "another class is nearer; mislabelled is where models that never saw the object find another class likelier."
)


def report(
    out: str = "report.html",
    *,
    results: str | list[str] = "",
    clusters: str | list[str] = "",
    anomalies: str = "",
    embeddings: Folder = "",
    dataset: Folder = "",
    properties: str | list[str] = "",
    title: str = "",
) -> Table:
    """Puts results, clusters and oddities on one page that opens anywhere, offline, and prints.

    Args:
        out: File to write, by custom report.html.
        results: Results folders, "results,other": tables and figures of their numbers.
        clusters: Clusters folders: maps, typical spectra, agreement with classes, members.
        anomalies: Table that `anomalies` wrote: contact sheet of the first ones.
        embeddings: Embeddings folder, for the properties on the map.
        dataset: Dataset folder, for cutouts and spectra.
        properties: Labels that colour the map, "z,logmstar".
        title: Of the page; the data sets' names by default.

    Returns:
        The results on the page.
    """
    from ..data import Dataset
    from ..report import result_figures, results_table, write_report
    from ..results import read_results

    if not (words(results) or words(clusters) or anomalies):
        raise UsageError("say what to report: --results, --clusters or --anomalies.")
    if anomalies and not dataset:
        raise UsageError("the sheet of oddities shows cutouts and spectra: say with --dataset where they are.")
    if words(properties) and not embeddings:
        raise UsageError("properties are read from a space: say with --embeddings where it is.")
    opened = Dataset(Path(dataset)) if dataset else None
    found = [one for folder in words(results) for one in read_results(folder)]
    figures: dict[str, Any] = {}
    summaries: list[Any] = []
    for folder in words(clusters):
        groups, drawn = _clusters(folder, embeddings, words(properties), opened)
        found += groups.results
        summaries.append(groups.summary)
        figures |= drawn
    if anomalies and opened is not None:
        figures |= _oddities(anomalies, opened)
    settings = {"results": words(results), "clusters": words(clusters), "anomalies": anomalies}
    drawn = {**result_figures(found), **figures}
    write_report(out, found, title=title, figures=drawn, configuration=settings, clusters=summaries)
    table = results_table([one for one in found if one.fold < 0] or found)
    table.meta |= {"shown": SHOWN, "notes": ["", f"report: {out}"]}
    return table


def _clusters(
    folder: str, embeddings: Folder, names: list[str], dataset: Dataset | None
) -> tuple[Clusters, dict[str, Any]]:
    """A clusters folder and its figures."""
    from ..downstream.clusters import Clusters
    from ..report import cluster_figures

    found = Clusters(folder)
    how: dict[str, Any] = {"dataset": dataset}
    if names:
        store = open_store(embeddings)
        if unknown := [name for name in names if name not in store.labels]:
            raise UsageError(f"no property {unknown[0]!r} among the labels: {', '.join(store.labels)}.")
        if list(store.object_ids) != list(found.table["object_id"]):
            raise InputError(
                f"{folder} holds the clusters of another space than {store.root}. Give that with --embeddings."
            )
        how |= {"labels": {name: store.labels[name] for name in names}, "units": store.manifest.get("units", {})}
    about = found.summary
    how |= {"method": _method(about["map"]), "summary": about}
    figures = cluster_figures(found.table, about["clusters"], **how)
    return found, {f"{about['modality']}: {caption}": figure for caption, figure in figures.items()}


def _method(place: str) -> str:
    """How a map was made, as long as it is where it was."""
    from ..storage import open_folder

    try:
        return str(open_folder(Path(place), "projection")["method"]) if place else "map"
    except FolderError:
        return "map"


def _oddities(path: str, dataset: Dataset) -> dict[str, Any]:
    from ..report.figures import anomaly_sheet, mislabel_plane

    table = _table(Path(path))
    figures = {"The oddest objects, with how odd they are and why.": anomaly_sheet(table, dataset)}
    if "own_distance" in table.colnames:
        figures[AUDITED] = mislabel_plane(table)
    return figures


def _table(path: Path) -> Table:
    from astropy.table import Table

    if not is_table(path):
        raise UsageError(f"{path}: expected a table whose name ends with one of {', '.join(FORMATS)}.")
    try:
        table = Table.read(path, format=FORMATS[path.suffix.lower()])
    except (OSError, ValueError) as error:
        raise FileError(path, f"expected the table that `anomalies` wrote; it cannot be read ({error}).") from error
    table.convert_bytestring_to_unicode()
    return table
