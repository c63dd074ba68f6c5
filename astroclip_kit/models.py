"""Model folders: weights as safetensors, and a description from which the objects are built again.

Every constructor argument of a part is kept as an attribute of the same name; that alone makes a part
describable, so no part needs to know about saving.
"""

from __future__ import annotations

import importlib
import inspect
import shutil
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import FolderError, InputError, KitError, UsageError
from .storage import new_folder, open_folder, write_manifest
from .types import Modality

if TYPE_CHECKING:
    import torch

__all__ = [
    "build",
    "build_for",
    "describe",
    "load_model",
    "reads_described",
    "save_model",
    "weights_origins",
    "write_model",
]


def describe(part: Any) -> Any:
    """The class path and the arguments of a part, as plain values.

    Args:
        part: An object whose constructor arguments are attributes of the same names; plain values, lists
            and mappings are described item by item.

    Raises:
        InputError: If a constructor argument is not kept.
    """
    if part is None or isinstance(part, (bool, int, float, str)):
        return part
    if isinstance(part, Mapping) or (hasattr(part, "named_children") and type(part).__name__ == "ModuleDict"):
        return {key: describe(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)) or type(part).__name__ == "ModuleList":
        return [describe(value) for value in part]
    if inspect.isfunction(part) or inspect.isclass(part):
        return {"function": f"{part.__module__}.{part.__qualname__}"}
    names = [name for name in inspect.signature(type(part).__init__).parameters if name != "self"]
    missing = [name for name in names if not hasattr(part, name) and name not in ("args", "kwargs")]
    if missing:
        raise InputError(
            f"{type(part).__name__} cannot be saved: it does not keep its argument {missing[0]!r} as an attribute. "
            f"Add `self.{missing[0]} = {missing[0]}` to its constructor."
        )
    arguments = {name: describe(getattr(part, name)) for name in names if hasattr(part, name)}
    return {"class_path": f"{type(part).__module__}.{type(part).__qualname__}", "init_args": arguments}


def _import(path: str, trusted: bool) -> Any:
    if not trusted and not path.startswith("astroclip_kit."):
        raise FolderError(
            f"the model uses {path}, which is not part of astroclip_kit and is not imported from a file that may be "
            f"a stranger's. Pass the object itself, or trusted=True for a folder that you wrote."
        )
    module, _, name = path.rpartition(".")
    if not module:
        raise UsageError(f"cannot import {path!r}: expected package.module.Class.")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"cannot import {path!r} ({error}). Check the class_path and the Python path.") from error
    if not trusted and not (inspect.isclass(found) and found.__module__.startswith("astroclip_kit.")):
        # A function of the kit can write files, or import and call anything: a stranger must not choose its arguments.
        raise FolderError(
            f"the model uses {path}, which is no class of astroclip_kit and is not called for a file that may be a "
            f"stranger's. Pass the object itself, or trusted=True for a folder that you wrote."
        )
    return found


def build(description: Any, *, trusted: bool = False) -> Any:
    """Builds what `describe` described, or what a configuration names by ``class_path`` and ``init_args``.

    Args:
        description: What `describe` gave, a part of a configuration, or plain values.
        trusted: Whether any class may be imported (a configuration that the user wrote) or only those of
            the kit (a model folder).

    Raises:
        FolderError: If a class outside the kit is named and `trusted` is False.
        UsageError: If the class cannot be imported or does not take the arguments.
    """
    description = _mapping(description)
    if isinstance(description, list):
        return [build(item, trusted=trusted) for item in description]
    if not isinstance(description, dict):
        return description
    if "function" in description:
        return _import(description["function"], trusted)
    if "class_path" not in description:
        return {key: build(item, trusted=trusted) for key, item in description.items()}
    return _call(_import(description["class_path"], trusted), description, trusted)


def _mapping(value: Any) -> Any:
    """A namespace as a dictionary: the command line's parser makes one of a part in a list of parts."""
    return dict(vars(value)) if isinstance(value, Namespace) else value


def _call(part: Any, description: Mapping[str, Any], trusted: bool, *sizes: Any) -> Any:
    path, arguments = description["class_path"], _mapping(description.get("init_args") or {})
    if not callable(part):
        raise UsageError(f"{path} is {type(part).__name__!r}, expected a class or a function.")
    if not isinstance(arguments, Mapping):
        raise UsageError(f"{path}: init_args are {arguments!r}, expected a mapping of arguments.")
    built = {key: build(item, trusted=trusted) for key, item in arguments.items()}
    try:
        return part(*sizes, **built)
    except KitError:
        raise
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        raise UsageError(f"{path}: {error}. Check its init_args.") from error


def build_for(description: Mapping[str, Any], modality: Modality) -> Any:
    """Builds an encoder of a configuration; what its arguments leave open is sized by the modality.

    Args:
        description: ``class_path`` and ``init_args``; any class may be imported.
        modality: What it shall encode; goes to the class method ``for_modality`` where the class has one.

    Raises:
        UsageError: If the class cannot be imported or does not take the arguments.
    """
    if "class_path" not in description:
        raise UsageError(f"the encoder of {modality.name!r} has no class_path (found {sorted(description)}).")
    part = _import(description["class_path"], trusted=True)
    sized = getattr(part, "for_modality", None)
    return _call(sized, description, True, modality) if sized else _call(part, description, True)


def reads_described(name: str, description: Mapping[str, Any]) -> str:
    """The modality that an encoder of a configuration reads: what it or its class says, or else its name.

    Args:
        name: What the encoder is called.
        description: ``class_path``, ``init_args``, and ``reads`` where it is called otherwise.

    Raises:
        UsageError: If the class cannot be imported.
    """
    path = description.get("class_path")
    said = description.get("reads") or (getattr(_import(path, trusted=True), "reads", "") if path else "")
    return said if said and isinstance(said, str) else name


def save_model(
    model: torch.nn.Module,
    folder: str | Path,
    values: Mapping[str, Any] | None = None,
    parts: Mapping[str, str | Path] | None = None,
) -> None:
    """Writes a model folder: ``weights.safetensors``, ``manifest.json`` with the description of every part.

    The model remembers the folder in its attribute ``root``, as one that was loaded does.

    Args:
        model: A module whose constructor arguments are attributes of the same names.
        folder: Where to; an older model folder is replaced in one step.
        values: What else to keep: training settings, data, seed, metrics.
        parts: Model folders to keep inside this one, by their path in it: encoders that came before the model.
    """
    write_model(model, folder, values, parts)
    model.root = Path(folder)  # type: ignore[assignment]


def write_model(
    model: torch.nn.Module,
    folder: str | Path,
    values: Mapping[str, Any] | None = None,
    parts: Mapping[str, str | Path] | None = None,
) -> None:
    """As `save_model`, but the model itself is left as it is."""
    from safetensors.torch import save_file

    with new_folder(folder, "model") as temporary:
        tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()}
        save_file(tensors, temporary / "weights.safetensors")
        for name, part in (parts or {}).items():
            shutil.copytree(part, temporary / name)
        origins = {name: one.weights_from for name, one in model.named_modules() if hasattr(one, "weights_from")}
        seen = {name: one.trained_on for name, one in model.named_modules() if getattr(one, "trained_on", None)}
        reads = {name: vars(one)["reads"] for name, one in model.named_modules() if "reads" in vars(one)}
        kept = {
            "weights_from": origins,
            "trained_on": {name: one.to_dict() for name, one in seen.items()},
            "reads": reads,
        }
        known = {key: value for key, value in kept.items() if value}
        write_manifest(temporary, "model", {"model": describe(model), **known, **(values or {})})


def load_model(folder: str | Path, model: torch.nn.Module | None = None, *, trusted: bool = False) -> torch.nn.Module:
    """Rebuilds a saved model, in eval mode, on the CPU.

    Args:
        folder: A model folder.
        model: The object to fill with the saved weights, for models with parts from outside the kit.
        trusted: Whether any class that the folder names may be imported, for a folder that you wrote; a class of a
            notebook must be defined there again.

    Raises:
        FolderError: If the folder is not a model, names classes outside the kit, or its weights do not fit.

    A module whose weights the kit trained on one modality has it in its attribute ``trained_on``, in the folder too;
    `contracts.check_encoder` refuses other data, and `encoders.fitted` fits the encoder to them.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    manifest = open_folder(folder, "model")
    built: torch.nn.Module = build(manifest["model"], trusted=trusted) if model is None else model
    try:
        built.load_state_dict(load_file(Path(folder) / "weights.safetensors"))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise FolderError(f"{folder}: the weights do not fit the model or are damaged: {error}") from error
    for name, origin in weights_origins(manifest).items():
        with suppress(AttributeError):  # the model that was given may have other parts inside
            built.get_submodule(name).weights_from = origin  # type: ignore[assignment]
    for name, modality in (manifest.get("trained_on") or {}).items():
        with suppress(AttributeError):
            built.get_submodule(name).trained_on = Modality.from_dict(modality)  # type: ignore[assignment]
    for name, reads in (manifest.get("reads") or {}).items():
        with suppress(AttributeError):
            built.get_submodule(name).reads = reads
    built.root = Path(folder)  # type: ignore[assignment]
    return built.eval()


def weights_origins(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Where the weights of a saved model come from, as far as is known.

    A module that read its weights from a file, or was pretrained, says so in its attribute ``weights_from``.

    Args:
        manifest: Of a model folder.

    Returns:
        Name of a module in the model ("" for itself) to the origin of its weights, in words.
    """
    origins = dict(manifest.get("weights_from") or {})
    if "converted_from" in manifest:
        origins = {"": str(manifest["converted_from"])}
    elif "method" in manifest and "counts" in manifest:
        begun = f", begun from {origins['']}" if "" in origins else ""
        origins = {"": f"{manifest['method']} on {manifest['counts']['train']:,} objects{begun}"}
    return origins
