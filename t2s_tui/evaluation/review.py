"""One prediction set as an error analyst reads it: light rows, the next failing one, counts by fault.

Joins the set with its examples, its predictions and the outcomes of its verdicts. The evidence stays in
the store until a row is opened. Pure but for `load_review`, `refresh_outcomes` and `load_verdicts`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.evaluation.statistics import Score, scores_of
from t2s_tui.records import Example, Outcome, Prediction, PredictionSet, Verdict
from t2s_tui.sql.faults import with_evidence
from t2s_tui.workspace import Workspace

if TYPE_CHECKING:
    from t2s_tui.store import Store

#: Which verdict decides whether a row fails: a person's first, then what ran, then what was said, then text.
TRUST = ("human", "execution", "equivalence", "judge", "normalized", "exact")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One prediction with its example and what each metric said of it, without the evidence.

    `faults` are the names of what is wrong with the SQL, the leading one first: what differs from gold, in
    the order that the engine's error and the class of a refutation give it. `shown` is the class of the
    equivalence verdict (`proved`, `data`, `null`, ...), empty without one. `weak`: it passes on a database
    that cannot tell. `drawn` is how a person came upon it, empty before. `split`: several judges, or one that
    was asked several times, contradict each other.
    """

    example: Example
    prediction: Prediction
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    shown: str = ""
    weak: bool = False
    drawn: str = ""
    split: bool = False

    @property
    def fault(self) -> str:
        """The leading fault: empty where there is none, or where the most trusted verdict is a pass."""
        return self.faults[0] if self.faults and self.failing else ""

    @property
    def refuted(self) -> bool:
        """Whether the equivalence engine found rows on which the two queries differ."""
        return self.outcomes.get("equivalence") is Outcome.FAIL

    @property
    def failing(self) -> bool:
        """Whether the most trusted metric that has a clear word says no, or found an error."""
        for metric in TRUST:
            match self.outcomes.get(metric):
                case Outcome.FAIL | Outcome.ERROR:
                    return True
                case Outcome.PASS:
                    return False
        return False


@dataclass(frozen=True, slots=True)
class Review:
    """One prediction set, in the order of its dataset. `strays` predictions have no example any more."""

    made: PredictionSet
    rows: tuple[ReviewRow, ...]
    scores: tuple[Score, ...]
    strays: int = 0

    @property
    def metrics(self) -> set[str]:
        """The metrics that have a word on at least one row."""
        return {metric for row in self.rows for metric in row.outcomes}

    @property
    def complete(self) -> bool:
        return len(self.rows) + self.strays >= self.made.total


def load_review(workspace: Workspace, name: str) -> Review:
    """The prediction set `name` with all its rows. Raises NotFound for the set or its dataset."""
    with workspace.store() as store:
        made = store.predictions.get_set(name)
        predictions = store.predictions.of(name)
        said = _said(store, name)
        scores = tuple(scores_of(store, name))
    examples = open_examples(workspace, made.dataset).split(made.split)
    rows = tuple(
        said.on(ReviewRow(example, predictions[example.id]))
        for example in examples
        if example.id in predictions
    )
    return Review(made, rows, scores, len(predictions) - len(rows))


def refresh_outcomes(workspace: Workspace, review: Review) -> Review:
    """The same rows with the verdicts there are now: what a running evaluation needs each second."""
    name = review.made.name
    with workspace.store() as store:
        said = _said(store, name)
        scores = tuple(scores_of(store, name))
    return replace(review, rows=tuple(said.on(row) for row in review.rows), scores=scores)


@dataclass(frozen=True, slots=True)
class _Said:
    """What the verdicts of a set say of each example, as far as lists need it."""

    outcomes: Mapping[str, Mapping[str, Outcome]]
    faults: Mapping[str, tuple[str, ...]]
    shown: Mapping[str, str]
    weak: Mapping[str, bool]
    drawn: Mapping[str, str]
    split: Mapping[str, bool]

    def on(self, row: ReviewRow) -> ReviewRow:
        key = row.example.id
        return replace(
            row,
            outcomes=self.outcomes.get(key, {}),
            faults=self.faults.get(key, ()),
            shown=self.shown.get(key, ""),
            weak=self.weak.get(key, False),
            drawn=self.drawn.get(key, ""),
            split=self.split.get(key, False),
        )


def _said(store: Store, name: str) -> _Said:
    def picked(metric: str, field: str) -> dict[str, Any]:
        return _picked(store, name, metric, field)

    shown = {key: str(kind) for key, kind in picked("equivalence", "class").items()}
    return _Said(
        outcomes=store.verdicts.outcomes(name),
        faults=faults_said(store, name),
        shown=shown,
        weak=dict.fromkeys(picked("execution", "weak"), True),
        drawn={key: str(how) for key, how in picked("human", "drawn").items()},
        split=dict.fromkeys(picked("judge", "split"), True),
    )


def faults_said(store: Store, name: str) -> dict[str, tuple[str, ...]]:
    """example id -> the faults of its prediction, the leading one first.

    Normalising finds them between the texts; what an engine said when it ran, and the class of rows that
    refute it, add to them and say which one leads.
    """
    written = _picked(store, name, "normalized", "faults")
    errors = store.verdicts.whys(name, "equivalence", Outcome.ERROR)
    errors |= _picked(store, name, "execution", "generated.error")
    shown = _picked(store, name, "equivalence", "class")
    return {
        key: with_evidence(written.get(key, ()), str(errors.get(key, "")), str(shown.get(key, "")))
        for key in written.keys() | errors.keys()
    }


def _picked(store: Store, name: str, metric: str, field: str) -> dict[str, Any]:
    found = store.verdicts.pick(name, metric, field)
    return {key: values[field] for key, values in found.items() if values.get(field)}


def load_verdicts(workspace: Workspace, set_name: str, example_id: str) -> dict[str, Verdict]:
    """metric -> verdict with its evidence, for one prediction."""
    with workspace.store() as store:
        return store.verdicts.on(set_name, example_id)


# -- counting by fault ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FaultCount:
    """How many failing predictions a fault leads, and in how many more it is one of several."""

    fault: str
    leading: int
    also: int


def fault_counts(rows: Sequence[ReviewRow]) -> list[FaultCount]:
    """The faults of the failing rows, those that lead most first: what to mend in the data first."""
    failing = [row for row in rows if row.fault]
    leading = Counter(row.fault for row in failing)
    also = Counter(name for row in failing for name in dict.fromkeys(row.faults[1:]) if name != row.fault)
    counts = [FaultCount(name, leading[name], also[name]) for name in leading.keys() | also.keys()]
    return sorted(counts, key=lambda count: (-count.leading, -count.also, count.fault))


# -- moving -----------------------------------------------------------------------------------


def next_failing(rows: Sequence[ReviewRow], at: int, step: int = 1) -> int | None:
    """The nearest failing row after (`step` 1) or before (-1) `at`, around the end; None without one."""
    for distance in range(1, len(rows) + 1):
        index = (at + step * distance) % len(rows)
        if rows[index].failing:
            return index
    return None


def place_of(rows: Sequence[ReviewRow], example_id: str) -> int | None:
    """Where the example stands in these rows."""
    return next((i for i, row in enumerate(rows) if row.example.id == example_id), None)


# -- line 1 -----------------------------------------------------------------------------------

_SHORT = {"normalized": "norm", "execution": "exec", "equivalence": "equiv"}


def score_words(scores: Sequence[Score], *, only: str | None = None) -> str:
    """`exact 31.3  exec 57.1 ±9.1  judge 55.4 (2 missing)`: percentages; the interval where rows ran.

    The half width is that of the 95% interval. `only` leaves one metric, for narrow screens.
    """
    words = [_score_word(s) for s in scores if only in (None, s.metric) and (s.answered or s.missing)]
    return "  ".join(words)


def _score_word(score: Score) -> str:
    if score.metric == "human":  # a person reads some rows, and not by chance: no share of all of them
        return f"human {score.passed}/{score.answered}"
    name = _SHORT.get(score.metric, score.metric)
    parts = [name, "–" if score.accuracy is None else f"{100 * score.accuracy:.1f}"]
    if score.metric == "execution" and score.accuracy is not None:
        parts.append(f"±{50 * (score.high - score.low):.1f}")
    apart = [f"{n} {w}" for n, w in ((score.missing, "missing"), (score.unknown, "unknown")) if n]
    return " ".join(parts) + (f" ({', '.join(apart)})" if apart else "")


def leading_metric(scores: Sequence[Score]) -> str | None:
    """The score to show where there is room for one: the most trusted metric that was run."""
    there = {s.metric for s in scores if s.answered}
    return next((m for m in TRUST[1:] if m in there), None)
