"""What the Train screen shows, as plain data and lines of text: no Textual here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.text import Text

from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.events import EventTail
from t2s_tui.jobs.folder import JobFolder, Status
from t2s_tui.records import RunState, TrainingRun
from t2s_tui.text import ago, duration, one_line
from t2s_tui.training.history import EventLine, History
from widgets.theme import DIM, FAIL, WARN, state_sign


@dataclass(frozen=True, slots=True)
class RunRow:
    """A training run: what the store keeps of it, its job, or both."""

    name: str
    run: TrainingRun | None
    view: JobView | None

    @property
    def created_at(self) -> float:
        if self.view is not None:
            return self.view.job.created_at
        return self.run.created_at if self.run else 0.0

    @property
    def state(self) -> RunState:
        """Where the job is; a run whose job folder is gone has an adapter or was lost."""
        if self.view is not None:
            return self.view.status.state
        return RunState.DONE if self.run and self.run.adapter_path else RunState.LOST


def run_rows(runs: Sequence[TrainingRun], jobs: Sequence[JobView]) -> list[RunRow]:
    """Every run once, newest first. A job without a record is a run that has not begun."""
    trainings = {view.job.id: view for view in jobs if view.job.kind == "train"}
    rows = [RunRow(run.name, run, trainings.pop(run.job_id, None)) for run in runs]
    known = {run.name for run in runs}
    for view in trainings.values():
        name = str(view.job.request.get("run", view.job.title))
        if name not in known:
            rows.append(RunRow(name, None, view))
    return sorted(rows, key=lambda row: (row.created_at, row.name), reverse=True)


def run_cells(row: RunRow, now: float, ascii_only: bool) -> list[str | Text]:
    """sign, name, state, step, loss, started."""
    status = row.view.status if row.view else None
    summary = row.run.summary if row.run else {}
    loss = (status.figures.get("loss") if status else None) or summary.get("loss")
    return [
        state_sign(row.state, ascii_only),
        row.name,
        str(row.state),
        _place(status, summary),
        f"{loss:.3f}" if isinstance(loss, int | float) else "",
        ago((status.started_at if status else None) or row.created_at, now),
    ]


def _place(status: Status | None, summary: Mapping[str, Any]) -> str:
    if status is not None and status.total:
        return f"{status.done}/{status.total}"
    steps = summary.get("steps")
    return str(steps) if steps else ""


def state_line(row: RunRow, history: History, now: float, ascii_only: bool) -> Text:
    """Where the run is in words: what it waits for or does, or how it ended and what to do next."""
    text = Text.assemble(state_sign(row.state, ascii_only), f" {row.state}")
    status = row.view.status if row.view else None
    if status is None:
        return text.append("  its job's folder is gone; what the store keeps of it stays", DIM)
    state = status.state
    if state is RunState.DONE:
        text.append(f" in {duration((status.ended_at or now) - (status.started_at or now))}")
        return text.append("  o asks it a question in Generate", DIM)
    if state.resumable:
        if status.error:
            text.append(f"  {one_line(status.error)}", WARN if state is RunState.STOPPED else FAIL)
        saved = f" from step {history.checkpoint}" if history.checkpoint else ""
        return text.append(f"  R resumes it{saved}", DIM)
    if status.label and status.label != "train":
        place = f" {status.done}/{status.total}" if status.total else ""
        text.append(f"  {one_line(status.label)}{place}")
    if status.started_at:
        text.append(f"  for {duration(now - status.started_at)}", DIM)
    return text


def figure_line(history: History, gpu: str, *, ended: bool = False) -> Text:
    """step, time left, loss, epoch, lr, tok/s, gradient norm, memory, GPU: those that there are."""
    figures = history.figures
    text = Text()
    for key, words in _figure_words(history, figures, gpu, ended):
        if text:
            text.append("  ")
        text.append(f"{key}\u00a0", DIM).append(words.replace(" ", "\u00a0"))
    if history.not_finite:
        text.append("  ").append(f"loss was no number at {history.not_finite} steps", FAIL)
    return text


def _figure_words(
    history: History, figures: Mapping[str, float], gpu: str, ended: bool
) -> list[tuple[str, str]]:
    words = [("step", f"{history.points[-1].step}/{history.steps}")] if history.points else []
    if "eta_seconds" in figures and not ended:
        words.append(("left", duration(figures["eta_seconds"])))
    forms = (
        ("loss", "loss", "{:.3f}"),
        ("epoch", "epoch", "{:.2f}"),
        ("lr", "lr", "{:.1e}"),
        ("tok/s", "tokens_per_second", "{:.0f}"),
        ("grad", "grad_norm", "{:.2f}"),
    )
    words += [(label, form.format(figures[name])) for label, name, form in forms if name in figures]
    if "memory_mb" in figures:
        words.append(("memory", f"{figures['memory_mb'] / 1024:.1f}G"))
    if gpu and not ended:
        words.append(("GPU", gpu))
    return words


def tail_text(lines: Sequence[EventLine]) -> Text:
    """The events, oldest first: the time of day, then what happened."""
    text = Text()
    for line in lines:
        if text:
            text.append("\n")
        style = {"error": FAIL, "warning": WARN}.get(line.kind, "")
        text.append(datetime.fromtimestamp(line.time).strftime("%H:%M:%S "), DIM)
        text.append(one_line(line.words), style)
    return text


def recipe_text(row: RunRow) -> Text:
    """What was asked: dataset, model, and every field of the recipe."""
    request = dict(row.view.job.request) if row.view else {}
    run = row.run
    recipe = dict(run.recipe) if run else dict(request.get("recipe") or {})
    head = {
        "dataset": run.dataset if run else request.get("dataset", ""),
        "split": run.split if run else request.get("split", ""),
        "model": run.model if run else request.get("model", ""),
        "adapter": run.adapter_path if run else None,
        "job": row.view.job.id if row.view else (run.job_id if run else ""),
    }
    text = Text()
    for key, value in {**head, **recipe}.items():
        if value is not None:
            text.append(f"{key:<24}", "bold").append(f"{value}\n")
    return text


class Watch:
    """Reads a job's events in threads and gives them to a History in the thread that draws.

    `pull` may run anywhere, one at a time; what it read waits until `drain`, so that nothing is lost when the
    answer of a thread is dropped.
    """

    def __init__(self, folder: Path) -> None:
        self.history = History()
        self.behind = True
        self._tail = EventTail(JobFolder(folder).events)
        self._lock = threading.Lock()
        self._read: queue.SimpleQueue[list[dict[str, Any]]] = queue.SimpleQueue()

    def pull(self) -> None:
        """Read on in the log. Raises OSError when it cannot be read."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            events = self._tail.read()  # a megabyte at most: some 5,000 events, drained in a blink
            if events:
                self._read.put(events)
            self.behind = self._tail.behind
        finally:
            self._lock.release()

    def drain(self) -> bool:
        """Take in what was read; True when the curve or the figures changed."""
        changed = False
        while not self._read.empty():
            changed = self.history.apply(self._read.get()) or changed
        return changed


def no_points(row: RunRow, watch: Watch) -> str:
    """What stands where the curve will be."""
    if watch.behind:
        return "Reading the log."
    return "No step yet." if not row.state.ended else "It ended before its first step: l shows the raw log."
