"""What Inspect shows, as cells and lines: pure functions over the review, tested without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from t2s_tui.evaluation.review import FaultCount, ReviewRow, leading_metric, score_words
from t2s_tui.evaluation.statistics import Score, scores_of
from t2s_tui.jobs.board import JobView
from t2s_tui.records import Example, Prediction, PredictionSet
from t2s_tui.sql.faults import HELP
from t2s_tui.text import ago
from t2s_tui.workspace import Workspace
from widgets.grid import Cell, Column
from widgets.section import paragraph, wrapped
from widgets.sql_view import sql_text
from widgets.theme import SIGN_METRICS, WARN, verdict_sign

NO_SETS = (
    "No predictions yet.\n"
    "Press 4 to generate some, or run in a shell:\n"
    "t2s-tui generate --dataset NAME --split eval --model smollm2"
)
_FAULT_WIDTH = 16  # cells: `unknown column` fits
_ROOMY = 52  # cells of a list in which that leaves enough for the question
FILTER_HINT = "judge:yes  equiv:fail  -exact:pass  fault:join  is:failing  db:game  words"


@dataclass(frozen=True, slots=True)
class SetRow:
    """One prediction set in the list of sets."""

    made: PredictionSet
    count: int
    scores: tuple[Score, ...]


def read_sets(workspace: Workspace) -> list[SetRow]:
    """All prediction sets, newest first."""
    with workspace.store() as store:
        return [
            SetRow(made, store.predictions.count(made.name), tuple(scores_of(store, made.name)))
            for made in reversed(store.predictions.sets())
        ]


def set_columns(narrow: bool) -> tuple[Column, ...]:
    """The list of prediction sets; on a narrow screen without model and age."""
    columns = (Column("name"), Column("dataset · split"), Column("rows", 9, right=True), Column("scores", 20))
    return columns if narrow else (*columns, Column("model"), Column("made", 10))


def set_cells(row: SetRow, now: float, narrow: bool) -> Sequence[Cell]:
    """A row of the list of prediction sets."""
    made = row.made
    model = f"{made.model} + {made.adapter}" if made.adapter else made.model
    cells = (
        made.name,
        f"{made.dataset} · {made.split}",
        f"{row.count}/{made.total}" if row.count < made.total else str(row.count),
        score_words(row.scores, only=leading_metric(row.scores)) or "not evaluated",
    )
    return cells if narrow else (*cells, model, ago(made.created_at, now))


def row_metrics(metrics: set[str]) -> tuple[tuple[str, str], ...]:
    """(metric, letter) of the sign columns: equivalence has one only where it was run."""
    return tuple(pair for pair in SIGN_METRICS if pair[0] != "equivalence" or pair[0] in metrics)


def row_columns(metrics: set[str], *, faults: bool = False, room: int = 80) -> tuple[Column, ...]:
    """Number, a sign a metric, the leading fault where some are known, question, in `room` cells."""
    signs = (Column(letter, 1) for _, letter in row_metrics(metrics))
    width = _FAULT_WIDTH if room >= _ROOMY else _FAULT_WIDTH // 2
    fault = (Column("fault", width),) if faults else ()
    return (Column("#", 5, right=True), *signs, *fault, Column("question"))


def row_cells(row: ReviewRow, metrics: set[str], ascii_only: bool, *, faults: bool = False) -> Sequence[Cell]:
    """One prediction in the list."""
    signs = (verdict_sign(row.outcomes.get(metric), ascii_only) for metric, _ in row_metrics(metrics))
    fault = (row.fault,) if faults else ()
    return (str(row.example.number), *signs, *fault, row.example.question)


FAULT_COLUMNS = (
    Column("fault", _FAULT_WIDTH),
    Column("leads", 6, right=True),
    Column("also in", 7, right=True),
    Column("what it is"),
)
NO_FAULTS = "No faults are known of these rows: E evaluates them; the metric normalized names what is wrong."


def fault_cells(count: FaultCount) -> Sequence[Cell]:
    """A fault, how many failing rows it leads, in how many more it is one of several, and what it is."""
    known = {str(fault): words for fault, words in HELP.items()}
    also = str(count.also) if count.also else ""
    return (count.fault, str(count.leading), also, known.get(count.fault, ""))


def example_head(example: Example) -> str:
    """`#47  game · eval`."""
    return f"#{example.number}  {example.db_id} · {example.split}"


def question_lines(example: Example, prediction: Prediction, width: int) -> list[Text]:
    """The question, and a warning where decoding ran into its limit."""
    lines = paragraph(example.question, width)
    if prediction.stopped == "length":
        words = f"decoding ran into its limit of {prediction.new_tokens} tokens: the SQL may be cut"
        lines += wrapped(Text(words, style=WARN), width, "  ", "  ")
    return lines


def sql_lines(sql: str, width: int) -> list[Text]:
    """Highlighted SQL, its long lines folded under themselves."""
    lines: list[Text] = []
    for line in sql_text(sql).split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        lines += wrapped(line[indent:] if indent else line, width, " " * (indent + 2), " " * (indent + 4))
    return lines


# -- evaluating -------------------------------------------------------------------------------


def concerns(view: JobView, set_name: str) -> bool:
    """Whether the job changes what is shown of this prediction set."""
    request = view.job.request
    named = request.get("predictions") if view.job.kind == "evaluate" else request.get("name")
    return view.job.kind in ("evaluate", "generate") and named == set_name


def last_judge(jobs: Sequence[JobView]) -> Mapping[str, Any]:
    """The newest evaluation's request that had a judge, to begin the form with."""
    for view in jobs:
        request = view.job.request
        if view.job.kind == "evaluate" and isinstance(request.get("judge"), Mapping):
            return request
    return {}
