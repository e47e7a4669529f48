"""Home: what is running, what finished lately, and the next step."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens.base import WorkbenchScreen
from screens.home_state import LOOP, NextStep, WorkspaceState, finished, next_step, read_state, running
from screens.job_words import label_words, started_words, state_word, time_words
from t2s_tui.jobs.board import JobView
from t2s_tui.text import ago, clip
from widgets.frame import figure_words
from widgets.reader import Reader
from widgets.section import paragraph, visible
from widgets.theme import state_sign

_TITLE_CELLS = 34


class HomeScreen(WorkbenchScreen):
    """Three things only. An empty workspace shows the loop as six steps."""

    ROOM = "Home"
    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "Reader"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "do the next step", key_display="enter")
    ]

    def __init__(self) -> None:
        super().__init__()
        self._state: WorkspaceState | None = None
        self._next: NextStep | None = None

    def compose_body(self) -> ComposeResult:
        yield Reader()

    def on_mount(self) -> None:
        self.set_interval(1.0, self._redraw)  # the times are relative

    def refresh_room(self) -> None:
        self.fetch("state", lambda: read_state(self.workspace), self._show)

    def jobs_changed(self, changed: list[JobView]) -> None:
        if any(view.status.state.ended for view in changed):
            self.refresh_room()
        self._redraw()

    def action_next(self) -> None:
        """Go where the next step is."""
        if self._next is not None:
            self.bench.action_room(self._next.room)

    def _show(self, state: WorkspaceState) -> None:
        self._state = state
        counts = counts_words(len(state.datasets), len(state.runs), len(state.sets))
        self.show_where(str(self.workspace.root), counts)
        self._redraw()

    def _redraw(self) -> None:
        if self._state is None or not self.is_current:
            return
        jobs = self.bench.jobs
        self._next = next_step(self._state, jobs)
        reader = self.query_one(Reader)
        width = reader.scrollable_content_region.width or 80
        text = home_text(self._state, jobs, self._next, time.time(), width, self.bench.ascii_only)
        if text != reader.text:
            reader.show_text(text, keep_place=True)


def counts_words(datasets: int, runs: int, sets: int) -> str:
    """`1 dataset · 2 runs · 4 prediction sets`."""
    named = ((datasets, "dataset"), (runs, "run"), (sets, "prediction set"))
    return " · ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in named if count)


def home_text(
    state: WorkspaceState,
    jobs: list[JobView],
    step: NextStep,
    now: float,
    width: int,
    ascii_only: bool = False,
) -> Text:
    """The whole of Home, at most `width` cells wide: a job a line."""
    text = Text()
    _heading(text, "Next")
    text.append(f"{visible(step.words)}  ")
    text.append("press ", style="dim").append(step.key, style="bold reverse").append("\n\n")
    alive = running(jobs)
    if state.empty and not jobs:
        _loop(text)
        return text
    _heading(text, "Running")
    if not alive:
        text.append("Nothing runs.\n", style="dim")
    for view in alive:
        text.append_text(_job_line(view, _doing(view, now), width, ascii_only)).append("\n")
    text.append("\n")
    _heading(text, "Finished lately")
    ended = finished(jobs)
    if not ended:
        text.append("Nothing yet.\n", style="dim")
    for view in ended:
        text.append_text(_job_line(view, _did(view, now), width, ascii_only)).append("\n")
        for line in paragraph(view.status.error, width, "dim", " " * 12) if view.status.error else ():
            text.append_text(line).append("\n")
    return text


def _heading(text: Text, words: str) -> None:
    text.append(words, style="bold").append("\n")


def _loop(text: Text) -> None:
    _heading(text, "The loop")
    for number, (key, room, words) in enumerate(LOOP, start=1):
        text.append(f"{number}.  ", style="dim")
        text.append(key, style="bold reverse").append(f" {room:<9} ", style="bold")
        text.append(f"{words}\n")
    text.append("\nOr see all of it at once: leave with ")
    text.append("q", style="bold reverse").append(" and run ").append("t2s-tui demo", style="bold").append(
        ".\n"
    )


def _job_line(view: JobView, words: str, width: int, ascii_only: bool) -> Text:
    room = max(12, min(_TITLE_CELLS, width - 50))
    title = clip(visible(view.job.title), room)
    line = Text.assemble(state_sign(view.status.state, ascii_only), " ", (f"{view.job.kind:<9}", "dim"), " ")
    line.append(title + " " * (room - cell_len(title)))
    line.append(f"  {visible(words)}")
    line.truncate(width, overflow="ellipsis")
    return line


def _doing(view: JobView, now: float) -> str:
    """What it is at: `step 84/120  6m left  loss 0.412  82 tok/s`: the end may be cut."""
    figures = {key: value for key, value in view.status.figures.items() if key != "eta_seconds"}
    return "  ".join(
        part for part in (label_words(view), time_words(view, now), *figure_words(figures)) if part
    )


def _did(view: JobView, now: float) -> str:
    when = ago(view.status.ended_at, now) if view.status.ended_at else started_words(view, now)
    return "  ".join(part for part in (state_word(view), when, time_words(view, now)) if part)
