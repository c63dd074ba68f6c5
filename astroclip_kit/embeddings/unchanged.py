"""Whether a store is still the one that was opened: the rows of one that was embedded again are other objects."""

from __future__ import annotations

from pathlib import Path

from ..errors import FolderError
from ..storage import MANIFEST

__all__ = ["Unchanged"]


class Unchanged:
    """When a folder was written, as its manifest tells, the last file of each writer.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written = self._state()

    def _state(self) -> tuple[int, int] | None:
        try:
            found = (self._root / MANIFEST).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def check(self) -> None:
        """Makes sure that the folder was not written again.

        Raises:
            FolderError: If it was, or is gone.
        """
        if self._state() != self._written:
            raise FolderError(
                f"{self._root} was written again, or removed, since it was opened. Open it again; a page, by starting "
                "`astroclip-kit explore` again."
            )
