"""Which columns of one result are which of another: the same rows under some choice of columns.

Published comparators try all permutations, and nine columns hang them. Here a column can only be one whose
cells are the same, each seen with its row's other values where all columns must be matched; with the columns
chosen so far the rows must already be the same. What is left after that is seldom more than one choice; a
budget ends what is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

Row = tuple[Any, ...]
_BUDGET = 2_000_000  # cells looked at while columns are tried


class Undecided(Exception):
    """The columns are so alike that trying them would take too long."""


def match_columns(gold: Sequence[Row], rows: Sequence[Row], *, ordered: bool) -> tuple[int, ...] | None:
    """For each of gold's columns its column in `rows`, no column twice, so that the rows are the same.

    As bags, or as lists when `ordered`. None when there is no such choice. `rows` may have more columns;
    both have as many rows and at least one. Cells are compared as keys (`result_rows.row_key`).
    Raises Undecided.
    """
    wanted, there = _columns(gold), _columns(rows)
    if ordered:
        return _in_order(wanted, there)
    whole = len(wanted) == len(there)
    marks = (_row_marks(gold), _row_marks(rows)) if whole else ([None] * len(gold), [None] * len(rows))
    if whole and Counter(marks[0]) != Counter(marks[1]):
        return None
    left = [Counter(zip(marks[0], column, strict=True)) for column in wanted]
    right = [Counter(zip(marks[1], column, strict=True)) for column in there]
    choices = [[j for j, bag in enumerate(right) if bag == own] for own in left]
    if not all(choices):
        return None
    order = sorted(range(len(wanted)), key=lambda i: len(choices[i]))
    search = _Search(wanted, there, marks, choices, order)
    return search.found()


def _in_order(wanted: Sequence[Row], there: Sequence[Row]) -> tuple[int, ...] | None:
    """As lists each column is its own: equal columns may stand for each other."""
    free: dict[Row, list[int]] = {}
    for j in reversed(range(len(there))):
        free.setdefault(there[j], []).append(j)
    chosen = []
    for column in wanted:
        if not free.get(column):
            return None
        chosen.append(free[column].pop())
    return tuple(chosen)


class _Search:
    """Depth first, the columns with the fewest choices first."""

    def __init__(
        self,
        wanted: Sequence[Row],
        there: Sequence[Row],
        marks: tuple[Sequence[Any], Sequence[Any]],
        choices: Sequence[Sequence[int]],
        order: Sequence[int],
    ) -> None:
        self._wanted, self._there, self._marks = wanted, there, marks
        self._choices, self._order = choices, order
        self._left = _BUDGET

    def found(self) -> tuple[int, ...] | None:
        chosen = self._extend([], self._marks[0], self._marks[1])
        if chosen is None:
            return None
        place = dict(zip(self._order, chosen, strict=True))
        return tuple(place[i] for i in range(len(self._order)))

    def _extend(self, chosen: list[int], left: Sequence[Any], right: Sequence[Any]) -> list[int] | None:
        """`left` and `right` number the rows by the columns chosen so far: equal numbers, equal rows."""
        if len(chosen) == len(self._order):
            return chosen
        own = self._wanted[self._order[len(chosen)]]
        tried: set[Row] = set()
        for j in self._choices[self._order[len(chosen)]]:
            column = self._there[j]
            if j in chosen or column in tried:
                continue
            tried.add(column)  # the same column again leads nowhere else
            self._left -= len(own)
            if self._left < 0:
                raise Undecided("the columns are too much alike to say which is which")
            numbers: dict[Any, int] = {}
            first = [numbers.setdefault(pair, len(numbers)) for pair in zip(left, own, strict=True)]
            second = [numbers.setdefault(pair, len(numbers)) for pair in zip(right, column, strict=True)]
            if Counter(first) != Counter(second):
                continue
            deeper = self._extend([*chosen, j], first, second)
            if deeper is not None:
                return deeper
        return None


def _columns(rows: Sequence[Row]) -> list[Row]:
    return list(zip(*rows, strict=True))


def _row_marks(rows: Sequence[Row]) -> list[frozenset[tuple[Any, int]]]:
    """What a row holds, wherever it holds it."""
    return [frozenset(Counter(row).items()) for row in rows]
