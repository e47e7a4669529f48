"""Jobs: the work in other processes. It goes on when the workbench is left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from screens.job_actions import JobActions
from screens.job_words import arranged
from screens.jobs_state import EventFeed, Feed, LogFeed, job_cells, job_text
from screens.judge import JudgeScreen
from screens.judge_state import has_judge
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.folder import JobFolder
from widgets.frame import Pane
from widgets.grid import Cell, Column, Grid
from widgets.log_tail import LogTail
from widgets.reader import Reader

FEED_SECONDS = 0.25  # four times a second at most: faster floods a slow line
_COLUMNS = (
    Column("state", 10),
    Column("kind", 8),
    Column("title"),
    Column("done", 9, right=True),
    Column("started", 10, right=True),
    Column("time", 11, right=True),
)
_NOTHING = (
    "No jobs yet.\nTrainings (3), questions to a model (4) and verdicts (5) run here, in other processes."
)


class JobsScreen(JobActions):
    """The jobs on the left, newest first; on the right figures and tail of the one under the cursor."""

    ROOM = "Jobs"
    CSS_PATH = "jobs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "judge", "the judge at work"),
        Binding("l", "log", "events / raw log"),
        Binding("f", "follow", "follow the end"),
        Binding("c", "copy", "copy the tail", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[JobView, int]] = []
        self._raw = False
        self._feed: Feed | None = None
        self._feed_of: tuple[str, bool] | None = None
        self._reading = False

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Jobs", id="list", classes="-list"):
                yield Grid(_COLUMNS, empty="Looking at the job folders.")
            with Pane(title="Job", id="detail", classes="-detail"):
                yield Reader()
                yield LogTail()

    def on_mount(self) -> None:
        self.set_interval(FEED_SECONDS, self._read_feed)
        self.set_interval(1.0, self._tick)

    # -- the list -----------------------------------------------------------------------------

    def refresh_room(self) -> None:
        self.bench.read_board()
        self._show_jobs()

    def jobs_changed(self, changed: list[JobView]) -> None:
        self._show_jobs()

    def open_job(self, job_id: str) -> None:
        """Put the cursor on a job: other rooms send people here."""
        self._show_jobs(job_id)

    def _show_jobs(self, wanted: str = "") -> None:
        grid = self.query_one(Grid)
        here = self._selected()
        wanted = wanted or (here.job.id if here is not None and grid.cursor > 0 else "")
        self._rows = arranged(self.bench.jobs)
        grid.set_empty(_NOTHING)
        # On the first row a person stays on the first row: new jobs come in there.
        cursor = next((at for at, (view, _) in enumerate(self._rows) if view.job.id == wanted), 0)
        grid.show(len(self._rows), self._cells, cursor=cursor)
        alive = sum(1 for view in self.bench.jobs if not view.status.state.ended)
        self.show_where(f"{alive} of {len(self._rows)} at work" if self._rows else "")

    def _cells(self, at: int) -> list[Cell]:
        view, depth = self._rows[at]
        return job_cells(view, depth, time.time(), self.bench.ascii_only)

    def _selected(self) -> JobView | None:
        at = self.query_one(Grid).cursor
        return self._rows[at][0] if 0 <= at < len(self._rows) else None

    def _tick(self) -> None:
        """Times are relative: once a second they are drawn anew."""
        if self.is_current and self._rows:
            self.query_one(Grid).redraw()
            self._show_facts()

    # -- the detail ---------------------------------------------------------------------------

    def on_grid_moved(self, message: Grid.Moved) -> None:
        self._show_facts()
        self._choose_feed()
        self.refresh_bindings()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_detail()

    def _show_facts(self) -> None:
        view = self._selected()
        reader = self.query_one(Reader)
        text = job_text(view, time.time()) if view is not None else Text("Choose a job.", style="dim")
        if text != reader.text:
            reader.show_text(text, keep_place=True)

    def _choose_feed(self) -> None:
        view = self._selected()
        chosen = (view.job.id, self._raw) if view is not None else None
        if chosen == self._feed_of:
            return
        self._feed_of, self._reading = chosen, False
        tail = self.query_one(LogTail)
        tail.clear("The worker wrote nothing." if self._raw else "No events yet.")
        self._feed = None
        if view is not None:
            folder = JobFolder(Path(view.job.folder))
            self._feed = LogFeed(folder.output) if self._raw else EventFeed(folder.events)
        self._show_tail_title()
        self._read_feed()

    def _read_feed(self) -> None:
        feed = self._feed
        if feed is None or self._reading or not self.is_current:
            return
        self._reading = True

        def show(lines: list[Text]) -> None:
            if feed is self._feed:
                self._reading = False
                self.query_one(LogTail).extend(lines)

        self.fetch("tail", feed.read, show)

    def _show_tail_title(self) -> None:
        what = "raw log" if self._raw else "events"
        following = "" if self.query_one(LogTail).following else "  (stopped: f follows the end)"
        self.query_one("#detail", Pane).pane_title = f"Job and its {what}{following}"

    def on_log_tail_followed(self) -> None:
        self._show_tail_title()

    # -- what a person can do -----------------------------------------------------------------

    def action_log(self) -> None:
        """Turn between the events and the raw output."""
        self._raw = not self._raw
        self._choose_feed()

    def action_follow(self) -> None:
        self.query_one(LogTail).action_follow()

    def action_copy(self) -> None:
        view = self._selected()
        if view is not None:
            what = "raw log" if self._raw else "events"
            self.bench.copy(self.query_one(LogTail).plain, f"The {what} of {view.job.id}")

    def action_judge(self) -> None:
        """Watch the judge of this evaluation, and what it was asked."""
        view = self._selected()
        if view is not None and has_judge(view):
            self.app.push_screen(JudgeScreen(job_id=view.job.id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        view = self._selected() if self.is_mounted else None
        if action == "judge":
            return view is not None and has_judge(view)
        if action in ("log", "follow", "copy"):
            return view is not None
        return super().check_action(action, parameters)
