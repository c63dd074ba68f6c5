"""The verb that learns classes, and tells those of new objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, UsageError
from ..settings import Candidates, Classification
from .classifier_training import train_classifier
from .experiments import run
from .parts import Encoders, Folder, changed, save_figure, words
from .table_files import FORMATS, is_table, write_table

if TYPE_CHECKING:
    from astropy.table import Table

    from ..types import Drop, Modality, Sample

__all__ = ["classify"]

CONFIGURATIONS = (".yaml", ".yml")
NAMED = 10  # of those that are left out for one reason


def classify(
    data: Folder = "",
    out: Folder = "",
    *,
    encoders: Encoders | None = None,
    labels: Folder = "",
    classification: Classification = Classification(),
    new: Candidates = Candidates(),
    overrides: list[str] | None = None,
    **more: Any,
) -> Table:
    """Learns classes from images, spectra or both; with --model and --input, tells those of new objects.

    Args:
        data: A configuration with a section ``classify`` (all its sections are run), or a dataset folder.
        out: Folder to write, by default ``runs/<name of the configuration>``, or classifier. Of new objects a file:
            .fits, .vot, .csv, .ecsv or .parquet; who was left out is listed beside it.
        encoders: Of a dataset: modality to encoder; by default those of BATMM, and usual ones for other modalities.
        labels: Table of classes, with ids or coordinates and a column more.
        classification: Of a dataset: label, stages, fusion, trainings, split, baselines, see `Classification`.
        new: The classifier and the new objects, see `Candidates`.
        overrides: Changes to the configuration, ``classify.argument=value`` (``--set`` on the command line).
        more: Fields of `Candidates`, as keyword arguments in Python: ``model="run/model", input="new/"``.

    Returns:
        What the classifier is worth, with intervals; of new objects their class and its probabilities.
    """
    new = changed(new, more, "new objects")
    if new.model or new.input:
        if data or encoders or labels or overrides:
            raise UsageError("with --model and --input nothing is trained: leave out data, encoders, labels and --set.")
        return _told(new, out)
    if not data:
        raise UsageError("give a configuration or a dataset folder to learn from, or --model and --input to classify.")
    if isinstance(data, (str, Path)) and Path(data).suffix in CONFIGURATIONS:
        if encoders or classification != Classification():
            raise UsageError(f"{data} says how to classify: change it there, or with --set classify.KEY=VALUE.")
        return run(data, out, overrides=[*(overrides or []), *([f"classify.labels={labels}"] if labels else [])])
    if overrides:
        raise UsageError("--set changes a configuration, and the data is a folder: give the arguments themselves.")
    return train_classifier(data, out or "classifier", encoders=encoders, labels=labels, classification=classification)


def _told(new: Candidates, out: Folder) -> Table:
    """The classes of new objects."""
    from ..classifiers.candidates import classify_objects
    from ..embeddings.new_objects import new_objects
    from ..storage import open_folder
    from ..transforms import ImageQuality
    from ..types import Modality

    if not (new.model and new.input):
        raise UsageError(f"--{'model' if new.input else 'input'}: give both, the classifier and the new objects.")
    if out and not is_table(Path(out)):
        raise UsageError(f"out is {str(out)!r}, expected a file that ends with one of {', '.join(FORMATS)}.")
    model = _classifier(new)
    about = open_folder(model.root, "model")
    quality = {name: ImageQuality(**asked) for name, asked in about.get("quality", {}).items()}
    modalities = {name: Modality.from_dict(about["modalities"][name]) for name in model.modalities}
    objects = new_objects(_given(new.input), modalities, new.radius_arcsec, partial=model.partial)
    alike: dict[str, Any] = {"coverage": about.get("coverage"), "quality": quality}
    found = classify_objects(model, objects, modalities, **alike, show=new.object_id)
    table = found.table
    if out:
        write_table(table, Path(out))
        _write_left_out(found.left_out, Path(out))
    if new.attention:
        _draw(model, modalities, found.shown, new.attention)
    counts = Counter(table["class"].tolist())
    told = ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
    notes = [f"{len(table):,} objects: {told}", *_lacking(table), *_reasons(found.left_out), *_heed(about, modalities)]
    table.meta["notes"] = [*notes, *([f"written to {out}"] if out else [])]
    return table


def _lacking(table: Table) -> Iterator[str]:
    """How many objects were told by some of the modalities alone."""
    if "seen" in table.colnames:
        counts = Counter(table["seen"].tolist())
        yield f"told by {', '.join(f'{seen} ({count:,})' for seen, count in counts.most_common())}"


def _classifier(new: Candidates) -> Any:
    """The classifier that is asked.

    Raises:
        InputError: If the folder holds something else.
        UsageError: If a figure of attention is wanted, and there is none.
    """
    from ..classifiers import Classifier
    from ..models import load_model
    from ..storage import MANIFEST, open_folder

    model: Any = new.model
    if not isinstance(model, Classifier):
        folder = Path(model)
        inside = folder / "model"  # of the folder that the whole training was written to
        whole = not (folder / MANIFEST).exists() and (inside / MANIFEST).exists()
        model = load_model(inside if whole else folder, trusted=new.trusted)
    if not isinstance(model, Classifier) or "modalities" not in open_folder(model.root, "model"):
        raise InputError(
            f"{model.root} holds {type(model).__name__}, no classifier. Give the folder model that classify wrote."
        )
    if new.attention and not getattr(model.fusion, "crosses", hasattr(model.fusion, "attention")):
        raise UsageError(f"--attention: {type(model.fusion).__name__} has no attention to show. Leave it out.")
    return model


def _heed(about: Mapping[str, Any], modalities: Mapping[str, Modality]) -> Iterator[str]:
    """How far the probabilities can be trusted, from the manifest of a classifier."""
    told = about.get("calibration", {"fitted": about.get("temperature", 1.0) != 1.0, "note": "no temperature is kept"})
    source = f"{about.get('origin', 'real')} data of {about.get('dataset', 'an unknown set')}"
    fitted = f"calibrated on {source}{told['note'] and '; '}{told['note']}"
    yield f"probabilities were {fitted if told['fitted'] else 'not calibrated: ' + told['note']}"
    asked = {name for name, one in about.get("quality", {}).items() if one.get("min_good", 1) or one.get("core", 1)}
    if free := [name for name, one in modalities.items() if one.kind == "image" and name not in asked]:
        yield f"the model keeps no demands on {free[0]} pixels (CleanImages): which images are good enough is up to you"


def _given(value: Any) -> Any:
    """New objects as they were given; "image=cutouts/,spectrum=spectra/" as a mapping."""
    if not isinstance(value, str) or not re.match(r"\w+=", value):
        return value
    pairs = [one.partition("=") for one in words(value)]
    if wrong := [name for name, equals, path in pairs if not (equals and path)]:
        raise UsageError(f"--input: expected MODALITY=PATH, or one path for all, found {wrong[0]!r}.")
    return {name: path for name, _, path in pairs}


def _reasons(left_out: Sequence[Drop]) -> list[str]:
    """Who was left out, by reason: all of a few, some of many; of reasons that differ by a number, the first."""
    by_reason: dict[str, list[Drop]] = {}
    for one in left_out:
        by_reason.setdefault(re.sub(r"-?\d[\d.,]*", "0", one.reason), []).append(one)
    listed = []
    for alike in by_reason.values():
        who, reason = [Path(one.source).name for one in alike], alike[0].reason.rstrip(".")
        first = "" if all(one.reason == alike[0].reason for one in alike) else "the first: "
        shown = ", ".join(who[:NAMED]) + (f" and {len(who) - NAMED:,} more" if len(who) > NAMED else "")
        listed.append(f"left out: {len(who):,} ({first}{reason}): {shown}")
    return listed


def _write_left_out(left_out: Sequence[Drop], out: Path) -> None:
    """Lists who was left out in a file beside the table; removes that of an older one where nobody was."""
    from astropy.table import Table

    path = out.with_name(f"{out.stem}.left_out.csv")
    if left_out:
        columns = {"object": [one.source for one in left_out], "reason": [one.reason for one in left_out]}
        write_table(Table(columns), path)
    else:
        path.unlink(missing_ok=True)


def _draw(model: Any, modalities: Mapping[str, Modality], one: Sample, path: str) -> None:
    """Where the image of an object looks in its spectrum."""
    import torch

    from ..report.figures import attention_map, spectrum_seen

    weights = model.attention({name: torch.from_numpy(one.views[name])[None] for name in modalities})[0]
    spectra = [name for name, modality in modalities.items() if modality.kind == "spectrum"]
    seen = spectrum_seen(model.encoders[spectra[0]], modalities[spectra[0]]) if spectra else {}
    save_figure(attention_map(weights.numpy(), one.views, modalities, title=one.object_id, **seen), path)
