"""What a comparison implies about the values of its columns, beyond the literals that stand in it.

`SUM(x) / 1000.0 > 500` speaks of 500,000; `LENGTH(x) > 20` of texts of 21 letters; `DATE('2020-01-01', '-5
years')` of 2015-01-01; `INSTR(x, ':')` of texts with a colon; `STRFTIME('%Y', x) - STRFTIME('%Y', y) > 20` of
years that lie so far apart.
"""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Value
from t2s_tui.sql.dialects import SqlSyntaxError, generate

_LONGEST = 400  # characters
_OLDEST = 150  # years
_DAY = date(2020, 1, 15)  # from which spans of days and years are counted back
_YEAR = _DAY.year
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WRAPPERS = (
    exp.Paren,
    exp.Cast,
    exp.TryCast,
    exp.Round,
    exp.Abs,
    exp.Coalesce,
    exp.Sum,
    exp.Avg,
    exp.Max,
    exp.Min,
    exp.TimeToStr,
    exp.TsOrDsToTimestamp,
)


def implied(side: Any, other: Any) -> list[Any]:
    """Literals that the columns of `side` should take where it is compared with `other`."""
    value = computed(other)
    if value is None:
        return []
    found = [] if isinstance(other, exp.Literal) else [value]
    if isinstance(value, int) and side.find(exp.Length) is not None and 0 < value <= _LONGEST:
        found += ["x" * length for length in (value, value + 1, value - 1)]
    if isinstance(value, (int, float)):
        turned = _inverted(side, value)
        found += [turned] if turned is not None and turned != value else []
    if isinstance(value, int) and 0 < value <= _OLDEST and _years_between(side):
        found += [str(_YEAR), str(_YEAR - value)]
    if isinstance(value, int) and 0 < value <= 366 * _OLDEST and _days_between(side):
        found += [_DAY.isoformat(), (_DAY - timedelta(days=value)).isoformat()]
    return [_literal(v) for v in found]


def parted(node: Any) -> list[Any]:
    """For a search for a separator: texts that it parts, of numbers and of letters."""
    sought = node.args.get("substr") if isinstance(node, exp.StrPosition) else node.expression
    if not isinstance(sought, exp.Literal) or not sought.is_string or len(str(sought.this)) > 3:
        return []
    mark = str(sought.this)
    return [exp.Literal.string(f"{a}{mark}{b}") for a, b in (("3", "7"), ("12", "45.5"), ("a", "bc"))]


def digits(node: Any) -> list[Any]:
    """For a piece of a text that is read as a number: texts of digits, with and without separators."""
    if node.find(exp.Substring) is None:
        return []
    return [exp.Literal.string(text) for text in ("12:34", "05-11-2006", "2006-05-11", "1234567890")]


def lettered(node: Any) -> list[Any]:
    """For a piece of a text that is shown: texts that are long enough, another letter at each place."""
    numbers = [computed(part) for part in (node.args.get("start"), node.args.get("length"))]
    reach = sum(abs(n) for n in numbers if isinstance(n, int)) + 2
    if node.find_ancestor(exp.Predicate) is not None or reach > len(_LETTERS):
        return []
    return [exp.Literal.string(text[:reach]) for text in (_LETTERS, _LETTERS[::-1])]


def computed(tree: Any) -> Value:
    """The value of an expression without columns, by SQLite; None where it has none."""
    if tree is None or tree.find(exp.Column, exp.Select, exp.Parameter, exp.Placeholder) is not None:
        return None
    try:
        text = generate(tree, "sqlite")
        connection = sqlite3.connect(":memory:")
    except (SqlSyntaxError, sqlite3.Error):
        return None
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 10_000)
        value = connection.execute(f"SELECT {text}").fetchone()[0]
    except (sqlite3.Error, OverflowError, UnicodeError):
        return None
    finally:
        connection.close()
    return value if isinstance(value, (int, float, str)) else None


def _inverted(side: Any, value: int | float) -> int | float | None:
    """The value of the column inside at which the arithmetic around it comes to `value`."""
    while not isinstance(side, exp.Column):
        if isinstance(side, _WRAPPERS):
            side = side.this
            continue
        if not isinstance(side, exp.Add | exp.Sub | exp.Mul | exp.Div):
            return None
        left, right = _as_number(computed(side.this)), _as_number(computed(side.expression))
        if isinstance(right, (int, float)) and left is None:
            turned, side = _undone(side, value, right), side.this
        elif isinstance(left, (int, float)) and right is None and not isinstance(side, exp.Div):
            turned = left - value if isinstance(side, exp.Sub) else _undone(side, value, left)
            side = side.expression
        else:
            return None
        if turned is None:
            return None
        value = turned
    whole = round(value)
    return whole if abs(value - whole) < 1e-9 else value


def _as_number(value: Value) -> Value:
    """A text of digits as SQLite calculates with it: `STRFTIME('%Y', 'now')` is one."""
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else value


def _years_between(side: Any) -> bool:
    """Whether it takes the year of one column from that of another."""
    return any(
        all(part.find(exp.TimeToStr) is not None and part.find(exp.Column) for part in (n.this, n.expression))
        for n in side.find_all(exp.Sub)
    )


def _days_between(side: Any) -> bool:
    """Whether it takes the day of one column from that of another."""
    return any(
        all(part.find(exp.Column) and any(map(_counts_days, part.walk())) for part in (n.this, n.expression))
        for n in side.find_all(exp.Sub)
    )


def _counts_days(node: Any) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() == "JULIANDAY"


def _undone(operation: Any, value: int | float, by: int | float) -> int | float | None:
    if isinstance(operation, exp.Add):
        return value - by
    if isinstance(operation, exp.Sub):
        return value + by
    if isinstance(operation, exp.Div):
        return value * by
    return value / by if by else None


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return exp.Literal.string(value)
    number = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number
