"""Tables as files of the format that their name ends with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["is_table", "write_table"]

FORMATS = {
    ".csv": "ascii.csv",
    ".ecsv": "ascii.ecsv",
    ".fits": "fits",
    ".parquet": "parquet",
    ".vot": "votable",
    ".xml": "votable",
}


def is_table(path: str | Path) -> bool:
    """Whether a name is that of a table's file, not of a folder."""
    return Path(path).suffix.lower() in FORMATS


def write_table(table: Table, path: str | Path) -> None:
    """Writes a table, in one step.

    Args:
        table: What to write; its meta are for the terminal and are left out.
        path: The file; its ending says the format.

    Raises:
        UsageError: If no such format can be written, or a folder has the name.
        OutputError: If the file cannot be written.
    """
    from ..storage import publish

    path = Path(path)
    if not is_table(path):
        raise UsageError(f"{path}: expected a name that ends with one of {', '.join(FORMATS)}.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder, expected the name of a file to write.")
    plain = table.copy()
    plain.meta.clear()
    publish(path, lambda temporary: plain.write(temporary, format=FORMATS[path.suffix.lower()], overwrite=True))
