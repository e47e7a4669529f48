"""The workbench: seven modes over one workspace. It reads and draws; the work is in other processes."""

from __future__ import annotations

import os

# Some terminals drop IME text under Kitty's keyboard flags, and questions are typed in Korean.
# Textual reads this when it is first imported.
os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")

from collections.abc import Callable
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal

from screens.compare import CompareScreen
from screens.datasets import DatasetsScreen
from screens.generate import GenerateScreen
from screens.help import HelpScreen
from screens.home import HomeScreen
from screens.inspect import InspectScreen
from screens.jobs import JobsScreen
from screens.train import TrainScreen
from t2s_tui.errors import T2SError
from t2s_tui.jobs.board import Board, JobView
from t2s_tui.system.telemetry import gpu_words
from t2s_tui.workspace import Workspace
from widgets.theme import T2S_DARK, T2S_LIGHT

POLL_SECONDS = 0.5  # the board is read twice a second; the status line is drawn at most once

ROOMS: tuple[tuple[str, str], ...] = (
    ("home", "Home"),
    ("datasets", "Datasets"),
    ("train", "Train"),
    ("generate", "Generate"),
    ("inspect", "Inspect"),
    ("compare", "Compare"),
    ("jobs", "Jobs"),
)


class T2SApp(App[None]):
    """The workbench over one workspace."""

    TITLE = "t2s-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    MODES = {
        "home": HomeScreen,
        "datasets": DatasetsScreen,
        "train": TrainScreen,
        "generate": GenerateScreen,
        "inspect": InspectScreen,
        "compare": CompareScreen,
        "jobs": JobsScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(number), f"room('{key}')", title, show=False, system=True)
            for number, (key, title) in enumerate(ROOMS, start=1)
        ),
        Binding("J", "room('jobs')", "Jobs", show=False, system=True),
        Binding("question_mark", "keys", "keys", key_display="?", system=True),
        Binding("ctrl+p", "command_palette", "palette", show=False, system=True),
        Binding("q", "leave", "leave", system=True),
    ]

    def __init__(self, workspace: Workspace, *, ascii_only: bool = False, start: str = "home") -> None:
        super().__init__()
        self.workspace = workspace
        self.ascii_only = ascii_only
        self.animation_level = "none"
        self.board = Board(workspace)
        self.jobs: list[JobView] = []
        self.jobs_changed: Signal[list[JobView]] = Signal(self, "jobs_changed")
        self.gpu = ""
        self._start = start

    def on_mount(self) -> None:
        self.register_theme(T2S_DARK)
        self.register_theme(T2S_LIGHT)
        self.theme = "t2s-light" if os.environ.get("T2S_TUI_THEME") == "light" else "t2s-dark"
        self.switch_mode(self._start)
        self._read_board()
        self.set_interval(POLL_SECONDS, self._read_board)
        self.set_interval(5.0, self._read_gpu)
        self._read_gpu()

    # -- what the machine is doing ------------------------------------------------------------

    def _read_board(self) -> None:
        self.run_worker(self._poll, group="board", exclusive=False, thread=True, exit_on_error=False)

    def _poll(self) -> None:
        if changed := self.board.poll():
            jobs = self.board.views()
            self.call_from_thread(self._show_jobs, jobs, changed)

    def _show_jobs(self, jobs: list[JobView], changed: list[JobView]) -> None:
        self.jobs = jobs
        self.jobs_changed.publish(changed)

    def _read_gpu(self) -> None:
        def read() -> None:
            words = gpu_words()
            self.call_from_thread(setattr, self, "gpu", words)

        self.run_worker(read, group="gpu", exclusive=False, thread=True, exit_on_error=False)

    # -- what a person can do anywhere --------------------------------------------------------

    def action_room(self, key: str) -> None:
        """Go to one of the seven rooms."""
        self.switch_mode(key)

    def action_keys(self) -> None:
        """Show the keys that work here: the same table that binds them."""
        self.push_screen(HelpScreen(self.screen))

    def action_leave(self) -> None:
        """Leave the workbench. Jobs go on."""
        self.exit()

    def open_room(self, key: str, then: Callable[[Screen[object]], None] | None = None) -> None:
        """Go to a room and, when it is there, tell it what to show."""
        self.switch_mode(key)
        if then is not None:
            self.call_after_refresh(lambda: then(self.screen))

    def tell(self, error: BaseException) -> None:
        """One sentence for a person as a toast; whatever is unexpected keeps its type."""
        text = str(error) if isinstance(error, T2SError) else f"Unexpected {type(error).__name__}: {error}"
        self.log.error(text)
        self.notify(text, severity="error", timeout=12, markup=False)

    def get_system_commands(self, screen: Screen[object]) -> list[SystemCommand]:  # type: ignore[override]
        """The palette: the rooms and the keys, then Textual's own theme switch and screenshot."""
        commands = [
            SystemCommand(title, f"Go to {title} ({number})", lambda key=key: self.action_room(key))
            for number, (key, title) in enumerate(ROOMS, start=1)
        ]
        commands.append(SystemCommand("Keys", "The keys that work here (?)", self.action_keys))
        commands.append(SystemCommand("Theme", "Choose the colours", self.action_change_theme))
        commands.append(
            SystemCommand("Screenshot", "Save this screen as SVG", lambda: self.deliver_screenshot())
        )
        commands.append(SystemCommand("Leave", "Leave the workbench; jobs go on (q)", self.action_leave))
        return commands
