"""What of a page an address can hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from ..filters import columns_in

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """What an address can hold.

    Args:
        plane: What the map shows: "umap:image", "pca:mean", or two columns "z|logmstar".
        colour: Column that colours the map, "" for none.
        where: Conditions, all of which hold for what is shown, in the language of `filters.rows_where`.
        focus: Id of the object that is looked at, "" for none.
        view: Part of the map that is in view: least and greatest x, least and greatest y; none of them for all of it.
    """

    plane: str = ""
    colour: str = ""
    where: tuple[str, ...] = ()
    focus: str = ""
    view: tuple[float, ...] = ()

    def without(self, columns: Collection[str], colour: str = "") -> State:
        """The same without what needs some columns.

        Args:
            columns: Their names.
            colour: What colours the map in the place of one of them.
        """
        has_plane = not set(self.plane.split("|")) & set(columns)
        return replace(
            self,
            plane=self.plane if has_plane else "",
            view=self.view if has_plane else (),
            colour=colour if self.colour in columns else self.colour,
            where=tuple(one for one in self.where if not columns_in(one, columns)),
        )
