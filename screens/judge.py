"""The judge: start it, watch it ask, pause, stop and resume it; what it was sent and what it answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from screens.inspect_state import example_head
from screens.judge_requests import (
    Asked,
    entry_text,
    read_asked,
    read_entry,
    request_cells,
    request_columns,
    request_text,
)
from screens.judge_start import JudgeStart
from screens.judge_state import (
    Figures,
    JudgeFeed,
    judge_cells,
    judge_columns,
    judge_jobs,
    judge_lines,
    judge_models,
)
from t2s_tui.evaluation.judge.journal import Entry
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.folder import JobFolder
from t2s_tui.records import Outcome
from widgets.detail import Detail
from widgets.frame import Pane
from widgets.grid import Cell, Grid
from widgets.reader import Reader
from widgets.section import Section

READ_SECONDS = 0.5
_NOTHING = "No judge was asked yet. E in Inspect starts one: turn judge to yes."


class JudgeScreen(JudgeStart):
    """The evaluations that ask a judge on the left, newest first; on the right how the one chosen goes on."""

    ROOM = "Judge"
    CSS_PATH = "judge.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("c", "copy", "copy the request", show=False),
    ]

    def __init__(self, *, job_id: str = "", set_name: str | None = None) -> None:
        super().__init__()
        self._set_name = set_name
        self._wanted = job_id
        self._views: Sequence[JobView] = ()
        self._feed: JudgeFeed | None = None
        self._feed_of = ""
        self._figures: Figures | None = None
        self._reading = False
        self._asked: list[Asked] = []
        self._one: tuple[str, Asked] | None = None  # the request that is shown
        self._listing = False
        self._asked_at: tuple[str, int] = ("", -1)  # the job whose requests are listed, and how far it was

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                with Pane(title="Judgings", id="list", classes="-list"):
                    yield Grid(judge_columns(), id="judgings", empty=_NOTHING)
                with Pane(title="Requests", id="requests-pane", classes="-list"):
                    yield Grid(request_columns(()), id="requests", empty="No answers yet.")
            with Vertical(id="right"):
                with Pane(title="At work", id="at-work", classes="-detail"):
                    yield Detail(Section(id="figures"))
                with Pane(title="One request", id="one", classes="-detail"):
                    yield Reader(id="request")

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
        if message.grid.id == "requests":
            self._show_request()
            return
        view = self._selected()
        chosen = view.job.id if view else ""
        if chosen != self._feed_of:
            self._feed_of, self._figures, self._reading = chosen, None, False
            self._feed = JudgeFeed(JobFolder(Path(view.job.folder)).events) if view else None
            self._read()
            self._read_requests()
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
            view = self._selected()
            moved = view is not None and self._asked_at != (view.job.id, view.status.done)
            if moved and not self._listing:  # one reading at a time: there may be many requests
                self._read_requests()

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

    # -- its requests -------------------------------------------------------------------------

    def _read_requests(self) -> None:
        view = self._selected()
        if view is None:
            self._show_requests([])
            return
        self._listing = True
        request = view.job.request
        name, models = str(request.get("predictions", "")), judge_models(request)
        self._asked_at = view.job.id, view.status.done
        self.fetch(
            "requests", partial(read_asked, self.workspace, name, models), self._show_requests, self._unlisted
        )

    def _show_requests(self, asked: list[Asked]) -> None:
        self._listing = False
        grid = self.query_one("#requests", Grid)
        here = _which(self._asked[grid.cursor]) if 0 <= grid.cursor < len(self._asked) else None
        self._asked = asked
        cursor = next((at for at, one in enumerate(asked) if _which(one) == here), 0)
        missing = sum(one.outcome is Outcome.MISSING for one in asked)
        note = f", {missing} without an answer first" if missing else ""
        self.query_one("#requests-pane", Pane).pane_title = f"{len(asked)} requests{note}"
        columns = request_columns(asked)
        grid.set_columns(columns)
        grid.show(
            len(asked),
            lambda at: request_cells(self._asked[at], len(columns), self.bench.ascii_only),
            cursor=cursor,
        )

    def _unlisted(self, _: Exception) -> None:
        self._listing = False

    def _show_request(self) -> None:
        one = self._chosen_request()
        self.query_one("#one", Pane).pane_title = example_head(one.example) if one else "One request"
        view = self._selected()
        if one is None or view is None:
            self._one = None
            self._show_text(Text("Choose a request.", style="dim"))
            return
        chosen = (view.job.id, one)
        if chosen == self._one:
            return  # listed anew: it stays, and where it is scrolled to
        self._one = chosen
        self._show_text(request_text(one))

        def show(entry: Entry | None) -> None:
            if entry is not None and chosen == self._one:
                self._show_text(entry_text(one, entry))

        self.fetch("one", partial(read_entry, self.workspace, one), show)

    def _show_text(self, text: Text) -> None:
        reader = self.query_one("#request", Reader)
        if text != reader.text:
            reader.show_text(text)

    def whole(self, message: Grid.Whole) -> tuple[str, Text]:
        if message.grid.id == "requests":
            one = self._asked[message.row]
            return example_head(one.example), self.query_one("#request", Reader).text
        return super().whole(message)

    def action_copy(self) -> None:
        """Copy what was sent and what came back."""
        if (one := self._chosen_request()) is not None:
            text = self.query_one("#request", Reader).text.plain
            self.bench.copy(text, f"The request on #{one.example.number}")

    def _chosen_request(self) -> Asked | None:
        at = self.query_one("#requests", Grid).cursor
        return self._asked[at] if 0 <= at < len(self._asked) else None

    def action_zoom(self) -> None:
        super().action_zoom()
        for side in ("#left", "#right"):
            half = self.query_one(side)
            half.set_class(all(pane.has_class("-zoomed-out") for pane in half.query(Pane)), "-zoomed-out")

    # -- back ---------------------------------------------------------------------------------

    def can_go_back(self) -> bool:
        return True

    def action_back(self) -> None:
        """Unzoom, leave the detail, leave the judge."""
        if super().can_go_back():
            super().action_back()
        else:
            self.app.pop_screen()


def _which(asked: Asked) -> tuple[str, str, int, bool]:
    """What a request is about, also when it is read anew."""
    vote = asked.vote
    return asked.example.id, vote.judge, vote.repeat, vote.swapped
