"""A judge at work, as plain values: what its events say, as lines. Pure but for the feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from screens.job_words import progress_words, state_word, time_words
from t2s_tui.evaluation.judge.batch.words import status_words
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.events import EventTail
from t2s_tui.records import RunState
from t2s_tui.text import duration
from widgets.grid import Cell, Column
from widgets.section import visible, wrapped
from widgets.theme import BOLD, DIM, FAIL, PASS, WARN, state_sign

_BAR = 24  # cells


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """The oldest batch that is waited for, `open` of them in all; `next_look_at` in seconds since 1970."""

    id: str
    words: str
    share: float | None
    open: int
    next_look_at: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One `judge` event: counts of requests, rates a minute with their limits, money, errors by class.

    What the worker does not know (a limit, a price, the time left) is None. `missing` has no word that can be
    read, `failed` of these no answer at all; `adapted` says what of a request the endpoint does not take.
    """

    done: int = 0
    in_flight: int = 0
    waiting: int = 0
    total: int = 0
    failed: int = 0
    missing: int = 0
    cached: int = 0
    in_doubt: int = 0
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    request_limit: float | None = None
    token_limit: float | None = None
    cost: float | None = None
    budget: float | None = None
    currency: str = "USD"
    eta_seconds: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    adapted: str = ""
    batch: BatchFigures | None = None


def figures_of(event: Mapping[str, Any]) -> Figures:
    """The figures of a `judge` event; what is not there or no number keeps its default."""
    limits, errors = event.get("limits"), event.get("errors")
    limits = limits if isinstance(limits, Mapping) else {}
    errors = errors if isinstance(errors, Mapping) else {}

    def count(name: str) -> int:
        return int(_number(event.get(name)) or 0)

    return Figures(
        done=count("done"),
        in_flight=count("in_flight"),
        waiting=count("waiting"),
        total=count("total"),
        failed=count("failed"),
        missing=count("missing"),
        cached=count("cached"),
        in_doubt=count("in_doubt"),
        requests_per_minute=_number(event.get("requests_per_minute")),
        tokens_per_minute=_number(event.get("tokens_per_minute")),
        request_limit=_number(limits.get("requests")),
        token_limit=_number(limits.get("tokens")),
        cost=_number(event.get("cost")),
        budget=_number(event.get("budget")),
        currency=str(event.get("currency") or "USD"),
        eta_seconds=_number(event.get("eta_seconds")),
        errors={str(name): int(_number(number) or 0) for name, number in errors.items()},
        adapted=str(event.get("adapted") or ""),
        batch=_batch_of(event.get("batch")),
    )


def _batch_of(told: object) -> BatchFigures | None:
    if not isinstance(told, Mapping):
        return None
    return BatchFigures(
        id=str(told.get("id") or ""),
        words=status_words(told),
        share=_share(_number(told.get("completed")), _number(told.get("total"))),
        open=int(_number(told.get("open")) or 0),
        next_look_at=_number(told.get("next_look_at")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


class JudgeFeed:
    """The events of a judge's job: the last figures, and what went wrong. `read` is called in a thread."""

    def __init__(self, path: Path) -> None:
        self._tail = EventTail(path)
        self.figures: Figures | None = None

    def read(self) -> Figures | None:
        """The newest figures there are; None before the first."""
        while True:
            for event in self._tail.read():
                if event.get("kind") == "judge":
                    self.figures = figures_of(event)
            if not self._tail.behind:
                return self.figures


# -- as lines ---------------------------------------------------------------------------------


def judge_lines(
    view: JobView, figures: Figures | None, now: float, width: int, ascii_only: bool
) -> list[Text]:
    """Who judges what, how far it is, how fast against the limits, what it costs, what went wrong."""
    head = Text("  ").append_text(state_sign(view.status.state, ascii_only))
    head.append(f" {state_word(view)}", "bold")
    head.append(f"   {time_words(view, now)}", DIM)
    lines = [head]
    lines += wrapped(Text(visible(judge_name(view.job.request)), DIM), width, "  ", "  ")
    if view.status.error:
        style = FAIL if view.status.state in (RunState.FAILED, RunState.LOST) else WARN
        lines += wrapped(Text(visible(view.status.error), style=style), width, "  ", "  ")
    lines.append(Text(""))
    if figures is None:
        status = view.status
        words = f"{status.done} of {status.total}" if status.total else "nothing yet"
        return [*lines, _row("done", words, _share(status.done, status.total), ascii_only)]
    lines.append(
        _row("done", f"{figures.done} of {figures.total}", _share(figures.done, figures.total), ascii_only)
    )
    lines += wrapped(_counts(figures, view.status.state.ended), width, " " * 12, " " * 12)
    if figures.batch is not None and not view.status.state.ended:
        lines += _batch_lines(figures.batch, now, width, ascii_only)
    rates = (
        ("requests", figures.requests_per_minute, figures.request_limit),
        ("tokens", figures.tokens_per_minute, figures.token_limit),
    )
    for name, rate, limit in rates:
        if rate is not None and not view.status.state.ended:
            words = f"{rate:,.0f} a minute" + (f" of {limit:,.0f}" if limit else ", no limit known")
            lines.append(_row(name, words, _share(rate, limit), ascii_only))
    lines.append(_row("cost", cost_words(figures), _share(figures.cost, figures.budget), ascii_only))
    if figures.errors:
        words = ", ".join(f"{visible(name)} {count}" for name, count in _most_first(figures.errors))
        lines += wrapped(Text(words, WARN), width, Text(f"  {'errors':<10}", DIM), " " * 12)
    if figures.adapted:
        first = Text(f"  {'sent as':<10}", DIM)
        lines += wrapped(Text(visible(figures.adapted), DIM), width, first, " " * 12)
    if figures.eta_seconds is not None and not view.status.state.ended:
        lines.append(_row("time left", duration(figures.eta_seconds), None, ascii_only))
    return lines


def _batch_lines(batch: BatchFigures, now: float, width: int, ascii_only: bool) -> list[Text]:
    """How the batch is, which it is, and when it is looked at next."""
    parts = [visible(batch.id)] if batch.id else []
    parts += [f"1 of {batch.open} open"] if batch.open > 1 else []
    if batch.next_look_at is not None:
        left = batch.next_look_at - now
        parts.append(f"next look in {duration(left)}" if left >= 1 else "looking")
    line = _row("batch", visible(batch.words), batch.share, ascii_only)
    return [line, *wrapped(Text(" · ".join(parts), DIM), width, " " * 12, " " * 12)]


def judge_name(request: Mapping[str, Any]) -> str:
    """`gpt-4o · reference · http://host/v1`: who judges, how it is asked, and where; several one by one."""
    parts = [_one_judge(judge) for judge in _judges(request)]
    panel = request.get("panel")
    panel = panel if isinstance(panel, Mapping) else {}
    words = [" + ".join(part for part in parts if part)]
    words += [f"by {panel.get('vote', 'majority')}"] if len(parts) > 1 else []
    words += [f"each {n} times"] if (n := panel.get("repeats", 1)) != 1 else []
    words += ["swapped too"] if panel.get("swap") else []
    return ", ".join(word for word in words if word)


def _one_judge(judge: Mapping[str, Any]) -> str:
    parts = (judge.get("model"), judge.get("prompt"), judge.get("base_url") or "OpenAI")
    return " · ".join(str(part) for part in parts if part)


def _judges(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The settings of every judge of a request, as its file has them."""
    first, panel = request.get("judge"), request.get("panel")
    also = panel.get("also") if isinstance(panel, Mapping) else None
    found = [first, *(also if isinstance(also, Sequence) else ())]
    return [judge for judge in found if isinstance(judge, Mapping)]


def judge_models(request: Mapping[str, Any]) -> list[str]:
    """The models that a request asks."""
    return [str(judge.get("model", "")) for judge in _judges(request)]


def cost_words(figures: Figures) -> str:
    """`0.42 of 2.00 USD`; where no price is known, that."""
    if figures.cost is None:
        return "no price is known for this model"
    budget = f" of {figures.budget:.2f}" if figures.budget is not None else ""
    return f"{figures.cost:.2f}{budget} {figures.currency}" + ("" if budget else ", no budget set")


def _counts(figures: Figures, ended: bool) -> Text:
    left = figures.in_flight + figures.waiting
    words = f"{left} left" if ended else f"{figures.in_flight} in flight · {figures.waiting} waiting"
    text = Text(words, DIM)
    for count, words, style in (
        (figures.cached, "from the journal", DIM),
        (figures.missing, "missing", WARN),
        (figures.failed, "failed", FAIL),
        (figures.in_doubt, "in doubt", WARN),
    ):
        if count:
            text.append(" · ", DIM).append(f"{count} {words}", style)
    return text


def _row(name: str, words: str, share: float | None, ascii_only: bool) -> Text:
    line = Text(f"  {name:<10}", DIM).append(f"{words:<30}", BOLD if name == "done" else "")
    if share is not None:
        full = round(_BAR * min(1.0, share))
        on, off = ("#", ".") if ascii_only else ("━", "─")
        line.append(on * full, WARN if share >= 0.95 and name != "done" else PASS).append(
            off * (_BAR - full), DIM
        )
    line.rstrip()
    line.no_wrap = True
    return line


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if whole and part is not None else None


def _most_first(errors: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((name, count) for name, count in errors.items() if count), key=lambda pair: -pair[1])


def judge_columns() -> tuple[Column, ...]:
    """State, who judges, of which set, how far."""
    return (
        Column("state", 10),
        Column("model"),
        Column("predictions"),
        Column("done", 9, right=True),
        Column("time", 10, right=True),
    )


def judge_cells(view: JobView, now: float, ascii_only: bool) -> Sequence[Cell]:
    """One evaluation with a judge in the list."""
    request = view.job.request
    state = state_sign(view.status.state, ascii_only).append(f" {state_word(view)}", style="")
    return (
        state,
        " + ".join(judge_models(request)),
        str(request.get("predictions", "")),
        progress_words(view),
        time_words(view, now),
    )


# -- which job --------------------------------------------------------------------------------


def has_judge(view: JobView) -> bool:
    """Whether this job asks a judge."""
    return view.job.kind == "evaluate" and isinstance(view.job.request.get("judge"), Mapping)


def judge_jobs(views: list[JobView], set_name: str | None = None) -> list[JobView]:
    """The jobs that ask a judge, newest first; of one prediction set or of all."""
    found = [view for view in views if has_judge(view)]
    return [v for v in found if set_name in (None, v.job.request.get("predictions"))]
