"""The filter: `/` opens it, enter commits, escape puts back what was there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TextArea

from t2s_tui.text import clip, nfc


class FilterLine(TextArea):
    """One line of text. A TextArea, whose cursor stands exactly where an IME composes Korean."""

    DEFAULT_CSS = """
    FilterLine { height: 1; border: none; padding: 0 1; display: none; }
    FilterLine.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "commit", "filter"),
        Binding("escape", "cancel", "cancel"),
    ]

    @dataclass
    class Committed(Message):
        """Another filter holds from now on; also when a person cancelled and the old one stays."""

        query: str

    def __init__(self) -> None:
        super().__init__("", compact=True, soft_wrap=False, show_line_numbers=False, placeholder="filter")
        self.cursor_blink = False
        self._committed = ""
        self._back_to: Widget | None = None

    def open(self) -> None:
        """Show the line with the present filter in it."""
        self._back_to = self.screen.focused
        self.add_class("-open")
        self.text = self._committed
        self.move_cursor(self.document.end)
        # At once: `focus()` waits for the layout, and letters typed meanwhile would be keys of the room.
        self.display = True
        self.screen.set_focus(self)

    async def _on_key(self, event: events.Key) -> None:
        # Not by priority bindings: those overtake letters that came in the same piece and wait here.
        if event.key in ("enter", "escape"):
            event.stop()
            event.prevent_default()
            if event.key == "enter":
                self.action_commit()
            else:
                self.action_cancel()

    @property
    def query_text(self) -> str:
        """The filter that holds now."""
        return self._committed

    def action_commit(self) -> None:
        self._close(nfc(" ".join(self.text.split())))

    def action_cancel(self) -> None:
        self._close(self._committed)

    def _close(self, query: str) -> None:
        self._committed = query
        self.remove_class("-open")
        self.display = False
        if self._back_to is not None:
            self.screen.set_focus(self._back_to)
            self._back_to = None
        self.post_message(self.Committed(query))

    def set_query(self, query: str) -> None:
        """Commit a filter from outside, for instance none."""
        self.text = query
        self._close(query)

    def put_back(self, query: str) -> None:
        """This filter holds again, and nobody is told: its rows are there already."""
        self._committed = query


class FilterBar(Horizontal):
    """One line over a list: the filter that holds, and how many rows it leaves (`9 of 112`)."""

    DEFAULT_CSS = """
    FilterBar { height: 1; width: 100%; padding: 0 1; color: $text-muted; }
    FilterBar .filter--label { width: auto; }
    FilterBar .filter--query { width: 1fr; color: $foreground; }
    FilterBar .filter--count { width: auto; padding: 0 0 0 2; }
    FilterBar FilterLine { width: 1fr; padding: 0; }
    FilterBar.-open .filter--query { display: none; }
    """

    def __init__(
        self, hint: str = "", *, help: Callable[[str], str] | None = None, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._hint = hint
        self._help = help  # what is typed -> what it can become, said beside the line
        self._counted = ""
        self.line = FilterLine()
        self._query = Static("", classes="filter--query", markup=False)
        self._count = Static("", classes="filter--count", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("/ ", classes="filter--label", markup=False)
        yield self._query
        yield self.line
        yield self._count

    def on_mount(self) -> None:
        self._show_query("")

    @property
    def query_text(self) -> str:
        """The filter that holds now."""
        return self.line.query_text

    def open(self) -> None:
        """Let a person type."""
        self.add_class("-open")
        self.line.open()

    def clear(self) -> None:
        """No filter: everything is shown again."""
        self.line.set_query("")

    def put_back(self, query: str) -> None:
        """Show a filter again whose rows are there already."""
        self.line.put_back(query)
        self._show_query(query)

    def show_count(self, shown: int | None, total: int, note: str = "") -> None:
        """`9 of 112` while filtered, `112` while not, `...` while the filter still works."""
        found = "…" if shown is None else f"{shown:,}"
        count = f"{found} of {total:,}" if self.query_text else f"{total:,}"
        self._counted = f"{count}  {note}" if note else count
        self._count.update(self._counted)

    def on_filter_line_committed(self, message: FilterLine.Committed) -> None:
        # Goes on to the room: only the drawing is done here.
        self.remove_class("-open")
        self._count.update(self._counted)
        self._show_query(message.query)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        if self._help is not None and self.line.has_class("-open"):
            self._count.update(clip(self._help(self.line.text), max(10, self.size.width // 2)))

    def _show_query(self, query: str) -> None:
        self._query.update(Text(query) if query else Text(self._hint, style="dim"))
