"""Verbs that run other verbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from .parts import Folder

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["quickstart", "run"]

FEWEST = 50  # galaxies of a quickstart


def quickstart(out: Folder = "demo", *, count: int = 3000, seed: int = 0) -> Table:
    """Simulates a small survey, aligns it, searches it and reports: five minutes, no data needed.

    Args:
        out: Folder for everything.
        count: Number of galaxies.
        seed: Another seed gives another survey and another training.

    Returns:
        The most telling results, with intervals.
    """
    from importlib.resources import as_file, files

    if count < FEWEST:
        raise UsageError(f"count is {count}, expected at least {FEWEST} galaxies to train on and to hold out.")
    with as_file(files("astroclip_kit") / "quickstart.yaml") as path:
        changes = [f"data={Path(out) / 'survey'}", f"seed={seed}", f"simulate.count={count}"]
        table = run(path, out, overrides=changes)
    telling = (table["metric"] == "recall@10") | (table["metric"] == "r2")
    return table[telling]


def run(config: Folder, out: Folder = "", *, overrides: list[str] | None = None) -> Table:
    """Runs a configuration: from survey files to a report, skipping what is done.

    Args:
        config: A YAML file, such as those in ``configs/``.
        out: Folder of the run; ``runs/<name of the configuration>`` by default.
        overrides: Changes to the file, ``section.argument=value`` (``--set`` on the command line).

    Returns:
        The results, combined over the folds.
    """
    from .configuration import load_configuration
    from .experiment import run_configuration

    configuration = load_configuration(Path(config), overrides or [])
    return run_configuration(configuration, Path(out or Path("runs") / configuration.name))
