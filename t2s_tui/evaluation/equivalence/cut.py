"""What an ordered query may legally return: rows that tie come in any order, and any of them may be cut off.

Gold is run once more with its sort keys beside its columns and without its LIMIT. That shows which rows tie,
and so every result that gold allows; a generated query is wrong when what it returns is none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Result, Row
from t2s_tui.sql.dialects import SqlSyntaxError, generate


@dataclass(frozen=True, slots=True)
class Cut:
    """`sql` returns gold's columns, then `keys` sort keys, all rows in gold's order; gold keeps `limit` of
    them after `offset` (None: all)."""

    sql: str
    keys: int
    limit: int | None
    offset: int


def cut_of(tree: Any, dialect: str) -> Cut | None:
    """The cut of a query whose outermost SELECT orders; None where keys cannot stand beside its columns."""
    if not isinstance(tree, exp.Select) or tree.args.get("order") is None or tree.args.get("distinct"):
        return None
    limit, offset = _number(tree.args.get("limit")), _number(tree.args.get("offset"))
    if limit == -1 or offset == -1:
        return None
    keys = [_key(item.this, tree) for item in tree.args["order"].expressions]
    if any(key is None for key in keys):
        return None
    wider = tree.copy()
    wider.set("limit", None)
    wider.set("offset", None)
    wider.set("expressions", [*wider.expressions, *(key.copy() for key in keys if key is not None)])
    try:
        return Cut(generate(wider, dialect), len(keys), limit, offset or 0)
    except SqlSyntaxError:
        return None


def _number(clause: Any) -> int | None:
    """The number of a LIMIT or OFFSET; None without one, -1 where it is no plain number."""
    if clause is None:
        return None
    text = str(getattr(clause.expression, "this", ""))
    return int(text) if isinstance(clause.expression, exp.Literal) and text.isdigit() else -1


def _key(key: Any, tree: Any) -> Any:
    """The expression that a sort key means: itself, the column at a place, or what an alias stands for."""
    if isinstance(key, exp.Literal):
        if key.is_string or not str(key.this).isdigit():
            return key
        place = int(str(key.this)) - 1
        if any(item.is_star for item in tree.expressions):
            return None  # a place among columns that are not written out
        return tree.expressions[place].unalias() if 0 <= place < len(tree.expressions) else None
    if isinstance(key, exp.Column) and not key.table:
        for item in tree.expressions:
            if isinstance(item, exp.Alias) and str(item.alias).lower() == str(key.name).lower():
                return item.this
    return key


def allows(cut: Cut, wider: Result, result: Result, ordered: bool, row_key: Any) -> bool:
    """Whether gold may return `result`. `wider` is what the cut's SQL returned."""
    width = len(wider.columns) - cut.keys
    if len(result.columns) != width:
        return False
    end = len(wider.rows) if cut.limit is None else min(len(wider.rows), cut.offset + cut.limit)
    if len(result.rows) != max(0, end - cut.offset):
        return False
    got = [row_key(row) for row in result.rows]
    parts = _parts(cut, wider.rows, width, end, row_key)
    if ordered:
        at = 0
        for members, count in parts:
            if not _within(got[at : at + count], members, count):
                return False
            at += count
        return True
    left = Counter(got)
    loose: Counter[Any] = Counter()
    for members, count in parts:
        if count == len(members):
            left.subtract(members)
        else:
            loose.update(members)
    return all(0 <= number <= loose[row] for row, number in left.items())


def _parts(cut: Cut, rows: Sequence[Row], width: int, end: int, row_key: Any) -> list[tuple[list[Any], int]]:
    """The stretches of rows that tie, and how many rows of each lie between offset and limit."""
    found, at = [], 0
    for _, tied in groupby(rows, key=lambda row: row_key(row[width:])):
        members = [row_key(row[:width]) for row in tied]
        count = min(end, at + len(members)) - max(cut.offset, at)
        if count > 0:
            found.append((members, count))
        at += len(members)
    return found


def _within(rows: Sequence[Any], members: Sequence[Any], count: int) -> bool:
    if len(rows) != count:
        return False
    have = Counter(members)
    return all(number <= have[row] for row, number in Counter(rows).items())
