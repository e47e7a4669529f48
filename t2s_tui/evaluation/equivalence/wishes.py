"""What a planted row may be wished to fulfil: conditions of a query, their branches and their bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlglot import exp

#: A condition and whether it is to hold.
Wish = tuple[Any, bool]


def branches(tree: Any) -> Iterator[list[Wish]]:
    """For an OR: each branch alone true. For IN: each of its first values. For a range: what bounds it."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Or):
        parts = list(tree.flatten())
        for at, part in enumerate(parts[:5]):
            yield [(part, True), *((other, False) for i, other in enumerate(parts) if i != at)]
        if len(parts) == 2:
            yield [(part, True) for part in parts]
    elif isinstance(tree, exp.Between):
        for end in (tree.args["low"], tree.args["high"]):
            yield [(_equal(tree, tree.this, end), True)]
    elif isinstance(tree, exp.GT | exp.GTE | exp.LT | exp.LTE):
        yield [(_equal(tree, tree.this, tree.expression), True)]
    elif isinstance(tree, exp.In) and len(tree.expressions) > 1:
        for value in tree.expressions[:4]:
            yield [(_equal(tree, tree.this, value), True)]


def _equal(place: Any, left: Any, right: Any) -> Any:
    """`left = right` as if it stood in the tree at that place, where its names are resolved."""
    made = exp.EQ(this=left.copy(), expression=right.copy())
    made.parent = place.parent
    return made


def plain_columns(tree: Any) -> list[Any]:
    """Every column node of the tree, in the order of walking it."""
    return [node for node in tree.walk() if isinstance(node, exp.Column)]
