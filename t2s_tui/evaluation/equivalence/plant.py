"""Rows that satisfy every condition of a query, or all but one: the values are found by the engine itself.

A fragment is one row for every table instance of a query, partly filled. Conditions that share columns are
solved together: the pools of their columns are crossed and SQLite says which values do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.model import Table, Value
from t2s_tui.evaluation.equivalence.pools import Pools
from t2s_tui.evaluation.equivalence.reading import Atom, Reading, Ref
from t2s_tui.evaluation.equivalence.solver import Solver
from t2s_tui.evaluation.equivalence.wishes import Wish, branches, plain_columns
from t2s_tui.sql.dialects import SqlSyntaxError, generate

_MOST_ATOMS = 14
_MOST_CHOICES = 6
_TYPES = {"int": "INTEGER", "real": "REAL", "bool": "INTEGER"}
_MOST_JOINT = 3  # columns that are solved together: their pools are crossed


@dataclass(frozen=True, slots=True)
class Fragment:
    """Partial rows by table, one an instance. `kind`: all, break, branch, choice, without, apart, null."""

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
        self._spread = False
        self._lent: dict[int, Ref] = {}  # column nodes of the other query -> what they mean here
        self._other_atoms: list[Any] = []
        self._other_choices: list[Any] = []

    def beside(self, other: Reading) -> None:
        """Take over the conditions of the other query, as far as they speak of tables that are here."""
        self._other_atoms = [a.tree for a in other.atoms[:_MOST_ATOMS] if self._borrow(a.tree, other)]
        self._other_choices = [c for c in other.choices[:_MOST_CHOICES] if self._borrow(c, other)]

    def _borrow(self, tree: Any, other: Reading) -> bool:
        """Map each column of the tree to the first instance of its table; whether all could be."""
        by_table = {table: instance for instance, table in reversed(self._reading.instances.items())}
        found: dict[int, Ref] = {}
        for column in plain_columns(tree):
            ref = other.resolve(column)
            if ref is None or ref.table not in by_table:
                return False
            found[id(column)] = Ref(by_table[ref.table], ref.table, ref.column)
        self._lent |= found
        return bool(found)

    def apart(self) -> Iterator[Fragment]:
        """All that holds here and something that does not hold in the other query: what tells them apart."""
        everything = self._everything()
        for tree in self._other_atoms:
            yield from self._fragment("apart", [*everything, (tree, False)], must=True)
        for own in self._reading.choices[:_MOST_CHOICES]:
            for tree in self._other_choices:
                yield from self._fragment("apart", [*everything, (own, True), (tree, False)], must=True)

    def fragments(self) -> Iterator[Fragment]:
        """All that holds, twice; each branch; all but one condition; each choice; without an instance."""
        if not self._reading.instances:
            return
        everything = self._everything()
        yield from self.whole()
        yield from self.whole()
        for at, atom in enumerate(self._atoms):
            rest = everything[:at] + everything[at + 1 :]
            for wishes in branches(atom.tree):
                yield from self._fragment("branch", rest + wishes)
            yield from self._fragment("break", [*rest, (atom.tree, False)])
        for choice in self._reading.choices[:_MOST_CHOICES]:
            for holds in (True, False):
                yield from self._fragment("choice", [*everything, (choice, holds)])
        if len(self._reading.instances) > 1:
            for instance in self._reading.instances:
                yield from self._fragment("without", everything, leave_out=instance)

    def whole(self, *, spread: bool = False) -> Iterator[Fragment]:
        """All that holds; `spread`: any of the values that do, not mostly the nearest."""
        self._spread = spread
        yield from self._fragment("all", self._everything())
        self._spread = False

    def _everything(self) -> list[Wish]:
        return [(atom.tree, True) for atom in self._atoms]

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
        self,
        kind: str,
        wishes: list[Wish],
        leave_out: str | None = None,
        null: Ref | None = None,
        *,
        must: bool = False,
    ) -> Iterator[Fragment]:
        """The fragment; with `must` none where the wishes cannot all be had."""
        values = self._solve(wishes, must=must)
        if values is None:
            return
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

    def _solve(self, wishes: list[Wish], *, must: bool) -> dict[tuple[str, str], Value] | None:
        """A value for every variable: one that the wishes ask for where there is one, else a fresh one.

        None when they `must` be had and cannot.
        """
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
            solved = self._solve_group(sorted(spots), asked)
            if must and not solved:
                return None
            values.update(solved)
        for root in sorted({self._find(spot) for spot in list(self._root)}):
            if root not in values:
                values[root] = self._any(root)
        return values

    def _piece(self, tree: Any) -> Atom | None:
        """An atom for a part of one (a branch of an OR), or for one of the other query."""
        lent = [self._lent[id(c)] for c in plain_columns(tree) if id(c) in self._lent]
        refs = lent or self._reading.refs(tree)
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
        place = self._draw.randrange(len(free)) if self._spread else int(self._draw.expovariate(0.4))
        chosen = free[min(place, len(free) - 1)]
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
                lent = [self._lent[id(c)] for c in plain_columns(test) if id(c) in self._lent]
                for ref in lent or self._reading.refs(test):
                    place = self._tables[ref.table].place(ref.column)
                    if place is not None and self._tables[ref.table].columns[place].nullable:
                        found.add(self._find((ref.instance, ref.column)))
        return found

    def _condition(self, tree: Any, names: Mapping[tuple[str, str], str]) -> str:
        """The condition over the solver's columns; empty where a column is none of the variables."""
        copied = tree.copy()
        columns = list(zip(plain_columns(tree), plain_columns(copied), strict=True))
        for original, copy in columns:
            ref = self._lent.get(id(original)) or self._reading.resolve(original)
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
        pool = self._pool(root)[1]
        kinds = {self._pool(member)[0] for member in self._members(root)}
        self._number += 1
        if kinds & {"INTEGER", "REAL"}:  # a text may hold a number, a number no text
            return 20 + 3 * self._number + self._draw.randrange(3)
        return pool[self._number % len(pool)]
