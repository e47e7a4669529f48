"""What Inspect shows, as cells and lines: pure functions over the review, tested without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from t2s_tui.evaluation.review import ReviewRow, leading_metric, score_words
from t2s_tui.evaluation.statistics import Score, scores_of
from t2s_tui.jobs.board import JobView
from t2s_tui.records import METRIC_ORDER, Example, Outcome, Prediction, PredictionSet, Verdict
from t2s_tui.text import ago
from t2s_tui.workspace import Workspace
from widgets.evidence import evidence_lines
from widgets.grid import Cell, Column
from widgets.section import paragraph, visible, wrapped
from widgets.sql_view import sql_text
from widgets.theme import DIM, SIGN_METRICS, WARN, verdict_sign

NO_SETS = (
    "No predictions yet.\n"
    "Press 4 to generate some, or run in a shell:\n"
    "t2s-tui generate --dataset NAME --split eval --model smollm2"
)
FILTER_HINT = "judge:yes  exec:fail,error  -exact:pass  is:failing  db:game  words"


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


def row_columns(metrics: set[str]) -> tuple[Column, ...]:
    """Number, a sign a metric, question."""
    signs = (Column(letter, 1) for _, letter in row_metrics(metrics))
    return (Column("#", 5, right=True), *signs, Column("question"))


def row_cells(row: ReviewRow, metrics: set[str], ascii_only: bool) -> Sequence[Cell]:
    """One prediction in the list."""
    signs = (verdict_sign(row.outcomes.get(metric), ascii_only) for metric, _ in row_metrics(metrics))
    return (str(row.example.number), *signs, row.example.question)


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


# -- verdicts and their evidence --------------------------------------------------------------


def verdict_lines(verdicts: Mapping[str, Verdict], width: int, ascii_only: bool) -> list[Text]:
    """A line a metric that was run: its sign, its name, what it said."""
    order = [m for m in METRIC_ORDER if m in verdicts] + sorted(set(verdicts) - set(METRIC_ORDER))
    lines: list[Text] = []
    for metric in order:
        verdict = verdicts[metric]
        head = Text("  ").append_text(verdict_sign(verdict.outcome, ascii_only)).append(f" {metric:<12}")
        lines += wrapped(verdict_words(verdict), width, head, " " * head.cell_len)
    return lines or wrapped(Text("no verdicts yet: press e to evaluate", style=DIM), width, "  ", "  ")


def verdict_words(verdict: Verdict) -> Text:
    """What the metric said in words; a judge with its model, and in quotes what it wrote."""
    text = Text()
    if verdict.metric == "judge":
        word = {Outcome.PASS: "yes", Outcome.FAIL: "no"}.get(verdict.outcome, str(verdict.outcome))
        text.append(word, "bold")
        if model := verdict.evidence.get("model"):
            text.append(f"  {visible(str(model))}", DIM)
        if rationale := verdict.evidence.get("rationale"):
            return text.append(f"  “{_flat(str(rationale))}”")  # quotes: these are the judge's own words
        return (
            text
            if verdict.outcome in (Outcome.PASS, Outcome.FAIL)
            else text.append(f"  {_flat(verdict.why)}")
        )
    if verdict.metric == "human":
        return text.append("right" if verdict.outcome is Outcome.PASS else "wrong")
    return text.append(_flat(verdict.why), WARN if verdict.evidence.get("weak") else "")


def _flat(text: str) -> str:
    return " ".join(visible(text).split())


def evidence_note(evidence: Mapping[str, Any]) -> str:
    """Which engine gave it, and whether a pass there is weak."""
    parts = ["execution", str(evidence.get("engine", ""))]
    if evidence.get("weak"):
        parts.append("weak")
    return " · ".join(p for p in parts if p)


# -- the whole record -------------------------------------------------------------------------


def record_text(row: ReviewRow, verdicts: Mapping[str, Verdict], width: int, ascii_only: bool) -> Text:
    """Everything that is known of one prediction, in full."""
    example, prediction = row.example, row.prediction
    tokens = f"{prediction.prompt_tokens} prompt + {prediction.new_tokens} new tokens"
    how = f"{tokens}, {prediction.seconds:.2f} s, ended by {prediction.stopped}"
    parts: list[tuple[str, Text]] = [
        ("question", Text(visible(example.question))),
        ("gold", sql_text(example.gold)),
        ("generated", sql_text(prediction.sql)),
        ("raw answer", Text(visible(prediction.raw))),
        ("decoding", Text(how)),
        ("verdicts", Text("\n").join(verdict_lines(verdicts, width, ascii_only))),
    ]
    for metric, verdict in verdicts.items():
        wrong = verdict.outcome is Outcome.FAIL
        if lines := evidence_lines(verdict.evidence, width, cap=1000, ordered=wrong, ascii_only=ascii_only):
            parts.append((f"{metric}: results", Text("\n").join(lines)))
        if ran := verdict.evidence.get("ran"):
            parts.append((f"{metric}: what ran", sql_text(str(ran))))
        if answer := verdict.evidence.get("answer"):
            parts.append((f"{metric}: answer", Text(visible(str(answer)))))
    parts.append(("DDL", sql_text(example.ddl)))
    parts.append(("from", Text(visible(f"{example.origin}  database {example.database or 'none'}"))))
    text = Text()
    for title, value in parts:
        text.append("\n\n" if text else "").append(title, "bold").append("\n").append_text(value)
    return text


# -- evaluating -------------------------------------------------------------------------------


def concerns(view: JobView, set_name: str) -> bool:
    """Whether the job changes what is shown of this prediction set."""
    request = view.job.request
    named = request.get("predictions") if view.job.kind == "evaluate" else request.get("name")
    return view.job.kind in ("evaluate", "generate") and named == set_name


def last_judge(jobs: Sequence[JobView]) -> Mapping[str, Any]:
    """The judge's settings of the newest evaluation that had one, to begin the form with."""
    for view in jobs:
        judge = view.job.request.get("judge") if view.job.kind == "evaluate" else None
        if isinstance(judge, Mapping):
            return judge
    return {}
