"""Rows that satisfy every condition of a query, or all but one: the values are found by the engine itself.

A fragment is one row for every table instance of a query, partly filled. Conditions that share columns are
solved together: the pools of their columns are crossed and SQLite says which values do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Table, Value
from t2s_tui.evaluation.equivalence.pools import Pools
from t2s_tui.evaluation.equivalence.reading import Atom, Reading, Ref
from t2s_tui.sql.dialects import SqlSyntaxError, generate

_MOST_ATOMS = 14
_SOLUTIONS = 40
_TYPES = {"int": "INTEGER", "real": "REAL", "bool": "INTEGER"}
_MOST_JOINT = 3  # columns that are solved together: their pools are crossed

#: A condition and whether it is to hold.
Wish = tuple[Any, bool]


@dataclass(frozen=True, slots=True)
class Fragment:
    """Partial rows by table, one an instance. `kind`: all, break, branch, without."""

    kind: str
    rows: tuple[tuple[str, Mapping[str, Value]], ...]


class Planter:
    """Plants fragments of one query."""

    def __init__(
        self,
        reading: Reading,
        tables: Mapping[str, Table],
        pools: Pools,
        draw: Random,
        solver: Solver,
        keys: Mapping[str, set[int]],
    ) -> None:
        self._reading, self._tables, self._pools, self._draw = reading, tables, pools, draw
        self._solver = solver
        self._atoms = reading.atoms[:_MOST_ATOMS]
        self._root: dict[tuple[str, str], tuple[str, str]] = {}
        for left, right in reading.merges:
            self._join(left, right)
        self._number = 0
        self._keys = keys
        self._taken: set[tuple[tuple[str, str], Value]] = set()  # values that keys have been given

    def fragments(self) -> Iterator[Fragment]:
        """All that holds, twice; each branch of an OR; all but one condition; without an instance."""
        if not self._reading.instances:
            return
        everything: list[Wish] = [(atom.tree, True) for atom in self._atoms]
        for _ in range(2):
            yield from self._fragment("all", everything)
        for at, atom in enumerate(self._atoms):
            rest = everything[:at] + everything[at + 1 :]
            for wishes in _branches(atom.tree):
                yield from self._fragment("branch", rest + wishes)
            yield from self._fragment("break", [*rest, (atom.tree, False)])
        if len(self._reading.instances) > 1:
            for instance in self._reading.instances:
                yield from self._fragment("without", everything, leave_out=instance)

    def nulls(self) -> Iterator[Fragment]:
        """All that holds, but for NULL in one column that the query speaks of, for each that may be NULL."""
        seen = set()
        for ref in [r for atom in self._atoms for r in atom.refs] + [
            r for pair in self._reading.merges for r in pair
        ]:
            table = self._tables[ref.table]
            place = table.place(ref.column)
            if place is None or not table.columns[place].nullable or ref in seen:
                continue
            seen.add(ref)
            wishes = [(a.tree, True) for a in self._atoms if ref not in a.refs]
            yield from self._fragment("null", wishes, null=ref)

    def _fragment(
        self, kind: str, wishes: list[Wish], leave_out: str | None = None, null: Ref | None = None
    ) -> Iterator[Fragment]:
        values = self._solve(wishes)
        rows: list[tuple[str, Mapping[str, Value]]] = []
        for instance, table in self._reading.instances.items():
            if instance == leave_out:
                continue
            partial: dict[str, Value] = {}
            for home, value in values.items():
                for member in self._members(home):
                    if member[0] == instance and self._fits(table, member[1], value):
                        partial[member[1]] = value
            if null is not None and null.instance == instance:
                partial[null.column] = None
            rows.append((table, partial))
        yield Fragment(kind, tuple(rows))

    # -- variables: columns of instances that must be equal are one ---------------------------------

    def _join(self, left: Ref, right: Ref) -> None:
        a, b = self._find((left.instance, left.column)), self._find((right.instance, right.column))
        self._root[a] = b

    def _find(self, spot: tuple[str, str]) -> tuple[str, str]:
        self._root.setdefault(spot, spot)
        while self._root[spot] != spot:
            spot = self._root[spot]
        return spot

    def _members(self, root: tuple[str, str]) -> list[tuple[str, str]]:
        return [spot for spot in self._root if self._find(spot) == root]

    def _fits(self, table: str, column: str, value: Value) -> bool:
        place = self._tables[table].place(column)
        if place is None:
            return False
        kind = self._tables[table].columns[place].kind
        return not (isinstance(value, str) and kind in ("int", "real", "bool"))

    # -- solving ------------------------------------------------------------------------------------

    def _solve(self, wishes: list[Wish]) -> dict[tuple[str, str], Value]:
        """A value for every variable: one that the wishes ask for where there is one, else a fresh one."""
        by_atom = {id(atom.tree): atom for atom in self._atoms}
        groups: list[tuple[set[tuple[str, str]], list[tuple[Any, bool, Atom]]]] = []
        for tree, holds in wishes:
            atom = by_atom.get(id(tree)) or self._piece(tree)
            if atom is None:
                continue
            spots = {self._find((ref.instance, ref.column)) for ref in atom.refs}
            joined = [(tree, holds, atom)]
            for group in [g for g in groups if g[0] & spots]:
                groups.remove(group)
                spots |= group[0]
                joined = group[1] + joined
            groups.append((spots, joined))
        values: dict[tuple[str, str], Value] = {}
        for spots, asked in groups:
            values.update(self._solve_group(sorted(spots), asked))
        for root in sorted({self._find(spot) for spot in list(self._root)}):
            if root not in values:
                values[root] = self._any(root)
        return values

    def _piece(self, tree: Any) -> Atom | None:
        """An atom for a part of one (a branch of an OR)."""
        refs = self._reading.refs(tree)
        return Atom(tree, 0, tuple(refs)) if refs else None

    def _solve_group(
        self, spots: list[tuple[str, str]], asked: Sequence[tuple[Any, bool, Atom]]
    ) -> dict[tuple[str, str], Value]:
        names = {spot: f"p{at}" for at, spot in enumerate(spots)}
        missing = self._asked_null(asked)
        pools = [self._pool(spot, null=spot in missing) for spot in spots]
        if len(spots) > _MOST_JOINT:
            pools = [(kind, pool[: max(3, 600 // len(spots) ** 2)]) for kind, pool in pools]
        conditions = []
        for tree, holds, _ in asked:
            text = self._condition(tree, names)
            if text:
                conditions.append(f"({text})" if holds else f"NOT ({text})")
        found = self._solver.solve(list(zip(names.values(), pools, strict=True)), conditions)
        if not found:
            return {}
        keys = [at for at, spot in enumerate(spots) if self._is_key(spot)]
        free = [f for f in found if not any((spots[at], f[at]) in self._taken for at in keys)] or found
        chosen = free[min(int(self._draw.expovariate(0.4)), len(free) - 1)]
        self._taken |= {(spots[at], chosen[at]) for at in keys}
        return dict(zip(spots, chosen, strict=True))

    def _is_key(self, spot: tuple[str, str]) -> bool:
        """Whether a row with the same value there could not stand beside the first."""
        return any(
            self._tables[table].place(column) in self._keys.get(table, ())
            for instance, column in self._members(spot)
            for table in [self._reading.instances[instance]]
        )

    def _asked_null(self, asked: Sequence[tuple[Any, bool, Atom]]) -> set[tuple[str, str]]:
        """The variables that a condition asks about NULL, where they may be it."""
        found: set[tuple[str, str]] = set()
        for tree, _, _ in asked:
            for test in tree.find_all(exp.Is, exp.Coalesce):
                for ref in self._reading.refs(test):
                    place = self._tables[ref.table].place(ref.column)
                    if place is not None and self._tables[ref.table].columns[place].nullable:
                        found.add(self._find((ref.instance, ref.column)))
        return found

    def _condition(self, tree: Any, names: Mapping[tuple[str, str], str]) -> str:
        """The condition over the solver's columns; empty where a column is none of the variables."""
        copied = tree.copy()
        columns = list(zip(_plain_columns(tree), _plain_columns(copied), strict=True))
        for original, copy in columns:
            ref = self._reading.resolve(original)
            name = names.get(self._find((ref.instance, ref.column))) if ref is not None else None
            if name is None:
                return ""
            stand_in = exp.column("v", table=name)
            if copy is copied:
                copied = stand_in
            else:
                copy.replace(stand_in)
        try:
            return generate(copied, "sqlite")
        except SqlSyntaxError:
            return ""

    def _pool(self, spot: tuple[str, str], *, null: bool = False) -> tuple[str, tuple[Value, ...]]:
        instance, column = spot
        table = self._reading.instances[instance]
        place = self._tables[table].place(column)
        kind = self._tables[table].columns[place].kind if place is not None else "text"
        values = self._pools.of(table, column)
        return _TYPES.get(kind, "TEXT"), (*values, None) if null else values

    def _any(self, root: tuple[str, str]) -> Value:
        """A value for columns that are only equal to each other: a new one, so that rows stay apart."""
        kind, pool = self._pool(root)
        self._number += 1
        if kind in ("INTEGER", "REAL"):
            return 20 + self._number + self._draw.randrange(3)
        return pool[(self._number + self._draw.randrange(3)) % len(pool)]


class Solver:
    """Crosses pools of values and says which fulfil conditions. One SQLite connection, for one pair."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._made: dict[tuple[str, tuple[Value, ...]], str] = {}
        self._known: dict[tuple[Any, ...], list[tuple[Value, ...]]] = {}

    def close(self) -> None:
        self._connection.close()

    def solve(
        self, pools: list[tuple[str, tuple[str, tuple[Value, ...]]]], conditions: list[str]
    ) -> list[tuple[Value, ...]]:
        """Values in the order of the pools; empty when nothing does, or when SQLite cannot say."""
        key = (tuple(pools), tuple(conditions))
        if key not in self._known:
            self._known[key] = self._ask(pools, conditions)
        return self._known[key]

    def _ask(
        self, pools: list[tuple[str, tuple[str, tuple[Value, ...]]]], conditions: list[str]
    ) -> list[tuple[Value, ...]]:
        tables = ", ".join(f"{self._table(kind, values)} AS {name}" for name, (kind, values) in pools)
        chosen = ", ".join(f"{name}.v" for name, _ in pools)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self._steps = 0
        self._connection.set_progress_handler(self._enough, 5000)
        try:
            rows = self._connection.execute(
                f"SELECT {chosen} FROM {tables}{where} LIMIT {_SOLUTIONS}"
            ).fetchall()
        except (sqlite3.Error, ValueError, OverflowError):
            return []
        finally:
            self._connection.set_progress_handler(None, 0)
        return rows

    def _enough(self) -> bool:
        self._steps += 1
        return self._steps > 60

    def _table(self, kind: str, values: tuple[Value, ...]) -> str:
        key = (kind, values)
        if key not in self._made:
            name = self._made[key] = f"pool{len(self._made)}"
            self._connection.execute(f"CREATE TABLE {name} (v {kind})")
            self._connection.executemany(f"INSERT INTO {name} VALUES (?)", [(v,) for v in values])
        return self._made[key]


def _branches(tree: Any) -> Iterator[list[Wish]]:
    """For an OR: each branch alone true. For IN: each of its first values. For BETWEEN: both ends."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Or):
        parts = list(tree.flatten())
        for at, part in enumerate(parts[:5]):
            yield [(part, True), *((other, False) for i, other in enumerate(parts) if i != at)]
        if len(parts) == 2:
            yield [(part, True) for part in parts]
    elif isinstance(tree, exp.In) and len(tree.expressions) > 1:
        for value in tree.expressions[:4]:
            yield [(exp.EQ(this=tree.this, expression=value), True)]


def _plain_columns(tree: Any) -> list[Any]:
    return [node for node in tree.walk() if isinstance(node, exp.Column)]
