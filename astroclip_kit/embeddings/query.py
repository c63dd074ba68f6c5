"""What a shared space is asked; of built-in types alone, so that the command line reads it without importing torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Query"]


@dataclass(frozen=True)
class Query:
    """Who asks a shared space, and who may answer.

    Several examples ask as one: the mean of their unit vectors, less that of what shall be avoided. Who asks is never
    among the answers of the same modality.

    Args:
        like: Ids of the objects that ask, together: "a,b,c"; or the id (or group, where it has one row) of one.
        unlike: Ids of objects that the answers shall not resemble.
        weights: One per example, "2,1,3", first those of `like` (or the positions and files), then those of `unlike`; 1
            by default.
        coordinates: Or where it is: "150.1 2.2" (degrees) or "10h00m24s +02d12m00s"; in Python also (ra, dec).
        radius_arcsec: How far from the position the object may be.
        file: Or a new observation: a cutout, spectrum or light curve that is not in the space, or a folder of them,
            each of which asks by itself.
        reader: How to read it: the name of a reader, or its class_path and init_args; by default the one of the
            survey that wrote it.
        model: Model folder that embeds it; by default the one that made the space, if it still lies where it lay.
        trusted: Whether the model folder is your own and may name classes from outside the kit.
        table: Or many at once: a table with a column object_id, or ra and dec (degrees), or file.
        where: Which objects may answer, "z < 0.3 and class == 'QSO'".
        exact: Whether to compare with every object although there is an index.
    """

    like: str | list[str] = ""
    unlike: str | list[str] = ""
    weights: str | list[float] = field(default_factory=list)
    coordinates: str | list[float] = ""
    radius_arcsec: float = 3.0
    file: Any = ""
    reader: str | dict[str, Any] = ""  # in Python also the object
    model: Any = ""
    trusted: bool = False
    table: str = ""
    where: str = ""
    exact: bool = False
