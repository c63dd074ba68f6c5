"""What can go wrong, as one tree.

KitError                 anything that the user can mend; the command line prints it without a traceback
├── UsageError           an argument or a configuration is wrong (also a ValueError; exit code 2)
├── InputError           an array, a table or a sample is not what a function needs (also a ValueError)
├── FileError            one survey file cannot be used: `path` says which; `ingest` counts it and goes on
├── FolderError          a folder of the kit is missing, incomplete, foreign or of a newer version
├── TrainingError        training cannot go on: no usable pair, a loss that is not finite
└── OutputError          what was computed cannot be written: disk full, no permission (also an OSError)

Every message says which file or argument, what was expected, what was found, and what to do.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["FileError", "FolderError", "InputError", "KitError", "OutputError", "TrainingError", "UsageError"]


class KitError(Exception):
    """Base of every error that the kit raises on purpose."""


class UsageError(KitError, ValueError):
    """An argument or a configuration is wrong."""


class InputError(KitError, ValueError):
    """An array, a table or a sample is not what a function needs."""


class FileError(KitError):
    """One survey file cannot be used.

    Args:
        path: The file.
        problem: What was expected and what was found, with the way out.

    Example:
        >>> str(FileError("spec.fits", "HDU 1 has no column 'ivar'"))
        "spec.fits: HDU 1 has no column 'ivar'"
    """

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = Path(path)
        self.problem = problem

    def __reduce__(self) -> tuple[type[FileError], tuple[Path, str]]:
        return type(self), (self.path, self.problem)  # errors travel between processes


class FolderError(KitError):
    """A folder of the kit is missing, incomplete, foreign or of a newer version."""


class TrainingError(KitError):
    """Training cannot go on."""


class OutputError(KitError, OSError):
    """What was computed cannot be written."""
