"""The way from neighbour to neighbour: who asks, who asked before, and the list through which one steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from .lists import NeighbourList
from .new_file import NewFile

__all__ = ["Asker", "Way"]


@dataclass(frozen=True)
class Asker:
    """Who asks for neighbours: an object of the store, or else a new file.

    Args:
        name: Its id, or the name of the file.
        row: Of the object; -1 for a file.
        file: The file.
    """

    name: str
    row: int = -1
    file: NewFile | None = None


@dataclass
class Way:
    """Where one is, and how one came there.

    Args:
        asker: Who asks now.
        past: Who asked before, the latest last.
        steps: The list through which one steps.
        of: Whose neighbours it holds.
        place: How far one came in it; -1 before its first.
    """

    asker: Asker | None = None
    past: list[Asker] = field(default_factory=list)
    steps: NeighbourList | None = None
    of: str = ""
    place: int = -1

    def arrive(self, asker: Asker | None) -> None:
        """Somebody asks; steps lead on from there if that is one of the list."""
        if self.asker and self.asker != asker:
            self.past.append(self.asker)
        self.asker = asker
        rows = self.steps.rows.tolist() if self.steps and asker and asker.row >= 0 else []
        if asker and asker.row in rows:
            self.place = rows.index(asker.row)
        else:
            self.steps, self.place = None, -1

    def back(self) -> Asker | None:
        """Who asked before, who is then no longer the past; None for nobody, as a button is pressed twice."""
        if not self.past:
            return None
        self.asker = None  # who asks now is not remembered
        return self.past.pop()

    def offer(self, found: NeighbourList) -> None:
        """Steps lead through this list, unless one is amid another."""
        if self.asker and self.place < 0:
            self.steps, self.of, self.place = found, self.asker.name, -1

    def pick(self, found: NeighbourList, place: int) -> int | None:
        """Steps lead on from this place in a list of who asks; its row, None where the list has no such place."""
        if not 0 <= place < len(found.rows):
            return None
        self.steps, self.of, self.place = found, self.asker.name if self.asker else "", place
        return self.step(0)

    def step(self, by: int) -> int | None:
        """Goes on in the list; the row where one comes, None beyond its ends, as a button is pressed twice."""
        if self.steps is None or not self.may_step(by):
            return None
        self.place += by
        return int(self.steps.rows[self.place])

    def may_step(self, by: int) -> bool:
        """Whether there is a neighbour so many places on."""
        return self.steps is not None and 0 <= self.place + by < len(self.steps.rows)

    @property
    def told(self) -> str:
        """Where one is, in words, or before the first step where it leads; "" where it leads nowhere."""
        if self.steps is None or not len(self.steps.rows):
            return ""
        if self.place < 0:
            return f"Next goes through {self.steps.title}."
        return f"{self.place + 1} of {len(self.steps.rows)} nearest to {self.of} ({self.steps.title})"
