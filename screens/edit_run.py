"""Edit & run: change the generated SQL and see at once what the metrics say of it. Nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from screens.base import WorkbenchScreen
from screens.evidence_pane import EvidencePane
from screens.inspect_state import example_head, question_lines, sql_lines
from t2s_tui.evaluation.review import ReviewRow
from t2s_tui.evaluation.trial import MODES, try_sql
from t2s_tui.records import Verdict
from t2s_tui.text import duration
from widgets.detail import Detail
from widgets.editors import Editor
from widgets.frame import Pane
from widgets.section import Section

_REST = "#words"


def next_mode(mode: str) -> str:
    """The mode after this one, around the end."""
    names = list(MODES)
    return names[(names.index(mode) + 1) % len(names)]


class EditRunScreen(WorkbenchScreen):
    """The SQL in an editor on the left, under question and gold; the verdicts on it on the right."""

    ROOM = "Edit & run"
    CSS_PATH = "edit_run.tcss"
    AUTO_FOCUS = "Editor"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "run", "run", priority=True),
        Binding("escape", "back", "back"),
        Binding("e", "edit", "edit"),
        Binding("m", "mode", "another mode"),
        Binding("v", "evidence(1)", "evidence"),
        Binding("V", "evidence(-1)", "the evidence before", show=False),
        Binding("c", "copy", "copy the SQL", show=False),
    ]

    def __init__(self, row: ReviewRow, mode: str = "") -> None:
        super().__init__()
        self._row = row
        self._mode = mode or next(iter(MODES))
        self._at_once = bool(mode)  # another mode was asked for: run it, the editor may wait
        self._since: float | None = None  # when the run that is awaited began
        self._ran = ""

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title=example_head(self._row.example), id="sql-pane", classes="-list"):
                yield Detail(Section(id="question"), Section(id="gold"), id="words")
                yield Static("generated", classes="edit--label", markup=False)
                yield Editor(leave_to=_REST, id="sql")
                yield Static("", id="told", markup=False)
            yield EvidencePane()

    def on_mount(self) -> None:
        example, prediction = self._row.example, self._row.prediction
        self.query_one("#question", Section).show(
            "Question", "", lambda width: question_lines(example, prediction, width)
        )
        self.query_one("#gold", Section).show(
            "Gold", example.dialect, lambda width: sql_lines(example.gold, width)
        )
        editor = self.query_one(Editor)
        editor.text = prediction.sql
        editor.move_cursor(editor.document.end)
        self.show_where(example_head(example))
        self.set_interval(1.0, self._tick)
        if self._at_once:
            self.call_after_refresh(self.query_one(_REST).focus)
            self.action_run()
            return
        self._tell(
            "f5 runs it. The verdicts here are a trial: what is stored of this prediction stays as it is."
        )

    def action_run(self) -> None:
        """Judge what stands in the editor."""
        sql = self.query_one(Editor).value
        self._since, self._ran = time.monotonic(), sql
        self._tick()
        judge = partial(try_sql, self._row.example, sql, self._mode)
        self.fetch("try", judge, self._show, self._failed)

    def _show(self, said: Mapping[str, Verdict]) -> None:
        took = time.monotonic() - self._since if self._since else 0.0
        self._since = None
        changed = "" if self._ran != self._row.prediction.sql else ", as the model wrote it"
        self._tell(f"judged in {took:.1f} s{changed}, mode {self._mode}: not kept")
        self.query_one(EvidencePane).show(self._row.example.id, said, self.bench.ascii_only)
        if self.has_class("-narrow"):
            self.open_detail()

    def _failed(self, _: Exception) -> None:
        self._since = None
        self._tell("It was not judged.")

    def _tick(self) -> None:
        if self._since is not None:
            self._tell(f"running, {duration(time.monotonic() - self._since)}")

    def _tell(self, words: str) -> None:
        self.query_one("#told", Static).update(words)

    def action_mode(self) -> None:
        """Compare the rows in another way, and run again."""
        self._mode = next_mode(self._mode)
        self.action_run()

    def action_edit(self) -> None:
        self.close_detail()
        self.query_one(Editor).focus()

    def action_evidence(self, by: int) -> None:
        """The evidence of the next metric."""
        self.query_one(EvidencePane).step(by)

    def action_copy(self) -> None:
        self.bench.copy(self.query_one(Editor).value, f"SQL of #{self._row.example.number}")

    def close_detail(self) -> None:
        self.remove_class("-in-detail")
        self.query_one(_REST).focus()
        self.refresh_bindings()

    def can_go_back(self) -> bool:
        return True

    def action_back(self) -> None:
        """Unzoom, leave the verdicts, leave the screen."""
        if super().can_go_back():
            super().action_back()
        else:
            self.app.pop_screen()
