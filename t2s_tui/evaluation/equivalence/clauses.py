"""Parts of a parsed query: its sources, conjuncts, columns, and the conditions on which values hang."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp


def choices(tree: Any) -> Iterator[Any]:
    """The conditions on which a value hangs, outside of WHERE."""
    for node in tree.find_all(exp.If, exp.Sum, exp.Avg, exp.Filter):
        if isinstance(node, exp.If):
            case = node.parent
            if isinstance(case, exp.Case) and case.this is not None:
                made = exp.EQ(this=case.this.copy(), expression=node.this.copy())
                made.parent = case  # names are resolved where it stands
                yield made
            else:
                yield node.this
        elif isinstance(node, exp.Filter):
            yield node.expression.this
        elif isinstance(node.this, exp.Predicate | exp.Connector):
            yield node.this


def from_items(select: Any) -> Iterator[tuple[Any, str]]:
    """What a SELECT reads, each with the side of its join (LEFT, RIGHT, FULL or empty)."""
    start = select.args.get("from_") or select.args.get("from")
    if start is not None:
        yield start.this, ""
        for join in start.this.args.get("joins") or []:
            yield join.this, str(join.side or "")
    for join in select.args.get("joins") or []:
        yield join.this, str(join.side or "")


def conjuncts(tree: Any) -> Iterator[Any]:
    """The parts of an AND chain, parentheses opened."""
    waiting = [tree]
    while waiting:
        here = waiting.pop()
        while isinstance(here, exp.Paren):
            here = here.this
        if isinstance(here, exp.And):
            waiting += [here.expression, here.this]
        elif here is not None:
            yield here


def columns(tree: Any) -> list[Any]:
    """The column nodes under a tree, those of nested SELECTs left out."""
    found, waiting = [], [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, exp.Column):
            found.append(here)
        elif not isinstance(here, exp.Select):
            waiting += list(here.iter_expressions(reverse=True))
    return found
