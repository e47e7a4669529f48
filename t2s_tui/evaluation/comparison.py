"""The named ways in which execution accuracy compares two results. Each is versioned with the metric.

strict      bags of rows, columns by position; in order exactly where gold's outermost query orders
ordered     lists of rows: the order counts, whatever gold says
bird-set    sets of rows, as BIRD's evaluator compares (bird-bench/mini_dev): duplicates and order are lost
test-suite  bags of rows, columns in any order, DISTINCT ignored in both queries, as Spider's comparator does
            by default (taoyds/test-suite-sql-eval, Zhong et al. 2020); in order where gold orders
superset    gold's columns must be there with gold's rows; more columns may stand beside them
            (defog-ai/sql-eval)
tolerant    as strict, but numbers need only be close: tolerant(rel, abs), as `math.isclose` takes them
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.column_match import Undecided, match_columns
from t2s_tui.evaluation.result_rows import difference, row_keys, says_little
from t2s_tui.evaluation.tolerant_rows import close_rows

NAMES = ("strict", "ordered", "bird-set", "test-suite", "superset", "tolerant")
#: The version of these rules: it is part of the version of every execution verdict.
VERSION = "2"
_TOLERANT = re.compile(r"tolerant(?:\(\s*([^,\s]+)\s*,\s*([^,\s]+)\s*\))?")

Result = tuple[Sequence[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Mode:
    """A way of comparing. `rel` and `abs` are the tolerances of `tolerant`, shares and units of the value."""

    name: str = "strict"
    rel: float = 1e-6
    abs: float = 1e-9

    @property
    def label(self) -> str:
        """The name with what it was given: `tolerant(0.01, 1e-09)`."""
        return f"tolerant({self.rel:g}, {self.abs:g})" if self.name == "tolerant" else self.name

    @property
    def version(self) -> str:
        """What an execution verdict of this mode carries as its version."""
        return f"{VERSION} {self.label}"

    @property
    def ignores_distinct(self) -> bool:
        return self.name == "test-suite"


STRICT = Mode()


def mode_named(text: str) -> Mode:
    """The mode of that name, as `strict` or `tolerant(0.01, 0.5)`. Raises UsageError."""
    word = text.strip().lower()
    found = _TOLERANT.fullmatch(word)
    if found and found.group(1):
        try:
            rel, absolute = float(found.group(1)), float(found.group(2))
        except ValueError:
            rel = absolute = -1.0
        if not (0 <= rel < 1 and 0 <= absolute < float("inf")):
            raise UsageError(
                f"{text!r} has no tolerances", "write tolerant(rel, abs), for instance tolerant(0.01, 0.001)"
            )
        return Mode("tolerant", rel, absolute)
    if word not in NAMES:
        raise UsageError(f"There is no comparison mode {text!r}", f"use one of {', '.join(NAMES)}")
    return Mode(word)


def differs(mode: Mode, gold: Result, generated: Result, *, ordered: bool) -> str | None:
    """What differs between two results in this mode, in a few words; None when they are the same.

    Raises Undecided when it would take too long to say.
    """
    if mode.name == "bird-set":
        return _as_sets(gold, generated)
    if mode.name == "test-suite":
        return _any_columns(gold, generated, ordered)
    if mode.name == "superset":
        return _more_columns(gold, generated, ordered)
    if mode.name == "tolerant":
        strict = difference(gold, generated, ordered=ordered)
        same_size = len(gold[0]) == len(generated[0]) and len(gold[1]) == len(generated[1])
        if strict is None or not same_size:
            return strict
        return None if close_rows(gold[1], generated[1], mode.rel, mode.abs, ordered=ordered) else strict
    return difference(gold, generated, ordered=ordered or mode.name == "ordered")


def _as_sets(gold: Result, generated: Result) -> str | None:
    left, right = set(row_keys(gold[1])), set(row_keys(generated[1]))
    if left == right:
        return None
    missing, extra = len(left - right), len(right - left)
    return f"as sets: {missing} of gold's rows missing, {extra} too many"


def _any_columns(gold: Result, generated: Result, ordered: bool) -> str | None:
    if not gold[1] and not generated[1]:
        return None  # the published comparator does not look at the columns of nothing
    if len(gold[0]) != len(generated[0]) or len(gold[1]) != len(generated[1]):
        return difference(gold, generated, ordered=ordered)
    left, right = row_keys(gold[1]), row_keys(generated[1])
    if match_columns(left, right, ordered=ordered) is not None:
        return None
    found = difference(gold, generated, ordered=ordered)
    return found if found is not None else "the rows are in another order"


def _more_columns(gold: Result, generated: Result, ordered: bool) -> str | None:
    (columns, rows), (others, found) = gold, generated
    if len(others) < len(columns):
        return difference(gold, generated, ordered=ordered)
    if len(rows) != len(found):
        words = f"{len(found)} row{'' if len(found) == 1 else 's'}"
        return f"{words} where gold has {len(rows)}"
    left, right = row_keys(rows), row_keys(found)
    if not rows or match_columns(left, right, ordered=ordered) is not None:
        return None
    return "gold's columns are not among its columns"


def weaknesses(gold: Result, generated: Result, *, ordered: bool, distinct: bool, limited: bool) -> list[str]:
    """Why an equal result says little (trap 29). Empty where it says something.

    `distinct`: one of the queries says DISTINCT and the other does not. `limited`: gold cuts its rows off.
    """
    rows = gold[1]
    if not rows:
        return ["gold returns no rows"]
    if says_little(rows):
        return ["gold returns nothing but NULL"]
    found = []
    if len(rows) == 1 and (ordered or limited):
        found.append("one row: neither order nor ties were tested")
    elif len(rows) == 1 and len(rows[0]) == 1 and rows[0][0] in (0, 1):
        found.append(f"one row that says {rows[0][0]:g}")
    if distinct and len(rows) > 1 and len(set(row_keys(rows))) == len(rows):
        found.append("no ties: DISTINCT was not tested")
    if rows != generated[1] and len(gold[0]) == len(generated[0]) and _times(rows) != _times(generated[1]):
        found.append("the duplicates differ")
    return found


def _times(rows: Sequence[Sequence[Any]]) -> list[int]:
    """How often the rows come, each: whatever the order of their columns."""
    return sorted(Counter(row_keys(rows)).values())


__all__ = ["NAMES", "STRICT", "VERSION", "Mode", "Undecided", "differs", "mode_named", "weaknesses"]
