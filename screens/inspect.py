"""Inspect: one prediction at a time, with its verdicts and their evidence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from screens.example_detail import ExampleDetail, Reading, read_example
from screens.inspect_actions import VerdictScreen
from screens.inspect_state import (
    FILTER_HINT,
    NO_SETS,
    SetRow,
    read_sets,
    record_text,
    row_cells,
    row_columns,
    set_cells,
    set_columns,
)
from screens.whole import WholeScreen
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.review import (
    Review,
    ReviewRow,
    filter_rows,
    leading_metric,
    next_failing,
    place_of,
    score_words,
)
from widgets.filter_line import FilterBar, FilterLine
from widgets.frame import Pane
from widgets.grid import Cell, Grid

_ON_ROWS = frozenset(
    "failing filter human undo evaluate view ddl generate match record copy pick".split()  # noqa: SIM905
)
_SETTLE = 0.06  # seconds the cursor must rest before a row is read: held keys do not pile up reads


class InspectScreen(VerdictScreen):
    """The predictions of one set on the left, with a sign a metric; on the right why one is wrong."""

    ROOM = "Inspect"
    CSS_PATH = "inspect.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right_square_bracket", "failing(1)", "failing", key_display="]/["),
        Binding("left_square_bracket", "failing(-1)", "", show=False),
        # Priority: the letters that come in the same piece as the slash already go into the line.
        Binding("slash", "filter", "filter", key_display="/", priority=True),
        Binding("y", "human('pass')", "right"),
        Binding("w", "human('fail')", "wrong"),
        Binding("u", "undo", "undo", show=False),
        Binding("e", "evaluate", "evaluate"),
        Binding("D", "view", "view"),
        Binding("t", "ddl", "tables", show=False),
        Binding("o", "generate", "open in Generate", show=False),
        Binding("p", "pick", "pick a set"),
        Binding("n", "match(1)", "next match", key_display="n/N", show=False),
        Binding("N", "match(-1)", "", show=False),
        Binding("space", "record", "whole record", show=False),
        Binding("c", "copy", "copy the generated SQL", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sets: list[SetRow] = []
        self._rows: Sequence[ReviewRow] = ()
        self._reading: Reading | None = None
        self._settle: Timer | None = None
        self._go_to: str | None = None  # the example to stand on when the set has been read

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Predictions: press enter to open", id="sets"):
                yield Grid(set_columns(False), id="set-grid", empty="Reading the workspace.")
            with Pane(title="Predictions", id="list", classes="-list"):
                yield FilterBar(FILTER_HINT)
                yield Grid(row_columns(set()), id="rows", empty="Reading the predictions.")
            with Pane(title="Example", id="detail", classes="-detail"):
                yield ExampleDetail()

    def on_mount(self) -> None:
        self.add_class("-picking")

    # -- which prediction set -----------------------------------------------------------------

    def refresh_room(self) -> None:
        self.fetch("sets", partial(read_sets, self.workspace), self._show_sets)
        if self._wanted is not None:
            self._load(self._wanted)

    def open_set(self, name: str, example_id: str | None = None) -> None:
        """Show this prediction set, at this example if it is one of it: other rooms call it."""
        self._go_to = example_id
        if name != self._wanted:
            self._review, self._rows, self._undo = None, (), []
            self.query_one("#rows", Grid).show(0, lambda _: ())
        self._wanted = name
        self.remove_class("-picking")
        self.query_one("#rows", Grid).focus()
        self._load(name)

    def _show_sets(self, sets: list[SetRow]) -> None:
        self._sets = sets
        grid = self.query_one("#set-grid", Grid)
        grid.set_empty(NO_SETS)
        grid.show(len(sets), lambda at: set_cells(self._sets[at], time.time(), self.has_class("-narrow")))
        if self._wanted is None and len(sets) == 1:
            self.open_set(sets[0].made.name)
        elif self.has_class("-picking"):
            grid.focus()
            self._show_head()

    def action_pick(self) -> None:
        """Back to the list of prediction sets."""
        self.remove_class("-in-detail")
        self.add_class("-picking")
        self.query_one("#set-grid", Grid).focus()
        self.fetch("sets", partial(read_sets, self.workspace), self._show_sets)
        self._show_head()

    def can_go_back(self) -> bool:
        if self.has_class("-picking"):
            return self._review is not None
        return super().can_go_back() or bool(self.query_one(FilterBar).query_text)

    def action_back(self) -> None:
        if self.has_class("-picking"):
            self.remove_class("-picking")
            self.query_one("#rows", Grid).focus()
            self._show_head()
        elif self.zoomed or self.in_detail:
            super().action_back()
        else:
            self.query_one(FilterBar).clear()

    # -- the rows -----------------------------------------------------------------------------

    def _show_review(self, review: Review) -> None:
        self._review, self._stale = review, False
        self.query_one("#rows", Grid).set_columns(row_columns(review.metrics))
        self._show_head()
        self._filter()

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
        return row_cells(self._rows[at], metrics, self.bench.ascii_only) if at < len(self._rows) else ()

    @property
    def _row(self) -> ReviewRow | None:
        cursor = self.query_one("#rows", Grid).cursor
        return self._rows[cursor] if 0 <= cursor < len(self._rows) else None

    def _show_head(self) -> None:
        if self._review is None or self.has_class("-picking"):
            self.show_where(f"{len(self._sets)} prediction sets" if self._sets else "")
            return
        made, scores = self._review.made, self._review.scores
        only = leading_metric(scores) if self.has_class("-narrow") else None
        self.show_where(f"{made.dataset} · {made.split} · {made.name}", score_words(scores, only=only))

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        self.query_one("#set-grid", Grid).set_columns(set_columns(self.has_class("-narrow")))
        self._show_head()

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

    def on_grid_moved(self, message: Grid.Moved) -> None:
        if message.grid.id != "rows":
            return
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(_SETTLE, self._read_row)

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

    # -- the detail ---------------------------------------------------------------------------

    def _read_row(self) -> None:
        row, review = self._row, self._review
        if row is None or review is None:
            self._reading = None
            self.query_one(ExampleDetail).clear()
            self.query_one("#detail", Pane).pane_title = "Example"
            return
        self.fetch("detail", partial(read_example, self.workspace, review.made.name, row), self._show_reading)

    def _show_reading(self, reading: Reading) -> None:
        self._reading = reading
        self.query_one("#detail", Pane).pane_title = reading.title
        self.query_one(ExampleDetail).show(reading, self.bench.ascii_only)

    def action_view(self) -> None:
        """Normalised, side by side where there is room, as written."""
        self.query_one(ExampleDetail).next_view()

    def action_ddl(self) -> None:
        """Show or hide the tables."""
        self.query_one(ExampleDetail).toggle_ddl()

    def on_grid_whole(self, message: Grid.Whole) -> None:
        if message.grid.id == "rows":
            message.prevent_default()
            self.action_record()

    def action_record(self) -> None:
        """Everything that is known of this prediction."""
        if self._reading is not None:
            width = min(106, round(self.size.width * 0.9) - 5)
            text = record_text(self._reading.row, self._reading.verdicts, width, self.bench.ascii_only)
            self.app.push_screen(WholeScreen(self._reading.title, text))

    def action_copy(self) -> None:
        row = self._row
        if row is not None:
            self.bench.copy(row.prediction.sql, f"Generated SQL of #{row.example.number}")

    def action_generate(self) -> None:
        """Open this example in Generate."""
        row, review = self._row, self._review
        if row is not None and review is not None:
            dataset, example_id = review.made.dataset, row.example.id
            self.bench.open_room("generate", lambda room: room.take_example(dataset, example_id))  # type: ignore[attr-defined]
