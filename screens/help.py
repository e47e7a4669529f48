"""The keys that work where a person is: read from the same table that binds them."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
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
        self._groups = key_groups(of)
        self._room = getattr(of, "ROOM", "")

    def compose(self) -> ComposeResult:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        table.add_column("key", style="bold", no_wrap=True)
        table.add_column("what it does")
        for title, rows in self._groups:
            table.add_row(Text(title, style="underline"), "")
            for key, words in rows:
                table.add_row(Text(key), Text(words))
            table.add_row("", "")
        with VerticalScroll():
            yield Static(Text(f"Keys in {self._room}", style="bold"))
            yield Static(Text("j/k scroll  esc close\n", style="dim"))
            yield Static(table)

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def key_groups(screen: Screen[object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(where, [(keys, what they do)]) of every active binding, those that do the same in one row."""
    groups: dict[str, dict[tuple[str, str], list[str]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.description or typed_away(screen, binding):
            continue
        where = "In this room" if active.node is screen else "Here"
        if active.node is screen.app or binding.action.startswith(("app.", "screen.")) or binding.system:
            where = "Anywhere"
        key = binding.key_display or screen.app.get_key_display(binding)
        keys = groups.setdefault(where, {}).setdefault((binding.action, binding.description), [])
        if key not in keys:
            keys.append(key)
    return [
        (where, [(" ".join(keys), words) for (_, words), keys in groups[where].items()])
        for where in ("In this room", "Here", "Anywhere")
        if where in groups
    ]
