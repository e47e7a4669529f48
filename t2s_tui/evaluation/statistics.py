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
