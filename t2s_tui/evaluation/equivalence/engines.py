"""The databases that run both queries: SQLite in memory; DuckDB is in duck_engine.py.

They live in the worker (worker.py), whose process is killed when all else fails. What is run on them was
written by a model: an authorizer lets it read and nothing else, and a deadline ends it.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Protocol

from t2s_tui.evaluation.equivalence.model import Result, Row, Rows, Table
from t2s_tui.evaluation.equivalence.schema import plain_create, quote, runs

SECONDS = 0.4  # a query on a few dozen rows takes microseconds
MAX_ROWS = 3000
_STEPS = 4000
_ORDERS = 12  # in which rows are stored anew: two that tie look settled in one database of 2,048
_KEYS = re.compile(r",\s*(CONSTRAINT\s+\S+\s+)?(PRIMARY KEY|UNIQUE)\s*\([^)]*\)")  # of the table
_KEY = re.compile(r"\b(PRIMARY KEY|UNIQUE)\b")  # of a column
_BAD_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "zeroblob"))
_MAX_LENGTH = 1_000_000


class Engine(Protocol):
    """What the search needs of a database engine."""

    name: str

    def load(self, rows: Mapping[str, Sequence[Row]]) -> Rows:
        """Replace all rows; returns those that the constraints let in."""

    def run(self, sql: str, *, backwards: bool = False) -> Result:
        """Run a query; `backwards` reads tables in the other direction where nothing orders them."""

    def readings(self, sql: str) -> Iterator[Result]:
        """What a query returns when the loaded rows are stored in other orders, as far as that is tried."""

    def close(self) -> None:
        """Let go of it."""


class SqliteEngine:
    """Tables in memory under the DDL's constraints."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.name = f"sqlite {sqlite3.sqlite_version}"
        self._tables = {table.key: table for table in tables}
        self._connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
        self._deadline = 0.0
        self._locked = False
        self._backwards = False
        self._rows: Rows = {}
        self._heap: SqliteEngine | None = None  # the same tables, none of them stored in the order of a key
        for table in tables:
            self._connection.execute(table.create)
        for table, places in _targets(tables):
            # SQLite wants the target of a foreign key to be unique, also where the DDL forgot to say so.
            names = ", ".join(quote(table.columns[at].name) for at in places)
            self._connection.execute(
                f"CREATE UNIQUE INDEX {quote(f'{table.key}{places}')} ON {quote(table.name)} ({names})"
            )
        self._insert = {table.key: _insert_of(table) for table in tables}
        self._references = any(table.references for table in tables)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_LENGTH)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._connection.set_authorizer(self._allow)
        self._connection.set_progress_handler(self._late, _STEPS)

    def close(self) -> None:
        self._connection.close()
        if self._heap is not None:
            self._heap.close()

    def load(self, rows: Mapping[str, Sequence[Row]]) -> Rows:
        self._rows = self._load(rows)
        return self._rows

    def _load(self, rows: Mapping[str, Sequence[Row]]) -> Rows:
        self._locked, self._deadline = False, time.monotonic() + 5
        database = self._connection
        database.execute("BEGIN")
        for key in self._tables:
            database.execute(f"DELETE FROM {quote(self._tables[key].name)}")
        before = database.total_changes
        wanted, refused = 0, False
        for key, found in rows.items():
            if found:
                wanted += len(found)
                refused |= self._put(key, found)
        lost = refused or database.total_changes - before != wanted
        if self._references and self._drop_orphans():
            lost = True
        database.execute("COMMIT")
        if not lost:
            return {key: list(found) for key, found in rows.items()}
        return {
            key: database.execute(f"SELECT * FROM {quote(table.name)}").fetchall()
            for key, table in self._tables.items()
        }

    def _put(self, key: str, rows: Sequence[Row]) -> bool:
        """Insert what the table takes; whether it refused a row: OR IGNORE is no help where a text is to be
        an INTEGER PRIMARY KEY."""
        try:
            self._connection.executemany(self._insert[key], rows)
            return False
        except sqlite3.IntegrityError:
            self._connection.execute(f"DELETE FROM {quote(self._tables[key].name)}")
            for row in rows:
                with suppress(sqlite3.IntegrityError):
                    self._connection.execute(self._insert[key], row)
            return True

    def _drop_orphans(self) -> bool:
        dropped = False
        for _ in range(8):
            broken = self._connection.execute("PRAGMA foreign_key_check").fetchall()
            if not broken:
                break
            dropped = True
            for table, rowid, *_ in broken:
                if rowid is not None:
                    self._connection.execute(f"DELETE FROM {quote(table)} WHERE rowid = ?", (rowid,))
        return dropped

    def run(self, sql: str, *, backwards: bool = False) -> Result:
        if backwards != self._backwards:
            self._locked = False
            self._connection.execute(f"PRAGMA reverse_unordered_selects = {int(backwards)}")
            self._backwards = backwards
        self._locked, self._deadline = True, time.monotonic() + SECONDS
        try:
            cursor = self._connection.execute(sql)
            if cursor.description is None:
                return Result(error="the statement returns no rows")
            names = tuple(d[0] for d in cursor.description)
            rows = cursor.fetchmany(MAX_ROWS + 1)
            cursor.close()
            return Result(names, tuple(rows))
        except sqlite3.Error as error:
            slow = "interrupted" in str(error)
            return Result(error="it takes too long" if slow else str(error), slow=slow)
        except (MemoryError, ValueError, OverflowError, UnicodeError) as error:
            return Result(error=str(error) or "out of memory")
        finally:
            self._locked = False

    def readings(self, sql: str) -> Iterator[Result]:
        """`run` backwards does not turn what SQLite sorts on the way (GROUP BY, a nested ORDER BY): rows that
        tie there come as they are stored, and an INTEGER PRIMARY KEY is stored in its own order."""
        if self._heap is None:
            self._heap = SqliteEngine([_heap(table) for table in self._tables.values()])
            self._heap._connection.execute("PRAGMA automatic_index = OFF")  # it would sort them by value
        for turn in range(_ORDERS):
            draw = Random(turn)
            rows = {key: found[::-1] for key, found in self._rows.items()}
            if turn:
                rows = {key: draw.sample(found, len(found)) for key, found in rows.items()}
            self._heap.load(rows)
            yield self._heap.run(sql)

    def _late(self) -> bool:
        return time.monotonic() > self._deadline

    def _allow(
        self, action: int, first: str | None, second: str | None, _db: str | None, _by: str | None
    ) -> int:
        if not self._locked or action in (
            sqlite3.SQLITE_READ,
            sqlite3.SQLITE_SELECT,
            sqlite3.SQLITE_RECURSIVE,
        ):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _BAD_FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY


def _heap(table: Table) -> Table:
    """The table without keys: its rows lie in the order of insertion, and no index sorts them."""
    create = _KEY.sub("", _KEYS.sub("", table.create))
    if not runs(create, "sqlite"):
        create = plain_create(table.name, table.columns)
    return replace(table, create=create, references=())


def _targets(tables: Sequence[Table]) -> list[tuple[Table, tuple[int, ...]]]:
    """What foreign keys point at and no key of its table covers."""
    by_name = {table.key: table for table in tables}
    wanted = {(r.table, r.target) for table in tables for r in table.references if r.table in by_name}
    return [(by_name[key], places) for key, places in sorted(wanted) if places not in by_name[key].keys]


def _insert_of(table: Table) -> str:
    marks = ", ".join("?" * len(table.columns))
    names = ", ".join(quote(c.name) for c in table.columns)
    return f"INSERT OR IGNORE INTO {quote(table.name)} ({names}) VALUES ({marks})"
