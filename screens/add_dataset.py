"""Add a dataset: a path, or one of the samples."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.map_columns import MapColumnsScreen
from t2s_tui.datasets.add import AddReport, add_dataset
from t2s_tui.datasets.preview import Preview, preview_table
from t2s_tui.datasets.registry import format_of
from t2s_tui.errors import T2SError, UsageError
from t2s_tui.text import duration
from t2s_tui.workspace import Workspace
from widgets.line_edit import LineEdit

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("source", "source", "a CSV, JSONL or Parquet file, a folder, sample, sample-ko"),
    ("name", "name", "after the source"),
    ("dialect", "dialect", "as the source says: sqlite, mysql, ..."),
)


@dataclass
class Added(Message):
    """What came of adding; `preview` is there when it failed because columns could not be told."""

    report: AddReport | None
    error: Exception | None
    preview: Preview | None = None


def add_source(
    workspace: Workspace, source: str, name: str, dialect: str, mapping: Mapping[str, str] | None = None
) -> AddReport:
    """Add what a person typed, in this process. Raises UsageError for what needs a worker: the Hub."""
    source = str(Path(source).expanduser()) if source.startswith("~") else source
    if format_of(source).name == "hub":
        raise UsageError(
            f"{source!r} is no file here; a Hub dataset is added from a shell",
            f"run `t2s-tui datasets add {source} --workspace {workspace.root}`",
        )
    return add_dataset(workspace, source, name=name or None, dialect=dialect or None, column_map=mapping)


class AddDatasetScreen(ModalScreen[AddReport | None]):
    """Ask for a source, add it in a thread, say what is wrong beside the fields."""

    DEFAULT_CSS = """
    AddDatasetScreen { align: center middle; }
    AddDatasetScreen > Vertical {
        width: 76; max-width: 96%; height: auto; background: $surface; border: round $primary; padding: 0 1;
    }
    AddDatasetScreen .add--title { text-style: bold; margin-bottom: 1; }
    AddDatasetScreen Horizontal { height: 1; }
    AddDatasetScreen .add--label { width: 9; color: $text-muted; }
    AddDatasetScreen LineEdit { width: 1fr; background: $boost; }
    AddDatasetScreen #add-word { height: auto; max-height: 6; margin: 1 0; }
    AddDatasetScreen #add-word.-error { color: $text-error; }
    AddDatasetScreen .add--keys { color: $text-muted; height: 1; }
    """
    AUTO_FOCUS = "#source"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "add", "add", priority=True),
        Binding("escape", "leave", "leave", priority=True),
    ]

    def __init__(self, workspace: Workspace, source: str = "") -> None:
        super().__init__()
        self._workspace = workspace
        self._source = source
        self._began: float | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Add a dataset", classes="add--title")
            for key, label, hint in FIELDS:
                with Horizontal():
                    yield Static(label, classes="add--label")
                    yield LineEdit(self._source if key == "source" else "", placeholder=hint, id=key)
            yield Static(
                "Columns: db_id, context (the DDL), question, answer. Rows without one of them are dropped "
                "and counted.",
                id="add-word",
                markup=False,
            )
            yield Static("enter or f5 add  tab next field  esc leave", classes="add--keys")

    def on_mount(self) -> None:
        self.set_interval(1.0, self._tick)

    def on_line_edit_submitted(self) -> None:
        self.action_add()

    def action_add(self) -> None:
        """Add what is in the fields, in a thread."""
        self._add(None)

    def _add(self, mapping: Mapping[str, str] | None) -> None:
        if self._began is not None:
            return
        source, name, dialect = (self.query_one(f"#{key}", LineEdit).value for key, _, _ in FIELDS)
        if not source:
            self._say("A source is missing: type a path, or sample.", error=True)
            self.query_one("#source").focus()
            return
        self._began = time.monotonic()
        self._tick()

        def work() -> None:
            try:
                report = add_source(self._workspace, source, name, dialect, mapping)
                self.post_message(Added(report, None))
            except UsageError as error:
                preview = preview_table(source)
                asks = mapping is None and preview is not None and bool(preview.lacking)
                self.post_message(Added(None, error, preview if asks else None))
            except Exception as error:
                self.post_message(Added(None, error))

        self.run_worker(work, thread=True, exit_on_error=False)

    def on_added(self, message: Added) -> None:
        self._began = None
        if message.report is not None:
            self.dismiss(message.report)
            return
        if message.preview is not None:
            self._say("Its columns have other names: say which is what.")
            self.app.push_screen(MapColumnsScreen(message.preview), self._mapped)
            return
        error = message.error
        known = isinstance(error, T2SError)
        self._say(str(error) if known else f"Unexpected {type(error).__name__}: {error}", error=True)

    def _mapped(self, mapping: dict[str, str] | None) -> None:
        if mapping is None:
            self._say("Not added: its columns have other names.", error=True)
        else:
            self._add(mapping)

    def action_leave(self) -> None:
        """Close. What is being added is finished all the same: it is all or nothing."""
        self.dismiss(None)

    def _tick(self) -> None:
        if self._began is not None:
            self._say(f"Reading and checking the rows  {duration(time.monotonic() - self._began)}")

    def _say(self, words: str, *, error: bool = False) -> None:
        line = self.query_one("#add-word", Static)
        line.set_class(error, "-error")
        line.update(f"! {words}" if error else words)
