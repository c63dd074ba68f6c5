"""How a model shows itself in a notebook: what it aligns, and how its training went."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ..storage import open_folder
from ..training import History

if TYPE_CHECKING:
    from .ensemble import Ensemble
    from .model import ContrastiveModel

__all__ = ["histories", "model_html"]

HEADS = ("modality", "input", "trained of it", "head", "weights trained")


def histories(model: ContrastiveModel | Ensemble) -> list[History]:
    """The training of each member of a model that was saved or loaded, one row per epoch; empty for another."""
    root = getattr(model, "root", None)
    return [History()] if root is None else [History(rows) for rows in open_folder(root, "model")["history"]]


def model_html(model: ContrastiveModel, kind: str, folder: Any = "") -> str:
    """One row per modality.

    Args:
        model: The model, or one member of an ensemble.
        kind: What the whole is called.
        folder: Where it was saved.
    """
    rows = "".join(_row(_cells(model, name), "td") for name in model.names)
    scales = ", ".join(f"{a} and {b} {scale:.1f}" for (a, b), scale in zip(model.pairs, model.scales(), strict=True))
    head = f"<b>{kind}</b> {escape(str(folder))}: {model.out_features} dimensions; logit scale of {escape(scales)}"
    return f"{head}<table>{_row(HEADS, 'th')}{rows}</table>"


def _cells(model: ContrastiveModel, name: str) -> tuple[str, ...]:
    encoder, head = (model.encoders[name] if name in model.encoders else None), model.heads[name]
    trained = [
        weight.numel() for part in (encoder, head) if part for weight in part.parameters() if weight.requires_grad
    ]
    return (
        name,
        "features" if encoder is None else f"views, through {type(encoder).__name__}",
        "" if encoder is None else model.trainable.get(name, "frozen"),
        f"{type(head).__name__} {head.in_features} to {head.out_features}",
        f"{sum(trained):,}",
    )


def _row(cells: tuple[str, ...], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
