"""The databases to try, in order: those a person would expect first, then those that only the DDL allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from random import Random

from t2s_tui.evaluation.equivalence.fill import Filler, Link, Style, links_of
from t2s_tui.evaluation.equivalence.model import Database, Facts, Row, Rows, Table, Value
from t2s_tui.evaluation.equivalence.plant import Fragment, Planter
from t2s_tui.evaluation.equivalence.pools import Pools
from t2s_tui.evaluation.equivalence.reading import Reading
from t2s_tui.evaluation.equivalence.solver import Solver

_COPIES = 12  # as many rows as a HAVING threshold may ask for


@dataclass(frozen=True, slots=True)
class Ground:
    """What both queries are tried on: the used tables, how they hang together, what is spoken of."""

    tables: Mapping[str, Table]
    readings: Sequence[Reading]
    facts: Facts
    pools: Pools
    links: list[Link]
    keys: Mapping[str, set[int]]


def ground_of(tables: Mapping[str, Table], readings: Sequence[Reading], facts: Facts) -> Ground:
    """The ground of a pair; only tables that are read, and those they point at, are filled."""
    pools = Pools(tables, facts)
    links, keys = links_of(tables, pools, facts.same)
    return Ground(tables, readings, facts, pools, links, keys)


class Recipes:
    """Makes the databases of one pair from a seed."""

    def __init__(self, ground: Ground, seed: int, solver: Solver) -> None:
        self._ground = ground
        self._draw = Random(seed)
        self._planters = [
            Planter(reading, ground.tables, ground.pools, self._draw, solver, ground.keys)
            for reading in ground.readings
        ]
        for planter, other in permutations(zip(self._planters, ground.readings, strict=True), 2):
            planter[0].beside(other[1])
        self._fragments = self._planted()
        self._all = [f for f in self._fragments if f.kind == "all"]
        self._read = sorted({table for reading in ground.readings for table in reading.used})
        self._groups = {ref.home for reading in ground.readings for ref in reading.groups}

    def _planted(self) -> list[Fragment]:
        """The fragments of both queries, with values drawn anew."""
        return [f for planter in self._planters for f in planter.fragments()]

    def realistic(self, count: int) -> Iterator[Database]:
        """At most `count` databases as a person would expect them: no NULL, no orphan, no table empty."""
        for profile, rows in islice(self._realistic(), count):
            yield Database(profile, rows, True)

    def strict(self, count: int) -> Iterator[Database]:
        """At most `count` databases that only the DDL allows: NULLs, empty tables, orphans, ties."""
        for profile, rows in islice(self._strict(), count):
            yield Database(profile, rows, False)

    def _realistic(self) -> Iterator[tuple[str, Rows]]:
        for fragment in self._telling()[:4]:
            yield "apart", self._build("mixed", [fragment], rest=0)
        yield "planted", self._build("mixed", [*self._telling(), *self._all, *self._fragments], rest=2)
        yield "distinct", self._build("distinct", self._all, rest=4)
        yield "several", self._build("mixed", self._several(4), rest=2)
        yield "several distinct", self._build("distinct", self._several(3), rest=1)
        yield "ties", self._build("ties", [*self._all, *self._all], rest=5)
        yield "levels", self._build("levels", self._all, rest=8)
        others = [f for f in self._fragments if f.kind != "all"]
        for fragment in others[:8]:
            yield (
                f"planted {fragment.kind}",
                self._build("mixed", [fragment, *self._all[:1], fragment], rest=1),
            )
        for shift in range(3 if any(f.kind == "choice" for f in self._fragments) else 0):
            uneven = [f for at, f in enumerate(self._fragments) for _ in range(1 + (at + shift) % 3)]
            yield "uneven", self._build("mixed", uneven, rest=0)
        for size in self._copies():
            sizes = (size, max(1, size - 1), size + 1)
            yield f"{size} copies", self._grouped([(n, self._whole()) for n in sizes])
        for planter in self._planters if self._ground.facts.distinct else ():
            yield "repeats", self._repeats(planter, max([3, *self._copies()]))
        for planter in self._planters if self._ground.facts.alike else ():
            yield "twins", self._repeats(planter, 2)
        if self._ground.facts.alike and (copies := self._copies()):  # groups that show the same
            yield "copies tie", self._grouped([(n, self._whole()) for n in copies[:2] * 3], "ties")
        broken = [f for f in others if f.kind == "break"]
        if self._copies() and broken:  # groups that a condition keeps out: they matter where it is left out
            most = max(self._copies())
            yield "copies apart", self._grouped([(most, f) for f in (self._whole(), *broken[:4])])
        yield "larger", self._build("mixed", [*self._fragments, *self._planted()], rest=12)
        for fragment in self._apart():
            yield f"{fragment.kind} alone", self._build("mixed", [fragment], rest=0)
        for fragment in others[8:]:
            yield f"planted {fragment.kind}", self._build("mixed", [fragment, *self._all[:1]], rest=1)
        turn = 0
        while True:
            styles: tuple[Style, ...] = ("mixed", "distinct", "mixed", "ties")
            planted = self._planted()
            chosen = self._draw.sample(planted, min(len(planted), 6))
            yield "random", self._build(styles[turn % 4], [*self._all, *chosen], rest=3 + turn % 7)
            turn += 1

    def _apart(self) -> list[Fragment]:
        """Fragments to stand alone, nothing beside them that an aggregate could hide them behind."""
        others = [f for f in self._planted() if f.kind != "all"]
        return self._draw.sample(others, min(len(others), 6))

    def _several(self, count: int) -> list[Fragment]:
        """Many rows that qualify, for what is ordered, ranked or averaged."""
        return [f for _ in range(count) for planter in self._planters for f in planter.whole(spread=True)]

    def _telling(self) -> list[Fragment]:
        """Fragments that hold in one query and not in the other."""
        return [f for planter in self._planters for f in planter.apart()]

    def _strict(self) -> Iterator[tuple[str, Rows]]:
        yield "empty", {key: [] for key in self._ground.tables}
        if any(c.nullable for t in self._ground.tables.values() for c in t.columns):
            yield "nulls", self._build("nulls", self._fragments, rest=5)
            planted = [f for planter in self._planters for f in planter.nulls()]
            if planted:
                yield "planted nulls", self._build("mixed", [*self._all, *planted], rest=1)
                for fragment in planted[:4]:
                    yield "null alone", self._build("mixed", [fragment], rest=0)
                yield "one null", self._build("mixed", [*self._all[:1], *planted[:2]], rest=0)
            yield "all null", self._build("nulls", [], rest=2)
            if copies := self._copies():
                yield "null copies", self._grouped([(n, self._whole()) for n in copies[:2]], "nulls")
        populated = self._build("mixed", self._all, rest=4)
        for table in self._read[:4]:
            yield f"{table} empty", {**populated, table: []}
        yield "one row", self._build("mixed", [], rest=1)
        yield (
            "unsatisfied",
            self._build("mixed", [f for f in self._fragments if f.kind == "break"][:1], rest=0),
        )
        if any(not link.declared for link in self._ground.links):
            for rest in (5, 9):
                yield "orphans", self._build("mixed", self._fragments, rest=rest, orphans=True)
        while True:
            yield "nulls", self._build("nulls", self._fragments, rest=7)
            yield "ties", self._build("ties", self._fragments, rest=9, orphans=True)

    def _copies(self) -> list[int]:
        """How many rows a group should have, around each threshold that an aggregate or a LIMIT names."""
        wanted = [n for count in self._ground.facts.counts for n in (count + 1, count, count - 1)]
        return list(dict.fromkeys(n for n in wanted if 1 <= n <= _COPIES + 1))[:5]

    def _build(
        self, style: Style, fragments: Sequence[Fragment], *, rest: int, orphans: bool = False
    ) -> Rows:
        filler = self._filler(style, orphans)
        for fragment in fragments:
            filler.add_together(fragment.rows)
        for table in self._read:
            for _ in range(rest):
                filler.add(table, {})
        return filler.rows

    def _whole(self) -> Fragment:
        """All that holds in the first query that has conditions, drawn anew: with keys of its own."""
        blank = Fragment("all", tuple((table, {}) for table in self._read))
        return next((f for planter in self._planters for f in planter.whole()), blank)

    def _grouped(self, groups: Sequence[tuple[int, Fragment]], style: Style = "mixed") -> Rows:
        """Groups of so many rows like their fragments: for HAVING, LIMIT and counts."""
        filler = self._filler(style, False)
        for size, fragment in groups:
            added = filler.add_together(fragment.rows)
            first = {table: row for (table, _), row in zip(fragment.rows, added, strict=True) if row}
            for _ in range(size - 1):
                for table, partial in fragment.rows:
                    self._repeat(filler, table, dict(partial), first, nulls=style == "nulls")
        return filler.rows

    def _repeats(self, planter: Planter, most: int) -> Rows:
        """A group of many rows that say the same beside one of fewer rows that all say something else."""
        filler = self._filler("distinct", False)
        for size, differ in ((most, False), (most - 1, True)):
            for fragment in planter.whole(spread=True):
                added = filler.add_together(fragment.rows)
                for (table, partial), first in zip(fragment.rows, added, strict=True):
                    if first is not None and not any(k.target == table for k in self._ground.links):
                        for turn in range(1, size):
                            self._alike(filler, table, partial, first, turn if differ else 0)
        return filler.rows

    def _alike(self, filler: Filler, table: str, partial: Mapping[str, Value], first: Row, turn: int) -> None:
        """The first row again but for its keys, in another `turn` also but for what is counted distinct."""
        made, keys = self._ground.tables[table], self._ground.keys.get(table, set())
        kept: dict[str, Value] = {}
        for at, column in enumerate(made.columns):
            name = column.name.lower()
            if (table, name) in self._ground.facts.distinct and turn and name not in partial:
                pool = [v for v in self._ground.pools.of(table, name) if v != first[at]]
                kept[name] = pool[(turn - 1) % len(pool)] if pool else first[at]
            elif at not in keys:
                kept[name] = first[at]
        self._unlike(filler, table, kept, first)
        filler.add(table, kept)

    def _repeat(
        self,
        filler: Filler,
        table: str,
        partial: dict[str, Value],
        first: Mapping[str, Row],
        *,
        nulls: bool,
    ) -> None:
        """A row like the first of its table but for its keys; rows that others point at are kept single."""
        if any(link.target == table for link in self._ground.links):
            return
        like = first.get(table)
        if like is None:
            filler.add(table, partial)
            return
        made = self._ground.tables[table]
        keys = self._ground.keys.get(table, set())
        kept: dict[str, Value] = {}
        for at, column in enumerate(made.columns):
            name = column.name.lower()
            if at in keys:
                continue
            if name in partial or (table, name) in self._groups:
                kept[name] = like[at]
            elif nulls:  # a group whose rows lack what is counted
                kept[name] = None if column.nullable and self._draw.random() < 0.5 else like[at]
            elif self._draw.random() < 0.8:
                kept[name] = like[at]
        pointing = {
            made.columns[link.own].name.lower(): like[link.own]
            for link in self._ground.links
            if link.table == table
        }
        kept |= pointing
        self._unlike(filler, table, kept, like)
        filler.add(table, kept)

    def _unlike(self, filler: Filler, table: str, kept: dict[str, Value], like: Row) -> None:
        """Make one column of each key of several another one: else the row could not stand beside `like`.

        Which one: the last by which nothing is grouped, of those that may be.
        """
        made = self._ground.tables[table]
        for key in made.keys:
            names = {at: made.columns[at].name.lower() for at in key}
            if len(key) > 1 and all(kept.get(name, like[at]) == like[at] for at, name in names.items()):
                free = [at for at in key if not self._grouped_by(table, names[at])] or list(key)
                kept[names[free[-1]]] = filler.another(table, free[-1])

    def _grouped_by(self, table: str, column: str) -> bool:
        """Whether a query groups by the column or by one that it is joined with."""
        return bool(self._groups & {(table, column), *self._ground.pools.linked(table, column)})

    def _filler(self, style: Style, orphans: bool) -> Filler:
        ground = self._ground
        return Filler(
            ground.tables, ground.pools, ground.links, ground.keys, self._draw, style, orphans=orphans
        )
