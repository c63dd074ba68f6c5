"""Which objects are grouped."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["Among"]


@dataclass(frozen=True)
class Among:
    """Which objects are grouped.

    Args:
        where: Those for which a condition holds, e.g. "snr > 5"; all by default.
        label: Label with the class of each object, for groups inside one class.
        within: The class: whether there are subclasses in it is tested on objects that took no part in finding them.
        table: Table with an id and further columns, which may separate subclasses as the labels may.
        figure: File for a figure of the groups inside the class and of what separates them, e.g. rot.pdf.

    Raises:
        UsageError: If there is a class without a label, or a label, table or figure without a class.

    Example:
        >>> Among(label="class", within="ROT").within
        'ROT'
    """

    where: str = ""
    label: str = ""
    within: str = ""
    table: str = ""
    figure: str = ""

    def __post_init__(self) -> None:
        """Refuses what means nothing."""
        if bool(self.label) != bool(self.within):
            raise UsageError("label and within go together: --label class --within ROT looks for groups among ROT.")
        if self.table and not self.within:
            raise UsageError("table: its columns are compared inside one class; say with --label and --within which.")
        if self.figure and not self.within:
            raise UsageError("figure: it shows groups inside one class; say with --label and --within which.")
        if self.within and self.where:
            raise UsageError("where has no use with within: the objects of the class are looked at.")
