"""Write the rows of a dataset to a file. What is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.evaluate_form_state import FormErrors
from screens.pick import pick_for
from t2s_tui.datasets.export import FORMS
from t2s_tui.datasets.export_request import ExportRequest
from t2s_tui.datasets.filter import RowFilter
from t2s_tui.errors import UsageError
from t2s_tui.records import Dataset
from widgets.form import FieldSpec, Form, FormField

EVERY = "all"
#: The ending that each form gets; that of export.FORMS where one says the form.
_ENDINGS = {form: ending for form, (ending, _) in FORMS.items()} | {"text-csv": ".csv", "messages": ".jsonl"}
_PROMPTED = ("text-csv", "messages")


def usual_place(dataset: str, form: str, folder: Path) -> str:
    """A file beside where the workbench was started, that form's ending; for Spider a folder."""
    ending = _ENDINGS[form]
    name = f"{dataset}-text" if form == "text-csv" else f"{dataset}-{form}" if not ending else dataset
    return str(folder / f"{name}{ending}")


def read_export(dataset: Dataset, values: Mapping[str, str]) -> ExportRequest:
    """The request that the fields ask for. Raises FormErrors with a word for each field that is wrong."""
    errors: dict[str, str] = {}
    form, text, split = values["form"], values.get("to", "").strip(), values.get("split", EVERY)
    to = Path(text).expanduser().absolute()
    if not text:
        errors["to"] = "name a file"
    elif not to.parent.is_dir():
        errors["to"] = "there is no such folder"
    elif form == "spider" and to.exists():
        errors["to"] = "a folder that is not there yet"
    elif form != "spider" and to.is_dir():
        errors["to"] = "that is a folder"
    try:
        RowFilter(values.get("query", ""))
    except UsageError as error:
        errors["query"] = error.cause
    if errors:
        raise FormErrors(errors)
    return ExportRequest(
        dataset=dataset.name,
        to=to,
        form=form,
        split=None if split == EVERY else split,
        query=values.get("query", "").strip(),
        prompt=values.get("prompt", "book"),
    )


class ExportForm(ModalScreen[ExportRequest | None]):
    """Which rows of one dataset go where, and how. `f5` starts it; it goes on when this closes."""

    DEFAULT_CSS = """
    ExportForm { align: center middle; }
    ExportForm > Vertical {
        width: 90; max-width: 98%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    ExportForm #export-title { text-style: bold; height: 1; }
    ExportForm Form { height: auto; max-height: 14; }
    ExportForm FormField > .form--label { width: 10; }
    ExportForm FormField > FieldEdit, ExportForm FormField > ChoiceBox { width: 50; }
    ExportForm .export--line { height: auto; color: $text-muted; margin-top: 1; }
    """
    AUTO_FOCUS = "ChoiceBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "start", "export", priority=True),
        Binding("escape", "dismiss", "close", priority=True),
    ]

    def __init__(self, dataset: Dataset, query: str, prompts: Sequence[str]) -> None:
        super().__init__()
        self._dataset = dataset
        self._usual = usual_place(dataset.name, "csv", Path.cwd())
        fields = (
            FieldSpec("form", "form", "", tuple(FORMS), free=False),
            FieldSpec("to", "to", "on this machine"),
            FieldSpec("split", "split", "", (EVERY, *dataset.splits), free=False),
            FieldSpec("query", "filter", "is:marked too"),
            FieldSpec("prompt", "prompt", "around each row", tuple(prompts), free=False),
        )
        values = {"form": "csv", "to": self._usual, "query": query, "prompt": "book", "split": EVERY}
        self._form = Form({"": fields}, values)

    def compose(self) -> ComposeResult:
        with Vertical():
            title = f"Export {self._dataset.name}   {self._dataset.size:,} rows"
            yield Static(title, id="export-title", markup=False)
            yield self._form
            yield Static("", id="export-word", classes="export--line", markup=False)
            yield Static("f5 export  ←/→ change  ↑/↓ move  f2 choices  esc close", classes="export--line")

    def on_mount(self) -> None:
        self._fit("csv")

    def _fit(self, form: str) -> None:
        """What this form is, its ending where nobody typed another place, and a prompt if it has one."""
        self._form["prompt"].display = form in _PROMPTED
        self.query_one("#export-word", Static).update(f"{form}: {FORMS[form][1]}.")
        if self._form["to"].value == self._usual:
            self._usual = usual_place(self._dataset.name, form, Path.cwd())
            self._form["to"].set_value(self._usual)

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")
        if message.name == "form":
            self._form["to"].set_error("")
            self._fit(message.value)

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def action_start(self) -> None:
        """Close with the request, or say beside the fields what is wrong."""
        try:
            request = read_export(self._dataset, self._form.values)
        except FormErrors as error:
            self._form.set_errors(error.errors)
            self._form.focus_field(next(iter(error.errors)))
            return
        self.dismiss(request)
