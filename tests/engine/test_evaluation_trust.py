"""Agreement between metrics, and what a person's sample makes of the judge's accuracy."""

from __future__ import annotations

from random import Random

import pytest

from t2s_tui.evaluation.disagreement import by_chance
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.evaluation.trust import Table, by_its_errors, corrected, table, tables
from t2s_tui.records import Example, Outcome, Prediction

P, F, M = Outcome.PASS, Outcome.FAIL, Outcome.MISSING


def row(number: int, drawn: str = "", **outcomes: Outcome) -> ReviewRow:
    example = Example(f"e{number}", number, "eval", "game", "q", "", "SELECT 1", "sqlite", None, "f:1")
    prediction = Prediction("s", example.id, "", "SELECT 1", 1, 1, "eos", 0.1)
    return ReviewRow(example, prediction, outcomes, drawn=drawn)


def test_kappa_is_cohens() -> None:
    # The worked example of his statistic: 20 and 15 of 50 agreed on, kappa 0.4.
    made = Table("judge", "human", 20, 5, 10, 15)
    assert made.agreement == pytest.approx(0.7)
    assert made.kappa == pytest.approx(0.4)
    assert Table("judge", "human", 8, 0, 0, 0).kappa is None


def test_a_missing_answer_is_in_no_table_and_an_error_is_a_no() -> None:
    rows = [
        row(1, judge=M, execution=P),
        row(2, judge=P, execution=Outcome.ERROR),
        row(3, judge=F, execution=Outcome.UNKNOWN),
        row(4, judge=F, execution=F),
    ]
    assert table(rows, "judge", "execution") == Table("judge", "execution", 0, 1, 0, 1)
    assert [(made.a, made.b) for made in tables(rows)] == [("judge", "execution")]


def sampled(rng: Random, count: int, labelled: int) -> tuple[list[ReviewRow], float]:
    """A judge that lets through a third of what is wrong, rows labelled from the draw, and the truth."""
    truth, rows = {}, []
    for _ in range(count):
        right = rng.random() < 0.4
        says = right if rng.random() < 0.95 else not right
        says = says or rng.random() < 0.3
        made = row(rng.randrange(10**9), judge=P if says else F)
        truth[made.example.id] = right
        rows.append(made)
    chosen = {r.example.id for r in by_chance(rows)[:labelled]}
    said = [
        ReviewRow(
            r.example,
            r.prediction,
            {**r.outcomes, "human": P if truth[r.example.id] else F},
            drawn="chance",
        )
        if r.example.id in chosen
        else r
        for r in rows
    ]
    return said, sum(truth.values()) / count


def test_the_corrected_interval_holds_the_truth_where_the_judges_own_share_does_not() -> None:
    rng, held, judge_off = Random(7), 0, 0
    for _ in range(200):
        rows, truth = sampled(rng, 150, 40)
        found = corrected(rows)
        assert found is not None
        assert found.labelled == 40
        held += found.low <= truth <= found.high
        judge_off += abs(found.said - truth) > 0.1
    assert held >= 185  # 95% of 200 is 190
    assert judge_off > 150


def test_everything_labelled_is_certain_and_a_group_without_a_label_says_nothing() -> None:
    rows, truth = sampled(Random(1), 30, 30)
    found = corrected(rows)
    assert found is not None
    assert (found.share, found.low, found.high) == pytest.approx((truth, truth, truth))
    half = corrected([row(1, "chance", judge=P, human=P), row(2, judge=F)])
    assert half is not None
    assert half.share is None
    # One answer of 31 is missing, and its row comes last in the draw: it may be right or wrong.
    rows.append(next(r for n in range(9999) if by_chance([*rows, r := row(n, judge=M)])[-1] is r))
    found = corrected(rows)
    assert found is not None
    assert found.share == pytest.approx(truth)
    assert found.low == pytest.approx(truth * 30 / 31)
    assert found.high == pytest.approx(truth * 30 / 31 + 1 / 31)
    assert corrected([row(1, execution=P)]) is None


def test_two_estimators_agree_on_one_sample() -> None:
    rows, truth = sampled(Random(3), 400, 120)
    rates, strata = by_its_errors(rows), corrected(rows)
    assert rates is not None
    assert strata is not None
    assert rates.share == pytest.approx(strata.share, abs=0.1)
    assert rates.low <= truth <= rates.high
    assert by_its_errors([row(1, judge=P)]) is None
