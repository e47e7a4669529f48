"""What every room of the workbench shares: the frame, background reading, zoom, errors in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen

from screens.whole import WholeScreen, whole_row
from t2s_tui.jobs.board import JobView
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from widgets.frame import KeyLine, Pane, StatusLine, TopLine, job_line
from widgets.grid import Grid

if TYPE_CHECKING:
    from t2s_tui.app import T2SApp

T = TypeVar("T")
NARROW = 100


@dataclass
class Fetched(Message):
    """What a background read brought. `ticket` lets late answers be dropped."""

    what: str
    ticket: int
    value: object
    error: Exception | None
    then: Callable[[Any], None]
    failed: Callable[[Exception], None] | None


class WorkbenchScreen(Screen[None]):
    """A room: a frame around a body. Subclasses set ROOM, `compose_body` and what they show.

    Nothing slow runs here: `fetch` reads in a thread and hands the value to a method of the screen.
    """

    ROOM: ClassVar[str] = ""
    AUTO_FOCUS = "Grid"
    #: Below 100 columns there is room for one pane: the list, and on enter the detail alone.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("z", "zoom", "zoom pane", show=False),
        Binding("tab", "app.focus_next", "next pane", show=False),
        Binding("shift+tab", "app.focus_previous", "previous pane", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._tickets: dict[str, int] = {}
        self._framed = False

    @property
    def bench(self) -> T2SApp:
        """The app, with its type."""
        return cast("T2SApp", self.app)

    @property
    def workspace(self) -> Workspace:
        return self.bench.workspace

    def compose(self) -> ComposeResult:
        yield TopLine(self.ROOM)
        with Container(id="body"):
            yield from self.compose_body()
        yield StatusLine()
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """The room's own widgets."""
        yield from ()

    def on_mount(self) -> None:
        # Textual calls the on_mount of every class of a screen: a room may call super() as well.
        if self._framed:
            return
        self._framed = True
        self.bench.jobs_changed.subscribe(self, self._jobs_changed)
        self.set_interval(1.0, self._draw_status)
        self.call_after_refresh(self._draw_status)

    def on_screen_resume(self) -> None:
        self.refresh_room()

    # -- hooks of the rooms -------------------------------------------------------------------

    def refresh_room(self) -> None:
        """Read again what the room shows. Called whenever a person comes here."""

    def jobs_changed(self, changed: list[JobView]) -> None:
        """Some jobs moved. Called only while this room is the one that is seen."""

    # -- reading in the background ------------------------------------------------------------

    def fetch(
        self,
        what: str,
        read: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Run `read` in a thread, then `then` with its value here; a later fetch of its kind overtakes it.

        What `read` raises is told in words; `failed` can say it where the value would have been, as well.
        """
        ticket = self._tickets[what] = self._tickets.get(what, 0) + 1

        def work() -> None:
            try:
                answer = Fetched(what, ticket, read(), None, then, failed)
            except Exception as error:
                answer = Fetched(what, ticket, None, error, then, failed)
            self.post_message(answer)

        self.run_worker(work, group=what, thread=True, exit_on_error=False)

    def on_fetched(self, message: Fetched) -> None:
        message.stop()
        if message.ticket != self._tickets.get(message.what):
            return
        if message.error is not None:
            self.bench.tell(message.error)
            if message.failed is not None:
                message.failed(message.error)
            return
        message.then(message.value)

    # -- the frame ----------------------------------------------------------------------------

    def on_grid_whole(self, message: Grid.Whole) -> None:
        """Space on a row shows all there is of it."""
        self.app.push_screen(WholeScreen(*self.whole(message)))

    def whole(self, message: Grid.Whole) -> tuple[str, Text]:
        """(title, text) of a whole row: every cell in full. Rooms that know more of a row say it."""
        return f"{self.ROOM}: row {message.row + 1}", whole_row(message.pairs)

    def show_where(self, where: str, figures: str = "") -> None:
        """What is open, on line 1."""
        top = self.query_one(TopLine)
        top.where, top.figures = where, figures

    def _jobs_changed(self, changed: list[JobView]) -> None:
        if self.is_current:
            self.jobs_changed(changed)

    def _draw_status(self) -> None:
        if not self.is_current:
            return
        self.query_one(TopLine).gpu = self.bench.gpu
        running = [v for v in self.bench.jobs if not v.status.state.ended and v.job.kind != "session"]
        # A pipeline is seen through the child that works now.
        running = [v for v in running if v.job.kind != "pipeline"] or running
        line = self.query_one(StatusLine)
        if not running:
            line.line = ""
            return
        first = min(running, key=lambda v: (v.status.state is RunState.QUEUED, v.job.created_at))
        line.sign = first.status.state
        line.line = job_line(first, len(running) - 1, time.time())

    # -- panes: `.-list` and `.-detail` --------------------------------------------------------

    def open_detail(self) -> None:
        """Go into the detail pane. On a narrow screen it takes the place of the list."""
        self.add_class("-in-detail")
        self._focus_first("Pane.-detail *")

    def close_detail(self) -> None:
        """Back to the list, on the row it was left on."""
        self.remove_class("-in-detail")
        self._focus_first("Pane.-list Grid")

    def _focus_first(self, selector: str) -> None:
        for widget in self.query(selector):
            if widget.focusable and all(part.display for part in widget.ancestors_with_self):
                widget.focus()
                break
        self.refresh_bindings()

    @property
    def in_detail(self) -> bool:
        """Whether the focus, or the whole narrow screen, is in the detail pane."""
        focused = self.focused
        inside = focused is not None and any(
            isinstance(w, Pane) and w.has_class("-detail") for w in focused.ancestors_with_self
        )
        return inside or (self.has_class("-narrow") and self.has_class("-in-detail"))

    @property
    def zoomed(self) -> bool:
        """Whether one pane has the whole screen."""
        return bool(self.query("Pane.-zoomed-out"))

    def can_go_back(self) -> bool:
        """Whether escape has somewhere to go. Rooms with more levels add theirs."""
        return self.zoomed or self.in_detail

    def action_back(self) -> None:
        """Unzoom, or leave the detail. Rooms with more levels go on from there."""
        if self.zoomed:
            self.action_zoom()
        elif self.in_detail:
            self.close_detail()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "back":
            return self.can_go_back()
        return super().check_action(action, parameters)

    def action_zoom(self) -> None:
        """Give the focused pane the whole screen, or put the others back."""
        panes = list(self.query(Pane))
        zoomed, pane = self.zoomed, self._focused_pane()
        for other in panes:
            keep = (
                zoomed or pane is None or other is pane or other in pane.ancestors or pane in other.ancestors
            )
            other.set_class(not keep, "-zoomed-out")
        self.refresh_bindings()

    def _focused_pane(self) -> Pane | None:
        if self.focused is None:
            return None
        return next((w for w in self.focused.ancestors_with_self if isinstance(w, Pane)), None)
