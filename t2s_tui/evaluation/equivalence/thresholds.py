"""Large limits and counts, shrunk alike in both queries: `LIMIT 100` needs a hundred rows to say anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

_LARGEST = 6


def shrink_alike(trees: Sequence[Any]) -> dict[int, int]:
    """Replace the large numbers of LIMIT, OFFSET and of comparisons with COUNT in these trees, in place.

    The order of the numbers and which of them are one apart is kept. Returns what became of each; empty when
    there is none above 6.
    """
    found = [literal for tree in trees for literal in _thresholds(tree)]
    large = sorted({int(str(literal.this)) for literal in found if int(str(literal.this)) > _LARGEST})
    if not large:
        return {}
    small = sorted({int(str(literal.this)) for literal in found if int(str(literal.this)) <= _LARGEST})
    mapping: dict[int, int] = {}
    previous, value = None, max([*small, 2])
    for number in large:
        value += 1 if previous is not None and number - previous == 1 else 2
        mapping[number] = min(value, number)
        previous, value = number, mapping[number]
    for literal in found:
        number = int(str(literal.this))
        if number in mapping:
            literal.replace(exp.Literal.number(mapping[number]))
    return mapping


def _thresholds(tree: Any) -> list[Any]:
    found = []
    for node in tree.walk():
        if isinstance(node, exp.Limit | exp.Offset) and isinstance(node.expression, exp.Literal):
            found.append(node.expression)
        elif isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.EQ | exp.NEQ):
            sides = (node.this, node.expression)
            for one, other in (sides, sides[::-1]):
                if isinstance(one, exp.Count) and isinstance(other, exp.Literal):
                    found.append(other)
    return [literal for literal in found if not literal.is_string and str(literal.this).isdigit()]
