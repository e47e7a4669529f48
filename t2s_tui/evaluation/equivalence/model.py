"""What the equivalence engine passes around: tables to fill, databases as plain rows, results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["int", "real", "text", "date", "datetime", "time", "bool"]
Value = Any  # None, int, float, str
Row = tuple[Value, ...]
#: A database: table name (lower case) -> rows, each in the order of the table's columns.
Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column to fill. `kind` is what its type says its values are."""

    name: str
    kind: Kind
    nullable: bool = True
    choices: tuple[str, ...] = ()  # of an ENUM, or of a CHECK ... IN


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns of a table that point at columns of another, as places in both."""

    own: tuple[int, ...]
    table: str
    target: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to fill. `keys` are sets of places that are unique together, the primary key first."""

    name: str
    columns: tuple[Column, ...]
    create: str
    keys: tuple[tuple[int, ...], ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def key(self) -> str:
        """Its name as it is looked up."""
        return self.name.lower()

    def place(self, column: str) -> int | None:
        """Where a column stands, None where there is none of that name."""
        wanted = column.lower()
        return next((at for at, c in enumerate(self.columns) if c.name.lower() == wanted), None)

    def alone_unique(self, place: int) -> bool:
        """Whether the column is unique by itself."""
        return (place,) in self.keys


@dataclass(frozen=True, slots=True)
class Result:
    """What a query returned, or the engine's `error`."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    error: str = ""
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Database:
    """One database to try: its rows, and whether it is one that a person would expect (`realistic`).

    `profile` says what it is for.
    """

    profile: str
    rows: Rows
    realistic: bool


@dataclass(frozen=True, slots=True)
class Queries:
    """The two queries in the engine's dialect, and whether gold's order counts."""

    gold: str
    generated: str
    ordered: bool


@dataclass
class Facts:
    """What both queries say about values, by (table, column) in lower case.

    `constants`: literals each column is compared with. `patterns`: LIKE and GLOB patterns. `counts`:
    thresholds that an aggregate is compared with, and limits. `same`: pairs of columns that are compared.
    `distinct`: columns whose different values are counted. `alike`: whether a query takes equal rows for one.
    `loose`: a DATETIME column may hold a day without a time, as any text in SQLite.
    """

    constants: dict[tuple[str, str], list[Value]] = field(default_factory=dict)
    patterns: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)
    same: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)
    distinct: set[tuple[str, str]] = field(default_factory=set)
    alike: bool = False
    loose: bool = False


class Unsupported(Exception):
    """The pair cannot be judged by this engine: `str()` says why."""
