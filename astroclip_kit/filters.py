"""Rows of a catalogue chosen by an expression: ``zwarning == 0 and (z < 0.3 or class in ["QSO", "GALAXY"])``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import UsageError

__all__ = ["columns_in", "quoted", "rows_where", "texts_in"]

QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`]|``)*`)""")
NAME = re.compile(r"(?<![\w.])(?!(?:and|or|not|in|is|True|False|None)\b)[^\W\d]\w*")
FUNCTIONS = frozenset("abs sqrt exp expm1 log log1p log10 floor ceil sin cos tan arcsin arccos arctan arctan2".split())
METHODS = ("isna", "notna")
LOGIC = (ast.And, ast.Or, ast.Not, ast.Invert, ast.USub, ast.UAdd, ast.In, ast.NotIn)
COMPARED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
EQUAL = (ast.Eq, ast.In)
ALIKE = 0.6  # of two names, see `difflib.get_close_matches`
LARGEST_POWER = 100
LARGEST = 1 << 64  # whole numbers from there on are taken as floats, so that none grows without end


def columns_in(expression: str, columns: Collection[str]) -> list[str]:
    """The columns that an expression names, in their order there.

    Args:
        expression: The condition.
        columns: Which there are.

    Example:
        >>> columns_in("z < 1 and `2mass j` > 3 and class != 'z_err'", ["z", "z_err", "2mass j", "class"])
        ['z', '2mass j', 'class']
    """
    found: list[str] = []
    for number, part in enumerate(QUOTED.split(expression)):
        found += NAME.findall(part) if number % 2 == 0 else [_unquoted(part)] if part[0] == "`" else []
    return [name for name in dict.fromkeys(found) if name in columns]


def texts_in(expression: str, columns: Collection[str]) -> list[tuple[str, str]]:
    """Columns that an expression asks to be, or to be one of, some texts, with each of these; nothing if it is none.

    Example:
        >>> texts_in("z < 1 and (class == 'QSO' or `2mass j` in ['A', 'B'])", ["z", "class", "2mass j"])
        [('class', 'QSO'), ('2mass j', 'A'), ('2mass j', 'B')]
    """
    names = columns_in(expression, columns)
    alias = {name: f"column{number}__" for number, name in enumerate(names)}
    known = {alias[name]: name for name in names}
    try:
        parts = list(ast.walk(ast.parse("".join(_renamed(expression, columns, alias)).strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError, UsageError):
        return []
    found = []
    for one in parts:
        if isinstance(one, ast.Compare) and isinstance(one.left, ast.Name) and one.left.id in known:
            asked = [right for how, right in zip(one.ops, one.comparators, strict=True) if isinstance(how, EQUAL)]
            texts = [text.value for right in asked for text in ast.walk(right) if isinstance(text, ast.Constant)]
            found += [(known[one.left.id], text) for text in texts if isinstance(text, str)]
    return found


def quoted(name: str) -> str:
    """A column's name as an expression has it: in backticks if it is no Python name.

    Example:
        >>> quoted("z"), quoted("2mass j")
        ('z', '`2mass j`')
    """
    return name if NAME.fullmatch(name) and "__" not in name else "`" + name.replace("`", "``") + "`"


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`")


def rows_where(columns: Mapping[str, npt.NDArray[Any]], expression: str) -> npt.NDArray[np.bool_]:
    """Which rows an expression holds for, in the language of `pandas.DataFrame.query`.

    Args:
        columns: Name to values [N]: numbers with NaN, or text with "", where missing. Only those are read that the
            expression names. A name that is no Python name is written in backticks; ``z.notna()`` asks whether a
            value is known.
        expression: The condition; "" holds for every row. A comparison with a missing value holds for != only.

    Returns:
        bool [N].

    Raises:
        UsageError: If the expression cannot be read, names no column, or is no condition.

    Example:
        >>> table = {"z": np.array([0.1, 0.5, np.nan]), "class": np.array(["QSO", "STAR", "QSO"])}
        >>> rows_where(table, 'z < 0.3 or class in ["STAR"]').tolist()
        [True, True, False]
    """
    import pandas as pd

    if not expression.strip():
        return np.ones(_count(columns), dtype=bool)
    names = columns_in(expression, columns)
    alias = {name: f"column{number}__" for number, name in enumerate(names)}
    parts = "".join(_renamed(expression, columns, alias))
    lazy = getattr(columns, "frame", None)  # of the catalogue of a store, where text stays in Arrow
    table = lazy(names).rename(columns=alias) if lazy else pd.DataFrame({alias[name]: columns[name] for name in names})
    words = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    try:
        checked = _Checked(alias.values(), words).visit(ast.parse(parts.strip(), mode="eval"))
        rows = np.asarray(table.eval(ast.unparse(checked), engine="python", parser="pandas"))
    except Exception as error:  # the parser has errors of its own for every kind of mistake
        problem = re.sub(r"column(\d+)__", lambda found: names[int(found[1])], _problem(error, expression))
        unknown = error.name if isinstance(error, NameError) and error.name else ""
        raise UsageError(f"where {expression!r}: {problem}. {_known(columns, unknown)}") from error
    if rows.dtype != bool or rows.shape != (len(table) if names else _count(columns),):
        raise UsageError(f"where {expression!r}: expected a condition such as 'z > 0', found a value.")
    return rows


def _renamed(expression: str, columns: Collection[str], alias: Mapping[str, str]) -> Iterator[str]:
    """The parts of an expression, with names of columns that any parser reads."""
    for number, part in enumerate(QUOTED.split(expression)):
        if number % 2 == 0:
            yield NAME.sub(lambda name: alias.get(name[0], name[0]), part.replace("&", " and ").replace("|", " or "))
        elif part[0] == "`":
            if (name := _unquoted(part)) not in alias:
                raise UsageError(f"where {expression!r}: name {name!r} is not defined. {_known(columns, name)}")
            yield alias[name]
        else:
            yield part


class _Checked(ast.NodeTransformer):
    """Lets through comparisons of columns and arithmetic, as Python reads them, and nothing that reaches beyond.

    It is the tree that is evaluated, not the text: what looks like a quote or a name to one parser and not to another
    makes no difference. Arithmetic is of numbers, and that of constants is done here, so none fills the memory.

    Args:
        names: Those of the columns.
        words: Which of them are text.
    """

    def __init__(self, names: Collection[str], words: Collection[str]) -> None:
        self._names, self._words = names, words

    def generic_visit(self, node: ast.AST) -> ast.AST:
        allowed = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.List, ast.Tuple, ast.Load)
        if not isinstance(node, (*allowed, *LOGIC, *COMPARED, *ARITHMETIC)):
            raise _Beyond
        return super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self._names:
            raise NameError(f"name {node.id!r} is not defined", name=node.id)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, (str, int, float)):
            raise _Beyond
        number = _number(node)
        return ast.Constant(float(number)) if isinstance(number, int) and abs(number) >= LARGEST else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        inner = self.visit(node.operand)
        if isinstance(node.op, ast.USub) and (number := _number(inner)) is not None:
            return ast.Constant(-number)
        return ast.UnaryOp(node.op, inner)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            if called.attr not in METHODS or node.args or node.keywords:
                raise _Beyond
            self.visit(called.value)
            return node
        if not isinstance(called, ast.Name) or called.id not in FUNCTIONS or node.keywords:
            raise _Beyond
        return ast.Call(called, [self.visit(one) for one in node.args], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right = self.visit(node.left), self.visit(node.right)
        if type(node.op) not in ARITHMETIC:
            raise _Beyond
        if not (self._is_of_numbers(left) and self._is_of_numbers(right)):
            raise ValueError("only numbers can be added, multiplied and so on")
        first, second = _number(left), _number(right)
        if isinstance(node.op, ast.Pow):
            small = second is not None and abs(second) <= LARGEST_POWER
            if not small or any(isinstance(one, ast.Pow) for one in ast.walk(left)):
                raise ValueError(f"a power is a number up to {LARGEST_POWER}, and not of another power")
        if first is not None and second is not None:
            return self.visit_Constant(ast.Constant(ARITHMETIC[type(node.op)](first, second)))
        return ast.BinOp(left, node.op, right)

    def _is_of_numbers(self, node: ast.AST) -> bool:
        parts = list(ast.walk(node))
        texts = [one for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        asked = [one.value for one in parts if isinstance(one, ast.Attribute)]
        words = [one for one in parts if isinstance(one, ast.Name) and one.id in self._words and one not in asked]
        return not (texts or words or any(isinstance(one, (ast.List, ast.Tuple)) for one in parts))


class _Beyond(Exception):
    """What is no comparison of columns."""


def _number(node: ast.AST) -> int | float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _count(columns: Mapping[str, Any]) -> int:
    return int(columns.rows) if hasattr(columns, "rows") else len(next(iter(columns.values()), ()))


def _known(columns: Collection[str], unknown: str = "") -> str:
    """Which columns there are, and which of them are called much like one that is not there."""
    by_letters = {name.lower(): name for name in reversed(list(columns))}
    near = [by_letters[one] for one in get_close_matches(unknown.lower(), by_letters, 3, ALIKE)] if unknown else []
    meant = f" Is {' or '.join(map(quoted, near))} meant?" if near else ""
    return f"There are the columns {', '.join(list(columns)[:20])}.{meant}"


def _problem(error: Exception, expression: str) -> str:
    """What is wrong, without the words of Python's own parser."""
    if isinstance(error, _Beyond):
        return "expected comparisons of columns, with and, or, not, in"
    if isinstance(error, (SyntaxError, RecursionError, MemoryError)) or not str(error):
        return "it is no condition that can be read, such as 'z > 0'"
    if isinstance(error, ArithmeticError):
        return "a number in it is too large, or divided by 0"
    text = str(error).splitlines()[0].rstrip(".")
    name = re.search(r"name '(\w+)' is not defined", text)
    if name and re.search(rf"[=!]=\s*{name[1]}\b", expression):
        return f"{text}; a text needs quotes, {name[1]!r}"
    return text
