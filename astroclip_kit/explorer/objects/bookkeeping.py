"""Columns that tell how an object was observed or filed, and not what it is: nobody reads them off its neighbours."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...downstream.properties import known
from ...embeddings import EmbeddingStore

__all__ = ["bookkeeping", "is_bookkeeping", "repeats"]

NAMES = frozenset(
    "plate plateid fiber fiberid fiber_id mjd lmjd obsid obs_id planid spid spec_id specobjid objid targetid "
    "target_id tile tileid tile_id run rerun camcol field healpix brickid brickname release survey program zwarning "
    "zwarn sdssid sdss_id sourceid source_id time_zero_mjd time_zero split origin magtype objtype "
    "has_image has_spectrum has_lightcurve".split()
)
QUALITY = re.compile(  # how well something was measured; e_bv is a reddening
    r"(e(?!_b_?v)|err|error|unc)_.+|.+_(e|err|error|unc|uncertainty|ivar)|(.+_)?snr(_.+)?|sn_median(_.+)?|median_sn"
)
LOOKED_AT = 5_000  # rows that tell it of a column, evenly drawn
FEWEST = 20  # whole numbers that are ids where they differ: of fewer, any would
DIFFERENT = 0.9  # share of ids that are different
LARGEST = 2.0**63  # id
SINGLE = 2.0**24  # from where on numbers of single precision, such as masses, are whole without being ids


def bookkeeping(store: EmbeddingStore) -> set[str]:
    """Labels of a store that say how its objects were observed or filed."""
    rows = np.arange(0, len(store), -(-len(store) // LOOKED_AT) or 1)
    columns = store.catalog.at(rows, list(store.labels))
    return {
        name
        for name, values in columns.items()
        if is_bookkeeping(name, values, store.names) or repeats(name, store.names, columns)
    }


def repeats(name: str, modalities: Sequence[str], names: Container[str]) -> bool:
    """Whether a label of one modality, or of the catalogue, is another label, too: "spectrum_z" where there is "z".

    Example:
        >>> repeats("spectrum_z", ["spectrum"], ["z"]), repeats("spectrum_z", ["spectrum"], ["mass"])
        (True, False)
        >>> repeats("catalogue_z", ["spectrum"], ["z"])
        True
    """
    return any(
        name.startswith(f"{one}_") and name.removeprefix(f"{one}_") in names for one in (*modalities, "catalogue")
    )


def is_bookkeeping(name: str, values: npt.NDArray[Any], modalities: Sequence[str] = ()) -> bool:
    """Whether a column has a name such as "plate", one value for all, or a whole number for each object.

    What tells how well something was measured, an error or a signal-to-noise ratio, is bookkeeping, too.

    Args:
        name: Of the column.
        values: What it holds [N].
        modalities: Names that a label may begin with: "spectrum_mjd" is that of the modality "spectrum".

    Example:
        >>> is_bookkeeping("plate", np.arange(3.0)), is_bookkeeping("z", np.array([0.1, 0.2]))
        (True, False)
    """
    values = values[known(values)]
    different = len(np.unique(values))
    if _is_filed(name.lower(), modalities) or different == 1 < len(values):
        return True
    if values.dtype.kind not in "iuf" or len(values) < FEWEST or different < DIFFERENT * len(values):
        return False
    if np.abs(values).max() > LARGEST or (values != np.floor(values)).any():
        return False
    return bool(np.abs(values).max() < SINGLE or (values != values.astype(np.float32)).any())


def _is_filed(name: str, modalities: Sequence[str]) -> bool:
    """Whether a name, in small letters, says so."""
    short = next((name.removeprefix(f"{one.lower()}_") for one in modalities if name.startswith(f"{one.lower()}_")), "")
    return any(one in NAMES or QUALITY.fullmatch(one) for one in (name, short))
