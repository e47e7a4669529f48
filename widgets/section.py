"""A titled part of a detail pane whose lines are drawn to the width there is."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.text import Text
from textual.app import RenderResult
from textual.geometry import Size
from textual.widget import Widget

Draw = Callable[[int], list[Text]]
Note = str | Callable[[int], str]

_CONSOLE = Console(width=80, force_terminal=False)  # only its defaults are used, nothing is printed


class Section(Widget):
    """A bold title with a muted note, and below it what `draw(width in cells)` gives, a Text a line."""

    DEFAULT_CSS = """
    Section { height: auto; width: 1fr; padding: 0 1; margin-bottom: 1; }
    Section.-empty { display: none; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._head: Text = Text("")
        self._note: Note = ""
        self._draw: Draw = lambda _: []
        self._drawn: tuple[int, list[Text]] | None = None

    def show(self, title: str | Text, note: Note, draw: Draw) -> None:
        """Replace what is shown. Strings are text, never markup; a note may depend on the width too."""
        self._head = title.copy() if isinstance(title, Text) else Text.assemble((title, "bold"))
        self._note, self._draw, self._drawn = note, draw, None
        self.remove_class("-empty")
        self.refresh(layout=True)

    def clear(self) -> None:
        """Take no room at all."""
        self.add_class("-empty")

    def lines(self, width: int) -> list[Text]:
        """The title and the lines at that width."""
        if self._drawn is None or self._drawn[0] != width:
            head = self._head.copy()
            if note := self._note if isinstance(self._note, str) else self._note(width):
                head.append("   " + visible(note), style="dim")
            head.truncate(width, overflow="ellipsis")
            self._drawn = (width, [head, *self._draw(width)])
        return self._drawn[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines(width))

    def render(self) -> RenderResult:
        joined = Text("\n", no_wrap=True).join(self.lines(self.content_size.width))
        joined.no_wrap = True
        return joined


def visible(text: str) -> str:
    """The text with tabs as spaces and other control characters as visible dots; lines stay lines."""
    lines = text.expandtabs(4).splitlines()
    return "\n".join("".join(c if c.isprintable() else "·" for c in line) for line in lines)


def wrapped(text: Text, width: int, first: Text | str = "", rest: Text | str = "") -> list[Text]:
    """The text folded to `width` cells, `first` before its first line and `rest` before the others."""
    head, tail = (Text(p) if isinstance(p, str) else p for p in (first, rest))
    inner = max(1, width - max(head.cell_len, tail.cell_len))
    folded = text.wrap(_CONSOLE, inner, overflow="fold", no_wrap=False) or [Text("")]
    return [(head if i == 0 else tail).copy().append_text(line) for i, line in enumerate(folded)]


def paragraph(text: str, width: int, style: str = "", indent: str = "  ") -> list[Text]:
    """Outside text as wrapped lines: its own line breaks stay, its control characters are shown as dots."""
    lines = visible(text).split("\n")
    return [piece for line in lines for piece in wrapped(Text(line, style=style), width, indent, indent)]
