"""Audit a dataset: what is looked at. What is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import ValidationError
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.evaluate_form_state import FormErrors
from screens.pick import pick_for
from t2s_tui.datasets.audit.request import AuditRequest
from widgets.form import FieldSpec, Form, FormField

_YES_NO = ("yes", "no")
_NUMBERS = ("max_rows", "block_size")


def read_form(dataset: str, values: Mapping[str, str]) -> AuditRequest:
    """The request that the fields ask for. Raises FormErrors with a word for each field that is wrong."""
    asked: dict[str, Any] = {"dataset": dataset, "run_golds": values.get("run_golds") != "no"}
    errors: dict[str, str] = {}
    for name in ("tokenizer", "prompt"):
        if value := values.get(name, ""):
            asked[name] = value
    for name in _NUMBERS:
        if value := values.get(name, ""):
            if value.isdigit() and int(value) >= 1:
                asked[name] = int(value)
            else:
                errors[name] = "a whole number, 1 or more"
    if "block_size" in asked and "tokenizer" not in asked:
        errors["tokenizer"] = "a block size counts tokens: whose?"
    if errors:
        raise FormErrors(errors)
    try:
        return AuditRequest(**asked)
    except ValidationError as error:
        raise FormErrors({str(item["loc"][0]): item["msg"] for item in error.errors()}) from error


class AuditForm(ModalScreen[AuditRequest | None]):
    """What an audit of one dataset looks at. `f5` starts it; it goes on when this closes."""

    DEFAULT_CSS = """
    AuditForm { align: center middle; }
    AuditForm > Vertical {
        width: 78; max-width: 98%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    AuditForm #audit-title { text-style: bold; height: 1; }
    AuditForm Form { height: auto; max-height: 14; }
    AuditForm FormField > .form--label { width: 13; }
    AuditForm FormField > FieldEdit, AuditForm FormField > ChoiceBox { width: 24; }
    AuditForm .audit--line { height: auto; color: $text-muted; margin-top: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "audit", priority=True),
        Binding("escape", "dismiss", "close", priority=True),
    ]

    def __init__(self, dataset: str, models: Sequence[str], prompts: Sequence[str]) -> None:
        super().__init__()
        self._dataset = dataset
        fields = (
            FieldSpec("run_golds", "run golds", "each on its database", _YES_NO, free=False),
            FieldSpec("max_rows", "many rows", "a gold that returns more is told"),
            FieldSpec("tokenizer", "tokenizer", "counts tokens; empty: none (f2)", tuple(models)),
            FieldSpec("prompt", "prompt", "around each row", tuple(prompts), free=False),
            FieldSpec("block_size", "block size", "longer rows are told as cut"),
        )
        self._form = Form({"": fields}, {"run_golds": "yes", "max_rows": "1000", "prompt": "book"})

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"Audit {self._dataset}", id="audit-title", markup=False)
            yield self._form
            yield Static(
                "Every row is parsed and compared with the others: duplicates, leaks between splits, "
                "golds that do not run. Nothing is changed.",
                classes="audit--line",
            )
            yield Static("f5 audit  ←/→ change  ↑/↓ move  f2 choices  esc close", classes="audit--line")

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def action_start(self) -> None:
        """Close with the request, or say beside the fields what is wrong."""
        try:
            request = read_form(self._dataset, self._form.values)
        except FormErrors as error:
            self._form.set_errors(error.errors)
            self._form.focus_field(next(iter(error.errors)))
            return
        self.dismiss(request)
