"""Weights out of checkpoint files that others wrote, without running anything that such a file may hide.

Only tensors and plain values are read: safetensors, or ``torch.load(weights_only=True)``, to which NumPy's numbers and
arrays are added because spender's files hold their losses so. Whatever needs more is refused and the way out is named.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import FileError

__all__ = ["fill", "hyperparameters", "looks_like", "read_checkpoint", "under", "weights_in"]

WRAPPERS = ("state_dict", "model", "model_state_dict", "teacher", "encoder", "module")
DISTRIBUTED = ("module.", "_orig_mod.")  # what torch's wrappers write before every name
ZIPPED, PICKLED = b"PK", b"\x80"  # how files of torch.save begin; before its version 1.6 the second
NO_CHECKPOINT = "is no checkpoint. Expected safetensors or a file of torch.save."
LOOKS = (  # names that end so, and what has them; the first that fits
    (("image_encoder.cross_attention.query", "spectrum_encoder.cross_attention.query"), "an AstroCLIP model"),
    (("data_embed.weight", "position_embed.weight"), "a SpecFormer"),
    (
        ("encoder_q.conv1.weight", "encoder_k.conv1.weight"),
        "a MoCo training of a ResNet, encoder_k and queue too (MocoResNet50 takes encoder_q)",
    ),
    (("cls_token", "patch_embed.proj.weight"), "a vision transformer such as AstroDINO"),
    (("conv1.0.weight", "conv3.2.weight"), "a spender encoder (SpenderEncoder reads it)"),
    (("layer3.35.conv3.weight",), "a ResNet-152"),
    (("layer3.22.conv3.weight",), "a ResNet-101"),
    (("layer4.2.conv3.weight", "fc.2.weight"), "a ResNet-50 with a projection head (MocoResNet50 reads it)"),
    (("layer4.2.conv3.weight",), "a ResNet-50"),
    (("layer3.5.conv2.weight", "layer4.2.conv2.weight"), "a ResNet-34"),
    (("layer4.1.conv2.weight",), "a ResNet-18"),
    (("photometry_proj.weight", "spectra_proj.weight"), "AstroM3 (astroclip-kit convert FILE --to astrom3)"),
    (("tokenConv.weight", "position_embedding.pe"), "AstroM3's encoder of light curves (Informer reads it)"),
    (("logit_scale", "visual.proj"), "a CLIP model"),
)


def read_checkpoint(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a model by their names in the file, on the CPU; nothing of the file is executed.

    Args:
        path: A safetensors file, or one of `torch.save`: a state dict, alone or under "state_dict" (Lightning) or
            "model" (spender, whose lists of several states give the first).

    Returns:
        Name to tensor, without the ``module.`` that torch's wrappers write before every name.

    Raises:
        FileError: If the file is missing, empty, cut off, no checkpoint, holds no tensors, or needs more than weights.
    """
    weights = weights_in(_content(Path(path)))
    if not weights:
        raise FileError(path, "holds no tensors with names. Expected the state dict of a model.")
    for prefix in DISTRIBUTED:
        if all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): one for name, one in weights.items()}
    return weights


def hyperparameters(path: str | Path) -> dict[str, Any]:
    """What a Lightning checkpoint, or a file of `astroclip-kit convert`, says of its model; nothing where it is silent.

    Raises:
        FileError: As `read_checkpoint`.
    """
    content = _content(Path(path))
    found = content.get("hyper_parameters") if isinstance(content, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _if_tensor(part: Any) -> torch.Tensor | None:
    return part if isinstance(part, torch.Tensor) else None


def weights_in(content: Any, tensor_of: Callable[[Any], torch.Tensor | None] = _if_tensor) -> dict[str, torch.Tensor]:
    """The first state dict of a checkpoint's content: itself, under one of the usual keys, or first of a list.

    Args:
        content: What the file holds.
        tensor_of: Gives the tensor that a part stands for, None where it is no tensor.
    """
    if isinstance(content, (list, tuple)):
        return weights_in(content[0], tensor_of) if content else {}
    if not isinstance(content, Mapping):
        return {}
    for key in WRAPPERS:
        if isinstance(content.get(key), (Mapping, list, tuple)) and (found := weights_in(content[key], tensor_of)):
            return found
    tensors = {str(name): tensor_of(one) for name, one in content.items()}
    return {name: one for name, one in tensors.items() if one is not None}


def under(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with a prefix, without it; all of them where none does."""
    found = {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
    return found or dict(tensors)


def fill(module: nn.Module, tensors: Mapping[str, torch.Tensor], path: str | Path, name: str = "") -> None:
    """Puts the tensors of a file into a module that has the same names.

    Args:
        module: What to fill; as it was if an error is raised.
        tensors: Name to tensor.
        path: Where they come from, for the message.
        name: What the module is called there; "" for its class.

    Raises:
        FileError: If names or shapes differ: the first missing and the first unexpected name, and what the file
            seems to be.
    """
    wanted = {name: tuple(one.shape) for name, one in module.state_dict().items()}
    given = {name: tuple(one.shape) for name, one in tensors.items()}
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in given if name not in wanted]
    others = [name for name in wanted if name in given and given[name] != wanted[name]]
    problems = [f"has no {missing[0]!r}{_more(missing)}"] if missing else []
    problems += [f"has an unexpected {unexpected[0]!r}{_more(unexpected)}"] if unexpected else []
    text = f"it {' and '.join(problems)}"
    if others and not problems:
        text = f"its {others[0]!r} is {given[others[0]]}, expected {wanted[others[0]]}{_more(others)}"
    if others or problems:
        raise FileError(path, f"does not fit {name or type(module).__name__}: {text}. {looks_like(given)}")
    module.load_state_dict(dict(tensors), strict=False)
    module.weights_from = Path(path).name  # type: ignore[assignment]


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def looks_like(names: Iterable[str]) -> str:
    """What a model with such names seems to be, as a sentence."""
    known = [f".{name}" for name in names]
    for ends, what in LOOKS:
        if all(any(name.endswith(f".{end}") for name in known) for end in ends):
            return f"It looks like {what}."
    return f"It is no model that the kit knows, of {len(known)} tensors."


def _content(path: Path) -> Any:
    """What a file holds, read as what its first bytes say it is."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror}). Expected a checkpoint file.") from error
    if not head:
        raise FileError(path, "is empty. Copy or download it again.")
    if head[8:] == b"{":
        return _safetensors(path)
    if not head.startswith((ZIPPED, PICKLED)):
        raise FileError(path, NO_CHECKPOINT)
    return _torch(path, zipped=head.startswith(ZIPPED))


def _safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        hyper_parameters = json.loads(metadata.get("hyper_parameters", "{}"))
    except (SafetensorError, ValueError) as error:
        raise FileError(path, f"is damaged or cut off ({error}). Copy or download it again.") from error
    return {"state_dict": under(tensors, metadata.get("weights", "")), "hyper_parameters": hyper_parameters}


def _torch(path: Path, zipped: bool) -> Any:
    try:
        with torch.serialization.safe_globals(_plain_numpy()), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        safe = f"Get its tensors without running it: astroclip-kit convert {path} --out weights.safetensors"
        needs = re.search(r"(?:GLOBAL|type|class|global) `?(\w+(?:\.\w+)+)", str(error))
        if not needs and not zipped:
            raise FileError(path, f"{NO_CHECKPOINT} It may be a plain pickle. {safe}") from error
        raise FileError(
            path,
            f"holds more than weights ({needs[1] if needs else 'objects'}), and reading that could run code of the "
            f"file, so nothing was read. {safe}",
        ) from error
    except Exception as error:  # bytes of others, which torch's parser meets with errors of every kind
        if "TorchScript" in str(error):
            raise FileError(path, "is a TorchScript program. Save the state_dict() of its module instead.") from error
        said = str(error).partition("\n")[0][:90] or type(error).__name__
        what = "is damaged or cut off" if zipped else "is no checkpoint, or cut off"
        pickled = "" if zipped else f" If it is a plain pickle: astroclip-kit convert {path} --out weights.safetensors"
        raise FileError(path, f"{what} ({said}). Copy or download it again.{pickled}") from error


def _plain_numpy() -> list[Any]:
    """NumPy's numbers and arrays of numbers, under their names of NumPy 1 and 2; reading them runs nothing."""
    from numpy._core.multiarray import _reconstruct, scalar

    old = [(_reconstruct, "numpy.core.multiarray._reconstruct"), (scalar, "numpy.core.multiarray.scalar")]
    return [_reconstruct, scalar, np.ndarray, np.dtype, *{type(np.dtype(code)) for code in "?bBhHiIlLqQefd"}, *old]
