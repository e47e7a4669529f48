"""Ask before something that cannot be taken back: `y` does it, everything else does not."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static


class ConfirmScreen(ModalScreen[bool]):
    """One question, what follows from yes, and the two keys."""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen > Vertical {
        width: 64; max-width: 96%; height: auto; background: $surface; border: round $warning; padding: 0 1;
    }
    ConfirmScreen Static { height: auto; }
    ConfirmScreen .confirm--question { text-style: bold; }
    ConfirmScreen .confirm--detail { margin: 1 0; }
    ConfirmScreen .confirm--keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, question: str, detail: str = "") -> None:
        super().__init__()
        self._question, self._detail = question, detail

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, classes="confirm--question", markup=False)
            yield Static(self._detail, classes="confirm--detail", markup=False)
            yield Static("y yes  n or esc no", classes="confirm--keys")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
