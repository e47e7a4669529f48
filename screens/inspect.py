"""Inspect: one prediction at a time, with its verdicts and their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from screens.inspect_sets import SetsScreen
from screens.inspect_state import (
    FAULT_COLUMNS,
    FILTER_HINT,
    NO_FAULTS,
    fault_cells,
    row_cells,
    row_columns,
    set_columns,
)
from screens.judge import JudgeScreen
from screens.pick import PickScreen, every_word
from screens.reading_half import ReadingHalf
from screens.review_queue import ReviewQueueScreen
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.review import (
    FaultCount,
    Review,
    ReviewRow,
    fault_counts,
    next_failing,
    place_of,
)
from t2s_tui.evaluation.review_filter import fault_query, filter_rows
from widgets.filter_line import FilterBar, FilterLine
from widgets.frame import Pane
from widgets.grid import Cell, Grid

#: What means a prediction: in the list of sets there is none.
_ON_ROWS = frozenset(
    "failing filter human noted undo evaluate evidence view ddl generate match".split()  # noqa: SIM905
    + "record copy copy_rows pick faults review edit judge mode".split()  # noqa: SIM905
)


class InspectScreen(SetsScreen):
    """The predictions of one set on the left, with a sign a metric; on the right why one is wrong."""

    ROOM = "Inspect"
    CSS_PATH = "inspect.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "failing(1)", "failing", key_display="]/["),
        Binding("left_square_bracket", "failing(-1)", "", show=False),
        # Priority: the letters that come in the same piece as the slash already go into the line.
        Binding("slash", "filter", "filter", key_display="/", priority=True),
        Binding("f", "faults", "by fault"),
        Binding("E", "evaluate", "evaluate"),
        Binding("r", "review", "review queue"),
        Binding("a", "judge", "the judge at work", show=False),
        Binding("p", "pick", "pick a set"),
        Binding("n", "match(1)", "next match", key_display="n/N", show=False),
        Binding("N", "match(-1)", "", show=False),
    ]

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Predictions: press enter to open", id="sets"):
                yield Grid(set_columns(False), id="set-grid", empty="Reading the workspace.")
            with Pane(title="Predictions", id="list", classes="-list"):
                yield FilterBar(FILTER_HINT)
                yield Grid(row_columns(set()), id="rows", empty="Reading the predictions.")
            yield ReadingHalf()

    # -- the rows -----------------------------------------------------------------------------

    def _show_review(self, review: Review) -> None:
        self._review, self._stale = review, False
        self._with_faults = any(row.fault for row in review.rows)
        self._fit_rows()
        self._show_head()
        self._filter()

    def _fit_rows(self) -> None:
        grid, metrics = self.query_one("#rows", Grid), self._review.metrics if self._review else set()
        grid.set_columns(row_columns(metrics, faults=self._with_faults, room=grid.size.width or 80))

    def _filter(self) -> None:
        """Apply the filter that holds, the cursor staying on its example, or at least in its place."""
        if self._review is None:
            return
        bar, grid = self.query_one(FilterBar), self.query_one("#rows", Grid)
        here, query, error = self._row, bar.query_text, ""
        try:
            rows: Sequence[ReviewRow] = filter_rows(self._review.rows, query)
        except UsageError as wrong:
            rows, error = [], str(wrong)
        self._rows = rows
        grid.set_empty(error or f"No row has {query}.\nPress / to change the filter, esc drops it.")
        if not self._review.rows:
            grid.set_empty("No predictions in this set yet: they appear as they are made.")
        wanted, self._go_to = self._go_to or (here.example.id if here else None), None
        cursor = place_of(rows, wanted) if wanted else None
        grid.show(len(rows), self._cells, cursor=cursor)
        bar.show_count(len(rows), len(self._review.rows), self._note())

    def _note(self) -> str:
        review = self._review
        if review is None:
            return ""
        if review.strays:
            return f"{review.strays} without an example"
        return "" if review.complete else f"of {review.made.total} so far"

    def _cells(self, at: int) -> Sequence[Cell]:
        metrics = self._review.metrics if self._review else set()
        if at >= len(self._rows):
            return ()
        return row_cells(self._rows[at], metrics, self.bench.ascii_only, faults=self._with_faults)

    @property
    def _row(self) -> ReviewRow | None:
        cursor = self.query_one("#rows", Grid).cursor
        return self._rows[cursor] if 0 <= cursor < len(self._rows) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter" and isinstance(self.focused, FilterLine):
            return False  # there a slash is a slash
        # In the list of sets there is no prediction that these keys could mean.
        if action in _ON_ROWS and self.has_class("-picking"):
            return False
        return super().check_action(action, parameters)

    # -- moving -------------------------------------------------------------------------------

    def on_grid_opened(self, message: Grid.Opened) -> None:
        if message.grid.id == "set-grid":
            self.open_set(self._sets[message.row].made.name)
        else:
            self.open_detail()

    def action_failing(self, step: int) -> None:
        """To the nearest prediction that the most trusted metric calls wrong."""
        grid = self.query_one("#rows", Grid)
        at = next_failing(self._rows, grid.cursor, step)
        if at is None:
            self.notify("Nothing fails here: no metric has a no on these rows.", markup=False)
        else:
            grid.go(at)

    def action_match(self, step: int) -> None:
        """Along the rows that the filter leaves, around the end, also from the detail."""
        if self._rows:
            grid = self.query_one("#rows", Grid)
            grid.go((grid.cursor + step) % len(self._rows))

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def on_filter_line_committed(self, message: FilterLine.Committed) -> None:
        self._filter()
        self.refresh_bindings()

    def action_review(self) -> None:
        """Decide what the verdicts contradict each other on."""
        if self._review is not None:
            self.app.push_screen(ReviewQueueScreen(self._review.made.name))

    def action_judge(self) -> None:
        """Watch the judges that were asked about this set."""
        if self._review is not None:
            self.app.push_screen(JudgeScreen(set_name=self._review.made.name))

    def action_faults(self) -> None:
        """Count the failing rows by fault; enter leaves those of one."""

        def leave(count: FaultCount | None) -> None:
            if count is not None:
                self.query_one(FilterBar).line.set_query(fault_query(count))

        counts = fault_counts(self._review.rows if self._review else ())
        failing = sum(count.leading for count in counts)
        picker = PickScreen(
            f"Faults of {failing} failing predictions: enter filters",
            FAULT_COLUMNS,
            counts,
            fault_cells,
            lambda count, query: every_word(count.fault, query),
            empty=NO_FAULTS,
        )
        self.app.push_screen(picker, leave)
