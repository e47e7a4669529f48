"""The judge: watch it ask, stop it and go on, start it on a prediction set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from screens.job_actions import JobActions
from screens.judge_state import Figures, JudgeFeed, judge_cells, judge_columns, judge_jobs, judge_lines
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.folder import JobFolder
from widgets.detail import Detail
from widgets.frame import Pane
from widgets.grid import Cell, Grid
from widgets.section import Section

READ_SECONDS = 0.5
_NOTHING = "No judge was asked yet. E in Inspect starts one: turn judge to yes."


class JudgeScreen(JobActions):
    """The evaluations that ask a judge on the left, newest first; on the right how the one chosen goes on."""

    ROOM = "Judge"
    CSS_PATH = "judge.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "back")]

    def __init__(self, *, job_id: str = "", set_name: str | None = None) -> None:
        super().__init__()
        self._set_name = set_name
        self._wanted = job_id
        self._views: Sequence[JobView] = ()
        self._feed: JudgeFeed | None = None
        self._feed_of = ""
        self._figures: Figures | None = None
        self._reading = False

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Judgings", id="list", classes="-list"):
                yield Grid(judge_columns(), id="judgings", empty=_NOTHING)
            with Pane(title="At work", id="at-work", classes="-detail"):
                yield Detail(Section(id="figures"))

    def on_mount(self) -> None:
        self.set_interval(READ_SECONDS, self._read)
        self.set_interval(1.0, self._tick)

    # -- which evaluation ---------------------------------------------------------------------

    def refresh_room(self) -> None:
        self.bench.read_board()
        self._show_jobs()

    def jobs_changed(self, changed: list[JobView]) -> None:
        self._show_jobs()

    def _show_jobs(self) -> None:
        here = self._selected()
        wanted = self._wanted or (here.job.id if here else "")
        self._views = judge_jobs(self.bench.jobs, self._set_name)
        cursor = next((at for at, view in enumerate(self._views) if view.job.id == wanted), 0)
        if any(view.job.id == self._wanted for view in self._views):
            self._wanted = ""
        self.query_one("#judgings", Grid).show(len(self._views), self._cells, cursor=cursor)
        self.show_where(self._set_name or "all prediction sets")

    def _cells(self, at: int) -> Sequence[Cell]:
        return judge_cells(self._views[at], time.time(), self.bench.ascii_only)

    def _selected(self) -> JobView | None:
        at = self.query_one("#judgings", Grid).cursor
        return self._views[at] if 0 <= at < len(self._views) else None

    def on_grid_moved(self, message: Grid.Moved) -> None:
        view = self._selected()
        chosen = view.job.id if view else ""
        if chosen != self._feed_of:
            self._feed_of, self._figures, self._reading = chosen, None, False
            self._feed = JudgeFeed(JobFolder(Path(view.job.folder)).events) if view else None
            self._read()
        self._show_figures()
        self.refresh_bindings()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_detail()

    # -- how it goes on -----------------------------------------------------------------------

    def _read(self) -> None:
        feed = self._feed
        if feed is None or self._reading or not self.is_current:
            return
        self._reading = True

        def show(figures: Figures | None) -> None:
            if feed is self._feed:
                self._reading = False
                if figures != self._figures:
                    self._figures = figures
                    self._show_figures()

        self.fetch("figures", feed.read, show)

    def _tick(self) -> None:
        """Times are relative: once a second they are drawn anew."""
        if self.is_current and self._views:
            self.query_one("#judgings", Grid).redraw()
            self._show_figures()

    def _show_figures(self) -> None:
        view, figures, ascii_only = self._selected(), self._figures, self.bench.ascii_only
        section = self.query_one("#figures", Section)
        if view is None:
            section.clear()
            return
        now = time.time()

        def draw(width: int) -> list[Text]:
            return judge_lines(view, figures, now, width, ascii_only)

        section.show(view.job.title, view.job.id, draw)

    # -- back ---------------------------------------------------------------------------------

    def can_go_back(self) -> bool:
        return True

    def action_back(self) -> None:
        """Unzoom, leave the detail, leave the judge."""
        if super().can_go_back():
            super().action_back()
        else:
            self.app.pop_screen()
