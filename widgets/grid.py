"""A table of any length that draws only the rows on the screen.

Rows come from a source by number, so a million memory-mapped rows cost as much as a hundred.
Textual's own DataTable keeps every cell and needs 28 s for 100k rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from t2s_tui.text import clip, one_line
from widgets.own_lines import OwnLines, pieces
from widgets.section import paragraph

Cell = str | Text
RowSource = Callable[[int], Sequence[Cell]]
Looks = tuple[object, ...]
_MOST_STRIPS = 512  # lines that are kept as they were drawn: some screens of them


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in cells; 0 takes what is left. `right` aligns numbers."""

    title: str
    width: int = 0
    right: bool = False


class Grid(ScrollView, OwnLines, can_focus=True, inherit_bindings=False):  # its CSS is that of the first base
    """Rows under a cursor, with the keys of vim and of everyone else."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--header", "grid--cursor", "grid--cursor-blurred"}
    DEFAULT_CSS = """
    Grid .grid--header { color: $text-muted; text-style: bold; }
    Grid .grid--cursor { background: $primary 35%; }
    Grid .grid--cursor-blurred { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "move", key_display="j/k"),
        Binding("k,up", "move(-1)", "", show=False),
        Binding("g,home", "to(0)", "first / last", key_display="g/G", show=False),
        Binding("G,end", "to(-1)", "", show=False),
        Binding("ctrl+d", "page(0.5)", "half a page", key_display="^d/^u", show=False),
        Binding("ctrl+u", "page(-0.5)", "", show=False),
        Binding("pagedown", "page(1)", "page", key_display="pgdn/pgup", show=False),
        Binding("pageup", "page(-1)", "", show=False),
        Binding("enter", "open", "open", key_display="enter"),
        Binding("space", "whole", "whole row", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another row (-1: there is none)."""

        grid: Grid
        row: int

        @property
        def control(self) -> Grid:
            return self.grid

    @dataclass
    class Opened(Message):
        """Enter or a click on the row under the cursor."""

        grid: Grid
        row: int

        @property
        def control(self) -> Grid:
            return self.grid

    @dataclass
    class Whole(Message):
        """Space on the row under the cursor: (column title, the whole text) of each cell."""

        grid: Grid
        row: int
        pairs: list[tuple[str, str]]

        @property
        def control(self) -> Grid:
            return self.grid

    def __init__(
        self, columns: Sequence[Column], *, empty: str = "Nothing here.", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._source: RowSource = lambda _: ()
        self._count = 0
        self._cursor = -1
        self._empty = empty
        self._drawn: dict[int, tuple[int, Looks]] = {}  # line -> the row on it, and how it looks
        self._strips: dict[tuple[object, ...], Strip] = {}  # by all that a line's look hangs on
        #: Called with the cursor's new row before anything is painted: what it changes is in the same frame.
        self.before_paint: Callable[[int], object] = lambda row: None

    # -- content ------------------------------------------------------------------------------

    def show(self, count: int, source: RowSource, *, cursor: int | None = None) -> None:
        """Show `count` rows from `source`, keeping the cursor where it was unless told."""
        before = self._count, self._cursor, self.scroll_offset
        self._count, self._source = count, source
        wanted = self._cursor if cursor is None else cursor
        self._cursor = min(max(wanted, 0), count - 1)
        self.virtual_size = Size(0, count + 1)
        self._into_view()
        if (self._count, self._cursor, self.scroll_offset) == before and count:
            self.redraw()
        else:
            self.refresh()
        self.post_message(self.Moved(self, self._cursor))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Change the columns, for instance at another width of the screen."""
        self._columns = tuple(columns)
        self._strips.clear()
        self.refresh()

    def set_empty(self, text: str) -> None:
        """What stands here when there are no rows: say why and what to do."""
        self._empty = text
        self.refresh()

    def redraw(self) -> None:
        """Some rows may have changed in place: read the visible ones again, send only those that did."""
        width, top = self.size.width, self.scroll_offset.y
        for y in range(1, self.scrollable_content_region.height):
            row = y - 1 + top
            if row < self._count and self._drawn.get(y) != (row, _looks(self._source(row))):
                self.refresh(Region(0, y, width, 1))

    @property
    def cursor(self) -> int:
        """The row under the cursor, -1 when there is none."""
        return self._cursor

    @property
    def count(self) -> int:
        return self._count

    def go(self, row: int) -> None:
        """Move the cursor to a row, clamped to what there is."""
        row = min(max(row, 0), self._count - 1)
        if row == self._cursor:
            return
        before, top = self._cursor, self.scroll_offset.y
        self._cursor = row
        self.before_paint(row)
        self._into_view()
        if self.scroll_offset.y == top:
            for line in (before, row):
                self.refresh(Region(0, line - round(top) + 1, self.size.width, 1))
        else:
            self.refresh()
        self.post_message(self.Moved(self, row))

    # -- drawing ------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if y == 0:
            style = self.get_component_rich_style("grid--header")
            return self._kept([c.title for c in self._columns], width, style)
        row = y - 1 + self.scroll_offset.y
        if row >= self._count:
            if self._count == 0 and y - 1 < len(advice := paragraph(self._empty, width - 1, indent=" ")):
                style = self.base_style + Style(dim=True)
                return Strip([Segment(advice[y - 1].plain, style)]).adjust_cell_length(width, self.base_style)
            return Strip.blank(width, self.base_style)
        style = self.base_style
        if row == self._cursor:
            style = self.get_component_rich_style(
                "grid--cursor" if self.has_focus else "grid--cursor-blurred"
            )
        cells = self._source(row)
        self._drawn[y] = (row, _looks(cells))
        return self._kept(cells, width, style)

    def _kept(self, cells: Sequence[Cell], width: int, base: Style) -> Strip:
        """The strip of these cells, made once."""
        key = (_looks(cells), width, base)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _MOST_STRIPS:
                self._strips.clear()
            strip = self._strips[key] = self._strip(cells, width, base)
        return strip

    def _strip(self, cells: Sequence[Cell], width: int, base: Style) -> Strip:
        segments = [Segment(" ", base)]
        for column, size, cell in zip(self._columns, self._widths(width), cells, strict=False):
            if size > 0:
                segments += self._fitted(cell, size, column.right, base)
                segments.append(Segment(" ", base))
        return Strip(segments).simplify().adjust_cell_length(width, base)

    def _fitted(self, cell: Cell, width: int, right: bool, base: Style) -> list[Segment]:
        """Exactly `width` cells. Strings come from outside: they are never markup."""
        if isinstance(cell, str):
            text = clip(one_line(cell), width)
            padding = " " * max(0, width - cell_len(text))
            return [Segment(padding + text if right else text + padding, base)]
        if cell.cell_len > width:
            cell = cell.copy()
            cell.truncate(width, overflow="ellipsis")
        padded = Segment(" " * max(0, width - cell.cell_len), base)
        shown = pieces(cell, base, self.app.console)
        return [padded, *shown] if right else [*shown, padded]

    def _widths(self, width: int) -> list[int]:
        fixed = sum(c.width for c in self._columns) + len(self._columns) + 1
        flexible = sum(1 for c in self._columns if c.width == 0)
        left = max(0, width - fixed)
        share = left // flexible if flexible else 0
        sizes = [c.width or share for c in self._columns]
        for index in range(len(sizes) - 1, -1, -1):
            if self._columns[index].width == 0:
                sizes[index] += left - share * flexible
                break
        return sizes

    # -- moving -------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self.go(self._cursor + by)

    def action_to(self, row: int) -> None:
        self.go(row if row >= 0 else self._count - 1)

    def action_page(self, share: float) -> None:
        self.go(self._cursor + round(max(1, self._page()) * share))

    def action_open(self) -> None:
        if self._cursor >= 0:
            self.post_message(self.Opened(self, self._cursor))

    def action_whole(self) -> None:
        if self._cursor >= 0:
            texts = [cell if isinstance(cell, str) else cell.plain for cell in self._source(self._cursor)]
            titles = [column.title for column in self._columns]
            pairs = [(title, text) for title, text in zip(titles, texts, strict=False) if title.strip()]
            self.post_message(self.Whole(self, self._cursor, pairs))

    def on_click(self, event: events.Click) -> None:
        row = event.y - 1 + self.scroll_offset.y
        if event.y >= 1 and 0 <= row < self._count:
            again = row == self._cursor
            self.go(row)
            if again:
                self.action_open()

    def on_resize(self) -> None:
        self._into_view()

    def _page(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _into_view(self) -> None:
        top, page = round(self.scroll_offset.y), self._page()
        if self._cursor < top:
            self.scroll_to(y=max(0, self._cursor), animate=False, force=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, force=True)

    def on_focus(self) -> None:
        self.refresh(Region(0, 0, *self.size))

    def on_blur(self) -> None:
        self.refresh(Region(0, 0, *self.size))


def _looks(cells: Sequence[Cell]) -> Looks:
    """What tells apart two drawings of a row."""
    return tuple(
        cell if isinstance(cell, str) else (cell.plain, cell.style, tuple(cell.spans)) for cell in cells
    )
