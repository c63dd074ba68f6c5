"""What sets the clusters apart, as a table of a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["clusters_html"]

SURE = 0.05  # false discovery rate
MOST = 5  # properties of a cluster
EFFECTS = {"cliffs_delta": "Cliff's d", "cramers_v": "Cramér's V"}
HEADS = ("cluster", "property", "inside", "else", "effect", "95 % interval", "q")
EXPLAINED = (
    "Inside and else: medians, or the share of the class that is the most overrepresented. Cliff's d: how much "
    "likelier a member has the larger value than the smaller, -1 to 1. Cramér's V: association with the classes, 0 to "
    "1."
)
NOTE = (
    "Properties that set a cluster apart from all other objects, at a false discovery rate of 5 %, the largest effect "
    f"first. {EXPLAINED} q: Benjamini-Hochberg over all clusters and properties; the intervals are 95 % each."
)
DIVIDED = f"Properties of the parts, the largest difference first; nothing is tested. {EXPLAINED}"


def clusters_html(summary: Mapping[str, Any]) -> str:
    """What was noted, and a table of all clusters, some lines each: size, and the properties that separate it most.

    Args:
        summary: As `Clusters.summary` holds it.
    """
    divided = summary.get("subclasses") == 1
    lines = "".join(line for one in summary["clusters"] for line in _lines(one, tested=not divided))
    if not lines:
        return ""
    about = f"{summary['considered']:,} objects by {summary['modality']}, {summary['method']}"
    if none := summary["in_no_cluster"]:
        about += f"; {none:,} in no cluster"
    head = "".join(f"<th>{name}</th>" for name in HEADS[: -1 if divided else None])
    told = "".join(f"<p class='note'>{escape(one)}.</p>" for one in summary.get("notes", ()))
    what = "What differs in a division of one group" if divided else "What sets the clusters apart"
    return (
        f"<section><h3>{what}: {escape(about)}</h3>{told}<p class='note'>{DIVIDED if divided else NOTE}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></section>"
    )


def _lines(cluster: Mapping[str, Any], *, tested: bool) -> Iterator[str]:
    """A row for each property; the first holds number and size."""
    clear = [one for one in cluster["separating"] if not tested or one["q"] < SURE][:MOST]
    rows = [_cells(one)[: None if tested else -1] for one in clear] or [
        ["nothing that is known", *[""] * (len(HEADS) - 3 + tested)]
    ]
    name = f"<b>{cluster['cluster']}</b><br><small>{cluster['size']:,} objects ({cluster['share']:.1%})</small>"
    first = f"<td rowspan='{len(rows)}'>{name}</td>"
    for row in rows:
        yield f"<tr>{first}{_tds(row)}</tr>"
        first = ""


def _cells(one: Mapping[str, Any]) -> list[str]:
    name = f"{one['property']} = {one['level']}" if one["level"] else str(one["property"])
    shown = "{:.0%}" if one["level"] else "{:.3g}"
    sides = [shown.format(one[side]) for side in ("inside", "outside")]
    interval = f"{one['low']:.2f} to {one['high']:.2f}"
    return [name, *sides, f"{EFFECTS[one['effect']]} {one['value']:.2f}", interval, f"{one['q']:.1g}"]


def _tds(texts: Sequence[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)
