"""One self-contained HTML page: results, figures, and everything needed to judge and repeat them."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..storage import publish
from ..types import Result
from .lists import bullets
from .sections import sections
from .stylesheet import STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["report_parts", "write_page", "write_report"]

PACKAGES = ("astroclip_kit", "numpy", "torch", "scikit-learn", "astropy", "matplotlib")
METHOD = (
    "Parker et al. 2024, AstroCLIP: a cross-modal foundation model for galaxies, MNRAS 531, 4990",
    "Radford et al. 2021, Learning transferable visual models from natural language supervision (CLIP), ICML",
)
NOTE = (
    "Each number stands above its 95 % interval and what guessing reaches (chance: for classes whoever always says the "
    "most frequent class, for one class against the rest whoever says it at random as often as it occurs, for numbers "
    "the mean of the memory). † no better than that. ‡ reached by the "
    "features before alignment too. ↓ ↑ less, more than was wanted. Who asks is never in the memory. "
)
ONE_SPLIT = "Intervals: bootstrap over held-out objects, whole groups at a time, where nothing else is said."
FOLDS = "Values: mean ± standard deviation over the {0}; intervals: Student's t of the mean over the {0}. {1} {0}."


def write_report(
    path: str | Path,
    results: Sequence[Result],
    *,
    title: str = "",
    figures: Mapping[str, Figure] | None = None,
    configuration: Mapping[str, Any] | str = "",
    citations: Sequence[str] = (),
    next_command: str = "",
    clusters: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Writes a page that opens anywhere, prints, and loads nothing from the network.

    Args:
        path: The file, by custom ``report.html``.
        results: What was measured.
        title: Of the page; the data set's name by default.
        figures: Caption to figure.
        configuration: How it was made: text as it is, or settings by name.
        citations: What to cite beside the kit and its method: surveys, encoders.
        next_command: What to type next.
        clusters: Summaries of clusters, as `Clusters.summary`: what sets each apart is shown.

    Returns:
        The file.

    Raises:
        OutputError: If it cannot be written.
    """
    names = sorted({one.dataset for one in results if one.dataset})
    title = title or f"Report: {', '.join(names) or 'no results'}"
    parts = report_parts(
        results,
        figures=figures or {},
        configuration=configuration,
        citations=citations,
        next_command=next_command,
        clusters=clusters,
    )
    return write_page(path, title, parts, results)


def report_parts(
    results: Sequence[Result],
    *,
    figures: Mapping[str, Figure],
    configuration: Mapping[str, Any] | str = "",
    citations: Sequence[str] = (),
    next_command: str = "",
    clusters: Sequence[Mapping[str, Any]] = (),
    contrastive: bool = True,
) -> dict[str, str]:
    """Heading to HTML of every part of a report, for `write_page`.

    The arguments are those of `write_report`, and whether a contrastive space is part of it, which is cited.
    """
    method = METHOD if contrastive else ()
    return {
        "How to read the numbers": _reading(results),
        **sections(results, figures, clusters),
        "Configuration": _configuration(configuration),
        "Versions": _versions(),
        "How to cite": bullets([f"astroclip_kit {_version('astroclip_kit')}", *method, *citations]),
        "Next": f"<pre>{escape(next_command)}</pre>" if next_command else "",
    }


def write_page(path: str | Path, title: str, parts: Mapping[str, str], results: Sequence[Result]) -> Path:
    """Writes one self-contained page, in one step.

    Args:
        path: The file.
        title: Of the page.
        parts: Heading to HTML, in order; those without text are left out.
        results: What was measured: whether it is mock or real is said at the top.

    Returns:
        The file.

    Raises:
        OutputError: If it cannot be written.
    """
    body = "\n".join(f"<h2>{escape(head)}</h2>\n{text}" for head, text in parts.items() if text)
    page = (
        f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{_origin(results)}\n{body}\n</body></html>\n"
    )
    publish(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    return Path(path)


def _origin(results: Sequence[Result]) -> str:
    mock = sorted({one.dataset for one in results if one.dataset and one.origin == "mock"})
    real = sorted({one.dataset for one in results if one.dataset and one.origin == "real"})
    seeds = ", ".join(str(seed) for seed in sorted({one.seed for one in results}))
    about = f"<p>{escape(', '.join(real))}: real observations. " if real else "<p>"
    warning = (
        f"<p class='mock'><b>Mock data.</b> {escape(', '.join(mock))} is simulated: these numbers say that the method "
        f"works, not how well it works on the sky.</p>"
    )
    return (warning if mock else "") + about + (f"Seed {seeds}.</p>" if seeds else "</p>")


def _reading(results: Sequence[Result]) -> str:
    if not results:
        return "<p>Nothing was measured.</p>"
    single = [one for one in results if one.fold >= 0]
    seeds, folds = len({one.seed for one in single}), len({one.fold for one in single})
    how = FOLDS.format("seeds" if seeds > 1 else "folds", max(seeds, folds)) if folds else ONE_SPLIT
    return f"<p class='note'>{escape(NOTE + how)}</p>"


def _configuration(configuration: Mapping[str, Any] | str) -> str:
    text = configuration if isinstance(configuration, str) else json.dumps(configuration, indent=1, default=str)
    return f"<pre>{escape(text)}</pre>" if configuration else ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _versions() -> str:
    lines = [f"Python {platform.python_version()}", *(f"{name} {_version(name)}" for name in PACKAGES)]
    return f"<p>{escape(', '.join(lines))}</p>"
