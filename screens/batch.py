"""Let a model answer a whole split: a form over the Generate room that submits one job."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.batch_state import batch_errors, batch_request, splits_of, suggested_name
from screens.generate_state import Known, error_words
from screens.pick import pick_for
from t2s_tui.jobs import launcher
from t2s_tui.workspace import Workspace
from widgets.form import FieldSpec, Form, FormField


class BatchScreen(ModalScreen[str | None]):
    """Closes with the name of the prediction set that is being made, or None."""

    DEFAULT_CSS = """
    BatchScreen { align: center middle; }
    BatchScreen > Vertical {
        width: 96%; max-width: 116; height: auto; max-height: 96%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    BatchScreen Form { height: auto; }
    BatchScreen FormField > .form--label { width: 16; }
    BatchScreen FieldEdit, BatchScreen ChoiceBox { background: $boost; }
    BatchScreen #batch-title { text-style: bold; height: 1; margin-bottom: 1; }
    BatchScreen #batch-word { height: auto; min-height: 2; margin-top: 1; }
    BatchScreen #batch-word.-error { color: $text-error; }
    BatchScreen #batch-keys { color: $text-muted; height: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "start", priority=True),
        Binding("escape", "leave", "leave", priority=True),
    ]

    def __init__(self, workspace: Workspace, known: Known, asked: Mapping[str, str], dataset: str) -> None:
        super().__init__()
        self._workspace, self._known = workspace, known
        self._named = False  # a person gave it a name: it is not suggested any more
        self._starting = False
        names = tuple(d.name for d in known.datasets)
        dataset = dataset if dataset in names else (names[0] if names else "")
        splits = splits_of(known, dataset)
        groups = {
            "": (
                FieldSpec("dataset", "dataset", "whose questions are asked", names, free=False),
                FieldSpec("split", "split", "which part of it", splits, free=False),
                FieldSpec("limit", "limit", "empty: all rows; else only the first so many"),
                FieldSpec("model", "model", "Hub id, folder, .gguf, smollm2, or an endpoint", known.models),
                FieldSpec("adapter", "adapter", "a finished run, or none", known.adapters, free=False),
                FieldSpec("prompt", "prompt", "the template", known.prompts, free=False),
                FieldSpec("max_new_tokens", "max new tokens", "where an endless answer is cut"),
                FieldSpec("batch_size", "batch size", "empty: chosen for the device"),
                FieldSpec("name", "name", "of the predictions"),
            )
        }
        values = {name: asked.get(name, "") for name in ("model", "adapter", "prompt")}
        values |= {"dataset": dataset, "split": splits[0] if splits else "", "max_new_tokens": "256"}
        self._taken = frozenset(known.predictions)
        self._suggested = suggested_name(values, workspace, self._taken)
        self._form = Form(groups, values | {"name": self._suggested})

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Answer a whole split", id="batch-title")
            yield self._form
            yield Static("", id="batch-word", markup=False)
            yield Static("f5 start  f2 what a field can be  ↑/↓ fields  esc leave", id="batch-keys")

    def on_mount(self) -> None:
        self._check()

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        message.stop()
        values = self._form.values
        if message.name == "name":
            self._named = self._named or message.value not in ("", self._suggested)
        if message.name == "dataset":
            self._form["split"].set_choices(splits_of(self._known, message.value))
        if message.name == "adapter":
            run = self._known.run(message.value)
            if run is not None:
                prompt = str(run.recipe.get("prompt", "book"))
                self._form.set_values({"model": run.model, "prompt": prompt})
        if message.name in ("dataset", "split", "adapter", "model") and not self._named:
            self._suggested = suggested_name(values | self._form.values, self._workspace, self._taken)
            self._form["name"].set_value(self._suggested)
        self._check()

    def on_form_entered(self, message: Form.Entered) -> None:
        self._say(message.field.error or message.field.spec.help, error=bool(message.field.error))

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def _check(self) -> dict[str, str]:
        errors = batch_errors(self._form.values, self._workspace, self._taken)
        self._form.set_errors(errors)
        field = self._form.focused_field
        if field is not None:
            self._say(field.error or field.spec.help, error=bool(field.error))
        return errors

    def action_start(self) -> None:
        """Submit the job; what is wrong is said beside its field."""
        errors = self._check()
        if errors:
            self._form.focus_field(next(iter(errors)))
            return
        if self._starting:
            return
        self._starting = True
        request = batch_request(self._form.values)
        self._say("starting the job")

        def work() -> str | Exception:
            try:
                launcher.submit(self._workspace, "generate", f"generate {request.name}", request.model_dump())
            except Exception as error:
                return error
            return request.name

        async def start() -> None:
            done = await asyncio.to_thread(work)
            self._starting = False
            if isinstance(done, str):
                self.dismiss(done)
            else:
                self._say(error_words(done), error=True)

        self.run_worker(start(), exclusive=True)

    def action_leave(self) -> None:
        self.dismiss(None)

    def _say(self, words: str, *, error: bool = False) -> None:
        line = self.query_one("#batch-word", Static)
        line.set_class(error, "-error")
        line.update(f"! {words}" if error else words)
