"""Where people type: TextAreas, whose cursor stands exactly where an IME composes Korean.

Letters type in them. Function keys act, and escape leaves for the screen, whose letters are keys again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from t2s_tui.text import nfc
from widgets.line_edit import LineEdit


class Editor(TextArea):
    """Several lines of text in NFC. Escape gives the focus to the widget that `leave_to` selects."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave the editor", key_display="esc")
    ]

    @dataclass
    class Typed(Message):
        """The text is another one."""

        editor: Editor

    def __init__(self, *, placeholder: str = "", leave_to: str, id: str | None = None) -> None:
        super().__init__("", compact=True, show_line_numbers=False, placeholder=placeholder, id=id)
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self._leave_to = leave_to

    @property
    def value(self) -> str:
        """What was typed, in NFC."""
        return nfc(self.text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self))

    def action_leave(self) -> None:
        self.screen.query_one(self._leave_to).focus()


class FieldEdit(LineEdit):
    """One line of text that tells every change. Up, down and enter move on to another field."""

    DEFAULT_CSS = """
    FieldEdit { scrollbar-size: 0 0; }
    FieldEdit:focus { background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.focus_next", "next field", priority=True, show=False),
    ]

    @dataclass
    class Typed(Message):
        """The text of the line is another one."""

        line: FieldEdit
        value: str

    def on_mount(self) -> None:
        self.highlight_cursor_line = False

    def set_value(self, value: str) -> None:
        """Replace the text, the cursor behind it."""
        if value != self.text:
            self.text = value
        self.move_cursor(self.document.end)

    def on_focus(self) -> None:
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        """A pasted text becomes one line."""
        event.prevent_default()
        event.stop()
        self.insert(" ".join(event.text.split()))

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, self.value))
