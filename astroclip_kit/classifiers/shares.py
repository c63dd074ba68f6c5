"""What encoders weigh: the shares of bands, or of parts of a spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from .inference import BATCH

__all__ = ["encoder_shares"]


def encoder_shares(
    dataset: Any, modality: str, encoder: Any, rows: npt.NDArray[np.int64]
) -> tuple[tuple[str, ...], npt.NDArray[np.float32]] | None:
    """What an encoder weighs of some objects.

    Args:
        dataset: A `Dataset`.
        modality: What is encoded.
        encoder: With ``shares`` and ``share_names``, as `SEResNet` and `VGG1D` have them.
        rows: Of the dataset [n].

    Returns:
        Names of the parts, and their weights [n, S], which add up to 1; None of an encoder that does not say.
    """
    if not hasattr(encoder, "shares"):
        return None
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), BATCH):
            views = torch.from_numpy(dataset.views(modality, rows[start : start + BATCH]))
            found.append(encoder.shares(encoder.preprocess(views)).numpy())
    return tuple(encoder.share_names), np.concatenate(found)
