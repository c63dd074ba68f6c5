"""Rows chosen by an expression."""

import contextlib

import numpy as np
import pytest

from astroclip_kit.errors import UsageError
from astroclip_kit.filters import columns_in, quoted, rows_where, texts_in

TABLE = {
    "z": np.array([0.1, 0.5, np.nan]),
    "class": np.array(["QSO", "STAR", ""]),
    "2mass j": np.array([1.0, 2.0, 3.0]),
    "target_id": np.array([39627835, 1, 2]),
    "a__b `c`": np.array([1, 2, 3]),
    "in": np.array([True, False, True]),
    "note": np.array(["3' \" `z`", "in", "back\\slash"]),
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
        ("(z > 0.3) | (class == 'QSO')", [1, 1, 0]),
        ("z ** 2 < 2 * 10**-1 and -z < -2**-5 * 1.5", [1, 0, 0]),
        ("target_id % 2 == 1 and not (z > 0.3 or class.isna())", [1, 0, 0]),
        ("z < 99999999999999999999999 and class not in ('STAR', 'a\\nb')", [1, 0, 0]),
        ("`a__b ``c``` > 1", [0, 1, 1]),
        ("`in` and z < 0.3", [1, 0, 0]),
        ("not `in`", [0, 1, 0]),
        (r"""note == '3\' " `z`'""", [1, 0, 0]),
        (f"note in {TABLE['note'][[0, 2]].tolist()}", [1, 0, 1]),
    ],
)
def test_the_rows_that_it_says(expression, rows):
    assert rows_where(TABLE, expression).tolist() == [bool(row) for row in rows]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("Z > 1", r"name 'Z' is not defined\. There are the columns .*\. Is z meant\?"),
        ("clas == 'QSO'", r"name 'clas' is not defined\. .* Is class meant\?"),
        ("`2mas j` > 1", r"name '2mas j' is not defined\. .* Is `2mass j` meant\?"),
        ("nothing_alike > 1", r"name 'nothing_alike' is not defined\. There are the columns .*[^?]$"),
        ("zz > 1", r"name 'zz' is not defined. There are the columns z, class"),
        ("`z z` > 1", r"name 'z z' is not defined. There are the columns z, class"),
        ("z >", r"where 'z >': it is no condition that can be read, such as 'z > 0'\. There are the columns"),
        ("(z > 1", "it is no condition that can be read"),
        ("class == GALAXY", "name 'GALAXY' is not defined; a text needs quotes, 'GALAXY'"),
        ("z", "expected a condition such as 'z > 0', found a value"),
        ("class > 1", "There are the columns"),
        ("@np.abs(z) > 1", "it is no condition that can be read"),
        ("z.map(print) > 1", "expected comparisons of columns"),
        ("__import__('os')", "expected comparisons of columns"),
        ("z.\uff54o_csv('x') > 1", "expected comparisons of columns"),
        ("z.__cl\uff41ss__ > 1", "expected comparisons of columns"),
        ("class == f'{z}'", "expected comparisons of columns"),
        ("z.isna(1)", "expected comparisons of columns"),
        ("abs(x=z) > 1", "expected comparisons of columns"),
        ("class[0] == 'Q'", "expected comparisons of columns"),
        ("(lambda: z)() > 1", "expected comparisons of columns"),
        ("z > 1j", "expected comparisons of columns"),
        ("z > (1 << 9)", "expected comparisons of columns"),
        ("(" * 5000 + "z" + ")" * 5000, "it is no condition that can be read"),
        ("class < 'a' * 10**9", "only numbers can be added, multiplied and so on"),
        ("class * 10**9 == 'a'", "only numbers can be added, multiplied and so on"),
        ("z in [1] * 10**9", "only numbers can be added, multiplied and so on"),
        ("z < 9**9**9", "a power is a number up to 100, and not of another power"),
        ("z < ((2**90)**90)**90", "a number in it is too large, or divided by 0"),
        ("z < 1 / 0", "a number in it is too large, or divided by 0"),
        ("((z ** 99) ** 99) > 1", "a power is a number up to 100, and not of another power"),
        ("z ** target_id > 1", "a power is a number up to 100, and not of another power"),
    ],
)
def test_what_is_wrong(expression, message):
    with pytest.raises(UsageError, match=message):
        rows_where(TABLE, expression)


@pytest.mark.parametrize(
    "expression",
    [
        "z.\uff54o_csv({path!r})",
        """class != "q" and ''' ' ''' < column0__.to_csv("{path}") + ' '""",
        "class != '''\n`z`.to_csv({path!r})\n'''",
        "z.to_csv({path!r}) != 1",
        "class == f'{{z.to_csv({path!r})}}'",
    ],
)
def test_no_expression_writes_a_file(expression, tmp_path):
    with contextlib.suppress(UsageError):
        rows_where(TABLE, expression.format(path=str(tmp_path / "x.csv")))
    assert not list(tmp_path.iterdir())


def test_only_columns_that_are_named_are_read():
    class Read(dict):
        def __getitem__(self, name):
            assert name == "z", f"{name} is read"
            return super().__getitem__(name)

    assert rows_where(Read(TABLE), "z < 0.3 and 'class' != 'target_id'").tolist() == [True, False, False]


def test_what_no_expression_says_in_words_is_quoted():
    for name in ("z", "class", "2mass j", "a__b `c`", "in", "<script>", "é"):
        table = {name: np.array([1, 2]), "x": np.array([0, 0])}
        assert columns_in(f"{quoted(name)} > 1", table) == [name]
        assert rows_where(table, f"{quoted(name)} > 1").tolist() == [False, True]


@pytest.mark.parametrize(
    "expression", ["z >", "`no column` == 'a'", "'" + "(" * 5000, "z == 1", "'a' == z", "z != 'a'", ""]
)
def test_what_asks_for_no_text_names_none(expression):
    assert texts_in(expression, ["z"]) == []
