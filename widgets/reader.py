"""A pane of text that scrolls with the keys of vim and of everyone else."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static


class Reader(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Text of any length, wrapped by cells. What it shows is `Text`: never markup."""

    DEFAULT_CSS = """
    Reader { height: 1fr; width: 100%; scrollbar-size-vertical: 1; padding: 0 1; }
    Reader > Static { height: auto; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "scroll", key_display="j/k", show=False),
        Binding("k,up", "scroll(-1)", "", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page", key_display="^d/^u", show=False),
        Binding("ctrl+u", "page(-0.5)", "", show=False),
        Binding("pagedown", "page(1)", "page", key_display="pgdn/pgup", show=False),
        Binding("pageup", "page(-1)", "", show=False),
        Binding("g,home", "scroll_home", "first / last", key_display="g/G", show=False),
        Binding("G,end", "scroll_end", "", show=False),
    ]

    def __init__(self, text: Text | None = None, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._text = text or Text()
        self._static = Static(self._text, markup=False)

    def compose(self) -> ComposeResult:
        yield self._static

    @property
    def text(self) -> Text:
        """What is shown."""
        return self._text

    def show_text(self, text: Text, *, keep_place: bool = False) -> None:
        """Show `text` from its top, or from where the person is when it is the same thing, changed."""
        self._text = text
        self._static.update(text)
        if not keep_place:
            self.scroll_home(animate=False, immediate=True)

    def action_scroll(self, lines: int) -> None:
        self.scroll_relative(y=lines, animate=False)

    def action_page(self, share: float) -> None:
        self.scroll_relative(y=round(max(1, self.size.height - 1) * share), animate=False)

    def action_scroll_home(self) -> None:
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        self.scroll_end(animate=False)
