"""The workbench: seven modes over one workspace. It reads and draws; the work is in other processes."""

from __future__ import annotations

import os

# Some terminals drop IME text under Kitty's keyboard flags, and questions are typed in Korean.
# Textual reads this when it is first imported.
os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
# A key waits for the next frame, and once more where its row is read only now: with 8 ms that is not seen.
os.environ.setdefault("TEXTUAL_FPS", "120")

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal

from screens.help import HelpScreen
from t2s_tui.errors import T2SError
from t2s_tui.jobs.board import Board, JobView
from t2s_tui.system.idle_collector import IdleCollector
from t2s_tui.system.telemetry import gpus
from t2s_tui.workspace import Workspace
from widgets.frame import gpu_words
from widgets.theme import ANSI_DARK, ANSI_LIGHT, T2S_DARK, T2S_LIGHT

POLL_SECONDS = 0.5  # the board is read twice a second; the status line is drawn at most once
GPU_SECONDS = 5.0
COLLECT_SECONDS = 1.0
TYPED_SECONDS = 0.5  # at most, that a key waits for the letters before it

ROOMS: tuple[tuple[str, str], ...] = (
    ("home", "Home"),
    ("datasets", "Datasets"),
    ("train", "Train"),
    ("generate", "Generate"),
    ("inspect", "Inspect"),
    ("compare", "Compare"),
    ("jobs", "Jobs"),
)


@dataclass
class BoardRead(Message):
    """What a thread read of the job folders: all jobs newest first, and those that moved."""

    jobs: list[JobView]
    changed: list[JobView]
    gone: bool


@dataclass
class GpuRead(Message):
    """The cards in five words, or nothing."""

    words: str


@dataclass
class ReadFailed(Message):
    """A background read of the app failed: said once, not twice a second."""

    error: Exception


def make_room(key: str, title: str) -> Screen[Any]:
    """The screen of a room. Its code is loaded when a person first goes there: the first paint is quick."""
    made = getattr(import_module(f"screens.{key}"), f"{title}Screen")()
    assert isinstance(made, Screen)
    return made


class T2SApp(App[None]):
    """The workbench over one workspace."""

    TITLE = "t2s-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        key: partial(make_room, key, title) for key, title in ROOMS
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
        self.set_class(ascii_only, "-ascii")
        self.animation_level = "none"
        self._board = Board(workspace)
        self.jobs: list[JobView] = []
        self.jobs_changed: Signal[list[JobView]] = Signal(self, "jobs_changed")
        self.gpu = ""
        self._start = start
        self._reading: set[str] = set()
        self._said: str = ""
        self._collector = IdleCollector()

    def on_mount(self) -> None:
        self.register_theme(T2S_DARK)
        self.register_theme(T2S_LIGHT)
        self.ansi_theme_dark, self.ansi_theme_light = ANSI_DARK, ANSI_LIGHT
        self.theme = "t2s-light" if os.environ.get("T2S_TUI_THEME") == "light" else "t2s-dark"
        self.switch_mode(self._start)
        for read, seconds in ((self.read_board, POLL_SECONDS), (self._read_gpu, GPU_SECONDS)):
            read()
            self.set_interval(seconds, read)
        self.set_interval(COLLECT_SECONDS, self._collector.tick)

    def on_unmount(self) -> None:
        self._collector.stop()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._collector.touched()
        if isinstance(event, events.Key) and not event.is_printable and not event.is_forwarded:
            await self._take_what_was_typed()
        await super().on_event(event)

    async def _take_what_was_typed(self) -> None:
        """Let the focused widget have the keys before one that acts on what they did.

        Over a slow line they come in one piece, and a priority binding would overtake them.
        """
        focused, taken = self.focused, asyncio.Event()
        if focused is not None and focused.message_queue_size and focused.call_later(taken.set):
            with suppress(TimeoutError):
                await asyncio.wait_for(taken.wait(), TYPED_SECONDS)

    # -- what the machine is doing ------------------------------------------------------------

    def read_board(self) -> None:
        """Read the job folders in a thread; a screen calls it after it started or stopped a job."""

        def read() -> BoardRead:
            changed = self._board.poll()
            return BoardRead(self._board.views, changed, bool(self._board.gone))

        self._in_thread("board", read)

    def _read_gpu(self) -> None:
        self._in_thread("gpu", lambda: GpuRead(gpu_words(gpus())))

    def _in_thread(self, what: str, read: Callable[[], Message]) -> None:
        """One read of a kind at a time: a slow disk must not pile up threads."""
        if what in self._reading:
            return
        self._reading.add(what)

        def work() -> None:
            try:
                self.post_message(read())
            except Exception as error:
                self.post_message(ReadFailed(error))
            finally:
                self._reading.discard(what)

        self.run_worker(work, group=what, thread=True, exit_on_error=False)

    def on_board_read(self, message: BoardRead) -> None:
        self.jobs = message.jobs
        if message.changed or message.gone:
            self.jobs_changed.publish(message.changed)

    def on_gpu_read(self, message: GpuRead) -> None:
        self.gpu = message.words

    def on_read_failed(self, message: ReadFailed) -> None:
        if str(message.error) != self._said:
            self._said = str(message.error)
            self.tell(message.error)

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

    def copy(self, text: str, what: str) -> None:
        """Send the text to the terminal's clipboard (OSC 52) and write it to a file.

        A terminal never confirms that it took a copy, so the words say what was done and no more.
        """
        self.copy_to_clipboard(text)
        target = self.workspace.root / "copied.txt"
        try:
            target.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            self.notify(f"{what}: sent to the terminal; {target} was not written ({error})", markup=False)
            return
        self.notify(f"{what}: sent to the terminal, and written to {target}", markup=False)

    def tell(self, error: BaseException) -> None:
        """One sentence for a person as a toast; whatever is unexpected keeps its type."""
        text = str(error) if isinstance(error, T2SError) else f"Unexpected {type(error).__name__}: {error}"
        self.log.error(text)
        self.notify(text, severity="error", timeout=12, markup=False)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: the rooms and the keys, then the theme and a picture of the screen."""
        for number, (key, title) in enumerate(ROOMS, start=1):
            yield SystemCommand(title, f"Go to {title} ({number})", partial(self.action_room, key))
        yield SystemCommand("Keys", "The keys that work here (?)", self.action_keys)
        yield SystemCommand("Theme", "Choose the colours", self.action_change_theme)
        yield SystemCommand("Screenshot", "Save this screen as SVG", self.deliver_screenshot)
        yield SystemCommand("Leave", "Leave the workbench; jobs go on (q)", self.action_leave)
