"""The detail of one example: sections that scroll together."""

from __future__ import annotations

from textual.app import ComposeResult

from widgets.reader import Reader
from widgets.section import Section


class Detail(Reader):
    """Sections one below the other, with the keys of a Reader."""

    DEFAULT_CSS = """
    Detail { padding: 0; }
    """

    def __init__(self, *sections: Section, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sections = sections

    def compose(self) -> ComposeResult:
        yield from self._sections

    def clear(self) -> None:
        """Show nothing."""
        for section in self._sections:
            section.clear()
