"""A question before something that cannot be taken back at once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static


class ConfirmScreen(ModalScreen[bool]):
    """`y` or enter: yes. `n` or escape: no. The words say what will happen and what is kept."""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen > Vertical {
        width: 64; max-width: 95%; height: auto;
        background: $surface; border: round $primary; padding: 0 1;
    }
    ConfirmScreen Static { height: auto; }
    ConfirmScreen #confirm-question { text-style: bold; }
    ConfirmScreen #confirm-words { margin: 1 0; }
    ConfirmScreen #confirm-keys { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
    ]

    def __init__(self, question: str, words: str = "") -> None:
        super().__init__()
        self._question, self._words = question, words

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._question, id="confirm-question", markup=False)
            if self._words:
                yield Static(self._words, id="confirm-words", markup=False)
            yield Static("y yes   n no", id="confirm-keys", markup=False)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
