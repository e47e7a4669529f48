"""What a judge will be sent, on real rows: each prompt of an evaluation, filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.generate_state import error_words
from t2s_tui.evaluation.comparison import mode_named
from t2s_tui.evaluation.judge.panel import judges_of, labels
from t2s_tui.evaluation.judge.preview import Preview, preview
from t2s_tui.evaluation.judge.prompts import JudgePrompt, prompt_of
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.workspace import Workspace
from widgets.reader import Reader
from widgets.section import visible

if TYPE_CHECKING:
    from t2s_tui.app import T2SApp


@dataclass
class Shown(Message):
    """What a thread made of a row; `ticket` lets late answers be dropped."""

    ticket: int
    found: Preview | Exception


class JudgePromptScreen(ModalScreen[None]):
    """One row's prompt, scrollable. `]` and `[` go through the rows, `J` through the judges."""

    DEFAULT_CSS = """
    JudgePromptScreen { align: center middle; }
    JudgePromptScreen > Vertical {
        width: 96%; max-width: 120; height: 94%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    JudgePromptScreen .prompt--line { height: 1; }
    JudgePromptScreen #prompt-title { text-style: bold; }
    JudgePromptScreen #prompt-facts, JudgePromptScreen #prompt-keys { color: $text-muted; }
    JudgePromptScreen Reader { height: 1fr; padding: 0; margin: 1 0; }
    """
    AUTO_FOCUS = "Reader"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close"),
        Binding("right_square_bracket", "row(1)", "next row"),
        Binding("left_square_bracket", "row(-1)", "row before"),
        Binding("J", "judge", "next judge"),
        Binding("c", "copy", "copy"),
    ]

    def __init__(self, workspace: Workspace, request: EvaluateRequest) -> None:
        super().__init__()
        self._workspace, self._request = workspace, request
        self._judges: Sequence[tuple[str, JudgePrompt]] = ()
        self._judge = self._at = self._ticket = 0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("", id="prompt-title", classes="prompt--line", markup=False)
            yield Static("", id="prompt-facts", classes="prompt--line", markup=False)
            yield Reader(Text(""))
            keys = "] [ rows  J judge  j/k scroll  c copy  esc close"
            yield Static(keys, id="prompt-keys", classes="prompt--line", markup=False)

    def on_mount(self) -> None:
        self._read()

    def action_row(self, by: int) -> None:
        """The prompt about another row."""
        self._at += by
        self._read()

    def action_judge(self) -> None:
        """The prompt of the next judge about the same row."""
        self._judge += 1
        self._read()

    def action_copy(self) -> None:
        """Copy the prompt."""
        cast("T2SApp", self.app).copy(self.query_one(Reader).text.plain, "The prompt")

    def _read(self) -> None:
        """In a thread: evidence that is not there yet takes as long as its queries."""
        self._ticket += 1
        ticket, at = self._ticket, self._at
        self.query_one("#prompt-facts", Static).update("rendering it")

        def work() -> None:
            try:
                name, prompt = self._asked()
                mode = mode_named(self._request.mode)
                found: Preview | Exception = preview(self._workspace, name, prompt, at, mode)
            except Exception as error:  # it is shown in the prompt's place
                found = error
            self.post_message(Shown(ticket, found))

        self.run_worker(work, group="preview", thread=True, exit_on_error=False)

    def _asked(self) -> tuple[str, JudgePrompt]:
        """The set, and the prompt of the judge that is meant."""
        if not self._judges:
            request = self._request.complete(self._workspace)
            assert request.judge is not None
            judges = judges_of(request.judge, request.panel)
            self._judges = [(n, prompt_of(j)) for n, j in zip(labels(judges), judges, strict=True)]
        return self._request.predictions, self._judges[self._judge % len(self._judges)][1]

    def on_shown(self, message: Shown) -> None:
        message.stop()
        if message.ticket != self._ticket:
            return
        title, facts = self.query_one("#prompt-title", Static), self.query_one("#prompt-facts", Static)
        found = message.found
        if isinstance(found, Exception):
            title.update("The prompt cannot be shown")
            facts.update("")
            self.query_one(Reader).show_text(Text(error_words(found)))
            return
        which = self._judge % len(self._judges)
        more = f"   judge {which + 1} of {len(self._judges)}: J" if len(self._judges) > 1 else ""
        title.update(f"{self._judges[which][0]}   {found.version}{more}")
        row = f"#{found.number}   row {found.at + 1} of {found.rows}"
        facts.update(f"{row}   about {found.tokens:,} tokens{found.note}")
        self.query_one(Reader).show_text(Text(visible(found.text)))
