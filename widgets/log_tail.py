"""The end of something that grows: the last lines only, following until a person scrolls up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.section import wrapped

MAX_LINES = 2000


class LogTail(ScrollView, can_focus=True, inherit_bindings=False):
    """At most MAX_LINES lines, folded to the width. Feed it with `extend`, at most four times a second."""

    DEFAULT_CSS = """
    LogTail { height: 1fr; width: 100%; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "scroll", key_display="j/k", show=False),
        Binding("k,up", "scroll(-1)", "", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page", key_display="^d/^u", show=False),
        Binding("ctrl+u", "page(-0.5)", "", show=False),
        Binding("pagedown", "page(1)", "page", key_display="pgdn/pgup", show=False),
        Binding("pageup", "page(-1)", "", show=False),
        Binding("g,home", "first", "first line", key_display="g", show=False),
        Binding("G,end", "follow", "", show=False),
        Binding("f", "follow", "follow the end", show=False),
    ]

    following: reactive[bool] = reactive(True, init=False)

    class Followed(Message):
        """It follows the end again, or does not any more."""

    def __init__(self, *, empty: str = "Nothing yet.", id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: deque[Text] = deque(maxlen=MAX_LINES)
        self._folded: deque[list[Text]] = deque(maxlen=MAX_LINES)
        self._rows: list[Text] = []
        self._width = 0
        self._empty = empty

    # -- content ------------------------------------------------------------------------------

    def clear(self, empty: str = "") -> None:
        """Another log begins here."""
        self._empty = empty or self._empty
        self._lines.clear()
        self._folded.clear()
        self.following = True
        self._relayout()

    def extend(self, lines: Iterable[Text]) -> None:
        """Append lines. Who reads further up keeps the text where it is, also when old lines fall off."""
        fallen = 0
        added = False
        for line in lines:
            if len(self._lines) == MAX_LINES and self._folded:
                fallen += len(self._folded[0])
            self._lines.append(line)
            if self._width:
                self._folded.append(wrapped(line, self._width))
            added = True
        if added:
            self._relayout(fallen)

    @property
    def plain(self) -> str:
        """All the text there is here, for a copy."""
        return "\n".join(line.plain for line in self._lines)

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def _relayout(self, fallen: int = 0) -> None:
        self._rows = [row for rows in self._folded for row in rows]
        self.virtual_size = Size(0, len(self._rows))
        if self.following:
            self.scroll_end(animate=False, immediate=True, force=True)
        elif fallen:
            self.scroll_to(y=max(0, self.scroll_offset.y - fallen), animate=False, immediate=True, force=True)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        width = max(1, self.scrollable_content_region.width - 1)
        if width != self._width:
            self._width = width
            self._folded = deque((wrapped(line, width) for line in self._lines), maxlen=MAX_LINES)
        self._relayout()

    # -- drawing ------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        base = self.rich_style
        if not self._lines and y == 0:
            return Strip([Segment(f" {self._empty}", base + Style(dim=True))]).adjust_cell_length(width, base)
        if row >= len(self._rows):
            return Strip.blank(width, base)
        segments = [Segment(" ", base)]
        for piece in self._rows[row].render(self.app.console):
            if not piece.control and piece.text != "\n":
                segments.append(
                    Segment(piece.text, base + piece.style if isinstance(piece.style, Style) else base)
                )
        return Strip(segments).adjust_cell_length(width, base)

    # -- moving -------------------------------------------------------------------------------

    def action_scroll(self, lines: int) -> None:
        self._scroll_by(lines)

    def action_page(self, share: float) -> None:
        self._scroll_by(round(max(1, self.scrollable_content_region.height - 1) * share))

    def action_first(self) -> None:
        self.following = False
        self.scroll_to(y=0, animate=False, force=True)

    def action_follow(self) -> None:
        """Show the end, and stay there."""
        self.following = True
        self.scroll_end(animate=False, immediate=True, force=True)

    def on_mouse_scroll_up(self) -> None:
        self.following = False

    def _scroll_by(self, lines: int) -> None:
        if lines < 0:
            self.following = False
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True, force=True)

    def watch_following(self) -> None:
        self.post_message(self.Followed())
