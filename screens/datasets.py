"""Datasets: what is in the catalogue with its health, and every row of it."""

from __future__ import annotations

import time
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from screens.add_dataset import AddDatasetScreen
from screens.dataset_versions import DatasetVersions
from screens.datasets_state import (
    FILTER_HINT,
    NO_DATASET,
    CatalogueRow,
    catalogue_columns,
    dataset_cells,
    dataset_text,
    open_table,
    problems_text,
    read_catalogue,
    report_words,
)
from screens.row_detail import RowDetail
from screens.row_table import PLAIN, RowTable, grid_columns
from screens.whole import WholeScreen
from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.filter_terms import filter_help
from t2s_tui.jobs.board import JobView
from t2s_tui.records import Dataset
from widgets.filter_line import FilterBar, FilterLine
from widgets.frame import Pane
from widgets.grid import Grid
from widgets.reader import Reader

_ON_ROWS = frozenset(
    "filter match copy sort turn columns mark mark_all undo run_gold tables tokens elsewhere".split()  # noqa: SIM905
)


class DatasetsScreen(DatasetVersions):
    """The catalogue on the left; after enter the rows of one dataset. On the right what the cursor is on."""

    ROOM = "Datasets"
    CSS_PATH = "datasets.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add a dataset"),
        # Priority: the letters that come in the same piece as the slash already go into the line.
        Binding("slash", "filter", "filter", key_display="/", priority=True),
        Binding("s", "sort", "sort", key_display="s/S"),
        Binding("S", "turn", "the other end first", show=False),
        Binding("x", "mark", "mark", key_display="x/X"),
        Binding("X", "mark_all", "mark all listed", show=False),
        Binding("V", "version", "new version"),
        Binding("u", "undo", "undo a mark", show=False),
        Binding("r", "run_gold", "run gold"),
        Binding("A", "audit", "audit"),
        Binding("a", "audit", "", show=False),
        Binding("A", "stop_work", "stop the work"),
        Binding("v", "summary", "summary"),
        Binding("d", "split", "split"),
        Binding("e", "export", "export"),
        Binding("w", "worst", "worst first"),
        Binding("p", "tokens", "tokens"),
        Binding("M", "model", "model"),
        Binding("P", "prompt", "prompt"),
        Binding("o", "elsewhere", "predictions"),
        Binding("t", "tables", "tables"),
        Binding("C", "columns", "columns"),
        Binding("n", "match(1)", "next match", key_display="n/N", show=False),
        Binding("N", "match(-1)", "", show=False),
        Binding("c", "copy", "copy the gold SQL", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._catalogue: list[CatalogueRow] = []
        self._open: Dataset | None = None

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Catalogue", id="list", classes="-list"):
                yield Static("", id="work-line", markup=False)
                yield FilterBar(FILTER_HINT, help=filter_help)
                yield Grid(catalogue_columns(False), id="catalogue", empty="Reading the catalogue.")
                yield Grid(grid_columns(PLAIN), id="rows", empty="Reading the rows.")
            with Pane(title="Dataset", id="detail", classes="-detail"):
                yield Reader(id="dataset")
                yield RowDetail()

    # -- the catalogue ------------------------------------------------------------------------

    def refresh_room(self) -> None:
        grid = self.query_one("#catalogue", Grid)
        read = partial(read_catalogue, self.workspace)
        self.fetch("catalogue", read, self._show_catalogue, lambda error: grid.set_empty(str(error)))

    def jobs_changed(self, changed: list[JobView]) -> None:
        super().jobs_changed(changed)
        if any(view.status.state.ended for view in changed):
            self.refresh_room()

    @property
    def _meant(self) -> Dataset | None:
        if self._open is not None:
            return self._open
        row = self._dataset_at(self.query_one("#catalogue", Grid).cursor)
        return row.dataset if row is not None else None

    def _table_of(self, dataset: Dataset) -> RowTable:
        return open_table(self.workspace, dataset)

    def _open_filtered(self, dataset: Dataset, query: str) -> None:
        if self._open != dataset:
            self._open_dataset(dataset)
        self.query_one(FilterBar).line.set_query(query)

    def _show_catalogue(self, rows: list[CatalogueRow]) -> None:
        grid = self.query_one("#catalogue", Grid)
        under = self._dataset_at(grid.cursor)
        self._catalogue = rows
        grid.set_empty(NO_DATASET)
        names = [row.dataset.name for row in rows]
        cursor = names.index(under.dataset.name) if under and under.dataset.name in names else None
        grid.show(len(rows), self._catalogue_cells, cursor=cursor)
        if self._open is None:
            self._show_where()
            return
        again = next((row.dataset for row in rows if row.dataset.name == self._open.name), None)
        if again is None:
            self._close_rows()  # never show rows that are no more
        elif again != self._open:
            self._open_dataset(again)

    def _catalogue_cells(self, at: int) -> list[str | Text]:
        return dataset_cells(self._catalogue[at], time.time(), self.has_class("-narrow"))

    def _dataset_at(self, at: int) -> CatalogueRow | None:
        return self._catalogue[at] if 0 <= at < len(self._catalogue) else None

    def action_add(self) -> None:
        self.app.push_screen(AddDatasetScreen(self.workspace), self._added)

    def _added(self, report: AddReport | None) -> None:
        if report is None:
            return
        self.notify(report_words(report), timeout=8, markup=False)
        if report.problems or report.notes:
            title = f"{report.dataset.name}: what was dropped, and why"
            self.app.push_screen(WholeScreen(title, problems_text(report)))
        self._go_to_dataset(report.dataset.name)

    def _go_to_dataset(self, name: str) -> None:
        """Read the catalogue again and stand on this dataset."""

        def show(rows: list[CatalogueRow]) -> None:
            self._close_rows()
            self._show_catalogue(rows)
            names = [row.dataset.name for row in rows]
            if name in names:
                self.query_one("#catalogue", Grid).go(names.index(name))

        self.fetch("go", partial(read_catalogue, self.workspace), show)

    # -- opening and closing a dataset --------------------------------------------------------

    def on_grid_opened(self, message: Grid.Opened) -> None:
        if message.grid.id == "catalogue":
            self._open_dataset(self._catalogue[message.row].dataset)
        else:
            self.open_detail()

    def _open_dataset(self, dataset: Dataset) -> None:
        if self._open is None or self._open.name != dataset.name:
            self._columns = None
        self._open = dataset
        self._take_table(None)
        self.set_class(True, "-rows")
        self.query_one("#list", Pane).pane_title = "Rows"
        self.query_one("#detail", Pane).pane_title = "Row"
        self._close_reading()
        rows = self.query_one("#rows", Grid)
        rows.focus()
        self._show_where()
        rows.set_empty("Reading the rows.")
        rows.show(0, lambda _: ())
        self.fetch(
            "rows",
            partial(open_table, self.workspace, dataset),
            self._show_table,
            lambda error: rows.set_empty(str(error)),
        )

    def _show_table(self, table: RowTable) -> None:
        self._take_table(table)
        self._find_rows()

    def _close_rows(self) -> None:
        self._open = None
        self._take_table(None)
        self.set_class(False, "-rows")
        self.query_one(FilterBar).clear()
        self.query_one("#list", Pane).pane_title = "Catalogue"
        self.query_one("#detail", Pane).pane_title = "Dataset"
        self._close_reading()
        self.query_one("#catalogue", Grid).focus()
        self._show_where()
        self._show_dataset()

    # -- moving -------------------------------------------------------------------------------

    def on_filter_line_committed(self, message: FilterLine.Committed) -> None:
        if self._table is not None:
            self._find_rows()

    def on_grid_moved(self, message: Grid.Moved) -> None:
        if message.grid.id == "catalogue":
            self._show_dataset()
        else:
            self._row_moved()

    def _show_dataset(self) -> None:
        row = self._dataset_at(self.query_one("#catalogue", Grid).cursor)
        if self._open is None and row is not None:
            self.query_one("#dataset", Reader).show_text(dataset_text(row, time.time()))

    def whole(self, message: Grid.Whole) -> tuple[str, Text]:
        if message.grid.id == "catalogue":
            row = self._catalogue[message.row]
            return f"Dataset {row.dataset.name}", dataset_text(row, time.time())
        return super().whole(message)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        self.query_one("#catalogue", Grid).set_columns(catalogue_columns(self.has_class("-narrow")))
        self._fit_columns()

    # -- back ---------------------------------------------------------------------------------

    def can_go_back(self) -> bool:
        return super().can_go_back() or self._open is not None

    def action_back(self) -> None:
        """Out of a filter that works, out of the detail, out of the filter, out of the rows."""
        if self._working:
            self._stop_filter()
        elif super().can_go_back():
            super().action_back()
        elif self.query_one(FilterBar).query_text:
            self.query_one(FilterBar).clear()
        else:
            self._close_rows()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter" and isinstance(self.focused, FilterLine):
            return False  # there a slash is a slash
        if action == "add":
            return self._open is None
        if action in ("audit", "split", "export"):
            return self._meant is not None and self._running_work() is None
        if action == "stop_work":
            return self._running_work() is not None
        if action == "summary":
            return self._meant is not None
        if action == "version":
            return self._table is not None and bool(self._marked) and self._running_work() is None
        if action == "worst":
            return self._table is not None and self._table.audited
        if action == "run_gold":
            return self._reading is not None and self._reading.example.database is not None
        if action in ("model", "prompt"):
            return self._table is not None and self._with_tokens
        if action in _ON_ROWS:
            return self._table is not None
        return super().check_action(action, parameters)

    def _show_where(self) -> None:
        if self._open is None:
            count = len(self._catalogue)
            self.show_where(f"{count} {'dataset' if count == 1 else 'datasets'}" if count else "")
        else:
            self.show_where(f"{self._open.name} · {self._open.size:,} rows")
        self.refresh_bindings()
