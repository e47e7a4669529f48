"""When two query results are the same: execution accuracy's mode `strict`.

Bags of rows, columns by position, values by value: an integer equals a float of that value, NULL equals NULL,
text never equals a number. Ordered exactly where gold's outermost query has an ORDER BY; rows that tie in the
sort keys must then come in gold's order too (an engine may return either: a later mode can tell).

Floats are equal when their first 12 significant digits are: SQLite sums in the order in which a plan delivers
its rows, so the last bits of an AVG are no part of an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

_EXACT = 2.0**53
_MOST_COLUMNS, _MOST_ROWS = 5, 500  # at most 120 permutations: this only words a failure
_MAX_EVIDENCE_ROWS = 20
_MAX_EVIDENCE_TEXT = 2_000
_PLAIN = frozenset((int, type(None)))


def difference(
    gold: tuple[Sequence[str], Sequence[Sequence[Any]]],
    generated: tuple[Sequence[str], Sequence[Sequence[Any]]],
    *,
    ordered: bool,
) -> str | None:
    """What differs between two results (columns, rows), in a few words; None when they are the same."""
    (gold_columns, gold_rows), (columns, rows) = gold, generated
    if len(columns) != len(gold_columns):
        return f"{_count(len(columns), 'column')} where gold has {len(gold_columns)}"
    if gold_rows == rows:
        return None  # as most are: Python's own equality is the keys', only less forgiving
    left, right = row_keys(gold_rows), row_keys(rows)
    if left == right:
        return None
    if len(left) != len(right):
        return f"{_count(len(right), 'row')} where gold has {len(left)}"
    if Counter(left) == Counter(right):
        return "the rows are in another order" if ordered else None
    if _columns_moved(left, right):
        return "the right columns in another order"
    wrong = sum((Counter(right) - Counter(left)).values())
    return f"{wrong} of {_count(len(right), 'row')} {'is' if wrong == 1 else 'are'} not in gold's result"


def _columns_moved(gold: Sequence[tuple[Any, ...]], rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether a permutation of the columns makes the bags equal. Tried for few columns and rows only."""
    width = len(gold[0])
    if width > _MOST_COLUMNS or len(gold) > _MOST_ROWS:
        return False
    wanted = Counter(gold)
    orders = permutations(range(width))
    return any(Counter(tuple(row[i] for i in order) for row in rows) == wanted for order in orders)


def row_keys(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """`row_key` of each row; without a float in them, as mostly, the rows themselves."""
    if any(float in set(map(type, column)) for column in zip(*rows, strict=True)):
        return [row_key(row) for row in rows]
    return list(map(tuple, rows))


def row_key(row: Sequence[Any]) -> tuple[Any, ...]:
    """The row as a hashable in which equal rows are equal."""
    return tuple(value_key(v) for v in row)


def value_key(value: Any) -> Any:
    """Whole floats as integers, other floats by 12 significant digits; everything else as it is."""
    if not isinstance(value, float) or value in (float("inf"), float("-inf")):
        return value
    if value.is_integer() and abs(value) < _EXACT:
        return int(value)
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < _EXACT else rounded


def says_little(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether an equal result is weak evidence (trap 29): no rows, or nothing but NULLs."""
    return all(value is None for row in rows for value in row)


def as_evidence(columns: Sequence[str], rows: Sequence[Sequence[Any]], truncated: bool) -> dict[str, Any]:
    """A result as plain JSON: the columns, the first 20 rows, and how many rows there are."""
    shown = [
        list(row) if _PLAIN.issuperset(map(type, row)) else [_plain(v) for v in row]
        for row in rows[:_MAX_EVIDENCE_ROWS]
    ]
    return {"columns": list(columns), "rows": shown, "count": len(rows), "truncated": truncated}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        text = f"x'{value[:200].hex()}'"
        return text if len(value) <= 200 else f"{text} ({len(value)} bytes)"
    if isinstance(value, str) and len(value) > _MAX_EVIDENCE_TEXT:
        return value[:_MAX_EVIDENCE_TEXT] + "…"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    return value


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
