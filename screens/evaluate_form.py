"""Evaluate now: which metrics, and where the judge is. What is wrong stands beside its field."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ValidationError
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.request import EvaluateRequest
from widgets.form import FieldSpec, Form, FormField

METRICS = ("exact", "normalized", "execution", "judge")
JUDGE_FIELDS = ("base_url", "model", "concurrency")
_YES_NO = ("yes", "no")
_HELP = {
    "exact": "the same text",
    "normalized": "the same once normalised",
    "execution": "the same rows on the database",
    "judge": "a model says yes or no",
}
_FIELDS: Mapping[str, tuple[FieldSpec, ...]] = {
    "": tuple(FieldSpec(metric, metric, _HELP[metric], _YES_NO, free=False) for metric in METRICS),
    "Judge": (
        FieldSpec("base_url", "base_url", "empty: OpenAI's own"),
        FieldSpec("model", "model", "a model of that endpoint"),
        FieldSpec("concurrency", "concurrency", "requests at the same time"),
        FieldSpec("redo", "redo", "ask again what has a verdict", _YES_NO, free=False),
    ),
}


class FormErrors(Exception):
    """Field name -> what is wrong with it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {words}" for name, words in errors.items()))
        self.errors = dict(errors)


def read_form(set_name: str, values: Mapping[str, str]) -> EvaluateRequest:
    """The request that the fields ask for. Raises FormErrors with a word for each field that is wrong."""
    metrics = [metric for metric in METRICS if values.get(metric) == "yes"]
    if not metrics:
        raise FormErrors({METRICS[0]: "turn at least one metric to yes"})
    judge = None
    if "judge" in metrics:
        asked: dict[str, Any] = {name: values[name] for name in JUDGE_FIELDS if values.get(name)}
        if "model" not in asked:
            raise FormErrors({"model": "the judge needs a model"})
        try:
            judge = JudgeSettings(**asked)
        except ValidationError as error:
            raise FormErrors(_words(error)) from error
    return EvaluateRequest(
        predictions=set_name, metrics=metrics, judge=judge, redo=values.get("redo") == "yes"
    )


def _words(error: ValidationError) -> dict[str, str]:
    """The first complaint about each field, without pydantic's preface."""
    found: dict[str, str] = {}
    for item in error.errors():
        name = str(item["loc"][0]) if item["loc"] else "model"
        name = name if name in JUDGE_FIELDS else "model"
        found.setdefault(name, item["msg"].removeprefix("Value error, "))
    return found


class EvaluateForm(ModalScreen[EvaluateRequest | None]):
    """The metrics to run on one prediction set. `f5` starts; the job goes on when this closes."""

    DEFAULT_CSS = """
    EvaluateForm { align: center middle; }
    EvaluateForm > Vertical {
        width: 78; max-width: 98%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    EvaluateForm #evaluate-title { text-style: bold; height: 1; }
    EvaluateForm Form { height: auto; max-height: 14; }
    EvaluateForm FormField > .form--label { width: 13; }
    EvaluateForm FormField > FieldEdit, EvaluateForm FormField > ChoiceBox { width: 30; }
    EvaluateForm .evaluate--line { height: 1; color: $text-muted; margin-top: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "evaluate", priority=True),
        Binding("escape", "dismiss", "close", priority=True),
    ]

    def __init__(self, set_name: str, judge: Mapping[str, Any], *, has_database: bool = True) -> None:
        super().__init__()
        self._set_name = set_name
        defaults = {"concurrency": "8", "redo": "no", "judge": "no", "exact": "yes", "normalized": "yes"}
        values = {**defaults, "execution": "yes" if has_database else "no"}
        values |= {name: str(judge[name]) for name in JUDGE_FIELDS if judge.get(name)}
        self._form = Form(_FIELDS, values)
        self._key = str(judge.get("api_key_env") or "OPENAI_API_KEY")

    def compose(self) -> ComposeResult:
        is_set = "is set" if os.environ.get(self._key) else "is not set (a local endpoint needs none)"
        with Vertical():
            yield Static(f"Evaluate {self._set_name}", id="evaluate-title", markup=False)
            yield self._form
            yield Static(f"The judge's key: {self._key} {is_set}.", classes="evaluate--line", markup=False)
            yield Static(
                "f5 evaluate  ←/→ change  ↑/↓ move  esc close", classes="evaluate--line", markup=False
            )

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")

    def action_start(self) -> None:
        """Close with the request, or say beside the fields what is wrong."""
        try:
            request = read_form(self._set_name, self._form.values)
        except FormErrors as error:
            self._form.set_errors(error.errors)
            self._form.focus_field(next(iter(error.errors)))
            return
        self.dismiss(request)
