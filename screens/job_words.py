"""A job in words: its state, how far it is, how long yet. Shared by Home and Jobs; pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from t2s_tui.jobs.board import JobView
from t2s_tui.records import RunState
from t2s_tui.text import ago, duration

_STATES: Mapping[RunState, str] = {
    RunState.QUEUED: "queued",
    RunState.RUNNING: "running",
    RunState.STOPPING: "stopping",
    RunState.DONE: "done",
    RunState.STOPPED: "stopped",
    RunState.FAILED: "failed",
    RunState.LOST: "lost",
}


def state_word(view: JobView) -> str:
    """`running`, `paused`, `done`, `lost`."""
    if view.status.paused and view.status.state is RunState.RUNNING:
        return "paused"
    return _STATES[view.status.state]


def progress_words(view: JobView) -> str:
    """`84/120`, or nothing for work without a count."""
    status = view.status
    return f"{status.done}/{status.total}" if status.total else ""


def started_words(view: JobView, now: float) -> str:
    """When the work began; when it was asked for while it waits."""
    return ago(view.status.started_at or view.job.created_at, now)


def time_words(view: JobView, now: float) -> str:
    """`6m left` while it runs and knows, else how long it has run; `took 3m` at the end."""
    status = view.status
    if status.started_at is None:
        return ""
    if status.state.ended:
        return f"took {duration((status.ended_at or status.heartbeat or now) - status.started_at)}"
    eta = status.figures.get("eta_seconds")
    if status.state is RunState.RUNNING and isinstance(eta, int | float):
        return f"{duration(eta)} left"
    return duration(now - status.started_at)


def label_words(view: JobView) -> str:
    """What it is doing now, in the worker's own words, with the count."""
    return " ".join(part for part in (view.status.label, progress_words(view)) if part)


def number_word(value: Any) -> str:
    """A figure for a person: no more digits than say something."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value}"
    if isinstance(value, int) or value.is_integer() or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


_NAMES = {"tokens_per_second": "tok/s"}


def figure_pairs(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, value) of a step's figures, times as times."""
    pairs = []
    for name, value in figures.items():
        if value is None or isinstance(value, dict | list) or name.startswith("child"):
            continue  # a pipeline's child has a line of its own
        word = _NAMES.get(name, name)
        if name.endswith("_seconds") and isinstance(value, int | float):
            pairs.append((word.removesuffix("_seconds").replace("_", " "), duration(value)))
        elif name.endswith("_mb") and isinstance(value, int | float):
            pairs.append((word.removesuffix("_mb").replace("_", " "), f"{value:.0f} MB"))
        else:
            pairs.append((word.replace("_", " "), number_word(value)))
    return pairs


def arranged(views: Sequence[JobView]) -> list[tuple[JobView, int]]:
    """Jobs newest first, the steps of a pipeline under it in their order; with the depth of each."""
    known = {view.job.id for view in views}
    steps: dict[str, list[JobView]] = {}
    tops = []
    for view in views:
        if view.parent in known and view.parent is not None:
            steps.setdefault(view.parent, []).append(view)
        else:
            tops.append(view)
    rows: list[tuple[JobView, int]] = []

    def place(view: JobView, depth: int) -> None:
        rows.append((view, depth))
        for step in sorted(steps.get(view.job.id, []), key=lambda v: (v.job.created_at, v.job.id)):
            place(step, depth + 1)

    for view in sorted(tops, key=lambda v: (v.job.created_at, v.job.id), reverse=True):
        place(view, 0)
    return rows
