"""Reading one row: its detail, gold on its database, its tokens, and the same row in other rooms."""

from __future__ import annotations

import time
from functools import partial

from textual.timer import Timer

from screens.dataset_rows import DatasetRows
from screens.datasets_state import sets_with
from screens.inspect_state import SetRow
from screens.pick import pick_word
from screens.pick_set import pick_set
from screens.row_detail import RowDetail
from screens.row_reading import GoldRun, RowReading, read_row, read_rows, run_gold
from screens.row_table import RowTable
from screens.row_tokens import CutRow, TokenCutter, local_models, usual_tokens
from t2s_tui.prompts.templates import list_templates
from t2s_tui.text import duration
from widgets.frame import Pane
from widgets.grid import Grid

_HELD = 0.12  # seconds between two keys of one that is held down
_SETTLE = 0.06  # seconds the cursor must then rest before a row is read: held keys do not pile up reads
_AHEAD = 0.05  # seconds after a row is shown until those beside it are read, for the next key


class DatasetReader(DatasetRows):
    """A room whose detail pane reads the row under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._reading: RowReading | None = None
        self._settle: Timer | None = None
        self._ahead: Timer | None = None
        self._near: dict[int, RowReading] = {}  # the rows beside the cursor, read before they are asked for
        self._near_of: RowTable | None = None
        self._moved = 0.0
        self._cutter: TokenCutter | None = None
        self._with_tokens = False
        self._how: tuple[str, str] | None = None  # (model, prompt) that the tokens are of
        self._waiting: dict[str, float] = {}  # what is being waited for -> seconds so far

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#rows", Grid).before_paint = self._show_near
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        super().on_unmount()
        if self._cutter is not None:
            self._cutter.close()

    # -- the row under the cursor -------------------------------------------------------------

    def _row_moved(self) -> None:
        now = time.monotonic()
        held, self._moved = now - self._moved < _HELD, now
        if self._settle is not None:
            self._settle.stop()
        if held:
            self._settle = self.set_timer(_SETTLE, self._read_row)
        else:
            self._read_row()

    def _read_row(self) -> None:
        """Show the row under the cursor: with the key's own repaint where it was read before."""
        table, index = self._table, self._here
        if table is None:
            return
        if self._reading is not None and self._near.get(index) is self._reading:
            return  # shown with the cursor
        if self._show_near(self.query_one("#rows", Grid).cursor):
            return
        if index < 0:
            self._reading = None
            self.query_one(RowDetail).clear()
            self.query_one("#detail", Pane).pane_title = "Row"
            return
        self.fetch("detail", partial(read_row, table, index), self._show_reading)

    def _show_near(self, at: int) -> bool:
        """Show the row at `at` of the list if it was read ahead; whether it was."""
        reading = self._near.get(self._index(at)) if self._near_of is self._table else None
        if reading is None:
            return False
        self._tickets["detail"] = self._tickets.get("detail", 0) + 1  # one that is being read comes too late
        self._show_reading(reading)
        return True

    def _read_ahead(self) -> None:
        """The rows that the next key may go to."""
        table, cursor = self._table, self.query_one("#rows", Grid).cursor
        if table is None:
            return
        beside = [self._index(at) for at in (cursor + 1, cursor - 1)]
        wanted = [index for index in beside if index >= 0]

        def keep(readings: list[RowReading]) -> None:
            self._near, self._near_of = {reading.index: reading for reading in readings}, table

        self.fetch("near", partial(read_rows, table, wanted), keep)

    def _show_reading(self, reading: RowReading) -> None:
        if self._table is None:
            return
        before, self._reading = self._reading, reading
        detail = self.query_one(RowDetail)
        self.query_one("#detail", Pane).pane_title = f"Row #{reading.example.number}"
        detail.show(reading, self.bench.ascii_only)
        if before is None or before.index != reading.index:
            self._waiting.clear()
            if self._with_tokens:
                self._cut()
        if self._ahead is not None:
            self._ahead.stop()
        self._ahead = self.set_timer(_AHEAD, self._read_ahead)
        runs, ran = (r is not None and r.example.database is not None for r in (reading, before))
        if runs != ran:
            self.refresh_bindings()

    def action_tables(self) -> None:
        """Open all tables, or only those that the gold uses."""
        self.query_one(RowDetail).toggle_tables()

    def action_copy(self) -> None:
        """The gold SQL as it is written."""
        table, index = self._table, self._here
        if table is not None and index >= 0:
            example = table.example(index)
            self.bench.copy(example.gold, f"Gold SQL of #{example.number}")

    # -- gold on its database -----------------------------------------------------------------

    def action_run_gold(self) -> None:
        """Run gold in the sandbox: five seconds at most."""
        reading = self._reading
        if reading is None or reading.example.database is None:
            return
        self._waiting["result"] = 0

        def show(ran: GoldRun) -> None:
            self._waiting.pop("result", None)
            if self._reading is not None and self._reading.index == reading.index:
                self.query_one(RowDetail).show_result(ran)

        self.query_one(RowDetail).show_word("result", "running")
        self.fetch("result", partial(run_gold, reading.example), show)

    def _tick(self) -> None:
        """What is slow says in its own place how long it has taken."""
        if not self.is_current:
            return
        for section, passed in self._waiting.items():
            self._waiting[section] = passed + 1
            words = "running" if section == "result" else "p stops; the tokenizer is loaded"
            self.query_one(RowDetail).show_word(section, f"{words}  {duration(passed + 1)}")

    # -- tokens -------------------------------------------------------------------------------

    def action_tokens(self) -> None:
        """Show the row as the tokens a model is trained on, or hide them."""
        self._with_tokens = not self._with_tokens
        if not self._with_tokens:
            if self._waiting.pop("tokens", None) is not None and self._cutter is not None:
                self._tickets["tokens"] += 1  # it is still loading: nobody waits for it any more
                self._cutter.close()
                self._cutter = None
            self.query_one(RowDetail).hide_tokens()
        elif self._how is None:
            self.fetch("usual", partial(usual_tokens, self.workspace), self._cut_with)
        else:
            self._cut()
        self.refresh_bindings()

    def action_model(self) -> None:
        """Choose the model whose tokens are shown."""
        names = local_models(self.workspace)
        self.app.push_screen(
            pick_word("Tokens of", names, self._how[0] if self._how else ""), self._with_model
        )

    def action_prompt(self) -> None:
        """Choose the prompt whose tokens are shown."""
        names = [template.name for template in list_templates(self.workspace)]
        self.app.push_screen(pick_word("Prompt", names, self._how[1] if self._how else ""), self._with_prompt)

    def _with_model(self, model: str | None) -> None:
        if model is not None and self._how is not None:
            self._cut_with((model, self._how[1]))

    def _with_prompt(self, prompt: str | None) -> None:
        if prompt is not None and self._how is not None:
            self._cut_with((self._how[0], prompt))

    def _cut_with(self, how: tuple[str, str]) -> None:
        self._how = how
        self._cut()

    def _cut(self) -> None:
        reading, how = self._reading, self._how
        if reading is None or how is None or not self._with_tokens:
            return
        if self._cutter is None:
            self._cutter = TokenCutter(self.workspace)
        detail = self.query_one(RowDetail)
        self._waiting["tokens"] = 0

        def show(cut: CutRow) -> None:
            self._waiting.pop("tokens", None)
            if self._with_tokens and self._reading is not None and self._reading.index == reading.index:
                detail.show_tokens(cut)

        def failed(error: Exception) -> None:
            self._waiting.pop("tokens", None)
            if self._with_tokens:
                detail.show_word("tokens", str(error))

        detail.show_word("tokens", f"{how[1]} · {how[0]}")
        self.fetch("tokens", partial(self._cutter.cut, reading.example, *how), show, failed)
        detail.go_to_part("tokens")

    # -- the same row elsewhere ---------------------------------------------------------------

    def action_elsewhere(self) -> None:
        """Open the row in the predictions that have it; without any, in Generate."""
        table, reading = self._table, self._reading
        if table is None or reading is None:
            return
        example, dataset = reading.example, table.dataset.name

        def show(sets: list[SetRow]) -> None:
            if len(sets) > 1:
                narrow = self.has_class("-narrow")
                self.app.push_screen(
                    pick_set(f"#{example.number} in which predictions?", sets, narrow=narrow, empty=""),
                    inspect,
                )
            elif sets:
                inspect(sets[0])
            else:
                self.notify("No predictions have this row yet: ask a model here.", markup=False)
                self.bench.open_room("generate", lambda room: room.take_example(dataset, example.id))  # type: ignore[attr-defined]

        def inspect(row: SetRow | None) -> None:
            if row is not None:
                name = row.made.name
                self.bench.open_room("inspect", lambda room: room.open_set(name, example.id))  # type: ignore[attr-defined]

        self.fetch("sets", partial(sets_with, self.workspace, example, dataset), show)

    def _close_reading(self) -> None:
        self._reading = None
        self._waiting.clear()
        self.query_one(RowDetail).clear()
