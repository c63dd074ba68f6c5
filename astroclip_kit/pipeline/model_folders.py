"""What a model or features folder holds, in words: networks, where their weights come from, what is done to views."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..models import weights_origins
from ..storage import MANIFEST, read_json

__all__ = ["features_text", "model_text", "tree"]

CHOSEN = ("method", "label", "settings", "modalities", "alignment", "training", "split", "counts")
READ_ONCE = ("checkpoint", "pretrained")  # arguments that say nothing of a saved copy
LONGEST = 8  # values of a list that are shown
UNKNOWN = "not pretrained, by what is known here: random unless its user loaded others"


def model_text(folder: Path, manifest: Mapping[str, Any]) -> str:
    """An encoder, or a model with its encoders, and how it was trained."""
    origins, described = weights_origins(manifest), manifest["model"]
    lines = [f"{_name(described['class_path'])}, {_count(folder):,} weights"]
    if "encoders" in manifest:
        trained = (manifest.get("alignment") or {}).get("trainable") or {}
        for name, one in manifest["encoders"].items():
            here = trained.get(name, "frozen")
            origin = _origin(origins, f"encoders.{name}") + (f" trained here ({here})" if here != "frozen" else "")
            lines += _kept(f"  encoder of {name}:", one, folder / "encoders" / name, origin.strip())
    elif "temperature" in manifest:
        lines += _classifier(described["init_args"], folder, origins)
    else:
        lines += _encoder(described, _origin(origins, ""))
    heads = _heads(described, folder)
    lines += heads
    chosen = {key: manifest.get(key) for key in CHOSEN}
    if heads and chosen["alignment"]:
        head = (chosen["alignment"].get("head") or {}).get("standardise")
        chosen["alignment"] = {**chosen["alignment"], "head": {"standardise": head}}
    if "temperature" in manifest:
        tuned = ("fine_tuning", "labelled") if manifest["settings"].get("stages") == "fine_tuned" else ()
        chosen["settings"] = {key: manifest["settings"].get(key) for key in ("stages", "class_weights", *tuned)}
    modalities = manifest.get("modalities") or {}
    chosen["modalities"] = {name: f"{one['kind']} {one['shape']}" for name, one in modalities.items()}
    return "\n".join([*lines, tree(chosen)]).rstrip()


def _classifier(arguments: Mapping[str, Any], folder: Path, origins: Mapping[str, str]) -> list[str]:
    """Encoders and fusion of a classifier, and how sure it is."""
    lines = []
    for name, one in arguments["encoders"].items():
        lines += _kept(f"  encoder of {name}:", one, folder / "encoders" / name, "trained here, on the classes")
    fusion = f"  fusion: {_value(arguments['fusion'])}, {_count(folder, 'fusion.'):,} weights"
    return [
        *lines,
        fusion,
        f"  classes: {', '.join(arguments['classes'])}",
        f"  temperature: {arguments['temperature']:.3g}",
    ]


def features_text(folder: Path, manifest: Mapping[str, Any]) -> str:
    """What the matrices hold, and which encoders made them."""
    from ..features import FeatureSet

    features = FeatureSet(folder)
    lines = [f"{len(features)} rows"]
    for name in features.names:
        size = f"{int(features.present(name).sum())} x {features.out_features(name)}, {features.views(name)} views"
        lines += _kept(f"  {name}: {size}, by", features.encoders.get(name), folder / "encoders" / name)
        lines += _augmented(features.views(name), name, manifest)
    return "\n".join(lines)


def tree(value: Mapping[str, Any], indent: str = "  ") -> str:
    """A mapping with a line for each value, without those that say nothing."""
    lines = []
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            lines += [f"{indent}{key}", tree(item, indent + "  ")]
        elif item not in (None, [], {}, ""):
            lines.append(f"{indent}{key}: {item}")
    return "\n".join(lines)


def _augmented(views: int, name: str, manifest: Mapping[str, Any]) -> list[str]:
    """By what the views after the first differ from it, and for whom; nothing where there is one."""
    by = (manifest.get("augmentations") or {}).get(name)
    if views < 2:
        return []
    split, first = manifest.get("augmented"), "views: 1 as observed"
    whom = f"the training side of {_arguments(split)}; of the others as observed" if split else "every object"
    lines = [f"    {first}, {views - 1} augmented with seed {manifest.get('views_seed')}, of {whom}"]
    return [*lines, *(f"      {number}. {step}" for number, step in enumerate(_steps(by), 1))]


def _heads(described: Mapping[str, Any], folder: Path) -> list[str]:
    """The head of each modality; members of an ensemble have the same. A transformer's `heads` are a number."""
    arguments = described.get("init_args") or {}
    members = arguments.get("members")
    heads = (members[0].get("init_args") or {} if members else arguments).get("heads")
    prefix = "members.0." if members else ""
    return [
        f"  head of {name}: {_value(_without(one))}, {_count(folder, f'{prefix}heads.{name}.'):,} weights"
        for name, one in (heads.items() if isinstance(heads, Mapping) else ())
    ]


def _without(described: Mapping[str, Any]) -> dict[str, Any]:
    """A part without the arguments that say nothing of a saved copy."""
    given = described.get("init_args") or {}
    return {**described, "init_args": {name: value for name, value in given.items() if name not in READ_ONCE}}


def _kept(title: str, described: Any, folder: Path, origin: str = "") -> list[str]:
    """An encoder inside another folder; if it has a folder of its own there, that says where its weights come from."""
    if not isinstance(described, Mapping) or "class_path" not in described:
        return [f"{title} an encoder from outside the kit"]
    if (folder / MANIFEST).exists():
        known = _origin(weights_origins(read_json(folder / MANIFEST)), "")
        origin = known or ("" if _count(folder) else "none, it computes")
    return [f"{title} {_name(described['class_path'])}", *_encoder(described, origin, "    ")]


def _encoder(described: Mapping[str, Any], origin: str, indent: str = "  ") -> list[str]:
    """Where the weights come from, the arguments, and each step of the preprocessing with its own."""
    arguments = _without(described)["init_args"]
    steps = _steps(arguments.pop("preprocess", None))
    lines = [f"{indent}weights: {origin or UNKNOWN}"]
    lines += [f"{indent}arguments: {_arguments(arguments)}"] if arguments else []
    if steps:
        lines += [f"{indent}preprocessing", *(f"{indent}  {number}. {step}" for number, step in enumerate(steps, 1))]
    return lines


def _origin(origins: Mapping[str, str], path: str) -> str:
    """Where the weights of a module come from, or those of a module in it."""
    inside = [origin for name, origin in origins.items() if not path or f".{path}." in f".{name}."]
    return ", ".join(dict.fromkeys(inside))


def _steps(described: Any) -> list[str]:
    """The transforms in a row, one for each."""
    if isinstance(described, Mapping) and _name(str(described.get("class_path", ""))) in (
        "Compose",
        "ComposeAugmentations",
    ):
        return [_value(one) for one in described["init_args"]["steps"]]
    return [] if described is None else [_value(described)]


def _arguments(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in arguments.items())


def _value(value: Any) -> str:
    """A value, a part with its arguments, or the first of many values and how many they are."""
    if isinstance(value, Mapping) and "class_path" in value:
        return f"{_name(value['class_path'])}({_arguments(value.get('init_args') or {})})"
    if isinstance(value, Mapping) and "function" in value:
        return _name(value["function"])
    if isinstance(value, list):
        shown = ", ".join(_value(one) for one in value[:LONGEST])
        return f"[{shown}, ... {len(value)} values]" if len(value) > LONGEST else f"[{shown}]"
    return repr(value)


def _name(path: str) -> str:
    return path.rpartition(".")[2]


def _count(folder: Path, prefix: str = "") -> int:
    """How many weights a model folder holds, or a module in it whose names begin so."""
    from safetensors import safe_open

    with safe_open(folder / "weights.safetensors", "np") as weights:
        names = [name for name in weights.keys() if name.startswith(prefix)]
        return sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
