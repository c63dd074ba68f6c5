"""A catalogue of one's own that overlaps the small sky, and the ids of another."""

import io

import numpy as np
from astropy import units as u
from astropy.table import Table
from small_sky import DEC, IMG, RA, SCRIPT

TABLE = Table(
    {
        "main_id": ["a", "b", SCRIPT, "d", "e"],
        "RAJ2000": [RA[3], RA[9] + 0.5 / 3600, RA[20] + 1, np.nan, RA[1]] * u.deg,
        "DEJ2000": [DEC[3], DEC[9], DEC[20], DEC[4], DEC[1]] * u.deg,
        "flux": [1.5, np.nan, 3.0, 4.0, 5.0] * u.mJy,
        "count": [1, 2, 3, 4, 5],
        "known": [True, False, True, False, True],
    }
)
IDS = f'obj_name,value\nobj-5,1\nobj-5,2\n,3\nnobody,4\n"{IMG.replace(chr(34), chr(34) * 2)}",5\n'.encode()


def written(table, kind):
    """A table as the bytes of a file."""
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        out = io.BytesIO()
        pq.write_table(pa.table({name: np.asarray(table[name]) for name in table.colnames}), out)
        return out.getvalue()
    out = io.StringIO() if kind.startswith("ascii") else io.BytesIO()
    table.write(out, format=kind)
    return out.getvalue().encode() if kind.startswith("ascii") else out.getvalue()
