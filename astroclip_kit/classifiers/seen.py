"""Whether an encoder that was trained elsewhere has seen the objects that a classifier is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..data.seen import learned_from, seen_before, split_told
from ..errors import UsageError
from ..settings import Split
from ..storage import MANIFEST, hash_json, open_folder

__all__ = ["check_start", "check_unseen", "encoder_folder"]

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


def check_start(folder: str | Path, dataset: Any, split: Split) -> list[str]:
    """Refuses a model that was aligned on objects which are held out now: even without labels it knows them.

    Known of models that were aligned on the same values of a modality, raw or as cached features, whichever rows were
    selected of them and wherever they were ingested.

    Args:
        folder: Of the model.
        dataset: The objects that a classifier learns from and is judged on.
        split: Who is held out.

    Returns:
        What the model's own manifest notes of what its encoders saw, and whether nothing can be known of it.

    Raises:
        FolderError: If the folder holds no model.
        UsageError: If it was trained on held-out objects.
    """
    about = open_folder(folder, "model")
    notes = [str(note) for note in about.get("notes", [])]
    same = learned_from(about, dataset) or about.get("data_hash") == hash_json(dataset.manifest)
    if "split" not in about or not same:
        unknown = "was aligned on other data, or keeps nothing of what it was aligned on"
        return [*notes, f"the start {folder} {unknown}: whether it has seen held-out objects cannot be told."]
    earlier = Split(**about["split"])
    count, held_out = seen_before(dataset, earlier, split)
    if count:
        raise UsageError(
            f"{folder}: this model was aligned on {count} of {held_out} objects that {split_told(split, earlier)} "
            f"holds out, with {split_told(earlier, split)}. Align with the same split."
        )
    return notes


def _note(folder: str | Path, dataset: Any, name: str, split: Split) -> str:
    """What is to be said of one, "" if nothing."""
    about = open_folder(encoder_folder(folder), "model")
    if not learned_from(about, dataset):
        return ""
    earlier = Split(**about["split"])
    count, held_out = seen_before(dataset, earlier, split)
    if not count:
        return ""
    what = f"{count} of {held_out} objects that {split_told(split, earlier)} holds out"
    if about.get("method") not in LEARN_LABELS:
        how = f"without labels ({about.get('method', 'unknown')}, {split_told(earlier, split)})"
        return f"the encoder of {name!r} in {folder} has seen {what}, {how}."
    raise UsageError(
        f"{folder}: this encoder of {name!r} learned the labels of {what}: it was trained on the same data with "
        f"{split_told(earlier, split)}. Give the same split, or an encoder trained on other data or on none."
    )
