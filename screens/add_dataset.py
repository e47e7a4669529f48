"""Add a dataset: a path, a Hub id, or one of the samples."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.add_process import Adding, AddRequest, AddStopped
from screens.map_columns import MapColumnsScreen
from screens.pick import pick_for
from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.preview import Preview, preview_table
from t2s_tui.errors import T2SError, UsageError
from t2s_tui.sql.dialects import DIALECTS
from t2s_tui.text import duration
from t2s_tui.workspace import Workspace
from widgets.form import FieldSpec, Form, FormField

_FIELDS = (
    FieldSpec("source", "source", "file, folder, Hub id, sample-ko"),
    FieldSpec("name", "name", "empty: after the source"),
    FieldSpec("dialect", "dialect", "empty: as the source says (f2)", DIALECTS),
    FieldSpec("databases", "databases", "a folder, if they lie elsewhere"),
)
_WORD = (
    "Spider, WikiSQL, BIRD, AI Hub, defog, tables (CSV, JSONL, Parquet) and archives of them are known by "
    "what is in them. Rows that cannot be used are dropped and told."
)


@dataclass
class Added(Message):
    """What came of adding; `preview` is there when it failed because columns could not be told."""

    report: AddReport | None
    error: Exception | None
    preview: Preview | None = None


class AddDatasetScreen(ModalScreen[AddReport | None]):
    """Ask for a source, add it in another process, say what is wrong beside the fields."""

    DEFAULT_CSS = """
    AddDatasetScreen { align: center middle; }
    AddDatasetScreen > Vertical {
        width: 90; max-width: 98%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    AddDatasetScreen .add--title { text-style: bold; margin-bottom: 1; }
    AddDatasetScreen Form { height: auto; }
    AddDatasetScreen FormField > .form--label { width: 11; }
    AddDatasetScreen FormField > FieldEdit { width: 1fr; background: $boost; }
    AddDatasetScreen FormField > .form--note { width: 33; }
    AddDatasetScreen #add-word { height: auto; max-height: 8; margin: 1 0; }
    AddDatasetScreen #add-word.-error { color: $text-error; }
    AddDatasetScreen .add--keys { color: $text-muted; height: 1; }
    """
    AUTO_FOCUS = "#field-source FieldEdit"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,enter", "add", "add", priority=True),
        Binding("escape", "leave", "leave", priority=True),
    ]

    def __init__(self, workspace: Workspace, source: str = "") -> None:
        super().__init__()
        self._adding = Adding(workspace)
        self._form = Form({"": _FIELDS}, {"source": source})
        self._began: float | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Add a dataset", classes="add--title")
            yield self._form
            yield Static(_WORD, id="add-word", markup=False)
            yield Static("enter or f5 add  tab next field  f2 choices  esc leave", classes="add--keys")

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        self._adding.stop()

    def on_form_field_changed(self, message: FormField.Changed) -> None:
        self._form[message.name].set_error("")

    def on_form_field_choices_asked(self, message: FormField.ChoicesAsked) -> None:
        pick_for(message.field)

    def action_add(self) -> None:
        """Add what is in the fields, in a process of its own."""
        self._add({})

    def _add(self, mapping: Mapping[str, str]) -> None:
        if self._began is not None:
            return
        request = AddRequest(**self._form.values, mapping=mapping)
        wrong = request.check()
        self._form.set_errors(wrong)
        if wrong:
            self._form.focus_field(next(iter(wrong)))
            return
        self._began = time.monotonic()
        self._tick()

        def work() -> None:
            try:
                self.post_message(Added(self._adding.run(request), None))
            except UsageError as error:
                preview = preview_table(request.source) if not mapping else None
                asks = preview is not None and bool(preview.lacking)
                self.post_message(Added(None, error, preview if asks else None))
            except Exception as error:
                self.post_message(Added(None, error))

        self.run_worker(work, thread=True, exit_on_error=False)

    def on_added(self, message: Added) -> None:
        self._began = None
        error = message.error
        if message.report is not None:
            self.dismiss(message.report)
        elif message.preview is not None:
            self._say("Its columns have other names: say which is what.")
            self.app.push_screen(MapColumnsScreen(message.preview), self._mapped)
        elif isinstance(error, AddStopped):
            self._say("Stopped: nothing was added.")
        else:
            known = isinstance(error, T2SError)
            self._say(str(error) if known else f"Unexpected {type(error).__name__}: {error}", error=True)

    def _mapped(self, mapping: dict[str, str] | None) -> None:
        if mapping is None:
            self._say("Not added: its columns have other names.", error=True)
        else:
            self._add(mapping)

    def action_leave(self) -> None:
        """Stop what is being added; when nothing is, close."""
        if self._began is not None:
            self._say("Stopping.")
            self.run_worker(self._adding.stop, thread=True, exit_on_error=False)
        else:
            self.dismiss(None)

    def _tick(self) -> None:
        if self._began is not None:
            passed = duration(time.monotonic() - self._began)
            self._say(f"Reading and checking the rows  {passed}  esc stops")

    def _say(self, words: str, *, error: bool = False) -> None:
        line = self.query_one("#add-word", Static)
        line.set_class(error, "-error")
        line.update(f"! {words}" if error else words)
