"""What a training leaves to look at: one row per epoch, as a table, a CSV file and, where installed, TensorBoard."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..storage import publish, writing

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["History", "Log"]

Row = dict[str, float]


class History(list[Row]):
    """One row per epoch: ``epoch``, ``step``, ``lr``, ``loss``, ``val_...`` (what `validate` gave), ``seconds``.

    Example:
        >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
        >>> history.column("loss")
        array([2., 1.])
    """

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """One value per epoch [epochs]; NaN where a row lacks it."""
        return np.array([row.get(name, math.nan) for row in self], dtype=np.float64)

    def to_table(self) -> Table:
        """As an astropy Table."""
        from astropy.table import Table

        return Table(rows=list(self)) if self else Table()

    def _repr_html_(self) -> str:
        return str(self.to_table()._repr_html_())


class Log:
    """Writes ``log.csv`` and, where TensorBoard is installed, ``tensorboard/``, one row at a time.

    Both are written anew from the rows that the checkpoint holds whenever a run starts, so an interrupted run
    neither loses nor repeats an epoch.
    """

    def __init__(self, out: Path, rows: Iterable[Row], active: bool = True) -> None:
        self.active = active  # one process of several
        self.path = out / "log.csv"
        self.columns: list[str] = []
        self.writer: Any = None
        if not active:
            return
        publish(self.path, lambda temporary: temporary.write_text(""))
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(out / "tensorboard"), purge_step=0)
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Adds the row of one epoch."""
        if not self.active:
            return
        with writing(self.path), self.path.open("a", newline="") as handle:
            lines = csv.writer(handle)
            if not self.columns:
                self.columns = list(row)
                lines.writerow(self.columns)
            lines.writerow([row.get(name, "") for name in self.columns])
        if self.writer is not None:
            for name, value in row.items():
                if name != "epoch":
                    self.writer.add_scalar(name, value, int(row["epoch"]))

    def close(self) -> None:
        """Flushes TensorBoard."""
        if self.writer is not None:
            self.writer.close()
