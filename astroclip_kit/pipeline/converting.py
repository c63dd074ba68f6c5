"""The verb that makes checkpoints of others safe to read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError, UsageError
from .parts import Folder

__all__ = ["convert"]

ASTROM3 = "astrom3"
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

    Or makes of the released AstroM3, `convert model.safetensors astrom3 --to astrom3`, a model folder that `embed`
    takes: for light curves, spectra and metadata as `surveys.AstroM3Parquet` reads them, or for any survey with the
    covariates and columns of AstroM3 where `statistics` tells how they were scaled.

    Args:
        file: A checkpoint of torch.save, of Lightning, or a pickle.
        out: The safetensors file to write, or a folder for it; with `to` the encoder folder that `extract` takes.
        to: "moco", "specformer" or "spender" for a folder with such an encoder; "astrom3" for that model.
        arguments: Of the encoder: '{"head": true}' for the 128 features of moco, '{"latent": true}' for the latent
            vector of spender. Of astrom3: '{"statistics": "info.json"}', a file of AstroM3Dataset.

    Returns:
        What was written, what it seems to be, and what was left out.
    """
    file, out = Path(file), Path(out)
    if to not in ("", ASTROM3, *ENCODERS):
        raise UsageError(f"cannot convert to {to!r}; there is: {', '.join([*ENCODERS, ASTROM3])}.")
    if arguments and not to:
        raise UsageError("arguments belong to an encoder: say with --to which.")
    if to == ASTROM3:
        return _to_astrom3(file, out, **(arguments or {}))
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


def _to_astrom3(file: Path, out: Path, statistics: str = "", **unknown: Any) -> str:
    """A model folder as `align` writes it, which says what it takes."""
    from ..alignment import astrom3_modalities, astrom3_model
    from ..models import describe, save_model
    from ..storage import check_output
    from ..surveys.astrom3_scaling import Statistics

    if unknown:
        raise UsageError(f"astrom3 takes no argument {next(iter(unknown))!r}; it takes statistics, an info.json.")
    check_output(out, "model")
    known = Statistics.read(statistics) if statistics else None
    scaling = {name: (mean, known.std[name]) for name, mean in known.mean.items()} if known else None
    model, modalities = astrom3_model(file, scaling), astrom3_modalities(scaling)
    save_model(
        model,
        out,
        {
            "input": "dataset",
            "modalities": {name: one.to_dict() for name, one in modalities.items()},
            "encoders": describe(model.encoders),
            "notes": [f"released weights, of {file.name}, that padding takes part in; who was trained on is not known"],
        },
    )
    columns = modalities["metadata"].channels
    return (
        f"{out}: AstroM3, {model.out_features} features, with the weights of {file}. It takes datasets of lightcurve "
        f"({', '.join(modalities['lightcurve'].channels)}; one band, V), spectrum (flux, ivar at 3850, 3852 ... 8998 "
        f"Angstrom) and metadata ({columns[0]}, {columns[1]} ... {columns[-1]}), or some of them: astroclip-kit embed "
        f"{out} DATASET"
    )
