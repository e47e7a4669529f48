"""What the Jobs room shows, as plain values: rows, facts, event lines, and the feeds of the tail."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from rich.text import Text

from screens.datasets_state import facts
from screens.job_words import (
    figure_pairs,
    label_words,
    progress_words,
    started_words,
    state_word,
    time_words,
)
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.events import EventTail
from t2s_tui.records import RunState
from t2s_tui.text import ago, nfc
from widgets.grid import Cell
from widgets.log_tail import MAX_LINES
from widgets.section import visible
from widgets.theme import FAIL, WARN, state_sign

FIRST_BYTES = 256_000  # of a log that is there already, this much of its end is read
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def job_cells(view: JobView, depth: int, now: float, ascii_only: bool) -> list[Cell]:
    """state, kind, title, progress, started, time."""
    state = state_sign(view.status.state, ascii_only).append(f" {state_word(view)}", style="")
    branch = ("+ " if ascii_only else "└ ") if depth else ""
    return [
        state,
        view.job.kind,
        "  " * max(0, depth - 1) + branch + view.job.title,
        progress_words(view),
        started_words(view, now),
        time_words(view, now),
    ]


def job_text(view: JobView, now: float) -> Text:
    """Everything the job's folder says of it, above its events."""
    status, job = view.status, view.job
    text = Text().append(visible(job.title), style="bold").append(f"   {job.kind}\n", style="dim")
    if status.error:
        style = FAIL if status.state in (RunState.FAILED, RunState.LOST) else WARN
        text.append(f"{visible(status.error)}\n", style=style)
    pairs = [
        ("state", f"{state_word(view)}  {label_words(view)}".rstrip()),
        ("started", started_words(view, now)),
        ("time", time_words(view, now)),
        ("heartbeat", "" if status.state.ended or not status.heartbeat else ago(status.heartbeat, now)),
        ("attempt", f"{status.attempt}" if status.attempt > 1 else ""),
        *figure_pairs({name: value for name, value in status.figures.items() if name != "eta_seconds"}),
        *(figure_pairs(status.result or {}) if status.state is RunState.DONE else []),
        ("id", job.id),
    ]
    seen = dict(reversed(pairs))  # a result repeats the last figures: the first word counts
    text.append_text(facts([(name, seen[name]) for name in dict(pairs)]))
    text.rstrip()
    return text


def event_line(event: Mapping[str, Any]) -> Text:
    """`13:05:02  step 84/120  loss 0.412`: one event for a person."""
    kind = str(event.get("kind", "?"))
    values = {key: value for key, value in event.items() if key not in ("seq", "t", "kind")}
    line = Text().append(f"{_clock(event.get('t'))}  ", style="dim")
    if kind == "step":
        values = {key: value for key, value in values.items() if key not in _NOT_IN_A_LINE}
        line.append(f"{visible(str(values.pop('label', 'step')))} ")
        line.append(f"{values.pop('done', '?')}/{values.pop('total', '?')}")
    elif kind == "state":
        line.append(str(values.pop("state", "")), style="bold")
        if label := values.pop("label", None):
            line.append(f"  {visible(str(label))}")
    else:
        line.append(kind, style=_KIND_STYLES.get(kind, "bold"))
        for name in ("message", "text", "error"):
            if isinstance(values.get(name), str):
                line.append(f"  {visible(values.pop(name))}")
    if isinstance(result := values.pop("result", None), dict):
        values |= result
    error = values.pop("error", None)
    for name, value in figure_pairs(values):
        line.append(f"  {name} ", style="dim").append(visible(value))
    if error:
        line.append(f"  {visible(str(error))}")
    return line


#: Figures that stand above the tail and would fold every line of it.
_NOT_IN_A_LINE = {"lr", "epoch", "grad_norm", "memory_mb", "eta_seconds"}
_KIND_STYLES = {"warning": "bold yellow", "error": "bold red"}


def _clock(t: object) -> str:
    return datetime.fromtimestamp(t).strftime("%H:%M:%S") if isinstance(t, int | float) else "        "


class Feed(Protocol):
    """Something that grows. `read` is called in a thread, one call at a time."""

    def read(self) -> list[Text]:
        """The lines that came since the last call."""


class EventFeed:
    """The events of a job as lines; at first only the last ones."""

    def __init__(self, path: Path) -> None:
        self._tail = EventTail(path)

    def read(self) -> list[Text]:
        events = self._tail.read()
        while self._tail.behind:
            events = [*events, *self._tail.read()][-MAX_LINES:]
        return [event_line(event) for event in events[-MAX_LINES:]]


class LogFeed:
    """The raw output of a worker. Colours are taken out, a progress bar counts as its last state."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = -1

    def read(self) -> list[Text]:
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if self._offset < 0 or self._offset > size:
                    self._offset = max(0, size - FIRST_BYTES)
                file.seek(self._offset)
                data = file.read(FIRST_BYTES)
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) == FIRST_BYTES:  # one endless line: shown in pieces
            whole = data
        self._offset += len(whole)
        text = whole.decode("utf-8", errors="replace").removesuffix("\n")
        return [Text(log_line(line)) for line in text.split("\n")] if whole else []


def log_line(line: str) -> str:
    """One line of output without escapes; of what a carriage return overwrote, the last."""
    shown = _ESCAPES.sub("", line).rstrip("\r")
    return nfc(visible(shown.rpartition("\r")[2]))
