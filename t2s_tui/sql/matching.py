"""Which pieces of two queries belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_ALIKE = 0.5  # pieces less alike than this are a removal and an addition, not one changed piece


def matched(
    gold: Sequence[exp.Expr], generated: Sequence[exp.Expr], text: Callable[[exp.Expr], str]
) -> list[tuple[exp.Expr | None, exp.Expr | None]]:
    """Equal texts, then the most alike, the rest alone: gold's order, with what it has not at the end."""
    waiting = list(generated)
    found: dict[int, exp.Expr] = {}
    for number, one in enumerate(gold):
        equal = next((other for other in waiting if text(other) == text(one)), None)
        if equal is not None:
            found[number] = equal
            waiting = [other for other in waiting if other is not equal]
    scored = sorted(
        (
            (-likeness(text(one), text(other)), number, at)
            for number, one in enumerate(gold)
            for at, other in enumerate(waiting)
            if number not in found
        ),
    )
    taken: set[int] = set()
    for score, number, at in scored:
        if number not in found and at not in taken and -score >= _ALIKE:
            found[number] = waiting[at]
            taken.add(at)
    pairs: list[tuple[exp.Expr | None, exp.Expr | None]] = [(o, found.get(n)) for n, o in enumerate(gold)]
    return pairs + [(None, other) for at, other in enumerate(waiting) if at not in taken]


def in_one_order(
    pairs: list[tuple[exp.Expr | None, exp.Expr | None]],
) -> Iterator[tuple[exp.Expr | None, exp.Expr | None]]:
    """The pairs in an order that is each side's own: the longest run of pairs that allows it stays, the
    members of the others stand alone."""
    left = [one for one, _ in pairs if one is not None]
    right = sorted((other for _, other in pairs if other is not None), key=_place_in_query)
    at = {id(other): number for number, other in enumerate(right)}
    wanted = [(one, other) for one, other in pairs if one is not None and other is not None]
    runs: list[list[tuple[exp.Expr, exp.Expr]]] = []
    for pair in wanted:
        before = [run for run in runs if at[id(run[-1][1])] < at[id(pair[1])]]
        runs.append([*max(before, key=len, default=[]), pair])
    partner = {id(one): other for one, other in max(runs, key=len, default=[])}
    waiting = list(right)
    for one in left:
        other = partner.get(id(one))
        while other is not None and waiting[0] is not other:
            yield None, waiting.pop(0)
        if other is not None:
            waiting.pop(0)
        yield one, other
    for other in waiting:
        yield None, other


def likeness(a: str, b: str) -> float:
    """0..1 by words, where the first one counts for a half: it is what a condition is about."""
    left, right = a.replace("NOT ", "").split(), b.replace("NOT ", "").split()
    ratio = SequenceMatcher(None, left, right, autojunk=False).ratio()
    return max(ratio, 0.5 + ratio / 2) if left[:1] == right[:1] and left else ratio


def _place_in_query(place: exp.Expr) -> int:
    """Where a FROM or JOIN stands among those of its SELECT."""
    return -1 if place.arg_key == "from_" else int(place.index or 0)
