"""What Inspect and the review queue share: a list of predictions, and what is known of one."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from screens.edit_run import EditRunScreen, next_mode
from screens.evidence_words import record_text
from screens.example_detail import Reading, read_example
from screens.inspect_actions import VerdictScreen
from screens.reading_half import ReadingHalf
from screens.whole import WholeScreen
from t2s_tui.evaluation.trial import MODES
from widgets.counterexample import replay_script
from widgets.grid import Grid

SETTLE = 0.06  # seconds the cursor must rest before a row is read: held keys do not pile up reads


class RowsScreen(VerdictScreen):
    """A grid `#rows` on the left and a ReadingHalf on the right. Subclasses say which row is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "human('pass')", "right"),
        Binding("w", "human('fail')", "wrong"),
        Binding("Y", "noted('pass')", "right, with a note", show=False),
        Binding("W", "noted('fail')", "wrong, with a note", show=False),
        Binding("u", "undo", "undo your verdict", show=False),
        Binding("e", "edit", "edit & run"),
        Binding("m", "mode", "run it in another mode", show=False),
        Binding("v", "evidence(1)", "evidence", key_display="v"),
        Binding("V", "evidence(-1)", "the evidence before", show=False),
        Binding("D", "view", "view of the diff", show=False),
        Binding("t", "ddl", "tables", show=False),
        Binding("o", "generate", "open in Generate", show=False),
        Binding("space", "record", "whole record", show=False),
        Binding("c", "copy", "copy the generated SQL", show=False),
        Binding("C", "copy_rows", "copy the counterexample as SQL", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._reading: Reading | None = None
        self._settle: Timer | None = None

    @property
    def half(self) -> ReadingHalf:
        """The right half."""
        return self.query_one(ReadingHalf)

    # -- reading ------------------------------------------------------------------------------

    def on_grid_moved(self, message: Grid.Moved) -> None:
        if message.grid.id != "rows":
            return
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(SETTLE, self._read_row)

    def _read_row(self) -> None:
        row, review = self._row, self._review
        if row is None or review is None:
            self._show_reading(None)
            return
        self.fetch("detail", partial(read_example, self.workspace, review.made.name, row), self._show_reading)

    def _show_reading(self, reading: Reading | None) -> None:
        self._reading = reading
        self.half.show(reading, self.bench.ascii_only)

    def action_zoom(self) -> None:
        super().action_zoom()
        self.half.fit_zoom()

    # -- what there is to see of a row --------------------------------------------------------

    def action_evidence(self, by: int) -> None:
        """The evidence of the next metric: equivalence, execution, judge, what is wrong, your note."""
        if not self.half.evidence.step(by):
            self.notify(
                "There is no other evidence on this row: E evaluates it by more metrics.", markup=False
            )

    def action_view(self) -> None:
        """Normalised, side by side where there is room, as written."""
        self.half.example.next_view()

    def action_ddl(self) -> None:
        """Show or hide the tables."""
        self.half.example.toggle_ddl()

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

    def action_copy_rows(self) -> None:
        """Copy SQL that builds the counterexample and runs both queries on it."""
        reading = self._reading
        verdict = reading.verdicts.get("equivalence") if reading else None
        if reading is None or verdict is None:
            script = None
        else:
            script = replay_script(verdict.evidence, reading.row.example.gold, reading.row.prediction.sql)
        if reading is None or script is None:
            self.notify("There is no counterexample on this row.", markup=False)
            return
        self.bench.copy(script, f"The counterexample of #{reading.row.example.number}")

    def action_edit(self) -> None:
        """Change the generated SQL and see what the metrics say of it."""
        if self._row is not None:
            self.app.push_screen(EditRunScreen(self._row))

    def action_mode(self) -> None:
        """Run the generated SQL again, its rows compared in another way."""
        if self._row is not None:
            self.app.push_screen(EditRunScreen(self._row, next_mode(next(iter(MODES)))))

    def action_generate(self) -> None:
        """Open this example in Generate."""
        row, review = self._row, self._review
        if row is not None and review is not None:
            dataset, example_id = review.made.dataset, row.example.id
            self.bench.open_room("generate", lambda room: room.take_example(dataset, example_id))  # type: ignore[attr-defined]
