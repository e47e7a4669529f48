"""The same rows up to small differences between numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from t2s_tui.evaluation.result_rows import value_key

_MOST = 400  # rows of one group for which every assignment is tried: at most 400 x 400 comparisons


def close_rows(
    gold: Sequence[Sequence[Any]],
    rows: Sequence[Sequence[Any]],
    rel: float,
    absolute: float,
    *,
    ordered: bool,
) -> bool:
    """Whether each row has one of its own in the other result whose numbers are close and all else equal.

    `rel` and `absolute` are `math.isclose`'s. Closeness is not transitive, so rows are assigned by augmenting
    paths (Kuhn 1955) among those that agree in everything but numbers; large groups by their sorted order.
    """
    if len(gold) != len(rows):
        return False

    def close(a: Sequence[Any], b: Sequence[Any]) -> bool:
        return len(a) == len(b) and all(_close(x, y, rel, absolute) for x, y in zip(a, b, strict=True))

    if ordered:
        return all(close(a, b) for a, b in zip(gold, rows, strict=True))
    left, right = _groups(gold), _groups(rows)
    if {k: len(v) for k, v in left.items()} != {k: len(v) for k, v in right.items()}:
        return False
    return all(_assign(left[key], right[key], close) for key in left)


def _close(a: Any, b: Any, rel: float, absolute: float) -> bool:
    if _number(a) and _number(b):
        return math.isclose(a, b, rel_tol=rel, abs_tol=absolute)
    return type(a) is type(b) and bool(value_key(a) == value_key(b))


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def _groups(rows: Sequence[Sequence[Any]]) -> dict[tuple[Any, ...], list[Sequence[Any]]]:
    """The rows by everything in them but their numbers."""
    found: dict[tuple[Any, ...], list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(tuple(... if _number(v) else v for v in row), []).append(row)
    return found


def _assign(left: list[Sequence[Any]], right: list[Sequence[Any]], close: Any) -> bool:
    def numbers(row: Sequence[Any]) -> list[Any]:
        return [v for v in row if _number(v)]

    left, right = sorted(left, key=numbers), sorted(right, key=numbers)
    if all(close(a, b) for a, b in zip(left, right, strict=True)):
        return True
    if len(left) > _MOST or not left or len(numbers(left[0])) < 2:
        return False  # with one number the sorted order is the best there is
    near = [[j for j, b in enumerate(right) if close(a, b)] for a in left]
    taken: dict[int, int] = {}
    return all(_augment(i, near, taken) for i in range(len(left)))


def _augment(start: int, near: list[list[int]], taken: dict[int, int]) -> bool:
    """Find a partner for `start`, moving earlier ones where they can: breadth first."""
    came: dict[int, int] = {}
    queue = [start]
    for i in queue:
        for j in near[i]:
            if j in came:
                continue
            came[j] = i
            if j in taken:
                queue.append(taken[j])
                continue
            while True:
                own = came[j]
                before = next((k for k, v in taken.items() if v == own), None)
                taken[j] = own
                if before is None or own == start:
                    return True
                j = before
    return False
