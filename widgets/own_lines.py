"""Lines that a widget keeps itself, without Textual's cache by line number."""

from __future__ import annotations

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class OwnLines(Widget):
    """A widget without border and padding whose `render_line` gives the same `Strip` for the same line.

    A list that scrolls by one is the same lines elsewhere, and a `Strip` keeps what it was cut and written
    into. Textual's cache is by line number and makes each line anew, some of them thrice: on a list of 37
    lines that was half of what a key costs.
    """

    base_style: Style = Style()  # of the widget, for this painting: to ask for it costs as much as a line

    def render_lines(self, crop: Region) -> list[Strip]:
        self.base_style = self.rich_style
        strips = [self.render_line(y) for y in crop.line_range]
        background = self.background_colors[1]
        for line_filter in self.get_line_filters():
            strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span == (0, self.size.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]


def pieces(text: Text, base: Style, console: Console) -> list[Segment]:
    """One line of text over `base`. `Text.render` leaves out the text's own style where it has no spans."""
    own = base + console.get_style(text.style)
    return [
        Segment(s.text, own + s.style if isinstance(s.style, Style) else own)
        for s in text.render(console)
        if not s.control and s.text != "\n"
    ]
