"""The review queue: the predictions on which the verdicts contradict each other, for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from screens.inspect_state import row_metrics
from screens.reading_half import ReadingHalf
from screens.rows_screen import RowsScreen
from screens.trust_words import trust_lines
from t2s_tui.evaluation.disagreement import Disagreement, by_chance, queue
from t2s_tui.evaluation.review import Review, ReviewRow
from t2s_tui.evaluation.trust import Corrected, Table, corrected, tables
from widgets.detail import Detail
from widgets.frame import Pane
from widgets.grid import Cell, Column, Grid
from widgets.section import Section
from widgets.theme import verdict_sign

_AGREED = "The verdicts contradict each other nowhere that you have not looked.\ns draws rows by chance."
_ALL_SEEN = "You have judged every prediction of this set."


class ReviewQueueScreen(RowsScreen):
    """What is undecided on the left, the most telling first; `y` and `w` decide it and move on.

    `s` draws rows by chance instead: only they say something of the rows that nobody looks at.
    """

    ROOM = "Review"
    CSS_PATH = "review_queue.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back"),
        Binding("s", "order", "draw by chance"),
        Binding("T", "table", "next table"),
    ]

    def __init__(self, set_name: str) -> None:
        super().__init__()
        self._wanted = set_name
        self._rows: Sequence[ReviewRow] = ()
        self._study: Study | None = None
        self._go_to: str | None = None
        self._table = 0  # which two metrics the 2 x 2 table is of

    @property
    def drawn(self) -> str:
        """How a person comes upon the rows that are listed now."""
        return "chance" if self.has_class("-chance") else "queue"

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Vertical(id="left"):
                with Pane(title="Review", id="list", classes="-list"):
                    yield Grid([Column("question")], id="rows", empty="Reading the verdicts.")
                with Pane(title="Trust", id="trust", classes="-list"):
                    yield Detail(Section(id="tables"))
            yield ReadingHalf()

    def refresh_room(self) -> None:
        if self._wanted is not None:
            self._load(self._wanted)

    # -- the rows -----------------------------------------------------------------------------

    def _show_review(self, review: Review) -> None:
        self._review, self._stale = review, False
        self._list()

    def _list(self) -> None:
        """Order the rows anew, where the screen is not drawn: there may be many."""
        if self._review is not None:
            self.fetch("study", partial(study, self._review, self.drawn), self._show_study)

    def _show_study(self, found: Study) -> None:
        self._study = found
        self._rows = [item.row for item in found.items]
        grid = self.query_one("#rows", Grid)
        signs = [Column(letter, 1) for _, letter in row_metrics(found.review.metrics)]
        drawn = found.drawn == "chance"
        grid.set_columns([Column("#", 5, right=True), *signs, Column("question" if drawn else "why")])
        grid.set_empty(_ALL_SEEN if drawn else _AGREED)
        wanted, self._go_to = self._go_to, None
        cursor = next((i for i, row in enumerate(self._rows) if row.example.id == wanted), None)
        grid.show(len(self._rows), self._cells, cursor=cursor)
        self._show_title(found)
        self._show_trust(found)

    def _show_title(self, found: Study) -> None:
        review = found.review
        seen = sum("human" in row.outcomes for row in review.rows)
        words = "drawn by chance" if found.drawn == "chance" else "by disagreement"
        self.query_one("#list", Pane).pane_title = f"{len(self._rows)} to review, {words}"
        made = review.made
        self.show_where(
            f"{made.dataset} · {made.split} · {made.name}", f"{seen} of {len(review.rows)} reviewed"
        )

    def _show_trust(self, found: Study) -> None:
        shown = self._table % len(found.tables) if found.tables else 0
        section = self.query_one("#tables", Section)
        section.show("Agreement", "", lambda width: trust_lines(found.tables, shown, found.corrected, width))

    def _cells(self, at: int) -> Sequence[Cell]:
        if at >= len(self._rows) or self._study is None:
            return ()
        item = self._study.items[at]
        metrics = row_metrics(self._study.review.metrics)
        signs = (verdict_sign(item.row.outcomes.get(metric), self.bench.ascii_only) for metric, _ in metrics)
        return (str(item.row.example.number), *signs, item.why)

    @property
    def _row(self) -> ReviewRow | None:
        cursor = self.query_one("#rows", Grid).cursor
        return self._rows[cursor] if 0 <= cursor < len(self._rows) else None

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_detail()

    # -- what a person can do -----------------------------------------------------------------

    def action_order(self) -> None:
        """Turn between the order of disagreement and a draw by chance."""
        self.toggle_class("-chance")
        self._go_to = None
        self.query_one("#rows", Grid).go(0)
        self._list()

    def action_table(self) -> None:
        """The 2 x 2 table of the next two metrics."""
        self._table += 1
        if self._study is not None:
            self._show_trust(self._study)

    def action_zoom(self) -> None:
        super().action_zoom()
        left = self.query_one("#left")
        left.set_class(all(pane.has_class("-zoomed-out") for pane in left.query(Pane)), "-zoomed-out")

    def action_undo(self) -> None:
        if self._undo:
            self._go_to = self._undo[-1][1]
        super().action_undo()

    def can_go_back(self) -> bool:
        return True

    def action_back(self) -> None:
        """Unzoom, leave the detail, leave the queue."""
        if super().can_go_back():
            super().action_back()
        else:
            self.app.pop_screen()


@dataclass(frozen=True, slots=True)
class Study:
    """What the room shows of a review: the rows in the order asked for, and how far the verdicts agree."""

    review: Review
    drawn: str
    items: Sequence[Disagreement]
    tables: Sequence[Table]
    corrected: Corrected | None


def study(review: Review, drawn: str) -> Study:
    """Order the rows that no person has judged: drawn by `chance`, else by disagreement. Pure."""
    rows = review.rows
    if drawn == "chance":
        unseen = [row for row in by_chance(rows) if "human" not in row.outcomes]
        items = [Disagreement(row, 0, row.example.question) for row in unseen]
    else:
        items = queue(rows)
    return Study(review, drawn, items, tables(rows), corrected(rows))
