"""One prediction set as an error analyst reads it: light rows, filters, the next failing one.

Joins the set with its examples, its predictions and the outcomes of its verdicts. The evidence stays in
the store until a row is opened. Pure but for `load_review`, `load_verdicts` and the human verdict.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.statistics import Score, scores_of
from t2s_tui.records import Example, Outcome, Prediction, PredictionSet, Verdict
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace

#: Which verdict decides whether a row fails: a person's first, then what ran, then what was said, then text.
TRUST = ("human", "execution", "equivalence", "judge", "normalized", "exact")


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One prediction with its example and what each metric said of it, without the evidence."""

    example: Example
    prediction: Prediction
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)

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
        outcomes = store.verdicts.outcomes(name)
        scores = tuple(scores_of(store, name))
    examples = open_examples(workspace, made.dataset).split(made.split)
    rows = tuple(
        ReviewRow(example, predictions[example.id], outcomes.get(example.id, {}))
        for example in examples
        if example.id in predictions
    )
    return Review(made, rows, scores, len(predictions) - len(rows))


def refresh_outcomes(workspace: Workspace, review: Review) -> Review:
    """The same rows with the verdicts there are now: what a running evaluation needs each second."""
    name = review.made.name
    with workspace.store() as store:
        outcomes = store.verdicts.outcomes(name)
        scores = tuple(scores_of(store, name))
    rows = tuple(replace(row, outcomes=outcomes.get(row.example.id, {})) for row in review.rows)
    return replace(review, rows=rows, scores=scores)


def load_verdicts(workspace: Workspace, set_name: str, example_id: str) -> dict[str, Verdict]:
    """metric -> verdict with its evidence, for one prediction."""
    with workspace.store() as store:
        return store.verdicts.on(set_name, example_id)


# -- the filter -------------------------------------------------------------------------------

_METRICS: Mapping[str, str] = {
    "exact": "exact",
    "norm": "normalized",
    "normalized": "normalized",
    "exec": "execution",
    "execution": "execution",
    "equiv": "equivalence",
    "equivalence": "equivalence",
    "judge": "judge",
    "human": "human",
}
_OUTCOMES: Mapping[str, Outcome | None] = {
    **dict.fromkeys(("pass", "yes", "right", "ok"), Outcome.PASS),
    **dict.fromkeys(("fail", "no", "wrong"), Outcome.FAIL),
    "unknown": Outcome.UNKNOWN,
    "error": Outcome.ERROR,
    "missing": Outcome.MISSING,
    "none": None,  # not run
}
_TEXT_FIELDS = ("db", "sql", "gold", "stopped")
_IS = ("failing", "reviewed", "cut")

FILTER_HELP = "judge:yes exec:fail,error -exact:pass human:none is:failing db:game words"


@dataclass(frozen=True, slots=True)
class _Term:
    field: str
    values: tuple[str, ...]
    negated: bool


def filter_rows(rows: Sequence[ReviewRow], query: str) -> list[ReviewRow]:
    """The rows on which every term of the query holds, in their order.

    Terms are separated by spaces: `judge:yes`, `exec:fail,error` (any of them), `-exact:pass` (not),
    `is:failing` / `is:reviewed` / `is:cut` (decoding ran into its limit), `db:`, `sql:`, `gold:`, `stopped:`
    (contains), `#47` (the number), and plain words that must occur in the question, its database or either
    SQL. Raises UsageError for a field or a value that does not exist, naming those that do.
    """
    terms = [_term(word) for word in nfc(query).split()]
    return [row for row in rows if all(_holds(row, term) for term in terms)]


def _term(word: str) -> _Term:
    negated = word.startswith("-") and len(word) > 1
    body = word[1:] if negated else word
    if body.startswith("#") and body[1:].isdigit():
        return _Term("#", (body[1:],), negated)
    name, colon, value = body.partition(":")
    name = name.casefold()
    if not colon or not name.isalpha() or not name.isascii():
        return _Term("", (body.casefold(),), negated)
    values = tuple(v for v in value.casefold().split(",") if v)
    if name in _METRICS:
        _known(values, _OUTCOMES, name)
        return _Term(_METRICS[name], values, negated)
    if name == "is":
        _known(values, _IS, name)
        return _Term("is", values, negated)
    if name in _TEXT_FIELDS and values:
        return _Term(name, values, negated)
    fields = ", ".join(["exact", "norm", "exec", "judge", "human", "is", *_TEXT_FIELDS])
    raise UsageError(f"The filter has no field {name!r}", f"there are {fields}, and plain words")


def _known(values: Sequence[str], known: Mapping[str, object] | Sequence[str], name: str) -> None:
    wrong = [v for v in values if v not in known]
    if wrong or not values:
        given = f"{name}:{','.join(wrong)}"
        raise UsageError(f"{given!r} is no filter", f"after {name}: use one of {', '.join(known)}")


def _holds(row: ReviewRow, term: _Term) -> bool:
    return _plainly(row, term) != term.negated


def _plainly(row: ReviewRow, term: _Term) -> bool:
    example, prediction = row.example, row.prediction
    match term.field:
        case "":
            texts = (example.question, example.db_id, example.gold, prediction.sql)
            return any(term.values[0] in nfc(text).casefold() for text in texts)
        case "#":
            return str(example.number) == term.values[0]
        case "is":
            return any(_is(row, value) for value in term.values)
        case "db" | "sql" | "gold" | "stopped":
            text = {"db": example.db_id, "gold": example.gold, "sql": prediction.sql}
            where = nfc(text.get(term.field, prediction.stopped)).casefold()
            return any(value in where for value in term.values)
    outcome = row.outcomes.get(term.field)
    return any(_OUTCOMES[value] is outcome for value in term.values)


def _is(row: ReviewRow, what: str) -> bool:
    if what == "failing":
        return row.failing
    if what == "reviewed":
        return "human" in row.outcomes
    return row.prediction.stopped == "length"


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


# -- the person's word ------------------------------------------------------------------------


def set_human(
    workspace: Workspace, set_name: str, example_id: str, outcome: Outcome | None
) -> Outcome | None:
    """Record a person's verdict, or take it back with None. Returns what stood there before."""
    with workspace.store() as store:
        before = store.verdicts.on(set_name, example_id).get("human")
        if outcome is None:
            store.verdicts.remove(set_name, example_id, "human")
        else:
            why = "a person read it: " + ("right" if outcome is Outcome.PASS else "wrong")
            verdict = Verdict(set_name, example_id, "human", outcome, why, {"at": time.time()})
            store.verdicts.add([verdict])
    return before.outcome if before else None


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
