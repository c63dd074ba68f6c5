"""What the services have in common that observations are fetched from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ...download import Client, Outcome, Task
from ...errors import FileError
from ...storage import hash_text
from ..files.fits_files import BLOCK
from .targets import Target

__all__ = ["Service", "asked_of", "check_end", "without"]


class Service(Protocol):
    """Where one kind of observations comes from.

    Args:
        name: What is fetched, "image" or "spectrum".
        folder: Where it goes, below the survey's folder.
        needs: What an object must have to be asked for.
        radius_arcsec: How far from a position its observation may be; 0 where the position itself is what is asked.
        url: Its address: another server is asked again for what this one does not have.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    needs: ClassVar[str]
    radius_arcsec: float
    url: str

    @property
    def request(self) -> dict[str, Any]:
        """All that decides what the files hold: files of another request must not lie beside them."""

    def can_ask(self, target: Target) -> bool:
        """Whether an object has what the service needs."""

    def tasks(self, targets: Iterable[Target], client: Client, root: Path) -> Iterator[Task]:
        """What is to be done for some targets; may ask the service itself, which is then the pause of the others.

        Args:
            targets: Objects that can be asked for.
            client: Who asks.
            root: The survey's folder.
        """


def asked_of(service: Service, target: Target) -> str:
    """Stands for one observation in the journal."""
    return f"{service.folder} {hash_text(target.key, str(service.radius_arcsec), service.url)}"


def check_end(path: Path) -> None:
    """Makes sure that a FITS file ends with a whole block.

    Raises:
        FileError: If it does not.
    """
    if path.stat().st_size % BLOCK:
        raise FileError(path, "truncated: the file ends inside a block.")


def without(service: Service, target: Target, reason: str, *, absent: bool = False) -> Task:
    """A task that only says why there is nothing."""
    outcome = Outcome(asked_of(service, target), "absent" if absent else "failed", reason=reason)
    return lambda: [outcome]
