"""Choose one of many: a list over the screen that what is typed narrows down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from t2s_tui.datasets.filter import matches
from t2s_tui.errors import UsageError
from t2s_tui.records import Example
from widgets.editors import FieldEdit
from widgets.form import FormField
from widgets.grid import Cell, Column, Grid

T = TypeVar("T")
FILTER_DELAY = 0.15  # seconds after the last key: ten thousand rows are not searched at every letter


def every_word(text: str, query: str) -> bool:
    """Whether all words of the query occur in the text, in any case."""
    folded = text.casefold()
    return all(word in folded for word in query.casefold().split())


class FilterEdit(FieldEdit):
    """The words to look for. Up, down and enter are the list's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.move(1)", "down", priority=True, show=False),
        Binding("up", "screen.move(-1)", "up", priority=True, show=False),
        Binding("pagedown", "screen.page(1)", "page down", priority=True, show=False),
        Binding("pageup", "screen.page(-1)", "page up", priority=True, show=False),
        Binding("enter", "screen.take", "take it", priority=True),
    ]


class PickScreen(ModalScreen[T | None], Generic[T]):
    """The items as rows; enter takes the one under the cursor, escape none.

    `cells` draws an item, `matches(item, query)` says whether it stays.
    """

    DEFAULT_CSS = """
    PickScreen { align: center middle; }
    PickScreen > #pick {
        width: 92%; max-width: 120; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    PickScreen #pick-title { height: 1; }
    PickScreen Grid { background: $surface; }
    PickScreen #pick-keys { height: 1; color: $text-muted; }
    """
    AUTO_FOCUS = "FilterEdit"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "close")]

    def __init__(
        self,
        title: str,
        columns: Sequence[Column],
        items: Sequence[T],
        cells: Callable[[T], Sequence[Cell]],
        matches: Callable[[T, str], bool],
        *,
        empty: str = "Nothing here.",
        at: int = 0,
    ) -> None:
        super().__init__()
        self._title, self._columns, self._items = title, columns, items
        self._cells, self._matches, self._empty, self._at = cells, matches, empty, at
        self._places: Sequence[int] = range(len(items))

    def compose(self) -> ComposeResult:
        with Vertical(id="pick"):
            yield Static("", id="pick-title", markup=False)
            yield FilterEdit(placeholder="type to filter")
            yield Grid(self._columns, empty=self._empty)
            yield Static("enter take it  ↑/↓ move  esc close", id="pick-keys", markup=False)

    def on_mount(self) -> None:
        grid = self.query_one(Grid)
        grid.can_focus = False
        # As high as what is in it, at most what the screen has room for.
        grid.styles.height = min(max(2, len(self._items) + 1), max(4, self.app.size.height - 8))
        self._show(self._places, self._at)

    def on_field_edit_typed(self, message: FieldEdit.Typed) -> None:
        message.stop()
        self.run_worker(self._search(message.value), group="search", exclusive=True)

    async def _search(self, query: str) -> None:
        await asyncio.sleep(FILTER_DELAY)
        items, matches = self._items, self._matches
        places: Sequence[int] = range(len(items))
        if query:
            places = await asyncio.to_thread(lambda: [i for i, x in enumerate(items) if matches(x, query)])
        self._show(places)

    def _show(self, places: Sequence[int], cursor: int = 0) -> None:
        self._places = places
        whole = len(self._items)
        count = f"{len(places)} of {whole}" if len(places) < whole else f"{whole}"
        self.query_one("#pick-title", Static).update(f"{self._title}   {count}")
        grid = self.query_one(Grid)
        grid.set_empty(self._empty if not whole else "Nothing matches: type something else.")
        grid.show(len(places), lambda row: self._cells(self._items[places[row]]), cursor=cursor)

    def on_grid_opened(self, message: Grid.Opened) -> None:
        message.stop()
        self.action_take()

    def action_take(self) -> None:
        """Close with the item under the cursor."""
        row = self.query_one(Grid).cursor
        if 0 <= row < len(self._places):
            self.dismiss(self._items[self._places[row]])

    def action_move(self, by: int) -> None:
        self.query_one(Grid).action_move(by)

    def action_page(self, share: float) -> None:
        self.query_one(Grid).action_page(share)


def pick_word(title: str, words: Sequence[str], at: str = "") -> PickScreen[str]:
    """A list of single words, the cursor on `at`."""
    return PickScreen(
        title,
        [Column("")],
        words,
        lambda word: (word,),
        every_word,
        at=words.index(at) if at in words else 0,
    )


def pick_for(field: FormField) -> None:
    """List what a field of a form can be; what is taken goes into it."""

    def take(word: str | None) -> None:
        if word is not None:
            field.set_value(word)

    field.app.push_screen(pick_word(field.spec.label, field.choices, field.value), take)


def pick_example(title: str, examples: Sequence[Example], at: int = 0) -> PickScreen[Example]:
    """The rows of a dataset; the filter is that of the Datasets room."""
    columns = [Column("#", 6, right=True), Column("split", 6), Column("db", 10), Column("question")]
    return PickScreen(
        title,
        columns,
        examples,
        lambda row: (str(row.number), row.split, row.db_id, row.question),
        _left_by,
        empty="This dataset has no rows.",
        at=at,
    )


def _left_by(example: Example, query: str) -> bool:
    try:
        return matches(example, query)
    except UsageError:
        return True  # half typed, such as `db:`: nothing is hidden yet
