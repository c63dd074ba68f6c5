"""Whether an encoder that was trained elsewhere has seen the objects that a classifier is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..data import splits
from ..errors import KitError, UsageError
from ..settings import Split
from ..storage import MANIFEST, open_folder

__all__ = ["check_unseen", "encoder_folder"]

# Methods by which labels reach an encoder; vectors are simulated after those of an encoder that learned them.
LEARN_LABELS = ("supervised", "spectral_gan", "retrieved_spectra")


def encoder_folder(folder: str | Path) -> Path:
    """That of the bare encoder: inside the folder that `train_encoder` wrote, or the folder itself."""
    inside = Path(folder) / "encoder"
    return inside if (inside / MANIFEST).exists() else Path(folder)


def check_unseen(encoders: Mapping[str, Any], dataset: Any, split: Split) -> list[str]:
    """Refuses encoders that learned with labels from objects which are held out now.

    Known of encoders that the kit trained on the same values of the modality, whichever rows were selected of them.

    Args:
        encoders: What an encoder is called to its folder, or that of `train_encoder`; or to a module, which is looked
            at where it was loaded from a folder.
        dataset: The objects that a classifier learns from and is judged on.
        split: Who is held out.

    Returns:
        A note for each encoder that saw them without labels.

    Raises:
        FolderError: If a folder holds no model.
        UsageError: If labels of held-out objects were learned.
    """
    given = {name: getattr(one, "root", None) if hasattr(one, "forward") else one for name, one in encoders.items()}
    return [note for name, one in given.items() if one and (note := _note(one, dataset, name, split))]


def _note(folder: str | Path, dataset: Any, name: str, split: Split) -> str:
    """What is to be said of one, "" if nothing."""
    about = open_folder(encoder_folder(folder), "model")
    if "split" not in about or "data_hash" not in about:
        return ""
    before = {about["data_hash"], about.get("source_hash", about["data_hash"])}
    if not before & {one for modality in dataset.modalities for one in _source_hashes(dataset, modality)}:
        return ""
    earlier = Split(**about["split"])
    count, held_out = _seen(dataset, earlier, split)
    if not count:
        return ""
    what = f"{count} of {held_out} objects that {_told(split, earlier)} holds out"
    if about.get("method") not in LEARN_LABELS:
        how = f"without labels ({about.get('method', 'unknown')}, {_told(earlier, split)})"
        return f"the encoder of {name!r} in {folder} has seen {what}, {how}."
    raise UsageError(
        f"{folder}: this encoder of {name!r} learned the labels of {what}: it was trained on the same data with "
        f"{_told(earlier, split)}. Give the same split, or an encoder trained on other data or on none."
    )


def _source_hashes(dataset: Any, modality: str) -> tuple[str, ...]:
    """Hashes of a modality: of the rows that are selected, and of the whole dataset where that is known."""
    whole = getattr(dataset, "source_hash", None)
    return (dataset.data_hash(modality), *([whole(modality)] if whole is not None else []))


def _seen(dataset: Any, earlier: Split, split: Split) -> tuple[int, int]:
    """How many objects that are held out now were not so before, and how many are held out now."""
    held_out = splits.divide(dataset, split) == "test"
    try:
        unseen = splits.divide(dataset, earlier) == "test"
    except KitError:  # divided by what these objects do not have: nothing says that one was left out
        unseen = np.zeros(len(held_out), dtype=bool)
    return int((held_out & ~unseen).sum()), int(held_out.sum())


def _told(split: Split, other: Split) -> str:
    """A split in words: its seed, and what else is not as in another."""
    named = [name for name, value in vars(split).items() if name == "seed" or value != getattr(other, name)]
    return f"split {{{', '.join(f'{name}: {getattr(split, name)}' for name in named)}}}"
