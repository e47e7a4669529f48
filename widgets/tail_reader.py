"""A reader of something that grows: it stays at the end unless a person scrolled up."""

from __future__ import annotations

from rich.text import Text

from widgets.reader import Reader


class TailReader(Reader):
    """Text that replaces itself, shown from where the person is."""

    def follow(self, text: Text, *, fresh: bool = False) -> None:
        """Show the text; at its end, or when it is `fresh` (another thing), from its end."""
        if text == self.text and not fresh:
            return
        at_end = fresh or self.scroll_offset.y >= self.max_scroll_y
        self.show_text(text, keep_place=True)
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)
