"""Moments in a pair: the present one is made the same for both queries, others are compared as texts.

SQLite compares dates and moments as texts. MySQL takes '2021-10-01' beside a DATETIME for midnight, and a
DATE beside '2021-10-01 00:00:00' for midnight too. As texts the two are never equal, so `>` and `>=` could
not be told apart.

`JULIANDAY('now')` is another number in the second query than in the first, a millisecond later: both get one
moment of today, so that they can be compared, and what tells them apart replays on another day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Kind, Table

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00(:00(\.0+)?)?")
_CLOCK = "12:34:56"  # no midnight: a day and a moment of it stay apart
_READERS = (exp.Date, exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.TimeToStr, exp.Time, exp.Timestamp)
_READER_NAMES = frozenset(("DATE", "TIME", "DATETIME", "JULIANDAY", "STRFTIME", "UNIXEPOCH", "TIMEDIFF"))
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def fit_moments(trees: Iterable[Any], tables: Mapping[str, Table]) -> bool:
    """Write literals as the column they are compared with is written; whether any was changed (in place)."""
    changed = False
    for tree in trees:
        for column, literal in _compared(tree):
            text = _fitted(str(literal.this), _kind(column, tables))
            if text is not None:
                literal.set("this", text)
                changed = True
    return changed


def fix_present(trees: Iterable[Any], today: date) -> bool:
    """Write a moment of that day for each `'now'` and CURRENT_DATE; whether there was any (in place)."""
    found = [(node, text) for tree in trees for node in tree.walk() if (text := _present(node, today))]
    for node, text in found:
        node.replace(exp.Literal.string(text))
    return bool(found)


def _present(node: Any, today: date) -> str | None:
    """The text for a node that reads the clock, None for any other."""
    if isinstance(node, exp.CurrentDate):
        return today.isoformat()
    if isinstance(node, exp.CurrentTime):
        return _CLOCK
    now = isinstance(node, exp.Literal) and node.is_string and str(node.this).lower() == "now"
    if isinstance(node, exp.CurrentTimestamp) or (now and _reads_moments(node.parent)):
        return f"{today.isoformat()} {_CLOCK}"
    return None


def _reads_moments(function: Any) -> bool:
    """Whether SQLite takes a text there for a moment."""
    if isinstance(function, exp.Anonymous):
        return str(function.this).upper() in _READER_NAMES
    return isinstance(function, _READERS)


def _compared(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Each column with each text literal that stands beside it in a comparison."""
    for node in tree.walk():
        if isinstance(node, _COMPARISONS):
            sides = [(node.this, [node.expression]), (node.expression, [node.this])]
        elif isinstance(node, exp.Between):
            sides = [(node.this, [node.args["low"], node.args["high"]])]
        elif isinstance(node, exp.In):
            sides = [(node.this, node.expressions)]
        else:
            continue
        for column, others in sides:
            if isinstance(column, exp.Column):
                yield from ((column, o) for o in others if isinstance(o, exp.Literal) and o.is_string)


def _kind(column: Any, tables: Mapping[str, Table]) -> Kind | None:
    """What every column of that name holds; None where they differ: an alias need not be resolved."""
    name = str(column.name).lower()
    kinds = {t.columns[at].kind for t in tables.values() if (at := t.place(name)) is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _fitted(text: str, kind: Kind | None) -> str | None:
    if kind == "datetime" and _DAY.fullmatch(text):
        return f"{text} 00:00:00"
    if kind == "date" and (midnight := _MIDNIGHT.fullmatch(text)):
        return midnight[1]
    return None
