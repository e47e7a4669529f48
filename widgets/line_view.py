"""Titled sections of lines that scroll together, in one widget.

A detail that follows the cursor of a list is drawn anew at every key. As widgets of their own, seven sections
cost three layouts and 30 KB a key; as lines of one widget they cost one repaint of its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from widgets.own_lines import OwnLines, pieces
from widgets.section import visible

Draw = Callable[[int], list[Text]]
Painted = tuple[Text | None, str]  # a line, and the scroll bar beside it


@dataclass(frozen=True, slots=True)
class Part:
    """A section: a bold title, a muted note, and the lines that `draw(width in cells)` gives."""

    title: str | Text
    note: str
    draw: Draw

    def lines(self, width: int) -> list[Text]:
        head = self.title.copy() if isinstance(self.title, Text) else Text(self.title, style="bold")
        if self.note:
            head.append("   " + visible(self.note), style="not bold dim")
        head.truncate(width, overflow="ellipsis")
        return [head, *self.draw(width)]


class LineView(OwnLines, can_focus=True, inherit_bindings=False):
    """Parts by name in the order in which they were named, with the keys of a Reader."""

    DEFAULT_CSS = """
    LineView { height: 1fr; width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll(1)", "scroll", key_display="j/k", show=False),
        Binding("k,up", "scroll(-1)", "", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page", key_display="^d/^u", show=False),
        Binding("ctrl+u", "page(-0.5)", "", show=False),
        Binding("pagedown", "page(1)", "page", key_display="pgdn/pgup", show=False),
        Binding("pageup", "page(-1)", "", show=False),
        Binding("g,home", "top", "first / last", key_display="g/G", show=False),
        Binding("G,end", "bottom", "", show=False),
    ]

    def __init__(self, *names: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: dict[str, Part | None] = dict.fromkeys(names)
        self._lines: list[Text] | None = None  # at the width there is, None: to be drawn
        self._starts: dict[str, int] = {}
        self._top = 0
        self._painted: list[Painted] = []  # what stands on each line of the screen
        self._strips: dict[int, tuple[Painted, Strip]] = {}  # what was made of it, at `_strips_for`
        self._strips_for: tuple[int, Style] | None = None

    def set_part(self, name: str, part: Part | None) -> None:
        """Replace a section; None takes it away."""
        self.set_parts({name: part})

    def set_parts(self, parts: Mapping[str, Part | None]) -> None:
        """Replace several sections with one repaint."""
        self._parts.update(parts)
        self._redraw()

    def clear(self) -> None:
        """Show nothing."""
        self._top = 0
        self.set_parts(dict.fromkeys(self._parts))

    def go_to_part(self, name: str) -> None:
        """Scroll until the section begins at the top, or as far as there are lines."""
        self._drawn()
        self._go(self._starts.get(name, 0))

    def scroll_to_top(self) -> None:
        self._go(0)

    @property
    def plain(self) -> str:
        """All lines as text."""
        return "\n".join(line.plain for line in self._drawn())

    # -- drawing ------------------------------------------------------------------------------

    def _redraw(self) -> None:
        self._lines = None
        self._repaint()

    def _repaint(self) -> None:
        """Only the lines that look different: over a slow line a key costs what it changed."""
        width, height = self.size
        bar = self._bar(height)
        painted = [self._line(y, bar) for y in range(height)]
        changed = [y for y, line in enumerate(painted) if self._painted[y : y + 1] != [line]]
        self._painted = painted
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _line(self, y: int, bar: range) -> Painted:
        """What stands on line `y` of the screen, and the scroll bar beside it."""
        lines, at = self._drawn(), self._top + y
        thumb = ("|" if self.app.has_class("-ascii") else "▐") if y in bar else " "
        return (lines[at] if at < len(lines) else None), thumb

    def _drawn(self) -> list[Text]:
        if self._lines is None:
            width = max(1, self.size.width - 3)  # a space on either side, and the bar
            self._lines, self._starts = [], {}
            for name, part in self._parts.items():
                if part is not None:
                    self._starts[name] = len(self._lines)
                    self._lines += [*part.lines(width), Text("")]
            self._top = min(self._top, self._last_top())
        return self._lines

    def render_line(self, y: int) -> Strip:
        painted = self._painted[y] if y < len(self._painted) else (None, " ")
        width, base = self.size.width, self.base_style
        key = (width, base)
        if self._strips_for != key:
            self._strips.clear()
            self._strips_for = key
        strip = self._strips.get(y)
        if strip is None or strip[0] is not painted:
            strip = self._strips[y] = (painted, self._strip(*painted, width, base))
        return strip[1]

    def _strip(self, line: Text | None, thumb: str, width: int, base: Style) -> Strip:
        bar = Segment(thumb, base + Style(dim=True) if thumb != " " else base)
        if line is None:
            return Strip([Segment(" " * (width - 1), base), bar], width)
        segments = [Segment(" ", base), *pieces(line, base, self.app.console)]
        left = width - 2 - line.cell_len
        if left < 0:
            segments = list(Strip(segments).crop(0, width - 1))
        return Strip([*segments, Segment(" " * left, base), bar] if left > 0 else [*segments, bar], width)

    def _bar(self, height: int) -> range:
        """The lines of the scroll bar's thumb: none while everything is to be seen."""
        whole = len(self._drawn())
        if whole <= height or height == 0:
            return range(0)
        thumb = max(1, height * height // whole)
        start = (height - thumb) * self._top // max(1, whole - height)
        return range(start, start + thumb)

    # -- scrolling ----------------------------------------------------------------------------

    def _last_top(self) -> int:
        return max(0, len(self._lines or ()) - self.size.height)

    def _go(self, top: int) -> None:
        self._drawn()
        top = min(max(0, top), self._last_top())
        if top != self._top:
            self._top = top
            self._repaint()

    def action_scroll(self, lines: int) -> None:
        self._go(self._top + lines)

    def action_page(self, share: float) -> None:
        self._go(self._top + round(max(1, self.size.height - 1) * share))

    def action_top(self) -> None:
        self._go(0)

    def action_bottom(self) -> None:
        self._go(self._last_top())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll(-3)

    def on_resize(self) -> None:
        self._lines, self._painted = None, []
        self._repaint()
