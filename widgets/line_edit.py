"""One line of text to type. A TextArea, whose cursor stands exactly where an IME composes Korean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from t2s_tui.text import nfc


class LineEdit(TextArea):
    """A field of a form: enter says it is done, up and down go to the neighbours."""

    DEFAULT_CSS = """
    LineEdit { height: 1; border: none; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "next", show=False, priority=True),
        Binding("down", "app.focus_next", "", show=False, priority=True),
        Binding("up", "app.focus_previous", "", show=False, priority=True),
    ]

    @dataclass
    class Submitted(Message):
        """Enter in the field."""

        edit: LineEdit

        @property
        def control(self) -> LineEdit:
            return self.edit

    def __init__(self, text: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(
            text, compact=True, soft_wrap=False, show_line_numbers=False, placeholder=placeholder, id=id
        )
        self.cursor_blink = False

    @property
    def value(self) -> str:
        """What stands in the field: one line, NFC, without spaces around it."""
        return nfc(" ".join(self.text.split()))

    def action_submit(self) -> None:
        self.post_message(self.Submitted(self))
