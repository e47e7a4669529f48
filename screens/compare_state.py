"""What Compare shows, as words and cells: pure functions over a comparison, tested without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from screens.inspect_state import SetRow
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.breakdown import BY
from t2s_tui.evaluation.compare import Comparison, compare, compare_by
from t2s_tui.evaluation.statistics import Score
from t2s_tui.records import METRIC_ORDER, Example, Outcome, Prediction, PredictionSet, Verdict
from t2s_tui.workspace import Workspace
from widgets.grid import Cell, Column
from widgets.theme import verdict_sign

#: The groups in the order in which the keys step through them, what differs first. `left_out` holds what the
#: metric did not decide in both sets; it is offered only when there is something in it.
GROUPS = ("only_b", "only_a", "neither", "both", "left_out")
_TITLES = {
    "both": "both",
    "only_a": "broken",
    "only_b": "fixed",
    "neither": "neither",
    "left_out": "undecided",
}
COLUMNS = (
    Column("#", 5, right=True),
    Column("A", 1),
    Column("B", 1),
    Column("db", 10),
    Column("question"),
)
NOTHING = (
    "Two prediction sets over the same dataset and split are needed.\n"
    "Press 4 and make them, for instance before and after a training.\n"
    "Then press p here and pick A and B."
)
UNEVALUATED = "Here: press 5, open the set with p, evaluate it with E. p picks others."


@dataclass(frozen=True, slots=True)
class Picked:
    """The pair that is open or being opened. Without a metric the most telling one is taken."""

    a: str
    b: str
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Paired:
    """Two prediction sets with their examples, ready to be read group by group."""

    a: PredictionSet
    b: PredictionSet
    metric: str
    metrics: tuple[str, ...]  # those that both sets have
    comparison: Comparison
    groups: Mapping[str, Sequence[str]]  # group -> example ids in the order of the dataset
    examples: Mapping[str, Example]
    answers: tuple[Mapping[str, Prediction], Mapping[str, Prediction]]
    outcomes: tuple[Mapping[str, Outcome], Mapping[str, Outcome]]
    #: hardness, database, feature, fault -> group -> fixed, broken, examples in it that both decided
    breakdowns: Mapping[str, Mapping[str, tuple[int, int, int]]]


def read_paired(workspace: Workspace, a: str, b: str, metric: str | None) -> Paired:
    """Compare two sets by `metric`, or by the most telling one that both have.

    Raises what `compare` raises: NotFound, UsageError for sets over different rows.
    """
    with workspace.store() as store:
        sets = store.predictions.get_set(a), store.predictions.get_set(b)
        answers = store.predictions.of(a), store.predictions.of(b)
        outcomes = store.verdicts.outcomes(a), store.verdicts.outcomes(b)
    metrics = shared_metrics(*outcomes)
    chosen = metric or next((m for m in PREFERRED if m in metrics), "execution")
    comparison = compare(workspace, a, b, chosen)
    rows = open_examples(workspace, sets[0].dataset).split(sets[0].split)
    examples = {e.id: e for e in rows}
    order = {e.id: at for at, e in enumerate(rows)}
    groups = {
        name: sorted(getattr(comparison, name), key=lambda i: order.get(i, len(order))) for name in GROUPS
    }
    groups = {name: ids for name, ids in groups.items() if ids or name != "left_out"}
    left, right = ({i: found[chosen] for i, found in o.items() if chosen in found} for o in outcomes)
    counted = {by: compare_by(workspace, comparison, by, examples) for by in BY}
    return Paired(*sets, chosen, metrics, comparison, groups, examples, answers, (left, right), counted)


def try_paired(workspace: Workspace, picked: Picked) -> Paired | UsageError:
    """The pair, or why the two cannot be compared: that belongs in the list's place, not in a toast."""
    try:
        return read_paired(workspace, picked.a, picked.b, picked.metric)
    except UsageError as error:
        return error


PREFERRED = ("execution", "equivalence", "judge", "normalized", "exact", "human")


def shared_metrics(
    a: Mapping[str, Mapping[str, Outcome]], b: Mapping[str, Mapping[str, Outcome]]
) -> tuple[str, ...]:
    """The metrics that both sets have a word of, in the order in which they are always shown."""
    there = [{m for found in o.values() for m in found} for o in (a, b)]
    return tuple(m for m in METRIC_ORDER if m in there[0] & there[1])


def partners(sets: Sequence[SetRow], a: PredictionSet) -> list[SetRow]:
    """The other sets over the same rows: those that can stand beside A."""
    return [
        s for s in sets if (s.made.dataset, s.made.split) == (a.dataset, a.split) and s.made.name != a.name
    ]


def first_pair(sets: Sequence[SetRow]) -> tuple[str, str] | None:
    """The two newest sets over the same rows, the older one as A; `sets` is newest first.

    Two that have a metric in common come before those that cannot be compared yet.
    """
    pairs = [
        (older, newest)
        for at, newest in enumerate(sets)
        for older in sets[at + 1 :]
        if (older.made.dataset, older.made.split) == (newest.made.dataset, newest.made.split)
    ]
    ready = [pair for pair in pairs if _metrics(pair[0]) & _metrics(pair[1])]
    return next(((older.made.name, newest.made.name) for older, newest in (*ready, *pairs)), None)


def _metrics(row: SetRow) -> set[str]:
    return {score.metric for score in row.scores}


def tabs(paired: Paired, group: str) -> Text:
    """The counts as one line of tabs, the chosen one reversed."""
    line = Text(no_wrap=True)
    for name, ids in paired.groups.items():
        words = f" {_TITLES[name]} {len(ids)} "
        line.append(words, "reverse bold" if name == group else "").append(" ")
    return line


def side_words(letter: str, name: str, score: Score) -> str:
    """`A base-1  8/112  7.1% ±4.9`: half the width of the 95% interval after the sign."""
    if score.accuracy is None:
        return f"{letter} {name}  no verdicts"
    half = 50 * (score.high - score.low)
    words = f"{letter} {name}  {score.passed}/{score.answered}  {100 * score.accuracy:.1f}% ±{half:.1f}"
    return f"{words} ({score.missing} missing)" if score.missing else words


def nothing_in(paired: Paired, group: str) -> str:
    """What stands in an empty list."""
    return f"No example is in “{_TITLES[group]}” by {paired.metric}.\nPress l for the next group."


def p_words(p: float) -> str:
    """`McNemar p 0.003`, with the small ones as a bound."""
    return "McNemar p < 0.001" if p < 0.001 else f"McNemar p {p:.3f}"


def difference_words(paired: Paired) -> str:
    """The difference in points, who is ahead, and how sure the paired test is."""
    score_a, score_b = paired.comparison.score_a, paired.comparison.score_b
    if score_a.accuracy is None or score_b.accuracy is None:
        return f"{paired.metric} decided nothing in one of the two"
    result = paired.comparison
    if result.difference is None:
        return f"{paired.metric} decided no example in both"
    low, high = (100 * end for end in result.interval)
    points = f"B {100 * result.difference:+.1f} points ({low:+.1f} to {high:+.1f})"
    return f"{points}  ·  {p_words(result.p_value)}"


def group_words(paired: Paired, by: str, width: int) -> str:
    """`hard +3 -1 of 20  extra +0 -2 of 9`: fixed and broken by what `by` says, as much of it as has room."""
    line = ""
    for group, (fixed, broken, size) in paired.breakdowns[by].items():
        more = f"{line}  {group} +{fixed} -{broken} of {size}".lstrip()
        if cell_len(more) > width - 2:
            return f"{line} …" if line else ""
        line = more
    return line


def cells(paired: Paired, example_id: str, ascii_only: bool) -> Sequence[Cell]:
    """One example in the list of a group."""
    example = paired.examples.get(example_id)
    signs = (verdict_sign(outcomes.get(example_id), ascii_only) for outcomes in paired.outcomes)
    if example is None:
        return ("", *signs, "", f"{example_id}: no longer in {paired.a.dataset}")
    return (str(example.number), *signs, example.db_id, example.question)


def verdict_note(verdict: Verdict | None, metric: str, ascii_only: bool) -> Text:
    """`✗ execution  3 rows against 1`: the metric's word on one side."""
    text = Text().append_text(verdict_sign(verdict.outcome if verdict else None, ascii_only))
    words = " ".join((verdict.why if verdict else "not run").split())
    return text.append(f" {metric}").append(f"  {words}" if words else "")
