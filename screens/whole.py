"""A whole row, or any long text, over the screen: what `space` shows when a cell was cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from widgets.reader import Reader
from widgets.section import visible

if TYPE_CHECKING:
    from t2s_tui.app import T2SApp

_SHORT = 40


class WholeScreen(ModalScreen[None]):
    """Text over the screen, scrollable; `c` copies it, escape or space closes it."""

    DEFAULT_CSS = """
    WholeScreen { align: center middle; }
    WholeScreen > #whole {
        width: 90%; max-width: 110; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    WholeScreen #whole-title { text-style: bold; height: 1; }
    WholeScreen Reader { height: auto; max-height: 100%; padding: 0; margin: 1 0; }
    WholeScreen #whole-keys { height: 1; color: $text-muted; dock: bottom; }
    """
    AUTO_FOCUS = "Reader"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,space,q", "dismiss", "close"),
        Binding("c", "copy", "copy"),
    ]

    def __init__(self, title: str, text: Text) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(id="whole"):
            yield Static(self._title, id="whole-title", markup=False)
            yield Reader(self._text)
            yield Static("esc close  c copy  j/k scroll", id="whole-keys", markup=False)

    def action_copy(self) -> None:
        cast("T2SApp", self.app).copy(self._text.plain, self._title)


def whole_row(pairs: Sequence[tuple[str, str]]) -> Text:
    """Each cell of a row in full: short ones beside their title, long ones under it."""
    pairs = [(title, visible(value)) for title, value in pairs]
    width = max((cell_len(title) for title, _ in pairs), default=0)
    text = Text()
    for title, value in pairs:
        text.append(title + " " * (width - cell_len(title)), style="bold")
        text.append(("\n" if len(value) > _SHORT or "\n" in value else "  ") + value + "\n")
    text.rstrip()
    return text
