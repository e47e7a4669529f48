"""Which prediction set is open in Inspect: the list of sets, and how one gets there and back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from screens.inspect_state import NO_SETS, SetRow, read_sets, set_cells, set_columns
from screens.rows_screen import RowsScreen
from t2s_tui.evaluation.review import ReviewRow, leading_metric, score_words
from widgets.filter_line import FilterBar
from widgets.grid import Grid


class SetsScreen(RowsScreen):
    """The list of sets is seen while the class `-picking` is on, else the rows of the open one (`#rows`)."""

    def __init__(self) -> None:
        super().__init__()
        self._sets: list[SetRow] = []
        self._rows: Sequence[ReviewRow] = ()
        self._with_faults = False  # whether any row of the open set has one
        self._go_to: str | None = None  # the example to stand on when the set has been read

    def on_mount(self) -> None:
        self.add_class("-picking")

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
        self._fit_rows()
        self._show_head()

    def _fit_rows(self) -> None:
        """Give the columns of the rows the widths that there is room for."""
