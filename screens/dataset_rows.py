"""The rows of one dataset: filter, order, columns, marks. The Datasets room adds catalogue and detail."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from textual.timer import Timer

from screens.base import WorkbenchScreen
from screens.columns import ColumnsScreen
from screens.pick import PickScreen, every_word
from screens.row_scan import SOURCE_ORDER, RowsFound, RowsRefused, Scan
from screens.row_table import AUDITED, COLUMNS, NARROW, PLAIN, RowTable, grid_columns
from t2s_tui.datasets.arrow import int_array
from t2s_tui.datasets.filter import RowFilter
from t2s_tui.datasets.marks import write_marks
from t2s_tui.datasets.ordering import SORT_KEYS, Order, SortKey
from t2s_tui.errors import UsageError
from widgets.filter_line import FilterBar
from widgets.grid import Cell, Column, Grid

KEEP = 0.5  # seconds after the last mark until they are written
ROOMY = 120  # cells of a screen that has room for a column of findings


@dataclass(frozen=True, slots=True)
class Shown:
    """What the list shows: a filter, an order, and the rows they give (None: all, as they are)."""

    query: str = ""
    order: Order = SOURCE_ORDER
    found: array[int] | None = None


class DatasetRows(WorkbenchScreen):
    """A room with the rows of a dataset in `#rows`. A run number lets what was overtaken be dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._table: RowTable | None = None
        self._shown = Shown()
        self._before = Shown()  # what a filter that is cancelled goes back to
        self._order = SOURCE_ORDER
        self._columns: tuple[str, ...] | None = None  # None: what fits
        self._marked: set[int] = set()
        self._undo: list[frozenset[int]] = []
        self._keeping: Timer | None = None
        self._run = 0
        self._working = False

    def on_unmount(self) -> None:
        self._run += 1  # a filter over a million rows must not hold up leaving

    # -- which rows ---------------------------------------------------------------------------

    def _take_table(self, table: RowTable | None) -> None:
        """Other rows from now on, or none: the order goes, the filter stays, marks are those kept with it."""
        self._keep_marks()
        self._table = table
        self._shown = self._before = Shown()
        self._order = SOURCE_ORDER
        self._marked, self._undo = set(table.marked) if table is not None else set(), []
        self._run += 1
        self._working = False
        self._fit_columns()

    def _index(self, at: int) -> int:
        """The row of the dataset at row `at` of the list; -1 when there is none."""
        found = self._shown.found
        if self._table is None or not 0 <= at < (len(self._table) if found is None else len(found)):
            return -1
        return at if found is None else found[at]

    @property
    def _here(self) -> int:
        """The row of the dataset under the cursor; -1 when there is none."""
        return self._index(self.query_one("#rows", Grid).cursor)

    def _find_rows(self, *, from_top: bool = False) -> None:
        """Apply the filter that holds and the order, in a thread; the cursor stays on its row if it can."""
        table, bar = self._table, self.query_one(FilterBar)
        if table is None:
            return
        self._run += 1
        if not self._working:
            self._before = self._shown
        query, order, run = bar.query_text, self._order, self._run
        here = -1 if from_top else self._here
        if not query and order == SOURCE_ORDER:
            self._working = False
            self._show_found(Shown(), len(table), cursor=max(0, here))
            return
        rows = replace(table.rows, marked=int_array(at + 1 for at in sorted(self._marked)))
        try:
            row_filter = RowFilter(query)
            row_filter.check(rows)
        except UsageError as error:
            self._working = False
            self._show_found(Shown(query, order, array("I")), 0, trouble=str(error))
            return
        self._working = True
        bar.show_count(None, len(table), "esc stops")
        self.refresh_bindings()
        scan = Scan(run, rows, row_filter, order, here, table.release)
        work = partial(scan.work, self.post_message, lambda: run == self._run)
        self.run_worker(work, group="filter", thread=True, exit_on_error=False)

    def on_rows_found(self, message: RowsFound) -> None:
        if message.run != self._run or self._table is None:
            return
        self._working = not message.done
        shown = Shown(self.query_one(FilterBar).query_text, self._order, message.rows)
        note = "" if message.done else f"so far, {100 * message.seen // len(self._table)}%  esc stops"
        self._show_found(shown, message.count, cursor=message.cursor, note=note)

    def on_rows_refused(self, message: RowsRefused) -> None:
        if message.run == self._run:
            self._working = False
            self._show_found(Shown(self.query_one(FilterBar).query_text), 0, trouble=str(message.error))

    def _show_found(
        self, shown: Shown, count: int, *, cursor: int | None = None, note: str = "", trouble: str = ""
    ) -> None:
        table, grid, bar = self._table, self.query_one("#rows", Grid), self.query_one(FilterBar)
        if table is None:
            return
        self._shown = shown
        no_row = f"No row has {shown.query!r}.\nPress / and change the filter, esc drops it."
        grid.set_empty(trouble or (no_row if shown.query else "No rows."))
        grid.show(count, self._cells, cursor=cursor)
        bar.show_count(count, len(table), note or self._note())
        self.refresh_bindings()

    def _note(self) -> str:
        parts = []
        if self._order != SOURCE_ORDER:
            arrow = ("v" if self.bench.ascii_only else "↓") if self._order.descending else ""
            arrow = arrow or ("^" if self.bench.ascii_only else "↑")
            parts.append(f"{SORT_KEYS[self._order.key].title} {arrow}")
        if self._marked:
            parts.append(f"{len(self._marked):,} marked")
        return "  ".join(parts)

    def _stop_filter(self) -> None:
        """Leave a filter that still works: the rows of before are there again."""
        self._run += 1
        self._working = False
        before = self._before
        self._order = before.order
        self.query_one(FilterBar).put_back(before.query)
        count = len(before.found) if before.found is not None else len(self._table or ())
        self._show_found(before, count)

    def action_filter(self) -> None:
        if self.has_class("-narrow") and self.in_detail:
            self.close_detail()  # the line is over the list
        self.query_one(FilterBar).open()

    def action_match(self, by: int) -> None:
        """The next row that the filter left, round the end: also while the detail is read."""
        grid = self.query_one("#rows", Grid)
        if grid.count:
            grid.go((grid.cursor + by) % grid.count)

    # -- the order and the columns ------------------------------------------------------------

    def action_sort(self) -> None:
        """Choose what the rows are sorted by."""
        table = self._table
        if table is None:
            return
        keys = [key for key in SORT_KEYS.values() if table.audited or not key.audited]
        at = next((n for n, key in enumerate(keys) if key.column == self._order.key), 0)

        def take(key: SortKey | None) -> None:
            if key is not None:
                self._sort(Order(key.column, key.descending))

        def matches(key: SortKey, query: str) -> bool:
            return every_word(key.title, query)

        self.app.push_screen(
            PickScreen("Sort by", [Column("")], keys, lambda key: (key.title,), matches, at=at), take
        )

    def action_turn(self) -> None:
        """The other end first."""
        self._sort(Order(self._order.key, not self._order.descending))

    def action_worst(self) -> None:
        """What the audit found worst comes first."""
        self._sort(Order("worst", descending=True))

    def _sort(self, order: Order) -> None:
        self._order = order
        self._find_rows(from_top=True)

    def action_columns(self) -> None:
        """Choose the columns."""
        table = self._table
        if table is None:
            return
        titles = {name: COLUMNS[name].title for name in table.columns_there()}

        def take(chosen: tuple[str, ...] | None) -> None:
            if chosen is not None:
                self._columns = chosen
                self._fit_columns()

        self.app.push_screen(ColumnsScreen(titles, self._names), take)

    @property
    def _names(self) -> Sequence[str]:
        """The columns that are shown."""
        table = self._table
        if self._columns is not None:
            there = table.columns_there() if table else []
            return [name for name in self._columns if name in there] or PLAIN
        if self.has_class("-narrow"):
            return NARROW
        roomy = self.size.width >= ROOMY and table is not None and table.audited
        return AUDITED if roomy else PLAIN

    def _fit_columns(self) -> None:
        self.query_one("#rows", Grid).set_columns(grid_columns(self._names))

    def _cells(self, at: int) -> Sequence[Cell]:
        index = self._index(at)
        if self._table is None or index < 0:
            return ()
        return self._table.cells(index, self._names, index in self._marked, self.bench.ascii_only)

    # -- marks --------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark the row, or take its mark away, and go on to the next."""
        if self._here >= 0:
            self._turn_marks(frozenset((self._here,)))
            self.query_one("#rows", Grid).action_move(1)

    def action_mark_all(self) -> None:
        """Mark all rows that the filter leaves; when all of them are, take the marks away."""
        if self._table is None or self._working:
            return
        found = self._shown.found
        listed = frozenset(range(len(self._table)) if found is None else found)
        self._turn_marks(listed if listed <= self._marked else listed - self._marked)

    def action_undo(self) -> None:
        """Take the last change of marks back."""
        if self._undo:
            self._marked ^= self._undo.pop()
            self._marks_changed()
        else:
            self.notify("Nothing to undo.", markup=False)

    def _turn_marks(self, indexes: frozenset[int]) -> None:
        if indexes:
            self._marked ^= indexes
            self._undo.append(indexes)
            self._marks_changed()

    def _marks_changed(self) -> None:
        grid = self.query_one("#rows", Grid)
        grid.redraw()
        if self._table is not None:
            self.query_one(FilterBar).show_count(grid.count, len(self._table), self._note())
        self.refresh_bindings()
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP, self._keep_marks)

    def _keep_marks(self) -> None:
        """Write the marks beside the dataset when they have changed since."""
        if self._keeping is None or self._table is None:
            return
        self._keeping.stop()
        self._keeping = None
        dataset = self._table.dataset
        folder, marked = self.workspace.dataset_dir(dataset.name), frozenset(self._marked)
        keep = partial(write_marks, folder, dataset.fingerprint, marked)
        self.fetch(f"marks {dataset.name}", keep, lambda _: None)
