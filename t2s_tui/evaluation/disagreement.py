"""Where a person's minute is worth most: the predictions on which the verdicts contradict each other.

On pairs that experts labelled, judge and engine were right in 96 of 100 cases in which they agreed, and their
disagreements held most of the judge's errors. Pure functions over the rows of a review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.records import Outcome

_NO = (Outcome.FAIL, Outcome.ERROR)
_DECIDED = (Outcome.PASS, *_NO)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A prediction to look at, and why. A smaller `rank` is looked at earlier."""

    row: ReviewRow
    rank: int
    why: str


def _judge_yes_refuted(row: ReviewRow) -> bool:
    return _says(row, "judge") is True and row.refuted


def _judge_yes_ran_wrong(row: ReviewRow) -> bool:
    ran = (_says(row, "execution"), _says(row, "equivalence"))
    return _says(row, "judge") is True and False in ran


def _judge_no_proved(row: ReviewRow) -> bool:
    return _says(row, "judge") is False and proved(row)


def _judge_no_not_refuted(row: ReviewRow) -> bool:
    return _says(row, "judge") is False and _says(row, "equivalence") is True


def _judge_no_execution_yes(row: ReviewRow) -> bool:
    return _says(row, "judge") is False and _says(row, "execution") is True and not row.weak


def _execution_against_equivalence(row: ReviewRow) -> bool:
    ran, tried = _says(row, "execution"), _says(row, "equivalence")
    return None not in (ran, tried) and ran is not tried


def _judges_split(row: ReviewRow) -> bool:
    return row.split and not proved(row)


def _judge_missing(row: ReviewRow) -> bool:
    return row.outcomes.get("judge") is Outcome.MISSING and not proved(row)


def _judge_no_weak_yes(row: ReviewRow) -> bool:
    return _says(row, "judge") is False and _says(row, "execution") is True


def _undecided(row: ReviewRow) -> bool:
    asked = [row.outcomes[m] for m in ("execution", "equivalence", "judge") if m in row.outcomes]
    return bool(asked) and not any(outcome in _DECIDED for outcome in asked) and not proved(row)


def proved(row: ReviewRow) -> bool:
    """Whether it is gold itself: the same text, the same canonical form, or proved by the engine."""
    same = any(row.outcomes.get(metric) is Outcome.PASS for metric in ("exact", "normalized"))
    return same or (_says(row, "equivalence") is True and row.shown == "proved")


#: What contradicts what, the most telling first: rows that show it weigh more than a database that may be too
#: small to, and both more than words.
RULES: tuple[tuple[str, Callable[[ReviewRow], bool]], ...] = (
    ("judge yes, but rows refute it", _judge_yes_refuted),
    ("judge yes, but wrong when run", _judge_yes_ran_wrong),
    ("judge no, but proved equal", _judge_no_proved),
    ("judge no, but not refuted", _judge_no_not_refuted),
    ("judge no, but the same result", _judge_no_execution_yes),
    ("execution against equivalence", _execution_against_equivalence),
    ("the judges' votes are split", _judges_split),
    ("the judge gave no answer", _judge_missing),
    ("judge no, a weak pass", _judge_no_weak_yes),
    ("nothing decides it", _undecided),
)


def queue(rows: Sequence[ReviewRow]) -> list[Disagreement]:
    """The rows on which verdicts disagree, the most telling first; without those a person has judged."""
    found = []
    for row in rows:
        if "human" in row.outcomes:
            continue
        rank = next((rank for rank, (_, holds) in enumerate(RULES) if holds(row)), None)
        if rank is not None:
            found.append(Disagreement(row, rank, RULES[rank][0]))
    return sorted(found, key=lambda item: item.rank)  # stable: the order of the dataset within a rank


def _says(row: ReviewRow, metric: str) -> bool | None:
    """Yes, no, or no clear word."""
    return yes_or_no(row.outcomes, metric)


def yes_or_no(outcomes: Mapping[str, Outcome], metric: str) -> bool | None:
    """Whether the metric passes it; None where it was not run, or could not say. An error is a no."""
    outcome = outcomes.get(metric)
    return outcome is Outcome.PASS if outcome in _DECIDED else None


# -- a sample that stands for all -------------------------------------------------------------


def by_chance(rows: Sequence[ReviewRow]) -> list[ReviewRow]:
    """All rows in an order that has nothing to do with what is in them, and is the same at every call."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"chance {row.example.id}".encode()).digest())


def chance_sample(rows: Sequence[ReviewRow]) -> list[ReviewRow]:
    """The human-labelled rows from which something can be said of all: the labelled beginning of `by_chance`.

    It ends with the last row that was come upon by chance. Rows labelled in the queue count only in between:
    alone they would be a sample of disagreements.
    """
    order = by_chance(rows)
    labelled = next((i for i, row in enumerate(order) if "human" not in row.outcomes), len(order))
    drawn = [i for i, row in enumerate(order[:labelled]) if row.drawn == "chance"]
    return order[: drawn[-1] + 1] if drawn else []
