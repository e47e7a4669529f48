"""Whole rows from partial ones: keys that are fresh, references that hold, values from the pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from t2s_tui.evaluation.equivalence.model import Column, Row, Rows, Table, Value
from t2s_tui.evaluation.equivalence.pools import Pools

#: How free columns are filled: from the whole pool, few values (ties), few values in rows of many parents
#: (levels), all different, NULL now and then.
Style = Literal["mixed", "ties", "levels", "distinct", "nulls"]
Partial = dict[str, Value]
_NULL_SHARE = 0.35
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Link:
    """A column that points at a column of another table: declared, or seen in how the queries join."""

    table: str
    own: int
    target: str
    place: int
    declared: bool


class Filler:
    """Builds one database. `orphans`: links that are not declared need not hold."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        pools: Pools,
        links: list[Link],
        keys: Mapping[str, set[int]],
        draw: Random,
        style: Style,
        *,
        orphans: bool = False,
    ) -> None:
        self._tables, self._pools, self._draw, self._style = tables, pools, draw, style
        self._links = [link for link in links if link.declared or not orphans]
        self._keys = keys
        self._orphans = orphans
        self._fresh: dict[str, int] = {}
        self._used: dict[tuple[str, int], set[Value]] = {}
        self._turn: dict[tuple[str, int], int] = {}
        self.rows: Rows = {key: [] for key in tables}

    def add(self, table: str, partial: Partial, depth: int = 0) -> Row | None:
        """Add a row with these values, and the rows it points at; None where its keys are taken."""
        made = self._tables[table]
        row: list[Value] = []
        for at, column in enumerate(made.columns):
            name = column.name.lower()
            row.append(partial[name] if name in partial else self._value(made, at, column))
        for at in self._unique(table):
            if row[at] is not None and row[at] in self._used.setdefault((table, at), set()):
                return None
        found = tuple(row)
        self.rows[table].append(found)
        for at in self._unique(table):  # several NULLs are no repetition
            self._used.setdefault((table, at), set()).add(row[at])
        if depth < _DEPTH:
            self._parents(table, found, depth)
        return found

    def add_together(self, rows: Sequence[tuple[str, Mapping[str, Value]]]) -> list[Row | None]:
        """Add rows that may point at each other, then those they point at that are still missing."""
        found = [self.add(table, dict(partial), _DEPTH) for table, partial in rows]
        for (table, _), row in zip(rows, found, strict=True):
            if row is not None:
                self._parents(table, row, 0)
        return found

    def another(self, table: str, at: int) -> Value:
        """A value that no row of the table has at that place: where it points, that of a row yet to come."""
        made = self._tables[table]
        there = {row[at] for row in self.rows[table]}
        column, number = made.columns[at], 1
        link = next((k for k in self._links if k.table == table and k.own == at), None)
        target = self._tables.get(link.target) if link is not None and link.target != table else None
        if link is not None and target is not None and link.place in self._unique(target.key):
            there |= {row[link.place] for row in self.rows[target.key]}
            column = target.columns[link.place]
        while _numbered(column, number) in there:
            number += 1
        return _numbered(column, number)

    def _unique(self, table: str) -> set[int]:
        return self._keys.get(table, set())

    def _parents(self, table: str, row: Row, depth: int) -> None:
        for link in self._links:
            value = row[link.own] if link.table == table else None
            if value is None or link.target not in self._tables:
                continue
            if all(there[link.place] != value for there in self.rows[link.target]):
                name = self._tables[link.target].columns[link.place].name.lower()
                self.add(link.target, {name: value}, depth + 1)

    def _value(self, table: Table, at: int, column: Column) -> Value:
        if at in self._unique(table.key):
            return self._fresh_key(table, at, column)
        if self._style == "nulls" and column.nullable and self._draw.random() < _NULL_SHARE:
            return None
        for link in self._links:
            if link.table == table.key and link.own == at:
                return self._pointer(link, column)
        pool = self._pools.of(table.key, column.name.lower())
        if self._style in ("ties", "levels"):
            return pool[self._draw.randrange(min(2 if self._style == "ties" else 3, len(pool)))]
        if self._style == "distinct":
            turn = self._turn.get((table.key, at), self._draw.randrange(len(pool)))
            self._turn[(table.key, at)] = turn + 1
            return _distinct(column, pool, turn)
        if self._pools.spoken(table.key, column.name.lower()) and self._draw.random() < 0.6:
            pool = pool[: max(3, len(pool) // 2)]
        return self._draw.choice(pool)

    def _pointer(self, link: Link, column: Column) -> Value:
        """Mostly at a row that is there, sometimes at a new one."""
        there = [row[link.place] for row in self.rows[link.target] if row[link.place] is not None]
        if there and (
            self._style == "ties" or self._draw.random() < (0.4 if self._style == "levels" else 0.75)
        ):
            return self._draw.choice(there[:2] if self._style == "ties" else there)
        target = self._tables.get(link.target)
        if target is None or link.target == link.table:
            return self._draw.choice(there) if there else (None if column.nullable else 1)
        if link.place in self._unique(link.target):
            return self._fresh_key(target, link.place, target.columns[link.place], keep=True)
        return self._draw.choice(self._pools.of(link.target, target.columns[link.place].name.lower()))

    def _fresh_key(self, table: Table, at: int, column: Column, *, keep: bool = False) -> Value:
        """A value that the key does not have yet; with `keep` it is only looked up, its row follows."""
        used = self._used.setdefault((table.key, at), set())
        pool = self._pools.of(table.key, column.name.lower())
        if self._pools.spoken(table.key, column.name.lower()) and self._draw.random() < 0.5:
            free = [v for v in pool[:8] if v not in used]
            if free:
                return self._draw.choice(free)
        number = self._fresh.get(table.key, 0)
        while True:
            number += 1
            value = _numbered(column, number)
            if value not in used:
                self._fresh[table.key] = number - (1 if keep else 0)
                return value


def _numbered(column: Column, number: int) -> Value:
    """The n-th value of a key."""
    if column.kind in ("int", "real", "bool"):
        return number
    if column.kind == "date":
        return f"{2000 + number // 300:04d}-{number // 25 % 12 + 1:02d}-{number % 25 + 1:02d}"
    if column.kind == "datetime":
        return f"{2000 + number // 300:04d}-{number // 25 % 12 + 1:02d}-{number % 25 + 1:02d} 09:00:00"
    return f"k{number}"


def _distinct(column: Column, pool: tuple[Value, ...], turn: int) -> Value:
    """Values that do not repeat: the pool once, then numbered ones."""
    if turn < len(pool):
        return pool[turn]
    if column.choices:
        return pool[turn % len(pool)]
    if column.kind in ("int", "real"):
        return 100 + 7 * turn
    return pool[turn % len(pool)] if column.kind == "bool" else _numbered(column, 40 + turn)


def links_of(
    tables: Mapping[str, Table], pools: Pools, joined: list[tuple[tuple[str, str], tuple[str, str]]]
) -> tuple[list[Link], dict[str, set[int]]]:
    """The links between tables, and which places are unique by themselves, as a person would expect them.

    Declared keys and references first. Where the queries join two columns and the DDL says nothing, the one
    that looks like its table's own id is taken for the key.
    """
    keys = {key: {k[0] for k in table.keys if len(k) == 1} for key, table in tables.items()}
    links = [
        Link(table.key, own, reference.table, place, True)
        for table in tables.values()
        for reference in table.references
        if reference.table in tables
        for own, place in zip(reference.own, reference.target, strict=True)
    ]
    for table in tables.values():
        for reference in table.references:
            if reference.table in tables and len(reference.target) == 1:
                keys[reference.table].add(reference.target[0])
    for left, right in joined:
        if left[0] == right[0] and left[1] == right[1]:
            continue
        a, b = _spot(tables, left), _spot(tables, right)
        if a is None or b is None or any({(k.table, k.own), (k.target, k.place)} == {a, b} for k in links):
            continue
        source, target = (
            (a, b) if _looks_like_key(tables, keys, b) >= _looks_like_key(tables, keys, a) else (b, a)
        )
        numbers = [_holds_numbers(tables, spot) for spot in (source, target)]
        if _looks_like_key(tables, keys, target) == 0 or numbers == [True, False]:  # no number holds a text
            continue
        if not tables[target[0]].keys:
            keys[target[0]].add(target[1])
        links.append(Link(source[0], source[1], target[0], target[1], False))
    return links, keys


def _spot(tables: Mapping[str, Table], home: tuple[str, str]) -> tuple[str, int] | None:
    table = tables.get(home[0])
    place = table.place(home[1]) if table else None
    return (home[0], place) if place is not None else None


def _holds_numbers(tables: Mapping[str, Table], spot: tuple[str, int]) -> bool:
    return tables[spot[0]].columns[spot[1]].kind in ("int", "real", "bool")


def _looks_like_key(tables: Mapping[str, Table], keys: Mapping[str, set[int]], spot: tuple[str, int]) -> int:
    """2: unique by the DDL; 1: the first column of a table without keys, or called id; 0: neither."""
    table, at = spot
    if at in keys[table]:
        return 2
    if tables[table].keys:
        return 0
    name = tables[table].columns[at].name.lower()
    return 1 if at == 0 or name in ("id", f"{table}_id", f"{table.rstrip('s')}_id", f"{table}id") else 0
