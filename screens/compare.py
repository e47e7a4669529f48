"""Compare: two prediction sets over the same rows, by who got what right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Static

from screens.base import WorkbenchScreen
from screens.compare_detail import BothAnswers, CompareDetail, read_both
from screens.compare_state import (
    COLUMNS,
    GROUPS,
    NOTHING,
    UNEVALUATED,
    Paired,
    Picked,
    cells,
    difference_words,
    first_pair,
    group_words,
    nothing_in,
    partners,
    side_words,
    tabs,
    try_paired,
)
from screens.inspect_state import SetRow, concerns, example_head, read_sets
from screens.pick import pick_word
from screens.pick_set import pick_set
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.breakdown import BY
from t2s_tui.jobs.board import JobView
from t2s_tui.text import clip
from widgets.frame import Pane
from widgets.grid import Cell, Grid

_SETTLE = 0.06
_LIVE = 1.0


class CompareScreen(WorkbenchScreen):
    """The four groups as tabs over one list; on the right gold and what A and B made of it."""

    ROOM = "Compare"
    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,v,right", "group(1)", "group", key_display="h/l", priority=True),
        Binding("h,left", "group(-1)", "", show=False, priority=True),
        Binding("m", "metric", "metric"),
        Binding("p", "pick", "pick A and B"),
        Binding("t", "by", "fixed by"),
        Binding("s", "swap", "swap", show=False),
        Binding("D", "view", "view"),
        Binding("a", "inspect('a')", "A in Inspect", show=False),
        Binding("b", "inspect('b')", "B in Inspect", show=False),
        Binding("o", "generate", "open in Generate", show=False),
        Binding("c", "copy", "copy gold, A and B", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._picked: Picked | None = None
        self._paired: Paired | None = None
        self._group = GROUPS[0]
        self._by = BY[0]
        self._both: BothAnswers | None = None
        self._settle: Timer | None = None
        self._stale = False

    def compose_body(self) -> ComposeResult:
        with Horizontal():
            with Pane(title="Compare", id="list", classes="-list"):
                yield Static("", id="sides", markup=False)
                yield Static("", id="tabs", markup=False)
                yield Grid(COLUMNS, id="rows", empty="Reading the workspace.")
            with Pane(title="Example", id="detail", classes="-detail"):
                yield CompareDetail()

    def on_mount(self) -> None:
        self.set_interval(_LIVE, self._live)

    # -- which pair ---------------------------------------------------------------------------

    def refresh_room(self) -> None:
        if self._picked is not None:
            self._load()
        else:
            self.fetch("sets", partial(read_sets, self.workspace), self._choose_first)

    def open_pair(self, a: str, b: str, metric: str | None = None) -> None:
        """Show these two sets: other rooms call it."""
        self._picked, self._paired = Picked(a, b, metric), None
        self._load()

    def _choose_first(self, sets: list[SetRow]) -> None:
        pair = first_pair(sets)
        if pair is not None:
            self.open_pair(*pair)
        else:
            self.query_one(Grid).set_empty(NOTHING)

    def action_pick(self) -> None:
        """Pick A, then B among the sets over the same rows."""
        self.fetch("sets", partial(read_sets, self.workspace), self._pick_a)

    def _pick_a(self, sets: list[SetRow]) -> None:
        def chosen(a: SetRow | None) -> None:
            if a is not None:
                others = partners(sets, a.made)
                where = f"{a.made.dataset} · {a.made.split}"
                self._ask(
                    f"Pick B, to stand beside {a.made.name}", others, lambda b: self._pick_b(a, b), where
                )

        self._ask("Pick A", sets, chosen, "")

    def _pick_b(self, a: SetRow, b: SetRow | None) -> None:
        if b is not None:
            self.open_pair(a.made.name, b.made.name)

    def _ask(
        self, title: str, sets: Sequence[SetRow], then: Callable[[SetRow | None], None], where: str
    ) -> None:
        empty = f"No other predictions over {where}: press esc, then 4." if where else "No predictions yet."
        self.app.push_screen(pick_set(title, sets, narrow=self.has_class("-narrow"), empty=empty), then)

    def action_swap(self) -> None:
        """A becomes B."""
        if self._picked is not None:
            swapped = {"only_a": "only_b", "only_b": "only_a"}
            self._group = swapped.get(self._group, self._group)
            self.open_pair(self._picked.b, self._picked.a, self._picked.metric)

    def action_by(self) -> None:
        """Count what was fixed and broken by hardness, by database, by what the queries use, by fault."""
        self._by = BY[(BY.index(self._by) + 1) % len(BY)]
        self._show_sides()

    def action_metric(self) -> None:
        """By which metric right and wrong is told."""
        paired = self._paired
        if paired is None or not paired.metrics:
            self.notify("Both sets need a metric in common: press 5, open each, E evaluates.", markup=False)
            return

        def chosen(metric: str | None) -> None:
            if metric is not None:
                self.open_pair(paired.a.name, paired.b.name, metric)

        self.app.push_screen(pick_word("Compare by", paired.metrics, paired.metric), chosen)

    # -- the groups ---------------------------------------------------------------------------

    def _load(self) -> None:
        if self._picked is not None:
            self.fetch("pair", partial(try_paired, self.workspace, self._picked), self._show_pair)

    def _show_pair(self, paired: Paired | UsageError) -> None:
        self._stale = False
        if isinstance(paired, UsageError):
            self._paired = None
            self.query_one("#sides", Static).update("")
            self.query_one("#tabs", Static).update("")
            self.show_where("")
            grid = self.query_one("#rows", Grid)
            grid.set_empty(f"{paired}\n{UNEVALUATED}")
            grid.show(0, lambda _: ())
            return
        self._paired = paired
        self.show_where(f"{paired.a.dataset} · {paired.a.split} · by {paired.metric}")
        self._show_sides()
        self._show_group()

    def _show_sides(self) -> None:
        paired = self._paired
        if paired is None:
            return
        result, sides = paired.comparison, self.query_one("#sides", Static)
        lines: tuple[str, ...] = (
            side_words("A", paired.a.name, result.score_a),
            side_words("B", paired.b.name, result.score_b),
            difference_words(paired),
        )
        width = sides.content_size.width or self.size.width - 2
        lines = (*lines, group_words(paired, self._by, width))
        sides.update(Text("\n".join(clip(line, width) for line in lines), no_wrap=True))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_sides)

    def _show_group(self) -> None:
        paired = self._paired
        if paired is None:
            return
        if self._group not in paired.groups:
            self._group = GROUPS[0]
        ids, grid = paired.groups.get(self._group, ()), self.query_one("#rows", Grid)
        before = self._example_id
        self.query_one("#tabs", Static).update(tabs(paired, self._group))
        grid.set_empty(nothing_in(paired, self._group))
        cursor = ids.index(before) if before in ids else 0
        grid.show(len(ids), self._cells, cursor=cursor)

    def _cells(self, at: int) -> Sequence[Cell]:
        paired = self._paired
        if paired is None or at >= len(paired.groups.get(self._group, ())):
            return ()
        return cells(paired, paired.groups.get(self._group, ())[at], self.bench.ascii_only)

    @property
    def _example_id(self) -> str | None:
        if self._paired is None:
            return None
        ids, at = self._paired.groups.get(self._group, ()), self.query_one("#rows", Grid).cursor
        return ids[at] if 0 <= at < len(ids) else None

    def action_group(self, step: int) -> None:
        """The next group."""
        if self._paired is not None:
            there = list(self._paired.groups)
            self._group = there[(there.index(self._group) + step) % len(there)]
            self._show_group()

    # -- the detail ---------------------------------------------------------------------------

    def on_grid_opened(self, message: Grid.Opened) -> None:
        self.open_detail()

    def on_grid_moved(self, message: Grid.Moved) -> None:
        if self._settle is not None:
            self._settle.stop()
        self._settle = self.set_timer(_SETTLE, self._read_row)

    def _read_row(self) -> None:
        paired, example_id = self._paired, self._example_id
        example = paired.examples.get(example_id) if paired and example_id else None
        if paired is None or example is None:
            self._both = None
            self.query_one(CompareDetail).clear()
            self.query_one("#detail", Pane).pane_title = "Example"
            return
        self.fetch("detail", partial(read_both, self.workspace, paired, example), self._show_both)

    def _show_both(self, both: BothAnswers) -> None:
        self._both = both
        self.query_one("#detail", Pane).pane_title = example_head(both.example)
        self.query_one(CompareDetail).show(both, self.bench.ascii_only)

    def action_view(self) -> None:
        """Normalised, side by side where there is room, as written."""
        self.query_one(CompareDetail).next_view()

    def action_inspect(self, side: str) -> None:
        """Open this example of A or of B in Inspect."""
        paired, example_id = self._paired, self._example_id
        if paired is not None:
            name = getattr(paired, side).name
            self.bench.open_room("inspect", lambda room: room.open_set(name, example_id))  # type: ignore[attr-defined]

    def action_generate(self) -> None:
        """Open this example in Generate."""
        paired, example_id = self._paired, self._example_id
        if paired is not None and example_id is not None:
            dataset = paired.a.dataset
            self.bench.open_room("generate", lambda room: room.take_example(dataset, example_id))  # type: ignore[attr-defined]

    def action_copy(self) -> None:
        if self._both is not None:
            self.bench.copy(self._both.as_sql(), f"Gold, A and B of #{self._both.example.number}")

    # -- jobs ---------------------------------------------------------------------------------

    def jobs_changed(self, changed: list[JobView]) -> None:
        names = {self._picked.a, self._picked.b} if self._picked else set()
        if any(concerns(view, name) for view in changed for name in names):
            self._stale = True
        elif self._picked is None and any(view.status.state.ended for view in changed):
            self.refresh_room()

    def _live(self) -> None:
        if self._stale and self.is_current:
            self._stale = False
            self._load()
