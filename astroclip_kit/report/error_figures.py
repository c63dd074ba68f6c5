"""The figures of a classifier's errors: how the objects look, what layers make of one, where all lie in colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .classifier_figures import Said

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

    from ..data import Dataset

__all__ = ["error_figures"]

Rows = npt.NDArray[np.int64]


def error_figures(
    said: Said,
    dataset: Dataset,
    *,
    modality: str = "",
    encoder: nn.Module | None = None,
    regions: Mapping[str, npt.ArrayLike] | None = None,
    seed: int = 0,
) -> Iterator[tuple[str, Figure]]:
    """Caption and figure of each that can be made.

    Args:
        said: What a classifier said of held-out objects, which may come several times.
        dataset: Where they are.
        modality: What they are compared and shown by, an image or a spectrum; "" for neither.
        encoder: Of that modality, to show its layers.
        regions: Of the colour-colour diagram, see `colour_colour`.
        seed: Of k-means.
    """
    from ..classifiers import map_layers, misclassified_groups, unsure_but_right
    from .figures import feature_maps, misclassified_sheet, unsure_sheet

    number = {object_id: row for row, object_id in enumerate(dataset.object_ids.tolist())}
    rows = np.array([number[one] for one in said.object_ids.tolist()], dtype=np.int64)
    about: tuple[Any, ...] = (said.true, said.probabilities)
    if modality:
        given: dict[str, Any] = {"object_ids": said.object_ids, "names": [modality]}
        alike = misclassified_groups(lambda own: _pixels(dataset, modality, rows[own]), *about, said.classes, seed=seed)
        if alike:
            caption = f"Misclassified objects that are alike in the {modality} (k-means), nearest to each centre first."
            yield caption, misclassified_sheet(alike, *about, dataset, classes=said.classes, **given)
        if len(unsure := unsure_but_right(*about, said.classes)):
            yield f"Right, with a probability below {unsure.meta['below']:g}.", unsure_sheet(unsure, dataset, **given)
        row = int(rows[alike[0].rows[0] if alike else 0])
        view = dataset.views(modality, [row])[0]
        if encoder is not None and map_layers(encoder, view):
            caption = (
                f"What layers of the encoder of the {modality} make of one object, and their most varied channels."
            )
            drawn = {"modality": dataset.modalities[modality], "title": str(dataset.object_ids[row])}
            yield caption, feature_maps(encoder, view, **drawn)
    yield from _colours(dataset, rows, said, regions)


def _pixels(dataset: Dataset, name: str, rows: Rows) -> npt.NDArray[np.float32]:
    """Images without their inverse variances, or fluxes in units of their median."""
    modality, views = dataset.modalities[name], dataset.views(name, rows)
    if modality.kind == "image":
        return np.asarray(views[:, : len(modality.image_bands)])
    flux = views[:, :1]
    level = np.abs(np.median(np.nan_to_num(flux), axis=2, keepdims=True))
    return np.asarray(flux / np.where(level > 0, level, 1))


def _colours(
    dataset: Dataset, rows: Rows, said: Said, regions: Mapping[str, npt.ArrayLike] | None
) -> Iterator[tuple[str, Figure]]:
    """Two colours of the objects, each once, where labels or a table have them."""
    from .figures import colour_colour, usual_colours
    from .figures.colours import column_difference

    rows, first = np.unique(rows, return_index=True)
    columns = {name: values[rows] for name, values in dataset.labels.items() if values.dtype.kind == "f"}
    for name, modality in dataset.modalities.items():
        if modality.kind == "table" and usual_colours(modality.channels):
            there = dataset.present(name)[rows]
            values = np.full((len(rows), len(modality.channels)), np.nan, dtype=np.float32)
            values[there] = dataset.views(name, rows[there])
            columns |= dict(zip(modality.channels, values.T, strict=True))
    wanted = usual_colours(columns)
    if wanted and np.isfinite(sum(column_difference(columns, one) for one in wanted)).any():
        caption = "Colours by true class; rings: misclassified, in the colour of what was said."
        about: dict[str, Any] = {"classes": said.classes, "regions": regions}
        yield caption, colour_colour(columns, wanted, said.true[first], said.probabilities[first], **about)
