"""Datasets: what is in the catalogue, and every row of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from screens.add_dataset import AddDatasetScreen
from screens.base import WorkbenchScreen
from screens.datasets_state import (
    dataset_cells,
    dataset_text,
    example_cells,
    example_text,
    matching_rows,
    place_of,
    problems_text,
    report_words,
)
from screens.whole import WholeScreen
from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.catalogue import ExampleTable, open_examples
from t2s_tui.jobs.board import JobView
from t2s_tui.records import Dataset, Example
from widgets.filter_line import FilterBar, FilterLine
from widgets.frame import Pane
from widgets.grid import Column, Grid
from widgets.reader import Reader

_CATALOGUE = (Column("name"), Column("rows", 8, right=True), Column("dialect", 9), Column("added", 10))
_ROWS = (Column("#", 6, right=True), Column("split", 6), Column("db", 10), Column("question"))
_NOTHING = "No dataset yet.\nPress a and type sample (English) or sample-ko (Korean), or the path of a file."


class DatasetsScreen(WorkbenchScreen):
    """The catalogue on the left; after enter the rows of one dataset. On the right what the cursor is on."""

    ROOM = "Datasets"
    CSS_PATH = "datasets.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add a dataset"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("n", "match(1)", "next match", key_display="n/N"),
        Binding("N", "match(-1)", "", show=False),
        Binding("c", "copy", "copy the gold SQL"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._datasets: list[Dataset] = []
        self._open: Dataset | None = None
        self._table: ExampleTable | None = None
        self._found: list[int] | None = None  # the rows the filter leaves, None without a filter
        self._filter_run = 0

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Catalogue", id="list", classes="-list"):
                yield FilterBar("words that must occur; db:game and split:eval narrow it")
                yield Grid(_CATALOGUE, id="catalogue", empty="Reading the catalogue.")
                yield Grid(_ROWS, id="rows", empty="Reading the rows.")
            with Pane(title="Dataset", id="detail", classes="-detail"):
                yield Reader()

    def on_unmount(self) -> None:
        self._filter_run += 1  # a filter over a million rows must not hold up leaving

    # -- the catalogue ------------------------------------------------------------------------

    def refresh_room(self) -> None:
        def read() -> list[Dataset]:
            with self.workspace.store() as store:
                return store.datasets.all()

        grid = self.query_one("#catalogue", Grid)
        self.fetch("catalogue", read, self._show_catalogue, lambda error: grid.set_empty(str(error)))

    def jobs_changed(self, changed: list[JobView]) -> None:
        if any(view.status.state.ended for view in changed):
            self.refresh_room()

    def _show_catalogue(self, datasets: list[Dataset]) -> None:
        grid = self.query_one("#catalogue", Grid)
        name = self._datasets[grid.cursor].name if 0 <= grid.cursor < len(self._datasets) else ""
        self._datasets = datasets
        grid.set_empty(_NOTHING)
        cursor = next((at for at, dataset in enumerate(datasets) if dataset.name == name), None)
        grid.show(len(datasets), lambda at: dataset_cells(self._datasets[at], time.time()), cursor=cursor)
        if self._open is not None and self._open not in datasets:
            self._reopen(self._open.name)
        elif self._open is None:
            self._show_where()

    def _reopen(self, name: str) -> None:
        """The dataset on the screen was replaced, or is gone: never show rows that are no more."""
        again = next((dataset for dataset in self._datasets if dataset.name == name), None)
        if again is not None:
            self._open_dataset(again)
        else:
            self._close_rows()

    def action_add(self) -> None:
        self.app.push_screen(AddDatasetScreen(self.workspace), self._added)

    def _added(self, report: AddReport | None) -> None:
        if report is None:
            return
        self.notify(report_words(report), timeout=8, markup=False)
        if report.problems or report.notes:
            title = f"{report.dataset.name}: what was dropped, and why"
            self.app.push_screen(WholeScreen(title, problems_text(report)))

        def show(datasets: list[Dataset]) -> None:
            self._close_rows()
            self._show_catalogue(datasets)
            at = [dataset.name for dataset in datasets].index(report.dataset.name)
            self.query_one("#catalogue", Grid).go(at)

        def read() -> list[Dataset]:
            with self.workspace.store() as store:
                return store.datasets.all()

        self.fetch("catalogue", read, show)

    # -- the rows -----------------------------------------------------------------------------

    def on_grid_opened(self, message: Grid.Opened) -> None:
        if message.grid.id == "catalogue":
            self._open_dataset(self._datasets[message.row])
        else:
            self.open_detail()

    def _open_dataset(self, dataset: Dataset) -> None:
        self._open, self._table, self._found = dataset, None, None
        self.set_class(True, "-rows")
        self.query_one("#list", Pane).pane_title = "Rows"
        self.query_one("#detail", Pane).pane_title = "Row"
        self.query_one("#rows", Grid).focus()
        self._show_where()
        rows = self.query_one("#rows", Grid)
        rows.set_empty("Reading the rows.")
        rows.show(0, lambda _: ())
        self.fetch(
            "rows",
            lambda: open_examples(self.workspace, dataset.name),
            self._show_table,
            lambda error: rows.set_empty(str(error)),
        )

    def _show_table(self, table: ExampleTable) -> None:
        self._table = table
        self._run_filter()

    def _close_rows(self) -> None:
        self._open = self._table = self._found = None
        self.set_class(False, "-rows")
        self.query_one(FilterBar).clear()
        self.query_one("#list", Pane).pane_title = "Catalogue"
        self.query_one("#detail", Pane).pane_title = "Dataset"
        grid = self.query_one("#catalogue", Grid)
        grid.focus()
        self._show_where()
        self._show_detail()

    def _show_rows(self, found: list[int] | None) -> None:
        table, grid = self._table, self.query_one("#rows", Grid)
        if table is None:
            return
        before = self._row_index(grid.cursor)
        self._found = found
        query = self.query_one(FilterBar).query_text
        grid.set_empty(
            f"No row has {query!r}.\nPress / and change the filter, esc drops it." if query else "No rows."
        )
        count = len(table) if found is None else len(found)
        grid.show(count, self._cells, cursor=place_of(found, max(0, before)))
        self.query_one(FilterBar).show_count(count, len(table))

    def _cells(self, at: int) -> Sequence[str]:
        example = self._example(at)
        return example_cells(example) if example is not None else ()

    def _row_index(self, at: int) -> int:
        """The row of the table behind row `at` of the list."""
        return at if self._found is None or not 0 <= at < len(self._found) else self._found[at]

    def _example(self, at: int) -> Example | None:
        if self._table is None or at < 0:
            return None
        return self._table[self._row_index(at)]

    # -- the filter ---------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()

    def on_filter_line_committed(self, message: FilterLine.Committed) -> None:
        if self._table is not None:
            self._run_filter()

    def _run_filter(self) -> None:
        table, bar = self._table, self.query_one(FilterBar)
        if table is None:
            return
        query = bar.query_text
        self._filter_run += 1
        run = self._filter_run
        if not query:
            self._show_rows(None)
            return
        bar.show_count(None, len(table))

        def show(found: list[int] | None) -> None:
            if found is not None and run == self._filter_run:
                self._show_rows(found)

        self.fetch("filter", lambda: matching_rows(table, query, lambda: run == self._filter_run), show)

    def action_match(self, by: int) -> None:
        """The next row that the filter left, round the end: also while the detail is read."""
        grid = self.query_one("#rows", Grid)
        if grid.count:
            grid.go((grid.cursor + by) % grid.count)

    # -- the detail ---------------------------------------------------------------------------

    def on_grid_moved(self, message: Grid.Moved) -> None:
        self._show_detail()

    def _show_detail(self) -> None:
        reader = self.query_one(Reader)
        if self._open is not None:
            example = self._example(self.query_one("#rows", Grid).cursor)
            if example is not None:
                reader.show_text(example_text(example))
            return
        at = self.query_one("#catalogue", Grid).cursor
        if 0 <= at < len(self._datasets):
            reader.show_text(dataset_text(self._datasets[at], time.time()))

    def action_copy(self) -> None:
        example = self._example(self.query_one("#rows", Grid).cursor)
        if example is not None:
            self.bench.copy(example.gold, f"Gold SQL of #{example.number}")

    def whole(self, message: Grid.Whole) -> tuple[str, Text]:
        if message.grid.id == "catalogue":
            dataset = self._datasets[message.row]
            return f"Dataset {dataset.name}", dataset_text(dataset, time.time())
        return super().whole(message)

    # -- back ---------------------------------------------------------------------------------

    def can_go_back(self) -> bool:
        return super().can_go_back() or self._open is not None

    def action_back(self) -> None:
        """Out of the detail, out of the filter, out of the rows."""
        if super().can_go_back():
            super().action_back()
        elif self.query_one(FilterBar).query_text:
            self.query_one(FilterBar).clear()
        else:
            self._close_rows()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("filter", "match", "copy"):
            return self._table is not None
        return super().check_action(action, parameters)

    def _show_where(self) -> None:
        if self._open is None:
            count = len(self._datasets)
            self.show_where(f"{count} {'dataset' if count == 1 else 'datasets'}" if count else "")
        else:
            self.show_where(f"{self._open.name} · {self._open.size} rows")
        self.refresh_bindings()
