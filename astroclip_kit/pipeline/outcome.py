"""Results folders: numbers, figures and one page that holds both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..types import Result

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["More", "outcome", "write_results"]

REPORT = "report.html"


@dataclass(frozen=True)
class More:
    """What a results folder holds beside numbers and figures.

    Args:
        title: Of the page; the data sets' names by default.
        parts: Heading to HTML of what stands first on the page.
        files: Name to text of further files.
        citations: What to cite beside the kit and its method.
        clusters: Summaries of clusters, as `Clusters.summary`.
        contrastive: Whether a contrastive space is part of it.
    """

    title: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    citations: Sequence[str] = ()
    clusters: Sequence[Mapping[str, Any]] = ()
    contrastive: bool = True


SHOWN = ["task", "query", "target", "property", "metric", "space", "value", "low", "high", "n", "chance", "remark"]


def write_results(
    out: Path,
    results: Sequence[Result],
    figures: Mapping[str, Figure],
    settings: Mapping[str, Any] | str,
    then: str,
    more: More = More(),
) -> Table:
    """Writes a results folder: ``results.jsonl``, ``figures/`` and ``report.html``, in one step.

    Args:
        out: The folder; an older one is replaced.
        results: What was measured.
        figures: Caption to figure.
        settings: How it was made.
        then: The command to type next.
        more: What else the page and the folder hold.

    Returns:
        The results; ``meta`` holds where the report is and what to type next.
    """
    from .. import results as lines
    from ..report import result_figures
    from ..report.figures.canvas import picture
    from ..report.page import report_parts, write_page
    from ..storage import new_folder, write_manifest

    figures = {**result_figures(results), **figures}
    with new_folder(out, "results") as folder:
        lines.write_results(folder / "results.jsonl", results)
        (folder / "figures").mkdir()
        for number, (caption, figure) in enumerate(figures.items()):
            ending, image = picture(figure)
            (folder / "figures" / f"{number:02d}-{_file_name(caption)}.{ending}").write_bytes(image)
        for name, text in more.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        title = more.title or f"Report: {', '.join(sorted({one.dataset for one in results})) or 'no results'}"
        parts = report_parts(
            results,
            figures=figures,
            configuration=settings,
            next_command=then,
            citations=more.citations,
            clusters=more.clusters,
            contrastive=more.contrastive,
        )
        write_page(folder / "report.html", title, {**more.parts, **parts}, results)
        write_manifest(folder, "results", {"count": len(results)})
    return outcome(out, results, then)


def outcome(out: Path, results: Sequence[Result], then: str) -> Table:
    """Results as a table that says where the report is and what to type next.

    Args:
        out: The results folder.
        results: What it holds; where folds were put together, the single folds are left out.
        then: The command to type next.
    """
    from ..report import results_table

    table = results_table([one for one in results if one.fold < 0] or results)
    table.meta |= {"shown": SHOWN, "notes": ["", f"report: {out / REPORT}", f"next:   {then}"]}
    return table


def _file_name(caption: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")[:60].rstrip("-")
