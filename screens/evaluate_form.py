"""Evaluate now: which metrics, and where the judge is. What is wrong stands beside its field."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from screens.confirm import ConfirmScreen
from screens.evaluate_form_state import (
    FormErrors,
    estimate_words,
    first_values,
    form_fields,
    key_words,
    missing_key,
    read_form,
)
from screens.generate_state import error_words
from screens.judge_prompt import JudgePromptScreen
from screens.pick import pick_for
from t2s_tui.evaluation.judge.estimate import Estimate, estimate
from t2s_tui.evaluation.judge.prompts import prompt_names
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.workspace import Workspace
from widgets.form import Form, FormField

REST_SECONDS = 0.5  # after the last key: an estimate renders every prompt


@dataclass
class Estimated(Message):
    """What a thread found out about a request; `ticket` lets late answers be dropped."""

    ticket: int
    request: EvaluateRequest
    found: Estimate | None
    error: Exception | None


class EvaluateForm(ModalScreen[EvaluateRequest | None]):
    """The metrics to run on one prediction set. `f5` starts; the job goes on when this closes.

    What the judge will ask for stands below the fields, and must be confirmed where it is much.
    """

    DEFAULT_CSS = """
    EvaluateForm { align: center middle; }
    EvaluateForm > Vertical {
        width: 104; max-width: 98%; height: auto; max-height: 96%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    EvaluateForm #evaluate-title { text-style: bold; height: 1; }
    EvaluateForm Form { height: auto; max-height: 22; }
    EvaluateForm FormField > .form--label { width: 22; }
    EvaluateForm FormField > FieldEdit, EvaluateForm FormField > ChoiceBox { width: 30; }
    EvaluateForm .evaluate--line { height: auto; max-height: 2; color: $text-muted; margin-top: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "evaluate", priority=True),
        Binding("f3", "preview", "the prompt on a row", priority=True),
        Binding("escape", "dismiss", "close", priority=True),
    ]

    def __init__(
        self,
        workspace: Workspace,
        set_name: str,
        last: Mapping[str, Any],
        *,
        has_database: bool = True,
        only_judge: bool = False,
    ) -> None:
        super().__init__()
        self._workspace, self._set_name = workspace, set_name
        fields = form_fields(prompt_names(workspace))
        self._form = Form(fields, first_values(last, has_database, only_judge=only_judge))
        self._later: Timer | None = None
        self._ticket = 0
        self._starting = False

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"Evaluate {self._set_name}", id="evaluate-title", markup=False)
            yield self._form
            yield Static("", id="evaluate-told", classes="evaluate--line", markup=False)
            words = "f5 evaluate  ←/→ change  ↑/↓ move  f2 what it can be  f3 the prompt  esc close"
            yield Static(words, classes="evaluate--line", markup=False)

    def on_mount(self) -> None:
        # The fields scroll where the screen is low; the words below them stay in sight.
        self._form.styles.max_height = max(6, self.app.size.height - 9)
        self._tell_key()

    def _tell(self, words: str) -> None:
        self.query_one("#evaluate-told", Static).update(words)

    def _tell_key(self) -> None:
        self._tell(key_words(self._form.values, os.environ))

    # -- the estimate -------------------------------------------------------------------------

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")
        self._starting = False
        if self._later is not None:
            self._later.stop()
        self._later = self.set_timer(REST_SECONDS, self._estimate)

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def _estimate(self) -> None:
        """Find out what the judge will ask for, if the fields say enough."""
        try:
            request = read_form(self._set_name, self._form.values)
        except FormErrors:
            self._tell_key()
            return
        self._find_out(request)

    def _find_out(self, request: EvaluateRequest) -> None:
        self._ticket += 1
        ticket, workspace = self._ticket, self._workspace

        def work() -> None:
            try:
                complete = request.complete(workspace)
                answer = Estimated(ticket, complete, estimate(workspace, complete), None)
            except Exception as error:
                answer = Estimated(ticket, request, None, error)
            self.post_message(answer)

        self.run_worker(work, group="estimate", thread=True, exit_on_error=False)

    def on_estimated(self, message: Estimated) -> None:
        message.stop()
        if message.ticket != self._ticket:
            return
        starting, self._starting = self._starting, False
        if message.error is not None:
            self._tell(error_words(message.error))
            return
        words = estimate_words(message.found)
        if words:
            self._tell(words)
        else:
            self._tell_key()
        if not starting:
            return
        if message.found is None or not message.found.to_confirm:
            self.dismiss(message.request)
            return

        def decided(yes: bool | None) -> None:
            if yes:
                self.dismiss(message.request)

        self.app.push_screen(ConfirmScreen("Start the judge?", words), decided)

    def action_start(self) -> None:
        """Close with the request, or say beside the fields what is wrong; ask first where it is much."""
        request = self._request(self._form.values)
        if request is None:
            return
        if request.judge is None:
            self.dismiss(request)
            return
        if wanting := missing_key(request, os.environ):
            self._refuse(wanting)
            return
        self._starting = True
        self._tell("Counting what the judge will be asked.")
        self._find_out(request)

    def action_preview(self) -> None:
        """What the judges will be sent, on a real row. Their model need not be filled in."""
        values = self._form.values
        request = self._request(values | {"judge": "yes", "model": values["model"] or "no model yet"})
        if request is not None:
            self.app.push_screen(JudgePromptScreen(self._workspace, request))

    def _request(self, values: Mapping[str, str]) -> EvaluateRequest | None:
        """What the fields ask for; None where they cannot, which is then said beside them."""
        try:
            return read_form(self._set_name, values)
        except FormErrors as error:
            self._refuse(error.errors)
            return None

    def _refuse(self, errors: Mapping[str, str]) -> None:
        self._form.set_errors(errors)
        self._form.focus_field(next(iter(errors)))
