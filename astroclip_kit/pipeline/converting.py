"""The verb that makes checkpoints of others safe to read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError, UsageError
from .parts import Folder

__all__ = ["convert"]

ENCODERS = {"moco": "MocoResNet50", "specformer": "SpecFormer", "spender": "SpenderEncoder"}
SAFE = ".safetensors"


def convert(
    file: Folder,
    out: Folder = "weights.safetensors",
    *,
    to: str = "",
    arguments: dict[str, Any] | None = None,
) -> str:
    """Takes the weights out of a checkpoint that holds more than weights, without running anything in it.

    Another process without network reads the file. Functions and classes that it names are not called; they are told,
    so that you know what it would have run.

    Args:
        file: A checkpoint of torch.save, of Lightning, or a pickle.
        out: The safetensors file to write, or a folder for it; with `to` the encoder folder that `extract` takes.
        to: "moco", "specformer" or "spender" for a folder with such an encoder.
        arguments: Of the encoder: '{"head": true}' for the 128 features of moco, '{"latent": true}' for the latent
            vector of spender.

    Returns:
        What was written, what it seems to be, and what was left out.
    """
    file, out = Path(file), Path(out)
    if to not in ("", *ENCODERS):
        raise UsageError(f"cannot convert to {to!r}; there is: {', '.join(ENCODERS)}.")
    if arguments and not to:
        raise UsageError("arguments belong to an encoder: say with --to which.")
    if to:
        return _to_encoder(file, out, ENCODERS[to], arguments or {})
    if _is_safe(file):
        raise UsageError(f"{file} is safetensors already: encoders read it as it is.")
    from ..encoders.checkpoints import looks_like, read_checkpoint
    from ..encoders.conversion import convert as written

    done = written(file, out if out.suffix == SAFE else out / f"weights{SAFE}")
    left = f" Not run, left out: {', '.join(done.left_out)}." if done.left_out else ""
    return f"{done.path}: {done.tensors} tensors of {file}. {looks_like(read_checkpoint(done.path))}{left}"


def _is_safe(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(9)[8:] == b"{"
    except OSError:
        return False  # whoever reads it next says so


def _to_encoder(file: Path, out: Path, name: str, arguments: Mapping[str, Any]) -> str:
    from .. import encoders
    from ..encoders.conversion import convert as written
    from ..models import save_model
    from ..storage import check_output

    check_output(out, "model")
    with tempfile.TemporaryDirectory() as folder:
        safe = file if _is_safe(file) else written(file, Path(folder) / f"weights{SAFE}").path
        try:
            encoder = getattr(encoders, name).from_checkpoint(str(safe), **arguments)
        except FileError as error:
            raise FileError(file, error.problem) from error
        except TypeError as error:
            raise UsageError(f"{name}: {error}. Check the arguments.") from error
    encoder.weights_from = file.name
    save_model(encoder, out)
    return f"{out}: {name}, which gives {encoder.out_features} features, with the weights of {file}"
