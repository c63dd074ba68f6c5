"""How observations are read, matched and divided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Matching", "Motion", "Reading", "Split"]


@dataclass(frozen=True)
class Split:
    """How objects are divided; the same object always falls on the same side.

    Args:
        by: "group" (the astrophysical object), "object_id", "healpix" (the part of the sky, whole groups), or the
            name of a label column.
        test: Share of the groups held out for evaluation; ignored when ``folds`` is set.
        valid: Share of the remaining groups used for early stopping.
        folds: Number of folds; 0 for a single split.
        fold: Which fold is the test set, 0 .. folds - 1.
        seed: Another seed gives another division.
        healpix_nside: By healpix: resolution of the parts, a power of 2; 16 is 3.7 degrees.
        leak_arcsec: Objects of different sides that are closer than that are taken for one object under two ids,
            which is an error; 0 for no such check.
        column: A label that says the side of each row, as publishers of data sets do: "train", "valid" (also
            "validation", "val", "dev") or "test". What is above but for ``leak_arcsec`` is then not looked at, and
            there are no folds.
    """

    by: str = "group"
    test: float = 0.2
    valid: float = 0.1
    folds: int = 0
    fold: int = 0
    seed: int = 0
    healpix_nside: int = 16
    leak_arcsec: float = 0.5
    column: str = ""

    @property
    def tested_share(self) -> float:
        """Share of the tested objects among those that train or are tested: validation objects do neither.

        Example:
            >>> round(Split(test=0.1, valid=0.2222).tested_share, 3)  # 0.1 of all are tested, 0.7 train
            0.125
        """
        test = 1 / self.folds if self.folds else self.test
        return test / (test + (1 - test) * (1 - self.valid))


@dataclass(frozen=True)
class Motion:
    """Proper motions between the years in which surveys looked.

    Args:
        epoch: Julian year at which positions are compared: sources with the labels pmra, pmdec (mas per year, as in
            Gaia's tables; also PMRA, pmDE and the like) and ref_epoch are moved there, and their number is said. Best
            the year of the sources that have no proper motions.
        epochs: Julian year of the coordinates of a source that has no label ref_epoch, ``{"gaia": 2016.0}``.
    """

    epoch: float = 2016.0
    epochs: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Matching:
    """How the observations of several sources become the rows of one dataset.

    Args:
        by: "id" (observations that share a group, by default their object id, are one object) or "position"
            (mutual nearest neighbours on the sphere, of every two sources, the closest first, never two observations
            of one source; of a catalogue of labels, every row takes its nearest).
        radius_arcsec: Largest separation of a match, and of the members of a group by position.
        radii: Largest separation in arcsec for some pairs of sources, ``{"image-spectrum": 1.5}``.
        motion: Of positions before they are compared, see `Motion`.
        group: What keeps rows together in a split: "id" (the object), "position" (objects linked by separations
            below the radius) or the name of a label; "" is the same as `by`.
        rows: Modality of which every observation makes a row, all with the object's group; "" for one row per object.
        repeats: Modality to the observation that is kept where an object has several: "first", "highest_snr",
            "highest LABEL", "lowest LABEL" or "nearest LABEL to LABEL", e.g. "nearest mjd to maxdate".
        require: Modalities without which an object is left out (counted and listed).
    """

    by: Literal["id", "position"] = "id"
    radius_arcsec: float = 1.0
    radii: dict[str, float] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)
    group: str = ""
    rows: str = ""
    repeats: dict[str, str] = field(default_factory=dict)
    require: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How survey files are read.

    Args:
        workers: Processes; 0 for one per core.
        strict: Whether a file that cannot be used is an error; else it is left out, counted and listed.
        dry_run: Whether to read a few files of each source only, say what was found and would be done, and write
            nothing.
        where: Condition on the labels that rows have to meet, "zwarning == 0 and z < 0.5", in the language of
            `pandas.DataFrame.query`; others are left out, counted and listed. All rows by default.
    """

    workers: int = 0
    strict: bool = False
    dry_run: bool = False
    where: str = ""
