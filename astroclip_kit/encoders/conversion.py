"""Checkpoints that hold more than weights become safetensors, without running what they hold.

Use it for files that `checkpoints.read_checkpoint` refuses: Lightning checkpoints that pickle whole modules, as those
of AstroCLIP, modules saved with `torch.save(model)`, plain pickles.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..storage import publish
from . import reading_process

__all__ = ["Converted", "convert"]


@dataclass(frozen=True)
class Converted:
    """What became of a checkpoint.

    Args:
        path: The safetensors file.
        tensors: How many tensors it has.
        left_out: Functions and classes that the checkpoint names and that were neither run nor written.
    """

    path: Path
    tensors: int
    left_out: tuple[str, ...]


def convert(path: str | Path, out: str | Path) -> Converted:
    """Writes the tensors of a pickled checkpoint as safetensors; another process without network reads it.

    Args:
        path: A file of `torch.save` or `pickle.dump`; nothing in it is run.
        out: The file to write. Tensors are called by the names on the way to them, "state_dict.conv1.weight";
            metadata keep the hyper-parameters that are plain values. `read_checkpoint` reads it.

    Raises:
        FileError: If the file is missing, cut off, no checkpoint, or holds no tensor.
        OutputError: If `out` cannot be written.
    """
    path = Path(path)
    if not path.is_file() or not path.stat().st_size:
        raise FileError(path, "is empty. Copy or download it again." if path.is_file() else "there is no such file.")
    found = publish(out, lambda temporary: _read(path, temporary))
    return Converted(Path(out), found["tensors"], tuple(found["left_out"]))


def _read(path: Path, out: Path) -> dict[str, Any]:
    words = [sys.executable, "-P", "-m", reading_process.__name__, str(path.absolute()), str(out.absolute())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise FileError(path, f"ended the process that read it ({name}): it is damaged, or larger than the memory.")
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise FileError(path, f"cannot be read in another process: {done.stderr.strip()[-200:]}") from error
    if "problem" in found:
        raise FileError(path, f"is no checkpoint, damaged or cut off ({found['problem']}). Copy or download it again.")
    if not found["tensors"]:
        raise FileError(path, "holds no tensors, so there is nothing to convert.")
    return found
