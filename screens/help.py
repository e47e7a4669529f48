"""The keys that work where a person is: read from the same table that binds them."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from widgets.frame import typed_away


class HelpScreen(ModalScreen[None]):
    """All keys of the screen below, whether the last line has room for them or not."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: 64; max-width: 95%; height: auto; max-height: 90%;
        background: $surface; padding: 1 2; border: round $primary;
    }
    HelpScreen Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close"),
        Binding("j,down", "scroll(1)", "down", show=False),
        Binding("k,up", "scroll(-1)", "up", show=False),
    ]

    def __init__(self, of: Screen[object]) -> None:
        super().__init__()
        self._rows = key_rows(of)
        self._room = getattr(of, "ROOM", "")

    def compose(self) -> ComposeResult:
        table = Table(box=None, padding=(0, 2, 0, 0), title=f"Keys in {self._room}", title_justify="left")
        table.add_column("key", style="bold", no_wrap=True)
        table.add_column("what it does")
        for key, words in self._rows:
            table.add_row(key, words)
        with VerticalScroll():
            yield Static(table)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def key_rows(screen: Screen[object]) -> list[tuple[str, str]]:
    """(keys, what they do) of every active binding, those that do the same in one row."""
    rows: dict[tuple[str, str], list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.description or typed_away(screen, binding):
            continue
        key = binding.key_display or screen.app.get_key_display(binding)
        keys = rows.setdefault((binding.action, binding.description), [])
        if key not in keys:
            keys.append(key)
    return [(" ".join(keys), description) for (_, description), keys in rows.items()]
