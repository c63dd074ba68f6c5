"""Rows chosen by an expression."""

import numpy as np
import pytest

from astroclip_kit.errors import UsageError
from astroclip_kit.filters import rows_where

TABLE = {
    "z": np.array([0.1, 0.5, np.nan]),
    "class": np.array(["QSO", "STAR", ""]),
    "2mass j": np.array([1.0, 2.0, 3.0]),
    "target_id": np.array([39627835, 1, 2]),
}


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("", [1, 1, 1]),
        ("z < 0.3", [1, 0, 0]),
        ("0.05 < z <= .5 and class != 'QSO'", [0, 1, 0]),
        ('z < 0.3 or class in ["STAR", "class"]', [1, 1, 0]),
        ("class == 'in class'", [0, 0, 0]),
        ("not z < 0.3", [0, 1, 1]),
        ("z.notna() & `2mass j` > 1", [0, 1, 0]),
        ("target_id == 39627835", [1, 0, 0]),
        ("abs(z - 0.5) < 0.1", [0, 1, 0]),
    ],
)
def test_the_rows_that_it_says(expression, rows):
    assert rows_where(TABLE, expression).tolist() == [bool(row) for row in rows]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("zz > 1", r"name 'zz' is not defined. There are the columns z, class"),
        ("z >", r"where 'z >': it is no condition that can be read, such as 'z > 0'\. There are the columns"),
        ("(z > 1", "it is no condition that can be read"),
        ("class == GALAXY", "name 'GALAXY' is not defined; a text needs quotes, 'GALAXY'"),
        ("z", "expected a condition such as 'z > 0', found a value"),
        ("class > 1", "There are the columns"),
        ("@np.abs(z) > 1", "expected comparisons of columns"),
        ("z.map(print) > 1", "expected comparisons of columns"),
        ("__import__('os')", "expected comparisons of columns"),
    ],
)
def test_what_is_wrong(expression, message):
    with pytest.raises(UsageError, match=message):
        rows_where(TABLE, expression)
