"""Mutants of a query: one small change each. The share that a set of databases tells apart is its coverage.

The idea of mutation-based test suites for SQL (Tuya et al. 2007; Chandra et al. 2015, X-Data).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlglot import exp

from t2s_tui.sql.dialects import SqlSyntaxError, generate

MOST = 24
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}([ T][\d:.]+)?")

_SWAPS: dict[type[Any], tuple[type[Any], ...]] = {
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.And: (exp.Or,),
    exp.Or: (exp.And,),
    exp.Max: (exp.Min,),
    exp.Min: (exp.Max,),
    exp.Sum: (exp.Avg,),
    exp.Avg: (exp.Sum,),
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Intersect: (exp.Except,),
    exp.Except: (exp.Intersect,),
}


def mutants_of(tree: Any, dialect: str, most: int = MOST) -> list[tuple[str, str]]:
    """(what was changed, SQL) of at most `most` mutants, taken evenly from all kinds; texts are distinct."""
    original = _text(tree, dialect)
    kinds: list[list[tuple[str, str]]] = []
    seen = {original}
    for kind in _KINDS:
        found = []
        for name, change in kind(tree):
            text = _changed(tree, change, dialect)
            if text and text not in seen:
                seen.add(text)
                found.append((name, text))
        kinds.append(found)
    chosen: list[tuple[str, str]] = []
    while any(kinds) and len(chosen) < most:
        for found in kinds:
            if found and len(chosen) < most:
                chosen.append(found.pop(0))
    return chosen


Change = Callable[[Any], None]


def _changed(tree: Any, change: Change, dialect: str) -> str:
    copied = tree.copy()
    try:
        change(copied)
        return _text(copied, dialect)
    except (SqlSyntaxError, AttributeError, TypeError, ValueError, KeyError, IndexError):
        return ""


def _text(tree: Any, dialect: str) -> str:
    try:
        return generate(tree, dialect)
    except SqlSyntaxError:
        return ""


def _nodes(tree: Any, *kinds: type[Any]) -> list[Any]:
    return [node for node in tree.walk() if isinstance(node, kinds)]


def _at(number: int, *kinds: type[Any]) -> Callable[[Any], Any]:
    """Finds the same node in a copy."""
    return lambda tree: _nodes(tree, *kinds)[number]


def operators(tree: Any) -> Iterator[tuple[str, Change]]:
    """Comparison, logic, aggregate, arithmetic and set operators swapped for their neighbours."""
    for number, node in enumerate(_nodes(tree, *_SWAPS)):
        for other in _SWAPS[type(node)]:

            def change(copied: Any, number: int = number, other: Any = other) -> None:
                found = _at(number, *_SWAPS)(copied)
                found.replace(other(**{k: v for k, v in found.args.items() if v is not None}))

            yield f"{type(node).__name__} to {other.__name__}", change


def literals(tree: Any) -> Iterator[tuple[str, Change]]:
    """Numbers one more, dates a day later, texts with a letter more."""
    for number, node in enumerate(_nodes(tree, exp.Literal)):
        if isinstance(node.parent, exp.Limit | exp.Offset) or node.find_ancestor(exp.DataType):
            continue

        def change(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Literal)(copied)
            text = str(found.this)
            if found.is_string:
                found.replace(exp.Literal.string(_next_day(text) or text + "x"))
            else:
                found.replace(exp.Literal.number(int(text) + 1 if text.isdigit() else float(text) + 1))

        yield "literal", change


def _next_day(text: str) -> str:
    """The day after a date, what follows it kept; empty for other text."""
    try:
        day = date.fromisoformat(text[:10]) + timedelta(days=1)
    except (ValueError, OverflowError):
        return ""
    return day.isoformat() + text[10:] if _DATED.fullmatch(text) else ""


def conditions(tree: Any) -> Iterator[tuple[str, Change]]:
    """A condition left out; WHERE, HAVING left out; IN, LIKE and IS negated."""
    for number in range(len(_nodes(tree, exp.And, exp.Or))):
        for side in ("this", "expression"):

            def drop(copied: Any, number: int = number, side: str = side) -> None:
                found = _at(number, exp.And, exp.Or)(copied)
                found.replace(found.args[side])

            yield "condition left out", drop
    for name in ("where", "having"):
        for number, node in enumerate(_nodes(tree, exp.Select)):
            if node.args.get(name):

                def without(copied: Any, number: int = number, name: str = name) -> None:
                    _at(number, exp.Select)(copied).set(name, None)

                yield f"{name} left out", without
    for number, node in enumerate(_nodes(tree, exp.In, exp.Like, exp.Exists, exp.Between, exp.Is)):
        negated = isinstance(node.parent, exp.Not)

        def negate(copied: Any, number: int = number, negated: bool = negated) -> None:
            found = _at(number, exp.In, exp.Like, exp.Exists, exp.Between, exp.Is)(copied)
            (found.parent if negated else found).replace(found.copy() if negated else exp.not_(found.copy()))

        yield "negation", negate


def joins(tree: Any) -> Iterator[tuple[str, Change]]:
    """INNER to LEFT and back."""
    for number, node in enumerate(_nodes(tree, exp.Join)):
        if node.args.get("on") is None and not node.args.get("using"):
            continue

        def change(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Join)(copied)
            found.set("kind", None)
            found.set("side", None if found.side else "LEFT")

        yield "join type", change


def shape(tree: Any) -> Iterator[tuple[str, Change]]:
    """DISTINCT, grouping, ordering, limits, ALL of a set operation."""
    for number, node in enumerate(_nodes(tree, exp.Select)):

        def distinct(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Select)(copied)
            found.set("distinct", None if found.args.get("distinct") else exp.Distinct())

        yield "DISTINCT", distinct
        group = node.args.get("group")
        if group is not None and len(group.expressions) > 1:

            def fewer(copied: Any, number: int = number) -> None:
                _at(number, exp.Select)(copied).args["group"].expressions.pop()

            yield "grouping", fewer
        if len(node.expressions) > 1 and node.parent is None:

            def swapped(copied: Any, number: int = number) -> None:
                found = _at(number, exp.Select)(copied)
                found.set("expressions", found.expressions[1:] + found.expressions[:1])

            yield "columns", swapped
    for number in range(len(_nodes(tree, exp.Ordered))):

        def turned(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Ordered)(copied)
            found.set("desc", not found.args.get("desc"))

        yield "ordering", turned
    for number, node in enumerate(_nodes(tree, exp.Limit, exp.Offset)):
        if isinstance(node.expression, exp.Literal) and str(node.expression.this).isdigit():

            def more(copied: Any, number: int = number) -> None:
                found = _at(number, exp.Limit, exp.Offset)(copied)
                found.set("expression", exp.Literal.number(int(str(found.expression.this)) + 1))

            yield "limit", more
    for number in range(len(_nodes(tree, exp.Union))):

        def bag(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Union)(copied)
            found.set("distinct", not found.args.get("distinct"))

        yield "UNION ALL", bag
    for number, node in enumerate(_nodes(tree, exp.Count)):
        if node.this is None or isinstance(node.this, exp.Star):
            continue

        def counted(copied: Any, number: int = number) -> None:
            found = _at(number, exp.Count)(copied)
            inner = found.this
            made = (
                inner.expressions[0] if isinstance(inner, exp.Distinct) else exp.Distinct(expressions=[inner])
            )
            found.set("this", made)

        yield "COUNT DISTINCT", counted


_KINDS = (operators, conditions, joins, shape, literals)
