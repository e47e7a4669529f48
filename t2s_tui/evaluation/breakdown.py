"""What an example can be grouped by: hardness, database, SQL feature, fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.evaluation.statistics import Score, breakdown
from t2s_tui.records import Example

BY = ("hardness", "database", "feature", "fault")
_HARDNESS = ("easy", "medium", "hard", "extra")


def breakdown_of(rows: Sequence[ReviewRow], by: str, metric: str) -> dict[str, Score]:
    """group -> the Score of `metric` in it: hardness from easy to extra, others the largest group first.

    Examples without a verdict of the metric are left out. `feature` and `fault` may count one example in
    several groups. Raises UsageError for a `by` that is none of BY.
    """
    judged = [row for row in rows if metric in row.outcomes]
    found = breakdown(metric, ((groups(row, by), row.outcomes[metric]) for row in judged))
    return dict(sorted(found.items(), key=lambda item: _place(by, item[0], item[1].total)))


def paired_breakdown(
    examples: Mapping[str, Example], by: str, fixed: Sequence[str], broken: Sequence[str], same: Sequence[str]
) -> dict[str, tuple[int, int, int]]:
    """group -> (fixed, broken, examples in it) of two compared sets, from lists of example ids.

    By what belongs to the example alone: hardness, database or feature.
    """
    found: dict[str, list[int]] = {}
    for at, ids in enumerate((fixed, broken, same)):
        for example in (examples[i] for i in ids if i in examples):
            for group in example_groups(example, by):
                counts = found.setdefault(group, [0, 0, 0])
                counts[2] += 1
                if at < 2:
                    counts[at] += 1
    ordered = sorted(found.items(), key=lambda item: _place(by, item[0], item[1][2]))
    return {group: (f, b, n) for group, (f, b, n) in ordered}


def paired_faults(
    of_a: Mapping[str, Sequence[str]],
    of_b: Mapping[str, Sequence[str]],
    fixed: Sequence[str],
    broken: Sequence[str],
    neither: Sequence[str],
) -> dict[str, tuple[int, int, int]]:
    """fault -> (fixed, broken, examples where it leads in a wrong answer of A or of B).

    `of_a` and `of_b` hold the faults of each set's answers by example id, the leading one first. An answer
    that B fixed had A's fault, one that B broke has B's.
    """
    counted: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for place, faults, ids in ((0, of_a, fixed), (1, of_b, broken), (2, of_a, neither), (2, of_b, neither)):
        for example in ids:
            leading = next(iter(faults.get(example, ())), "none")
            sets = counted.setdefault(leading, (set(), set(), set()))
            sets[place].add(example)
            sets[2].add(example)
    found = {fault: (len(f), len(b), len(every)) for fault, (f, b, every) in counted.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1][2], item[0])))


def groups(row: ReviewRow, by: str) -> Sequence[str]:
    """The groups that an answered example is in."""
    return (row.faults or ("none",)) if by == "fault" else example_groups(row.example, by)


def example_groups(example: Example, by: str) -> Sequence[str]:
    """The groups that an example is in by itself. Raises UsageError for a `by` that is no such thing."""
    if by == "database":
        return (example.db_id or "none",)
    if by == "hardness":
        return (example.hardness or _measured(example.gold, example.dialect),)
    if by == "feature":
        return _used(example.gold, example.dialect)
    raise UsageError(f"Nothing is counted by {by!r}", f"use one of {', '.join(BY)}")


@lru_cache(maxsize=8_192)
def _measured(gold: str, dialect: str) -> str:
    """Spider's rules on the gold, where the source does not say."""
    from t2s_tui.sql.dialects import SqlSyntaxError, parse
    from t2s_tui.sql.hardness import hardness

    try:
        return hardness(parse(gold, dialect))
    except SqlSyntaxError:
        return "does not parse"


@lru_cache(maxsize=8_192)
def _used(gold: str, dialect: str) -> tuple[str, ...]:
    from t2s_tui.sql.dialects import SqlSyntaxError, parse
    from t2s_tui.sql.features import features

    try:
        return features(parse(gold, dialect)).used or ("plain",)
    except SqlSyntaxError:
        return ("does not parse",)


def _place(by: str, group: str, size: int) -> tuple[int, str]:
    if by == "hardness":
        return (_HARDNESS.index(group) if group in _HARDNESS else len(_HARDNESS)), group
    return -size, group
