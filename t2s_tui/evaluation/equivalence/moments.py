"""Dates and moments compared as other dialects compare them: SQLite compares the texts.

MySQL takes '2021-10-01' beside a DATETIME for midnight, and a DATE beside '2021-10-01 00:00:00' for midnight
too. As texts the two are never equal, so `>` and `>=` could not be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Kind, Table

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00(:00(\.0+)?)?")
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
