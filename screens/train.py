"""Train: fine-tune a model on a dataset and watch it learn."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from screens.base import WorkbenchScreen
from screens.confirm import ConfirmScreen
from screens.jobs_state import log_line
from screens.train_form import TrainFormScreen
from screens.train_state import (
    RunRow,
    Watch,
    figure_line,
    no_points,
    recipe_text,
    run_cells,
    run_rows,
    state_line,
    tail_text,
)
from screens.whole import WholeScreen
from t2s_tui.jobs import launcher
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.folder import JobFolder, tail_lines
from t2s_tui.records import RunState, TrainingRun
from widgets.frame import Pane
from widgets.grid import Column, Grid
from widgets.loss_chart import LossChart
from widgets.tail_reader import TailReader

POLL_SECONDS = 1.0
LOG_LINES = 400

_COLUMNS = (
    Column("", 1),
    Column("run"),
    Column("state", 8),
    Column("step", 9, right=True),
    Column("loss", 6, right=True),
    Column("started", 10, right=True),
)
_NOTHING = "No run yet.\nPress n: choose a dataset and a preset, then f5 starts it."


class TrainScreen(WorkbenchScreen):
    """The runs on the left; on the right curve, figures and events of the one under the cursor."""

    ROOM = "Train"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,a", "new", "new run", key_display="n"),
        Binding("s", "stop", "stop"),
        Binding("R", "resume", "resume"),
        Binding("C", "checkpoint", "checkpoint now"),
        Binding("l", "log", "raw log"),
        Binding("plus,equals_sign", "smooth(1)", "smoother / rougher", key_display="+/-"),
        Binding("minus", "smooth(-1)", "", show=False),
        Binding("L", "scale", "log scale"),
        Binding("d", "recipe", "recipe"),
        Binding("o", "ask_it", "ask it"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[TrainingRun] = []
        self._rows: list[RunRow] = []
        self._watches: dict[str, Watch] = {}
        self._draft: dict[str, str] = {}  # what stood in the launch form when it was left
        self._raw_log = False
        self._wanted: str | None = None  # a run to go to as soon as it is in the list
        self._shown: str | None = None

    def compose_body(self) -> ComposeResult:
        with Pane(title="Runs", id="runs-pane", classes="-list"):
            yield Grid(_COLUMNS, id="runs", empty="Reading the runs.")
        with Pane(title="Loss", id="watch-pane", classes="-detail"):
            yield LossChart()
            yield Static("", id="state", markup=False)
            yield Static("", id="figures", markup=False)
            with Pane(title="Events", id="tail-pane"):
                yield TailReader(id="tail")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(POLL_SECONDS, self._poll)

    # -- the runs -----------------------------------------------------------------------------

    def refresh_room(self) -> None:
        def read() -> list[TrainingRun]:
            with self.workspace.store() as store:
                return store.runs.all()

        self.fetch("runs", read, self._show_runs)

    def jobs_changed(self, changed: list[JobView]) -> None:
        known = {row.view.job.id: row.state for row in self._rows if row.view}
        trainings = [view for view in changed if view.job.kind == "train"]
        if any(known.get(view.job.id) is not view.status.state for view in trainings):
            self.refresh_room()
        elif trainings:
            self._show_runs(self._runs)

    def go_to(self, run: str) -> None:
        """Put the cursor on a run, now or as soon as there is one of that name."""
        self._wanted = run
        self.refresh_room()

    @property
    def row(self) -> RunRow | None:
        """The run under the cursor."""
        at = self.query_one("#runs", Grid).cursor
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def _show_runs(self, runs: list[TrainingRun]) -> None:
        before = self._wanted or (self.row.name if self.row else None)
        self._runs = runs
        self._rows = run_rows(runs, self.bench.jobs)
        names = [row.name for row in self._rows]
        cursor = names.index(before) if before in names else None
        if self._wanted in names:
            self._wanted = None
        grid = self.query_one("#runs", Grid)
        grid.set_empty(_NOTHING)
        now, plain = time.time(), self.bench.ascii_only
        grid.show(len(names), lambda at: run_cells(self._rows[at], now, plain), cursor=cursor)

    def on_grid_moved(self, message: Grid.Moved) -> None:
        self._draw()
        self._poll(once=True)
        self.refresh_bindings()

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_detail()

    # -- the run under the cursor -------------------------------------------------------------

    def _watch(self, row: RunRow) -> Watch | None:
        if row.view is None:
            return None
        if row.view.job.id not in self._watches:
            self._watches[row.view.job.id] = Watch(Path(row.view.job.folder))
        return self._watches[row.view.job.id]

    def _poll(self, once: bool = False) -> None:
        """Read on in what is shown, in a thread: while it runs, and to its end."""
        row = self.row
        watch = self._watch(row) if row else None
        if not self.is_current or row is None or watch is None or row.view is None:
            return
        if not (once or watch.behind or not row.state.ended):
            return
        log, view = self._raw_log, row.view
        output = JobFolder(Path(view.job.folder)).output

        def read() -> list[str] | None:
            watch.pull()
            return tail_lines(output, LOG_LINES) if log else None

        def show(lines: list[str] | None) -> None:
            watch.drain()
            if self.row and self.row.name == row.name:
                self._draw(lines)
                if watch.behind:  # a long log: go on at once
                    self._poll(once=True)

        self.fetch(f"events {view.job.id}", read, show)

    def _draw(self, log: list[str] | None = None) -> None:
        row = self.row
        state, figures = self.query_one("#state", Static), self.query_one("#figures", Static)
        reader, chart = self.query_one(TailReader), self.query_one(LossChart)
        fresh, self._shown = (row.name if row else None) != self._shown, row.name if row else None
        if row is None:
            chart.show((), empty=" The curve of a run is drawn here.", now=True)
            for static in (state, figures):
                static.update("")
            reader.show_text(Text(""))
            self._where()
            return
        watch = self._watch(row)
        history = watch.history if watch else None
        if history is None or watch is None:
            return
        chart.show(history.points, empty=" " + no_points(row, watch), now=fresh)
        state.update(state_line(row, history, time.time(), self.bench.ascii_only))
        figures.update(figure_line(history, self.bench.gpu, ended=row.state.ended))
        if not self._raw_log:
            reader.follow(tail_text(list(history.tail)), fresh=fresh)
        elif log is not None:
            lines = "\n".join(log_line(line) for line in log)
            reader.follow(Text(lines or "The worker has written nothing."), fresh=fresh)
        self._where()

    def _where(self) -> None:
        row, chart = self.row, self.query_one(LossChart)
        self.query_one("#watch-pane", Pane).pane_title = (
            f"Loss   {row.name} · {chart.legend}" if row else "Loss"
        )
        self.query_one("#tail-pane", Pane).pane_title = (
            "Raw log   l events" if self._raw_log else "Events   l raw log"
        )
        count = len(self._rows)
        self.show_where(f"{count} {'run' if count == 1 else 'runs'}" if count else "")

    # -- what a person can do -----------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row = self.row if self.is_mounted else None
        view = row.view if row else None
        if action == "stop":
            return view is not None and not view.status.state.ended
        if action == "resume":
            return view is not None and view.status.state.resumable
        if action == "checkpoint":
            return view is not None and view.status.state is RunState.RUNNING
        if action == "ask_it":
            return row is not None and row.run is not None and row.run.adapter_path is not None
        if action in ("log", "smooth", "scale", "recipe"):
            return row is not None
        return super().check_action(action, parameters)

    def action_new(self) -> None:
        self.app.push_screen(TrainFormScreen(self._draft, self._started))

    def _started(self, run: str) -> None:
        self._draft.clear()
        self.bench.read_board()
        self.go_to(run)

    def action_stop(self) -> None:
        row = self.row
        if row is None or row.view is None:
            return
        job_id, name = row.view.job.id, row.name

        def stop(yes: bool | None) -> None:
            if yes:
                self._ask(lambda: launcher.stop(self.workspace, job_id), f"{name}: asked to save and stop")

        words = (
            "It saves a checkpoint first, which can take a moment. R resumes it from there, any time later."
        )
        self.app.push_screen(ConfirmScreen(f"Stop {name}?", words), stop)

    def action_resume(self) -> None:
        if self.row is not None and self.row.view is not None:
            job_id = self.row.view.job.id
            self._ask(lambda: launcher.resume(self.workspace, job_id), f"{self.row.name}: goes on")

    def action_checkpoint(self) -> None:
        if self.row is not None and self.row.view is not None:
            job_id = self.row.view.job.id
            self._ask(lambda: launcher.checkpoint(self.workspace, job_id), "Saves after this step")

    def _ask(self, do: Callable[[], Any], words: str) -> None:
        """Ask something of a job in a thread, then say so and look again."""

        def then(_: Any) -> None:
            self.notify(words, markup=False)
            self.bench.read_board()

        self.fetch("ask", do, then)

    def action_log(self) -> None:
        self._raw_log = not self._raw_log
        self._shown = None
        self._draw()
        self._poll(once=True)

    def action_smooth(self, by: int) -> None:
        self.query_one(LossChart).smooth(by)
        self._where()

    def action_scale(self) -> None:
        self.query_one(LossChart).toggle_log()
        self._where()

    def action_recipe(self) -> None:
        if self.row is not None:
            self.app.push_screen(WholeScreen(f"{self.row.name}: recipe", recipe_text(self.row)))

    def action_ask_it(self) -> None:
        from screens.generate import GenerateScreen

        if self.row is None or self.row.run is None:
            return
        run = self.row.run

        def take(screen: object) -> None:
            if isinstance(screen, GenerateScreen):
                screen.take_adapter(run.name)

        self.bench.open_room("generate", take)
