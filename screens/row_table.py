"""The rows of an open dataset as a grid asks for them: cells of the chosen columns, read from the map."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from t2s_tui.datasets.catalogue import ExampleTable
from t2s_tui.datasets.filter import Rows
from t2s_tui.records import Dataset, Example
from widgets.grid import Cell, Column
from widgets.theme import FAIL, WARN

_KEPT = 512  # rows whose cells are kept: a list that scrolls by one asks for all it shows again
_LONGEST = 400  # letters of a cell that are looked at: a grid shows less, and a DDL may have 100 KB


@dataclass(frozen=True, slots=True)
class RowColumn:
    """A column that a person can choose. `audited` ones are there after an audit only."""

    title: str
    width: int = 0
    right: bool = False
    audited: bool = False


COLUMNS: Mapping[str, RowColumn] = {
    "number": RowColumn("#", 7, right=True),
    "split": RowColumn("split", 6),
    "db_id": RowColumn("db", 12),
    "hardness": RowColumn("hard", 6),
    "question": RowColumn("question"),
    "kinds": RowColumn("findings", 18, audited=True),
    "gold": RowColumn("gold SQL"),
    "joins": RowColumn("join", 4, right=True, audited=True),
    "nesting": RowColumn("nest", 4, right=True, audited=True),
    "aggregates": RowColumn("agg", 4, right=True, audited=True),
    "tokens": RowColumn("tokens", 6, right=True, audited=True),
    "worst": RowColumn("worst", 5, right=True, audited=True),
    "question_language": RowColumn("lang", 4, audited=True),
    "dialect": RowColumn("dialect", 9),
    "evidence": RowColumn("evidence"),
    "extra": RowColumn("extra"),
    "ddl": RowColumn("DDL"),
    "database": RowColumn("database"),
    "origin": RowColumn("from"),
    "id": RowColumn("id", 14),
}
PLAIN = ("number", "split", "db_id", "question")
AUDITED = ("number", "split", "db_id", "question", "kinds")
NARROW = ("number", "db_id", "question")


class RowTable:
    """A dataset that is open: its examples, its audit if it has a current one, and their cells."""

    def __init__(
        self, dataset: Dataset, examples: ExampleTable, audit: Any = None, marked: Iterable[int] = ()
    ) -> None:
        self.dataset = dataset
        self.marked = frozenset(marked)  # as they were kept; the room has them from then on
        self.rows = Rows(examples.arrow, audit.arrow if audit is not None else None)
        self.audit = audit
        self._examples = examples
        self._kept: dict[tuple[int, tuple[str, ...]], tuple[Cell, ...]] = {}

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def audited(self) -> bool:
        """Whether there is an audit of exactly these rows."""
        return self.audit is not None

    def example(self, index: int) -> Example:
        """The example at `index`, whole."""
        return self._examples[index]

    def release(self) -> None:
        """Give back the memory of the rows that were looked at: a filter has seen them all."""
        self._examples.release()

    def audit_row(self, index: int) -> dict[str, Any] | None:
        """What the audit says of the row, None without one."""
        if self.rows.audit is None:
            return None
        row = {name: self.rows.audit[name][index].as_py() for name in self.rows.audit.column_names}
        return {**row, "findings": json.loads(row["findings"])}

    def columns_there(self) -> list[str]:
        """The columns that a person can choose now."""
        known = set(self.rows.examples.column_names)
        return [
            name for name, column in COLUMNS.items() if (self.audited if column.audited else name in known)
        ]

    def cells(self, index: int, names: Sequence[str], marked: bool, ascii_only: bool) -> list[Cell]:
        """The mark and the cells of one row."""
        sign = Text("x" if ascii_only else "✗", style=FAIL) if marked else ""
        return [sign, *self._cells(index, tuple(names))]

    def _cells(self, index: int, names: tuple[str, ...]) -> tuple[Cell, ...]:
        kept = self._kept.get((index, names))
        if kept is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            kept = self._kept[index, names] = tuple(self._cell(name, index) for name in names)
        return kept

    def _cell(self, name: str, index: int) -> Cell:
        value = self.rows.column(name)[index].as_py()
        if name == "kinds":
            return Text(value, style=WARN)
        if name == "tokens" and value == -1:
            return ""
        if name == "worst":
            return f"{value:g}" if value else ""
        if name == "extra" and value == "{}":
            return ""
        return str(value if value is not None else "")[:_LONGEST]


def grid_columns(names: Sequence[str]) -> list[Column]:
    """The chosen columns, after one for the mark."""
    chosen = [COLUMNS[name] for name in names]
    return [Column("", 1), *(Column(c.title, c.width, c.right) for c in chosen)]
