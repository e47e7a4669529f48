"""The review queue: what contradicts what, in which order, and which labelled rows stand for all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.evaluation.disagreement import RULES, by_chance, chance_sample, queue, yes_or_no
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.records import Example, Outcome, Prediction

P, F, U, M = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.MISSING


def row(
    number: int, *, shown: str = "", weak: bool = False, drawn: str = "", **outcomes: Outcome
) -> ReviewRow:
    example = Example(f"e{number}", number, "eval", "game", "q", "", "SELECT 1", "sqlite", None, "f:1")
    prediction = Prediction("s", example.id, "", "SELECT 1", 1, 1, "eos", 0.1)
    return ReviewRow(example, prediction, outcomes, shown=shown, weak=weak, drawn=drawn)


@pytest.mark.parametrize(
    ("given_row", "words"),
    [
        (row(1, judge=P, equivalence=F, execution=P), "judge yes, but rows refute it"),
        (row(1, judge=P, execution=F, equivalence=U), "judge yes, but wrong when run"),
        (row(1, judge=F, equivalence=P, shown="proved", execution=P), "judge no, but proved equal"),
        (row(1, judge=F, normalized=P), "judge no, but proved equal"),
        (row(1, judge=F, equivalence=P, shown="not-refuted"), "judge no, but not refuted"),
        (row(1, judge=F, execution=P), "judge no, but the same result"),
        (row(1, judge=F, execution=P, weak=True), "judge no, a weak pass"),
        (row(1, judge=F, execution=P, equivalence=F), "judge no, but the same result"),
        (row(1, execution=P, equivalence=F), "execution against equivalence"),
        (row(1, judge=M, execution=P), "the judge gave no answer"),
        (row(1, judge=M), "the judge gave no answer"),
        (replace(row(1, judge=M), split=True), "the judges' votes are split"),
        (replace(row(1, judge=F, execution=F), split=True), "the judges' votes are split"),
        (replace(row(1, judge=P, equivalence=F), split=True), "judge yes, but rows refute it"),
        (row(1, execution=U, equivalence=U), "nothing decides it"),
    ],
)
def test_what_contradicts_what(given_row: ReviewRow, words: str) -> None:
    assert [item.why for item in queue([given_row])] == [words]


def test_what_agrees_what_was_not_run_and_what_a_person_has_judged_is_not_in_the_queue() -> None:
    agreeing = [
        row(1, judge=P, equivalence=P, execution=P),
        row(2, judge=F, equivalence=F),
        row(3),
        row(4, exact=F),
    ]
    assert queue(agreeing) == []
    assert queue([row(5, judge=P, equivalence=F, human=F)]) == []
    assert queue([row(6, judge=M, exact=P), row(7, judge=Outcome.UNKNOWN, normalized=P)]) == []


def test_the_most_telling_come_first_and_within_a_rank_the_order_of_the_dataset() -> None:
    rows = [
        row(1, judge=F, execution=P, weak=True),
        row(2, judge=F, equivalence=P),
        row(3, judge=P, equivalence=F),
        row(4, judge=P, equivalence=F),
        row(5, judge=P, execution=F),
    ]
    assert [item.row.example.number for item in queue(rows)] == [3, 4, 5, 2, 1]
    assert queue(rows)[0].why == RULES[0][0]


_OUTCOMES = st.dictionaries(
    st.sampled_from(["judge", "execution", "equivalence", "human"]), st.sampled_from(Outcome)
)


@given(_OUTCOMES, st.booleans())
def test_every_two_verdicts_that_contradict_each_other_are_in_the_queue(
    outcomes: dict[str, Outcome], weak: bool
) -> None:
    said = {yes_or_no(outcomes, metric) for metric in ("judge", "execution", "equivalence")}
    queued = bool(queue([replace(row(1, weak=weak), outcomes=outcomes)]))
    if "human" in outcomes:
        assert not queued
    elif {True, False} <= said:
        assert queued


def test_only_an_unbroken_draw_by_chance_stands_for_all_rows() -> None:
    rows = [row(number, judge=P) for number in range(30)]
    order = [r.example.number for r in by_chance(rows)]
    assert order != sorted(order)
    assert order == [r.example.number for r in by_chance(list(reversed(rows)))]
    first, second, third, fourth, *_ = order

    def labelled(drawn: dict[int, str]) -> list[int]:
        said = [
            replace(r, outcomes={**r.outcomes, "human": P}, drawn=drawn[r.example.number])
            if r.example.number in drawn
            else r
            for r in rows
        ]
        return [r.example.number for r in chance_sample(said)]

    assert labelled({}) == []
    # What was labelled in the queue alone is a sample of disagreements.
    assert labelled({first: "queue", second: "queue"}) == []
    assert labelled({first: "queue", second: "chance", third: "queue"}) == [first, second]
    assert labelled({first: "chance", third: "chance", fourth: "chance"}) == [first]
