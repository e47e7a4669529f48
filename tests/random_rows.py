"""Small random databases for a DDL: NULLs, ties, duplicates, values that the queries name."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Sequence

from t2s_tui.sql.canonical.context import context_of

_LITERAL = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"|\b(\d+(?:\.\d+)?)\b")


def constants_in(*queries: str) -> list[object]:
    """Literals of the queries and their neighbours."""
    found: list[object] = []
    for query in queries:
        for single, double, number in _LITERAL.findall(query):
            if number:
                value = float(number) if "." in number else int(number)
                found += [value, value + 1, value - 1]
            elif single or double:
                found.append((single or double).replace("%", "x"))
    return found


def random_database(
    ddl: str, rng: random.Random, constants: Sequence[object] = (), *, references: bool = False
) -> sqlite3.Connection:
    """A database in memory with up to six rows a table. What the DDL does not allow is left out; with
    `references` foreign keys hold, keys are not NULL, and values are of their column's kind."""
    db = sqlite3.connect(":memory:")
    db.executescript(ddl)
    db.execute("PRAGMA foreign_keys = OFF")
    facts = context_of("sqlite", ddl).facts
    numbers = [c for c in constants if not isinstance(c, str)]
    texts = [c for c in constants if isinstance(c, str)]
    nulls = rng.choice((0.0, 0.1, 0.4))
    small: list[object] = [0, 1, 2, 3]
    pools = {
        "number": [*small, *rng.sample(numbers, min(2, len(numbers)))],
        "real": [0.5, 1.0, 2.0, *rng.sample(numbers, min(2, len(numbers)))],
        "text": ["a", "b", *map(str, small[:3]), *rng.sample(texts, min(3, len(texts)))],
        "": [1, "1", "a", 2.0],
    }
    if not references:
        pools["number"] = [*pools["number"], *rng.sample(["a", 0.5], rng.randint(0, 1))]
    held: dict[str, list[tuple[object, ...]]] = {}
    for table in _targets_first(facts) if references else list(facts):
        about = facts[table]
        for _ in range(rng.choice((0, 1, 2, 3, 4, 6))):
            row = {}
            for column in about.columns:
                needed = column in about.not_null or (references and column in about.primary)
                empty = not needed and rng.random() < nulls
                pool = small if column == about.counted else pools[about.kinds[column]]
                row[column] = None if empty else rng.choice(pool)
            if references and not _point(row, about, held, facts, rng):
                continue
            names = ", ".join(f'"{c}"' for c in about.columns)
            marks = ", ".join("?" for _ in about.columns)
            db.execute(
                f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})',
                tuple(row[c] for c in about.columns),
            )
            held[table] = db.execute(f'SELECT {names} FROM "{table}"').fetchall()
    return db


def _targets_first(facts):  # type: ignore[no-untyped-def]
    done: list[str] = []
    waiting = list(facts)
    while waiting:
        ready = [t for t in waiting if all(f.table in done or f.table == t for f in facts[t].foreign)]
        done += ready or waiting[:1]
        waiting = [t for t in waiting if t not in done]
    return done


def _point(row, about, held, facts, rng) -> bool:  # type: ignore[no-untyped-def]
    for key in about.foreign:
        if any(row[c] is None for c in key.own):
            if any(c in about.not_null or c in about.primary for c in key.own):
                return False
            continue
        if key.table not in facts:
            return False
        at = [facts[key.table].columns.index(c) for c in key.target]
        choices = [
            tuple(r[i] for i in at) for r in held.get(key.table, []) if all(r[i] is not None for i in at)
        ]
        if not choices:
            if any(c in about.not_null or c in about.primary for c in key.own):
                return False
            row.update(dict.fromkeys(key.own))
            continue
        row.update(zip(key.own, rng.choice(choices), strict=True))
    return True


def rows_of(db: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    """The rows of a query, with whole floats as ints."""
    return [
        tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in row)
        for row in db.execute(sql)
    ]


def bag(rows: list[tuple[object, ...]]) -> list[str]:
    """The rows as a bag."""
    return sorted(map(repr, rows))
