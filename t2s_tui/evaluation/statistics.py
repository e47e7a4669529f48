"""Counts with their uncertainty.

What is counted, decided once: accuracy = passed / answered, where answered = passed + failed + errors. A
judge's missing answer (trap 30) and an example that a metric cannot judge (`unknown`: no database, say) are
neither right nor wrong: they are left out of both numbers and always shown beside them. An `error` (a gold
that does not run) stays in: it was asked and did not pass. The reference counted a missing answer as a no,
which is how its 62 of 112 comes about.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from t2s_tui.records import METRIC_ORDER, Outcome

if TYPE_CHECKING:
    from t2s_tui.store import Store

_Z95 = 1.959963984540054  # the 97.5% quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Score:
    """One metric over one set of predictions. `low` and `high` are Wilson's 95% interval, shares in 0..1."""

    metric: str
    passed: int
    failed: int
    unknown: int
    errors: int
    missing: int
    total: int
    low: float
    high: float

    @property
    def answered(self) -> int:
        """What accuracy is a share of: passed + failed + errors."""
        return self.passed + self.failed + self.errors

    @property
    def accuracy(self) -> float | None:
        """passed / answered in 0..1; None when nothing was answered."""
        return self.passed / self.answered if self.answered else None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: the counts, accuracy and interval."""
        names = ("metric", "passed", "failed", "unknown", "errors", "missing", "total", "low", "high")
        plain: dict[str, Any] = {name: getattr(self, name) for name in names}
        return {**plain, "answered": self.answered, "accuracy": self.accuracy}


def score(metric: str, outcomes: Iterable[Outcome]) -> Score:
    """Count outcomes into a Score. With nothing answered the interval is all of 0..1."""
    counts = Counter(outcomes)
    passed, failed, errors = counts[Outcome.PASS], counts[Outcome.FAIL], counts[Outcome.ERROR]
    low, high = wilson(passed, passed + failed + errors)
    return Score(
        metric=metric,
        passed=passed,
        failed=failed,
        unknown=counts[Outcome.UNKNOWN],
        errors=errors,
        missing=counts[Outcome.MISSING],
        total=sum(counts.values()),
        low=low,
        high=high,
    )


def scores_of(store: Store, set_name: str) -> list[Score]:
    """The scores of a prediction set, one for each metric that has a verdict, in METRIC_ORDER."""
    return scores_by_metric(store.verdicts.outcomes(set_name).values())


def scores_by_metric(outcomes: Iterable[Mapping[str, Outcome]]) -> list[Score]:
    """The same from metric -> outcome mappings, one an example."""
    by_metric: dict[str, list[Outcome]] = {}
    for row in outcomes:
        for metric, outcome in row.items():
            by_metric.setdefault(metric, []).append(outcome)
    known = [m for m in METRIC_ORDER if m in by_metric]
    return [score(m, by_metric[m]) for m in known + sorted(set(by_metric) - set(known))]


def wilson(k: int, n: int) -> tuple[float, float]:
    """Wilson's 95% score interval for k of n (E. B. Wilson, 1927); (0, 1) for n = 0.

    Unlike the normal approximation it stays inside 0..1 and does not collapse at k = 0 or k = n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if n == 0:
        return 0.0, 1.0
    share, z2 = k / n, _Z95 * _Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided exact p-value of McNemar's test, where b and c count the pairs that only one side got right.

    It is the sign test: under the null hypothesis each of the b + c pairs falls either way like a fair coin.
    """
    if b < 0 or c < 0:
        raise ValueError("counts are not negative")
    n = b + c
    term = tail = 1
    for i in range(min(b, c)):
        term = term * (n - i) // (i + 1)  # from "n over i" to "n over i + 1", exactly
        tail += term
    return min(1.0, float(2 * tail / 2**n))


def bootstrap_difference(
    fixed: int, broken: int, same: int, *, seed: int = 42, resamples: int = 10_000
) -> tuple[float, float]:
    """95% percentile interval of accuracy B - accuracy A over the same examples, shares in -1..1.

    The paired bootstrap (Efron 1979): examples are drawn with replacement, each with both of its answers. Of
    an example only matters whether B fixed it (+1), broke it (-1) or neither (0), so that a resample is one
    multinomial draw. (-1, 1) for no examples.
    """
    n = fixed + broken + same
    if min(fixed, broken, same) < 0:
        raise ValueError("counts are not negative")
    if n == 0:
        return -1.0, 1.0
    import numpy as np

    drawn = np.random.default_rng(seed).multinomial(n, [fixed / n, broken / n, same / n], size=resamples)
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / n, [2.5, 97.5])
    return float(low), float(high)


def confusion(pairs: Iterable[tuple[Outcome, Outcome]]) -> dict[tuple[Outcome, Outcome], int]:
    """How often the first metric said one thing and the second another, for all that both were asked."""
    return dict(sorted(Counter(pairs).items()))


def agreement(table: Mapping[tuple[Outcome, Outcome], int]) -> float | None:
    """The share of a confusion table on which both say the same; None for an empty one."""
    total = sum(table.values())
    return sum(count for (a, b), count in table.items() if a is b) / total if total else None


def kappa(table: Mapping[tuple[Outcome, Outcome], int]) -> float | None:
    """Cohen's kappa (1960) of a confusion table. None where chance alone agrees on everything."""
    total = sum(table.values())
    seen = agreement(table)
    if seen is None:
        return None
    left: Counter[Outcome] = Counter()
    right: Counter[Outcome] = Counter()
    for (a, b), count in table.items():
        left[a] += count
        right[b] += count
    chance = sum(left[outcome] * right[outcome] for outcome in left) / total**2
    return None if math.isclose(chance, 1.0) else (seen - chance) / (1 - chance)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """An accuracy corrected for the metric's own errors, in 0..1, with its 95% interval.

    `sensitivity` is how much of what a person calls right the metric passes, `specificity` how much of what a
    person calls wrong it fails. `share` is None where the labels cannot tell the two apart.
    """

    said: float
    sensitivity: float
    specificity: float
    share: float | None
    low: float
    high: float


def calibrated(passed: int, answered: int, labels: Iterable[tuple[bool, bool]]) -> Calibrated | None:
    """The accuracy that a person would find, from (metric passes, person says right) of a labelled sample.

    Rogan and Gladen's estimator (1978): (said + specificity - 1) / (sensitivity + specificity - 1), with
    their variance; (k+1)/(n+2) stands for k/n in it, so that a few labels that agree do not look certain.
    Labels must be drawn by chance, at least within what a person calls right and wrong. None without a label
    of each kind or without answers. `evaluation/trust.py` corrects by strata instead, where rows are known.
    """
    counts = Counter(labels)
    right, wrong = counts[True, True] + counts[False, True], counts[True, False] + counts[False, False]
    if not (answered and right and wrong):
        return None
    said = passed / answered
    sensitivity, specificity = counts[True, True] / right, counts[False, False] / wrong
    slope = sensitivity + specificity - 1
    if slope <= 0:
        return Calibrated(said, sensitivity, specificity, None, 0.0, 1.0)
    share = min(1.0, max(0.0, (said + specificity - 1) / slope))

    def spread(k: float, n: int) -> float:
        wary = (k + 1) / (n + 2)
        return wary * (1 - wary) / n

    variance = (
        spread(passed, answered)
        + share**2 * spread(counts[True, True], right)
        + (1 - share) ** 2 * spread(counts[False, False], wrong)
    ) / slope**2
    half = _Z95 * math.sqrt(variance)
    return Calibrated(said, sensitivity, specificity, share, max(0.0, share - half), min(1.0, share + half))


def breakdown(metric: str, rows: Iterable[tuple[Iterable[str], Outcome]]) -> dict[str, Score]:
    """group -> its Score, from (the groups of an example, its outcome). An example may be in several."""
    found: dict[str, list[Outcome]] = {}
    for groups, outcome in rows:
        for group in groups:
            found.setdefault(group, []).append(outcome)
    return {group: score(metric, outcomes) for group, outcomes in found.items()}
