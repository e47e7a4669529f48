"""Scores with intervals, the exact paired test, and comparisons."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.compare import pair_up
from t2s_tui.evaluation.statistics import mcnemar_exact, score, scores_by_metric, wilson
from t2s_tui.records import Outcome

PASS, FAIL, UNKNOWN, ERROR, MISSING = (
    Outcome.PASS,
    Outcome.FAIL,
    Outcome.UNKNOWN,
    Outcome.ERROR,
    Outcome.MISSING,
)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # the quadratic solved with 50 digits, the quantile by bisection of its series
        (62, 112, 0.4612503364, 0.6423395193),
        (10, 112, 0.0492215301, 0.1565895764),
        (0, 10, 0.0, 0.2775327999),
        (10, 10, 0.7224672001, 1.0),
        (1, 2, 0.0945312057, 0.9054687943),
    ],
)
def test_wilson(k: int, n: int, low: float, high: float) -> None:
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-9)


def test_wilson_of_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no share"):
        wilson(3, 2)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_solves_its_equation(case: tuple[int, int]) -> None:
    k, n = case
    low, high = wilson(k, n)
    assert 0.0 <= low <= k / n <= high <= 1.0
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low))
    for end in (low, high):  # |share - p| = z * sqrt(p (1 - p) / n) at both ends
        assert abs(k / n - end) == pytest.approx(1.959963984540054 * math.sqrt(end * (1 - end) / n), abs=1e-9)


@pytest.mark.parametrize(
    ("b", "c", "p"), [(0, 0, 1.0), (1, 0, 1.0), (0, 5, 0.0625), (5, 5, 1.0), (2, 10, 0.03857421875)]
)
def test_mcnemar(b: int, c: int, p: float) -> None:
    assert mcnemar_exact(b, c) == p
    assert mcnemar_exact(c, b) == p


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_tail(b: int, c: int) -> None:
    n = b + c
    as_extreme = [i for i in range(n + 1) if abs(2 * i - n) >= abs(b - c)]
    exact = sum((Fraction(math.comb(n, i), 2**n) for i in as_extreme), Fraction())
    assert mcnemar_exact(b, c) == pytest.approx(float(exact))


def test_mcnemar_of_many() -> None:
    assert 0 < mcnemar_exact(7000, 7600) < 1e-5


def test_missing_and_unknown_are_in_no_denominator() -> None:
    made = score("judge", [PASS] * 3 + [FAIL] * 2 + [ERROR] + [MISSING] * 4 + [UNKNOWN] * 5)
    assert (made.passed, made.failed, made.errors, made.missing, made.unknown) == (3, 2, 1, 4, 5)
    assert (made.answered, made.total) == (6, 15)
    assert made.accuracy == 0.5
    assert (made.low, made.high) == wilson(3, 6)
    assert made.as_json()["accuracy"] == 0.5


def test_nothing_answered_has_no_accuracy() -> None:
    made = score("judge", [MISSING, UNKNOWN])
    assert made.accuracy is None
    assert (made.low, made.high) == (0.0, 1.0)


def test_scores_come_in_the_order_of_metrics() -> None:
    rows = [{"judge": PASS, "exact": FAIL}, {"execution": PASS}]
    assert [s.metric for s in scores_by_metric(rows)] == ["exact", "execution", "judge"]


def test_pairing() -> None:
    a = {"1": PASS, "2": PASS, "3": FAIL, "4": FAIL, "5": MISSING, "6": PASS, "7": ERROR}
    b = {"1": PASS, "2": FAIL, "3": PASS, "4": FAIL, "5": PASS, "7": PASS, "8": UNKNOWN}
    made = pair_up("A", "B", "judge", a, b)
    assert (made.both, made.only_a, made.only_b, made.neither) == (("1",), ("2",), ("3", "7"), ("4",))
    assert made.left_out == ("5", "6", "8")
    assert made.p_value == mcnemar_exact(1, 2)
    assert made.score_a.passed == 3
    assert made.as_json()["counts"]["left_out"] == 3


def test_sets_that_share_nothing() -> None:
    with pytest.raises(UsageError, match="share no example"):
        pair_up("A", "B", "judge", {"1": PASS}, {"2": PASS})
