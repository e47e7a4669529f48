"""Large limits and counts, shrunk alike in both queries: `LIMIT 100` needs a hundred rows to say anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

_LARGEST = 6


def shrink_alike(trees: Sequence[Any]) -> dict[int, int]:
    """Replace the large numbers of LIMIT, OFFSET and of comparisons with COUNT in these trees, in place.

    The order of the numbers and which of them are one apart is kept. Returns what became of each; empty when
    there is none above 6, or when one of them may stand elsewhere in other words (`ROW_NUMBER() <= 10`).
    """
    found = [literal for tree in trees for literal in _thresholds(tree)]
    large = sorted({_number(literal) for literal in found if _number(literal) > _LARGEST})
    if not large or _spoken_elsewhere(trees, found, large):
        return {}
    small = sorted({_number(literal) for literal in found if _number(literal) <= _LARGEST})
    mapping: dict[int, int] = {}
    previous, value = None, max([*small, 2])
    for number in large:
        value += 1 if previous is not None and number - previous == 1 else 2
        mapping[number] = min(value, number)
        previous, value = number, mapping[number]
    for literal in found:
        if _number(literal) in mapping:
            literal.replace(exp.Literal.number(mapping[_number(literal)]))
    return mapping


def _number(literal: Any) -> int:
    return int(str(literal.this))


def _spoken_elsewhere(trees: Sequence[Any], found: Sequence[Any], large: Sequence[int]) -> bool:
    """Whether a number that is no threshold is one of them, or beside one."""
    known = {id(literal) for literal in found}
    others = [n for tree in trees for n in tree.find_all(exp.Literal) if id(n) not in known and _whole(n)]
    return any(abs(_number(other) - number) <= 1 for other in others for number in large)


def _whole(literal: Any) -> bool:
    return not literal.is_string and str(literal.this).isdigit()


def _thresholds(tree: Any) -> list[Any]:
    counts = {
        str(alias.alias).lower() for alias in tree.find_all(exp.Alias) if isinstance(alias.this, exp.Count)
    }
    found = []
    for node in tree.walk():
        if isinstance(node, exp.Limit | exp.Offset) and isinstance(node.expression, exp.Literal):
            found.append(node.expression)
        elif isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.EQ | exp.NEQ):
            sides = (node.this, node.expression)
            for one, other in (sides, sides[::-1]):
                if isinstance(other, exp.Literal) and _counts(one, counts):
                    found.append(other)
    return [literal for literal in found if _whole(literal)]


def _counts(tree: Any, aliases: set[str]) -> bool:
    """Whether it is a COUNT, or the name of one."""
    return isinstance(tree, exp.Count) or (isinstance(tree, exp.Column) and str(tree.name).lower() in aliases)
