"""The values that a column is filled with: constants it is compared with, what lies around, plain ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from t2s_tui.evaluation.equivalence.model import Column, Facts, Kind, Table, Value

Home = tuple[str, str]
_MOST = 28
_LARGEST = 2**63 - 1  # of an integer in both engines
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(.*)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
_YEAR = re.compile(r"(19|20)\d{2}")

_PLAIN: dict[Kind, tuple[Value, ...]] = {
    "int": (1, 2, 3, 5, 0, -1, 10, 7),
    "real": (1, 2.5, 3, 0, -1.5, 10.25, 7.6, 4.5),
    "text": ("a", "b", "c", "ab", "B", "d e", "가나", "zz"),
    "date": ("2020-01-15", "2021-06-30", "2019-12-31", "2020-06-30", "2022-02-01"),
    "datetime": (
        "2020-01-15 08:30:00",
        "2021-06-30 12:00:00",
        "2020-01-15 17:45:10",
        "2019-12-31 23:59:59",
        "2020-06-30 00:00:00",
    ),
    "time": ("08:30:00", "12:00:00", "23:59:59", "00:00:00"),
    "bool": (1, 0),
}


class Pools:
    """Value pools by (table, column); columns that are compared with each other share theirs."""

    def __init__(self, tables: Mapping[str, Table], facts: Facts) -> None:
        self._tables = tables
        self._facts = facts
        self._group: dict[Home, Home] = {}
        for left, right in facts.same:
            self._join(left, right)
        for table in tables.values():
            for reference in table.references:
                target = tables.get(reference.table)
                if target is None:
                    continue
                for own, place in zip(reference.own, reference.target, strict=True):
                    mine = (table.key, table.columns[own].name.lower())
                    self._join(mine, (target.key, target.columns[place].name.lower()))
        self._members: dict[Home, list[Home]] = {}
        for home in self._group:
            self._members.setdefault(self._root(home), []).append(home)
        self._made: dict[Home, tuple[Value, ...]] = {}

    def of(self, table: str, column: str) -> tuple[Value, ...]:
        """The pool of a column, no NULL in it, the values that the queries speak of first."""
        home = (table, column)
        if home not in self._made:
            self._made[home] = self._make(home)
        return self._made[home]

    def spoken(self, table: str, column: str) -> bool:
        """Whether a query compares the column with something."""
        homes = self._members.get(self._root((table, column)), [(table, column)])
        return any(h in self._facts.constants or h in self._facts.patterns for h in homes)

    def linked(self, table: str, column: str) -> list[Home]:
        """The columns that share the pool, the column itself included."""
        return self._members.get(self._root((table, column)), [(table, column)])

    def _make(self, home: Home) -> tuple[Value, ...]:
        column = self._column(home)
        if column is None:
            return (1,)
        if column.choices:
            return column.choices
        homes = self.linked(*home)
        constants = [v for h in homes for v in self._facts.constants.get(h, [])]
        patterns = [p for h in homes for p in self._facts.patterns.get(h, [])]
        pool = pool_of(column.kind, constants, patterns)
        if self._facts.loose and column.kind == "datetime":
            days = [v for v in constants if isinstance(v, str) and _DAY.fullmatch(v)]
            return (*days[:2], *pool)[:_MOST]
        if column.kind == "int" and self._is_key(home):
            return tuple(dict.fromkeys([*pool, *_further(constants)]))
        return pool

    def _is_key(self, home: Home) -> bool:
        table = self._tables[home[0]]
        return (table.place(home[1]),) in table.keys

    def _column(self, home: Home) -> Column | None:
        table = self._tables.get(home[0])
        place = table.place(home[1]) if table else None
        return table.columns[place] if table is not None and place is not None else None

    def _root(self, home: Home) -> Home:
        while (up := self._group.get(home, home)) != home:
            home = up
        return home

    def _join(self, left: Home, right: Home) -> None:
        for home in (left, right):
            self._group.setdefault(home, home)
        self._group[self._root(left)] = self._root(right)


def pool_of(kind: Kind, constants: Iterable[Value], patterns: Iterable[str]) -> tuple[Value, ...]:
    """The values for a column of that kind: constants, what lies around them, plain values; at most 28.

    The closest variants of every constant come before the further ones of any.
    """
    near: list[Value] = []
    far: list[Value] = []
    constants = list(constants)
    for constant in [*constants, *_anniversaries(constants)]:
        first, *rest = _variants(kind, constant)
        near += [first, *rest[:4]]
        far += rest[4:]
    for pattern in patterns:
        instances = list(_instances(kind, pattern))
        near += instances[:5]
        far += instances[5:]
    plain = list(_PLAIN[kind])
    seen: dict[tuple[type, Value], Value] = {}
    for value in (*near, *plain[:3], *far, *plain[3:]):
        if _fits(kind, value):
            seen.setdefault((type(value), value), value)
    return tuple(list(seen.values())[:_MOST])


def _fits(kind: Kind, value: Value) -> bool:
    """Whether the value may stand in such a column: SQLite would take any, other engines would not."""
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    if kind == "int":
        return isinstance(value, int)
    if kind == "real":
        return isinstance(value, (int, float))
    if kind == "bool":
        return value in (0, 1)
    if kind in ("date", "datetime"):
        return isinstance(value, str) and bool(_DATE.fullmatch(value))
    return isinstance(value, str)


def _variants(kind: Kind, constant: Value) -> list[Value]:
    if isinstance(constant, str) and kind in ("int", "real", "bool"):
        number = _number(constant)
        return _around_number(kind, number) if number is not None else [None]
    if kind in ("date", "datetime"):
        return list(_dates(kind, constant)) or [None]
    if isinstance(constant, (int, float)):
        if kind in ("text", "time"):
            near = [str(constant + 1), str(constant - 1)] if isinstance(constant, int) else []
            return [*near, *_texts(str(constant)), *_dates("date", constant)]
        return _around_number(kind, constant)
    return [*_texts(constant), *(_dates("date", constant) if _looks_dated(constant) else ())]


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None


def _around_number(kind: Kind, n: int | float) -> list[Value]:
    if kind == "real":
        return [n, n + 1, n - 1, n + 0.5, n - 0.25, n * 2, n / 2, n + 10, n * 3]
    whole = int(n)
    return [whole, whole + 1, whole - 1, whole * 2, whole // 2, -whole, whole + 10, whole * 3]


def _further(constants: Iterable[Value]) -> list[Value]:
    """More numbers on both sides of each: a key that must be above one needs as many as there are rows."""
    numbers = [n for n in constants if isinstance(n, int) and abs(n) < _LARGEST - 9]
    return [n + shift for n in numbers[:4] for shift in (2, 3, 4, 5, 6, -2, -3, -4)]


def _looks_dated(text: str) -> bool:
    return bool(_DATE.fullmatch(text) or _MONTH.fullmatch(text) or _YEAR.fullmatch(text))


def _texts(s: str) -> list[Value]:
    found: list[Value] = [s, s.swapcase(), s + "x", "x" + s, s.lower(), s.upper(), f"{s} {s}", s[:-1], s[1:]]
    return [v for at, v in enumerate(found) if at == 0 or v != s]


def _dates(kind: Kind, constant: Value) -> Iterable[Value]:
    """Dates that a constant speaks of: itself and around it; any day of a month or a year that it names."""
    text = str(constant)
    tail = " 10:20:30" if kind == "datetime" else ""
    if match := _DATE.fullmatch(text):
        yield from _around_date(match, kind)
    elif match := _MONTH.fullmatch(text):
        y, m = int(match[1]), int(match[2])
        yield from (f"{a:04d}-{b:02d}-15{tail}" for a, b in ((y, m), (y, m % 12 + 1), (y - 1, m)))
    elif _YEAR.fullmatch(text):
        y = int(text)
        for year, day in ((y, "03-05"), (y + 1, "01-01"), (y - 1, "12-31"), (y, "12-31"), (y, "01-01")):
            yield f"{year:04d}-{day}{tail}"
    elif text.isdigit() and 1 <= int(text) <= 31:
        n = int(text)
        yield from (
            f"2020-{m:02d}-{d:02d}{tail}" for m, d in ((min(n, 12), 9), (3, min(n, 31)), (n % 12 + 1, 9))
        )


def _anniversaries(constants: list[Value]) -> list[str]:
    """For a date and a number of years (an age), the day so many years before."""
    days = [m for c in constants if isinstance(c, str) and (m := _DATE.fullmatch(c))]
    spans = [c for c in constants if isinstance(c, int) and 1 <= c <= 120]
    return [f"{int(m[1]) - n:04d}-{m[2]}-{m[3]}" for m in days[:2] for n in spans[:2] if int(m[1]) > n]


def _around_date(match: re.Match[str], kind: Kind) -> Iterable[Value]:
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return
    rest = match[4]
    if kind == "datetime" and not rest.strip():
        rest = " 00:00:00"
    elif kind == "date":
        rest = ""
    shifts = (0, 1, -1, 31, -31, 366, -366)
    for at, shift in enumerate(shifts):
        try:
            yield f"{(day + timedelta(days=shift)).isoformat()}{rest}"
        except OverflowError:
            continue
        if at == 0 and kind == "datetime":
            yield f"{day.isoformat()} 15:45:00"


def _instances(kind: Kind, pattern: str) -> Iterable[Value]:
    """Texts that a LIKE pattern takes, and some that it just does not."""
    bare = pattern.replace("%", "").replace("_", "q")
    if kind in ("date", "datetime") or _looks_dated(bare.strip("-")):
        yield from _dates("datetime" if kind == "datetime" else "date", bare.strip("-"))
    if kind in ("int", "real"):
        number = _number(bare)
        if number is not None:
            yield from _around_number(kind, number)
        return
    filled = pattern.replace("_", "q")
    if "_" in pattern:
        parts = pattern.replace("%", "").split("_")
        yield "".join(f"{part}{at % 10}" for at, part in enumerate(parts[:-1], start=1)) + parts[-1]
    yield filled.replace("%", "")
    yield filled.replace("%", "zz")
    yield "m" + filled.replace("%", "")
    yield filled.replace("%", "") + "m"
    yield filled.replace("%", "y").swapcase()
    yield pattern.replace("%", "").replace("_", "qq")
    yield "k" + filled.replace("%", "k") + "k"
    yield pattern
