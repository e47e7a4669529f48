"""What a model answered: its state in words, the SQL or the raw text, the rows it returns, the gold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from t2s_tui.text import one_line
from widgets.grid import Cell, Column, Grid
from widgets.reader import Reader
from widgets.sql_view import sql_text
from widgets.theme import DIM

_WIDEST = 40  # cells of one column of a result


class AnswerView(Vertical):
    """State, SQL, gold and rows, one under the other. The gold is there only when asked for."""

    DEFAULT_CSS = """
    AnswerView { height: 1fr; width: 100%; }
    AnswerView > Static { height: auto; width: 100%; padding: 0 1; }
    AnswerView > #answer { height: auto; min-height: 3; max-height: 50%; }
    AnswerView > #rows-state { margin-top: 1; }
    AnswerView > #gold-title { display: none; margin-top: 1; text-style: bold; }
    AnswerView > #gold { display: none; height: auto; max-height: 35%; }
    AnswerView.-gold > #gold-title, AnswerView.-gold > #gold { display: block; }
    """

    def compose(self) -> ComposeResult:
        yield Static("", id="answer-state", markup=False)
        yield Reader(id="answer")
        yield Static("Gold", id="gold-title", markup=False)
        yield Reader(id="gold")
        yield Static("", id="rows-state", markup=False)
        yield Grid((), id="result", empty="")

    def say(self, words: str, style: str | Style = "") -> None:
        """Where the answer is."""
        self.query_one("#answer-state", Static).update(Text(words, style=style))

    def show_sql(self, sql: str) -> None:
        self.query_one("#answer", Reader).show_text(sql_text(sql))

    def show_raw(self, raw: str) -> None:
        """The whole text of the model, its control characters as dots."""
        plain = "\n".join("".join(c if c.isprintable() else "·" for c in line) for line in raw.split("\n"))
        self.query_one("#answer", Reader).show_text(Text(plain))

    def show_gold(self, sql: str, note: str = "") -> None:
        self.query_one("#gold-title", Static).update(Text.assemble("Gold", (f"   {note}", DIM)))
        self.query_one("#gold", Reader).show_text(sql_text(sql))

    def say_rows(self, words: str, style: str | Style = "") -> None:
        """What came of running the SQL."""
        self.query_one("#rows-state", Static).update(Text(words, style=style))

    def show_rows(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A result, read by number as the grid draws it."""
        grid = self.query_one("#result", Grid)
        grid.set_columns(grid_columns(columns, rows))
        grid.set_empty("(no rows)" if columns else "")
        grid.show(len(rows), lambda at: [value_cell(value) for value in rows[at]], cursor=0)


def value_cell(value: Any) -> Cell:
    """A value of SQLite as people tell them apart: NULL is no text, a blob is its size."""
    if value is None:
        return Text("NULL", style=DIM)
    if isinstance(value, bytes):
        return Text(f"blob of {len(value)} bytes", style=DIM)
    return one_line(str(value))


def grid_columns(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Column]:
    """As wide as the first rows need; numbers to the right."""
    made = []
    for at, title in enumerate(columns):
        values = [row[at] for row in rows[:100]]
        cells = (value_cell(value) for value in values)
        widths = [c.cell_len if isinstance(c, Text) else cell_len(c) for c in cells]
        numbers = bool(values) and all(v is None or isinstance(v, int | float) for v in values)
        made.append(Column(one_line(title), min(_WIDEST, max([cell_len(title), *widths])), numbers))
    return made
