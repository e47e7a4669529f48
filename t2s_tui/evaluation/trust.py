"""How far verdicts can be trusted: agreement between metrics, and accuracy corrected by a person's sample.

Pure functions over the rows of a review. A verdict that is missing or unknown is no word: pairs with one are
left out and counted by nobody as a no.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from t2s_tui.evaluation.disagreement import chance_sample, yes_or_no
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.evaluation.statistics import Calibrated, agreement, calibrated, kappa
from t2s_tui.records import Outcome

#: Whose words are compared, a person's last: it is the yardstick of the others.
COMPARED = ("judge", "execution", "equivalence", "human")
_MOST_DARK = 0.1
_Z95 = 1.959963984540054  # the 97.5% quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Table:
    """Two metrics on the rows on which both have a clear word: the four counts of their 2 x 2 table."""

    a: str
    b: str
    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def count(self) -> int:
        """The rows on which both have a clear word."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def agreement(self) -> float:
        """The share of rows on which they say the same, in 0..1."""
        return agreement(self._confusion) or 0.0

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance. None where chance alone agrees on everything."""
        return kappa(self._confusion)

    @property
    def _confusion(self) -> dict[tuple[Outcome, Outcome], int]:
        yes, no = Outcome.PASS, Outcome.FAIL
        counts = (self.both, self.only_a, self.only_b, self.neither)
        return dict(zip(((yes, yes), (yes, no), (no, yes), (no, no)), counts, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: the counts, agreement and kappa."""
        counts = {"both": self.both, "only_a": self.only_a, "only_b": self.only_b, "neither": self.neither}
        return {"a": self.a, "b": self.b, **counts, "agreement": self.agreement, "kappa": self.kappa}


def tables(rows: Sequence[ReviewRow]) -> list[Table]:
    """The table of every two metrics of COMPARED that have both a word on some row."""
    found = [table(rows, a, b) for a, b in combinations(COMPARED, 2)]
    return [made for made in found if made.count]


def table(rows: Sequence[ReviewRow], a: str, b: str) -> Table:
    """The table of two metrics."""
    counts = Counter((yes_or_no(row.outcomes, a), yes_or_no(row.outcomes, b)) for row in rows)
    return Table(a, b, counts[True, True], counts[True, False], counts[False, True], counts[False, False])


@dataclass(frozen=True, slots=True)
class Corrected:
    """A metric's accuracy as it says, and as a person's sample of `labelled` rows corrects it, in 0..1.

    `low` and `high` are a 95% interval. `share` is None while too few groups have a labelled row.
    """

    metric: str
    said: float
    labelled: int
    share: float | None
    low: float
    high: float

    @property
    def words(self) -> str:
        """One sentence for a person."""
        own = f"{self.metric} says {100 * self.said:.1f}% are right"
        if self.share is None:
            return f"{own}; too few rows judged by chance to correct it ({self.labelled})"
        interval = f"{100 * self.low:.1f} to {100 * self.high:.1f}"
        share = f"{100 * self.share:.1f}%"
        return f"{own}; corrected by the {self.labelled} judged by chance: {share} ({interval})"

    def as_json(self) -> dict[str, Any]:
        """Plain JSON of all of it."""
        return asdict(self)


def corrected(rows: Sequence[ReviewRow], metric: str = "judge") -> Corrected | None:
    """The share of all rows that a person would call right. None without a word of the metric.

    Post-stratified: rows with the metric's yes, with its no and without its word weigh what they are of all
    rows, and each group is as right as the person finds its part of a sample drawn by chance (double
    sampling, Tenenbein 1970). The variance takes (k+1)/(n+2) for k/n, so that a group in which all labels are
    the same does not look certain; rows that are labelled are known. Groups without a label may be all right
    or all wrong: they widen the interval by their weight, and beyond a tenth nothing is said.
    """
    said = [word for row in rows if (word := yes_or_no(row.outcomes, metric)) is not None]
    if not said:
        return None
    sample = [row for row in chance_sample(rows) if yes_or_no(row.outcomes, "human") is not None]
    sizes = Counter(yes_or_no(row.outcomes, metric) for row in rows)
    labelled = Counter(yes_or_no(row.outcomes, metric) for row in sample)
    right = Counter(yes_or_no(row.outcomes, metric) for row in sample if yes_or_no(row.outcomes, "human"))
    share = variance = dark = 0.0
    for word, size in sizes.items():
        n, k, weight = labelled[word], right[word], size / len(rows)
        if not n:
            dark += weight
            continue
        share += weight * k / n
        wary = (k + 1) / (n + 2)
        variance += weight**2 * wary * (1 - wary) / n * (1 - n / size)
    own = sum(said) / len(said)
    if dark > _MOST_DARK:
        return Corrected(metric, own, len(sample), None, 0.0, 1.0)
    half = _Z95 * math.sqrt(variance)
    low, high = max(0.0, share - half), min(1.0, share + half + dark)
    return Corrected(metric, own, len(sample), share / (1 - dark), low, high)


def by_its_errors(rows: Sequence[ReviewRow], metric: str = "judge") -> Calibrated | None:
    """The metric's accuracy corrected for how often it errs on the right and on the wrong of the sample.

    The same sample as `corrected`, by another estimator (Rogan and Gladen): it needs no weights, and shows
    the two rates of error. None without a word of the metric, or without a right and a wrong row among those.
    """
    words = [(yes_or_no(r.outcomes, metric), yes_or_no(r.outcomes, "human")) for r in chance_sample(rows)]
    labels = [(said, right) for said, right in words if said is not None and right is not None]
    said = [word for row in rows if (word := yes_or_no(row.outcomes, metric)) is not None]
    return calibrated(sum(said), len(said), labels)
