"""Results folders: numbers, figures and one page that holds both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..types import Result

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.figure import Figure

__all__ = ["outcome", "write_results"]

REPORT = "report.html"
SHOWN = ["task", "query", "target", "property", "metric", "space", "value", "low", "high", "n", "chance", "remark"]


def write_results(
    out: Path, results: Sequence[Result], figures: Mapping[str, Figure], settings: Mapping[str, Any] | str, then: str
) -> Table:
    """Writes a results folder: ``results.jsonl``, ``figures/`` and ``report.html``, in one step.

    Args:
        out: The folder; an older one is replaced.
        results: What was measured.
        figures: Caption to figure.
        settings: How it was made.
        then: The command to type next.

    Returns:
        The results; ``meta`` holds where the report is and what to type next.
    """
    from .. import results as lines
    from ..report import result_figures, write_report
    from ..report.figures.canvas import picture
    from ..storage import new_folder, write_manifest

    figures = {**result_figures(results), **figures}
    with new_folder(out, "results") as folder:
        lines.write_results(folder / "results.jsonl", results)
        (folder / "figures").mkdir()
        for number, (caption, figure) in enumerate(figures.items()):
            ending, image = picture(figure)
            (folder / "figures" / f"{number:02d}-{_file_name(caption)}.{ending}").write_bytes(image)
        write_report(folder / "report.html", results, figures=figures, configuration=settings, next_command=then)
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
