"""The detail of one prediction: question, diff and tables, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from screens.inspect_state import example_head, question_lines, sql_lines
from t2s_tui.evaluation.review import ReviewRow, load_verdicts
from t2s_tui.records import Verdict
from t2s_tui.workspace import Workspace
from widgets.detail import Detail
from widgets.section import Section
from widgets.sql_diff import BESIDE, DiffMode, SqlDiff, SqlPair, read_pair


@dataclass(frozen=True, slots=True)
class Reading:
    """All that the detail shows of one prediction."""

    row: ReviewRow
    verdicts: Mapping[str, Verdict]
    pair: SqlPair

    @property
    def title(self) -> str:
        return example_head(self.row.example)


def read_example(workspace: Workspace, set_name: str, row: ReviewRow) -> Reading:
    """Read the evidence and make the diff: tens of milliseconds, so not where the screen is drawn."""
    example = row.example
    pair = read_pair(example.gold, row.prediction.sql, example.dialect, example.ddl)
    return Reading(row, load_verdicts(workspace, set_name, example.id), pair)


class ExampleDetail(Detail):
    """Sections over a `Reading`; the view of the diff and the tables are the person's choice and stay."""

    def __init__(self) -> None:
        self._question, self._ddl = Section(id="question"), Section(id="ddl")
        self._diff = SqlDiff(id="diff")
        super().__init__(self._question, self._diff, self._ddl)
        self._reading: Reading | None = None
        self._mode = DiffMode.NORMALISED
        self._with_ddl = False

    def show(self, reading: Reading) -> None:
        """Show the prediction from its top; the same one again stays where the person has scrolled to."""
        before, self._reading = self._reading, reading
        if before is None or before.row.example.id != reading.row.example.id:
            self.scroll_home(animate=False, immediate=True)
        example, prediction = reading.row.example, reading.row.prediction
        self._question.show("Question", "", lambda width: question_lines(example, prediction, width))
        self._show_diff()
        self._show_ddl()

    def clear(self) -> None:
        self._reading = None
        super().clear()

    def next_view(self) -> None:
        """The next view of the diff, passing over side by side where it has no room."""
        views = [v for v in DiffMode if v is not DiffMode.BESIDE or self._inner_width >= BESIDE]
        at = views.index(self._mode) if self._mode in views else -1
        self._mode = views[(at + 1) % len(views)]
        self._show_diff()

    def toggle_ddl(self) -> None:
        self._with_ddl = not self._with_ddl
        self._show_ddl()
        if self._with_ddl:
            self.call_after_refresh(self.scroll_to_widget, self._ddl, animate=False)

    @property
    def _inner_width(self) -> int:
        return self._diff.content_size.width or self.size.width - 2

    def _show_diff(self) -> None:
        if self._reading is not None:
            self._diff.show_pair("Diff", self._reading.pair, self._mode)

    def _show_ddl(self) -> None:
        if self._reading is None or not self._with_ddl:
            self._ddl.clear()
            return
        ddl = self._reading.row.example.ddl
        self._ddl.show("Tables", "", lambda width: sql_lines(ddl, width))
