"""The filter: `/` opens it, enter commits, escape puts back what was there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea


class FilterLine(TextArea):
    """One line of text. A TextArea, whose cursor stands exactly where an IME composes Korean."""

    DEFAULT_CSS = """
    FilterLine { height: 1; border: none; padding: 0 1; display: none; }
    FilterLine.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "commit", "filter", priority=True),
        Binding("escape", "cancel", "cancel", priority=True),
    ]

    @dataclass
    class Changed(Message):
        """The draft or the committed filter."""

        query: str
        committed: bool

    def __init__(self) -> None:
        super().__init__("", compact=True, soft_wrap=False, show_line_numbers=False, placeholder="filter")
        self.cursor_blink = False
        self._committed = ""
        self._back_to: object = None

    def open(self) -> None:
        """Show the line with the present filter in it."""
        self._back_to = self.screen.focused
        self.add_class("-open")
        self.text = self._committed
        self.move_cursor(self.document.end)
        self.focus()

    @property
    def query_text(self) -> str:
        """The filter that holds now."""
        return self._committed

    def action_commit(self) -> None:
        self._close(" ".join(self.text.split()))

    def action_cancel(self) -> None:
        self._close(self._committed)

    def _close(self, query: str) -> None:
        self._committed = query
        self.remove_class("-open")
        if self._back_to is not None:
            self.screen.set_focus(self._back_to)  # type: ignore[arg-type]
        self.post_message(self.Changed(query, True))
