"""A line of text that goes with a decision: why a person says that it is right or wrong."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.line_edit import LineEdit


class NoteScreen(ModalScreen[str | None]):
    """Closes with the line, which may be empty, on enter; with None on escape."""

    DEFAULT_CSS = """
    NoteScreen { align: center middle; }
    NoteScreen > Vertical {
        width: 76; max-width: 96%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    NoteScreen #note-title { text-style: bold; height: 1; }
    NoteScreen LineEdit { margin: 1 0; }
    NoteScreen #note-keys { height: 1; color: $text-muted; }
    """
    AUTO_FOCUS = "LineEdit"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close", priority=True)]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._title, id="note-title", markup=False)
            yield LineEdit()
            yield Static("enter record it  esc close", id="note-keys", markup=False)

    def on_line_edit_submitted(self, message: LineEdit.Submitted) -> None:
        self.dismiss(message.edit.value)
