"""Choose the columns of a list: space turns one on or off, enter takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.grid import Column, Grid


class ColumnsScreen(ModalScreen[tuple[str, ...] | None]):
    """The columns there are, the chosen ones marked. Closes with the chosen ones in the order of the list."""

    DEFAULT_CSS = """
    ColumnsScreen { align: center middle; }
    ColumnsScreen > Vertical {
        width: 46; max-width: 96%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    ColumnsScreen .columns--title { text-style: bold; height: 1; }
    ColumnsScreen .columns--keys { color: $text-muted; height: 1; }
    ColumnsScreen Grid { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,x", "turn", "on / off", priority=True),
        Binding("enter", "take", "take them", priority=True),
        Binding("escape", "dismiss", "cancel"),
    ]

    def __init__(self, titles: Mapping[str, str], chosen: Sequence[str]) -> None:
        super().__init__()
        self._titles = titles
        self._chosen = set(chosen)
        self._names = list(titles)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Columns", classes="columns--title")
            yield Grid([Column("", 3), Column("")])
            yield Static("space on / off  enter take them  esc cancel", classes="columns--keys")

    def on_mount(self) -> None:
        grid = self.query_one(Grid)
        grid.styles.height = min(len(self._names) + 1, max(4, self.app.size.height - 8))
        grid.show(len(self._names), self._cells)

    def _cells(self, at: int) -> Sequence[str]:
        name = self._names[at]
        return ("[x]" if name in self._chosen else "[ ]", self._titles[name])

    def action_turn(self) -> None:
        grid = self.query_one(Grid)
        self._chosen ^= {self._names[grid.cursor]}
        grid.redraw()

    def action_take(self) -> None:
        chosen = tuple(name for name in self._names if name in self._chosen)
        self.dismiss(chosen or None)
