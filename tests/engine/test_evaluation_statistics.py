"""Scores with intervals, the exact paired test, and comparisons."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.breakdown import breakdown_of, paired_breakdown, paired_faults
from t2s_tui.evaluation.compare import pair_up
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.evaluation.statistics import (
    agreement,
    bootstrap_difference,
    breakdown,
    calibrated,
    confusion,
    kappa,
    mcnemar_exact,
    score,
    scores_by_metric,
    wilson,
)
from t2s_tui.records import Example, Outcome, Prediction
from tests.shared_data import shared

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


def test_the_bootstrap_is_scipys_and_the_same_for_a_seed() -> None:
    import numpy as np
    from scipy import stats

    fixed, broken, same = 30, 12, 158
    ours = bootstrap_difference(fixed, broken, same)
    assert ours == bootstrap_difference(fixed, broken, same)
    steps = np.array([1] * fixed + [-1] * broken + [0] * same)
    theirs = stats.bootstrap(
        (steps,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_the_bootstrap_of_nothing_and_of_no_difference() -> None:
    assert bootstrap_difference(0, 0, 0) == (-1.0, 1.0)
    assert bootstrap_difference(0, 0, 9) == (0.0, 0.0)
    with pytest.raises(ValueError, match="not negative"):
        bootstrap_difference(-1, 0, 1)


def test_agreement_and_kappa_of_a_known_table() -> None:
    """The example of Cohen's kappa that textbooks work out: 20, 5, 10 and 15 of 50 give 0.4."""
    table = confusion([(PASS, PASS)] * 20 + [(PASS, FAIL)] * 5 + [(FAIL, PASS)] * 10 + [(FAIL, FAIL)] * 15)
    assert table[PASS, FAIL] == 5
    assert agreement(table) == pytest.approx(0.7)
    assert kappa(table) == pytest.approx(0.4)
    assert kappa({(PASS, PASS): 3}) is None
    assert agreement({}) is kappa({}) is None


def test_accuracy_is_corrected_for_what_the_metric_gets_wrong() -> None:
    labels = [(True, True)] * 90 + [(False, True)] * 10 + [(True, False)] * 20 + [(False, False)] * 80
    found = calibrated(550, 1000, labels)
    assert found is not None
    assert (found.sensitivity, found.specificity) == (0.9, 0.8)
    assert found.share == pytest.approx((0.55 + 0.8 - 1) / 0.7)
    assert 0 < found.low < 0.5 < found.high < 1
    useless = calibrated(5, 10, [(True, True), (False, True), (True, False), (False, False)])
    assert useless is not None
    assert (useless.share, useless.low, useless.high) == (None, 0.0, 1.0)
    assert calibrated(5, 10, [(True, True)]) is None


@settings(max_examples=30, deadline=None)
@given(truth=st.floats(0.2, 0.8), seed=st.integers(0, 1000))
def test_the_corrected_interval_holds_the_truth_on_simulated_labels(truth: float, seed: int) -> None:
    """A judge that is right on 90% of the right and 85% of the wrong. Wide margins: it is one draw."""
    rng = random.Random(seed)

    def draw() -> tuple[bool, bool]:
        right = rng.random() < truth
        return rng.random() < (0.9 if right else 0.15), right

    said = [draw()[0] for _ in range(2000)]
    found = calibrated(sum(said), len(said), [draw() for _ in range(400)])
    assert found is not None
    assert found.share is not None
    spread = (found.high - found.low) / 2
    assert abs(found.share - truth) < 2.5 * spread


def test_breakdowns() -> None:
    found = breakdown("execution", [(("a", "b"), PASS), (("a",), FAIL), ((), PASS)])
    assert {group: (s.passed, s.answered) for group, s in found.items()} == {"a": (1, 2), "b": (1, 1)}
    golds = ("SELECT a FROM t", "SELECT count(*) FROM t JOIN u ON t.a = u.a GROUP BY b ORDER BY c LIMIT 1")
    examples = [
        Example(str(i), i, "dev", f"db{i % 2}", "q", "", golds[i % 2], "sqlite", None, "f:1")
        for i in range(4)
    ]
    answer = Prediction("p", "", "", "", 0, 0, "eos", 0.0)
    rows = [
        ReviewRow(
            e, answer, {"execution": PASS if e.number < 3 else FAIL}, ("value",) if e.number == 3 else ()
        )
        for e in examples
    ]
    by = {
        name: breakdown_of(rows, name, "execution") for name in ("hardness", "database", "feature", "fault")
    }
    assert next(iter(by["hardness"])) == "easy"
    assert {g: (s.passed, s.answered) for g, s in by["database"].items()} == {"db0": (2, 2), "db1": (1, 2)}
    assert {g: s.total for g, s in by["fault"].items()} == {"none": 3, "value": 1}
    assert sum(s.total for s in by["hardness"].values()) == 4
    assert breakdown_of(rows, "database", "judge") == {}
    with pytest.raises(UsageError):
        breakdown_of(rows, "moon", "execution")
    pairs = paired_breakdown({e.id: e for e in examples}, "database", ["0"], ["1"], ["2", "3", "gone"])
    assert pairs == {"db0": (1, 0, 2), "db1": (0, 1, 2)}


def test_what_was_fixed_by_the_fault_it_had_and_what_was_broken_by_the_one_it_has() -> None:
    of_a = {"1": ("value", "limit"), "2": ("join type",), "4": ("value",)}
    of_b = {"3": ("limit",), "4": ("join type", "value")}
    assert paired_faults(of_a, of_b, fixed=["1", "2"], broken=["3"], neither=["4", "5"]) == {
        "join type": (1, 0, 2),
        "value": (1, 0, 2),
        "limit": (0, 1, 1),
        "none": (0, 0, 1),
    }


def test_wikisql_before_and_after_a_training() -> None:
    """500 questions by a base model and its adapter of 1000 rows: 199 and 409 right."""
    a, b = (
        {
            str(i): PASS if row["execution_match"] else FAIL
            for i, row in enumerate(
                json.loads(shared(f"wikisql_qlora/{name}_predictions.json").read_text("utf-8"))
            )
        }
        for name in ("baseline", "finetuned1000")
    )
    made = pair_up("base", "tuned", "execution", a, b)
    assert (made.score_a.passed, made.score_b.passed) == (199, 409)
    assert (len(made.fixed), len(made.broken)) == (222, 12)
    assert made.difference == pytest.approx(0.42)
    from scipy.stats import binomtest

    assert made.p_value == pytest.approx(binomtest(222, 234).pvalue)
    assert made.interval == pytest.approx((0.372, 0.466), abs=0.01)
