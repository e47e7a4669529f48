"""DuckDB in memory, for dialects that SQLite cannot run: no files, no network, no Python objects.

What costs is the statement, not the row: a table's rows go in with one INSERT, a table whose rows are there
already is left alone, and one thread watches the deadlines of all queries.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from t2s_tui.evaluation.equivalence.engines import MAX_ROWS, SECONDS
from t2s_tui.evaluation.equivalence.model import Result, Row, Rows, Table
from t2s_tui.evaluation.equivalence.schema import quote
from t2s_tui.sql.dialects import divides_integers

#: Settings that make a connection harmless; `lock_configuration` follows when the tables are there.
_CONFIGURATION = {
    "threads": "1",
    "memory_limit": "512MB",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class DuckEngine:
    """Tables in memory under the DDL's constraints, its configuration locked.

    `dialect` is the one that the queries were translated from: where it divides integers without a rest, as
    PostgreSQL does, so does DuckDB here. The translation cannot say so where it does not know the types.
    """

    def __init__(self, tables: Sequence[Table], dialect: str = "duckdb") -> None:
        import duckdb

        self._duckdb = duckdb
        self.name = f"duckdb {duckdb.__version__}"
        self._tables = {table.key: table for table in tables}
        self._connection: Any = duckdb.connect(
            ":memory:", config={**_CONFIGURATION, "integer_division": str(divides_integers(dialect)).lower()}
        )
        for table in tables:
            self._connection.execute(table.create)
        self._connection.execute("SET lock_configuration = true")
        self._watch = _Watch(self._connection)
        self._wanted: dict[str, list[Row]] = {}  # what was put into each table last, and what it let in
        self._there: Rows = {table.key: [] for table in tables}
        self._rows: Rows = {}
        self._turned = False

    def close(self) -> None:
        self._watch.close()
        self._connection.close()

    def load(self, rows: Mapping[str, Sequence[Row]]) -> Rows:
        kept = self._put(rows)
        self._rows, self._turned = self._without_orphans(kept), False
        if self._rows != kept:
            self._put(self._rows)
        return {key: list(found) for key, found in self._rows.items()}

    def _put(self, rows: Mapping[str, Sequence[Row]]) -> Rows:
        """Make these the rows of all tables; returns those that the constraints let in."""
        for key, table in self._tables.items():
            wanted = list(rows.get(key, ()))
            if not _equal(wanted, self._wanted.get(key, [])):
                if self._there[key]:
                    self._connection.execute(f"DELETE FROM {quote(table.name)}")
                self._wanted[key], self._there[key] = wanted, self._insert(table, wanted)
        return dict(self._there)

    def _insert(self, table: Table, rows: list[Row]) -> list[Row]:
        """All at once what breaks no NOT NULL and no key; one by one where the engine still objects."""
        rows = _lawful(table, rows)
        into = f"INSERT INTO {quote(table.name)} VALUES "
        if not rows or self._ran(into + ", ".join(map(_values, rows))):
            return rows
        return [row for row in rows if self._ran(into + _values(row))]

    def _ran(self, sql: str) -> bool:
        try:
            self._connection.execute(sql)
        except self._duckdb.Error:
            return False
        return True

    def _without_orphans(self, rows: Rows) -> Rows:
        if not any(table.references for table in self._tables.values()):
            return rows
        for _ in range(8):
            found = dict(rows)
            for key, table in self._tables.items():
                for reference in table.references:
                    there = {tuple(r[at] for at in reference.target) for r in rows.get(reference.table, ())}
                    found[key] = [
                        row
                        for row in found[key]
                        if any(row[at] is None for at in reference.own)
                        or tuple(row[at] for at in reference.own) in there
                    ]
            if found == rows:
                break
            rows = found
        return rows

    def run(self, sql: str, *, backwards: bool = False) -> Result:
        if backwards != self._turned:
            self._put({key: found[::-1] if backwards else found for key, found in self._rows.items()})
            self._turned = backwards
        try:
            with self._watch.until(SECONDS * 4):
                answer = self._connection.execute(sql)
                if answer.description is None:
                    return Result(error="the statement returns no rows")
                rows = answer.fetchmany(MAX_ROWS + 1)
            return Result(tuple(d[0] for d in answer.description), tuple(tuple(map(_plain, r)) for r in rows))
        except self._duckdb.InterruptException:
            return Result(error="it takes too long", slow=True)
        except (self._duckdb.Error, RuntimeError, ValueError, MemoryError, OverflowError) as error:
            return Result(error=re.split(r"\n|LINE \d", str(error))[0].strip() or type(error).__name__)

    def readings(self, sql: str) -> Iterator[Result]:
        return iter(())  # `backwards` stores the rows anew


class _Watch:
    """A thread that interrupts the connection when what runs on it is past its deadline."""

    _TICK = 0.1  # seconds; a query may run that much longer

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @contextmanager
    def until(self, seconds: float) -> Iterator[None]:
        """What runs inside is interrupted after so many seconds."""
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            with self._lock:  # no interrupt may be on its way when the next statement begins
                self._deadline = None

    def close(self) -> None:
        """Stop looking; returns when the thread is gone."""
        self._closed.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._closed.wait(self._TICK):
            with self._lock:
                if self._deadline is not None and time.monotonic() > self._deadline:
                    self._connection.interrupt()


def _lawful(table: Table, rows: list[Row]) -> list[Row]:
    """Without rows that break a NOT NULL, or a key that a row before them has taken."""
    needed = [at for at, column in enumerate(table.columns) if not column.nullable]
    taken: list[set[tuple[Any, ...]]] = [set() for _ in table.keys]
    found = []
    for row in rows:
        if any(row[at] is None for at in needed):
            continue
        keys = [tuple(row[at] for at in places) for places in table.keys]
        whole = [(key, seen) for key, seen in zip(keys, taken, strict=True) if None not in key]
        if any(key in seen for key, seen in whole):
            continue
        for key, seen in whole:
            seen.add(key)
        found.append(row)
    return found


def _equal(left: list[Row], right: list[Row]) -> bool:
    """The same rows of the same types: 1 and True are equal in Python and not in a text column."""
    return left == right and [*map(_types, left)] == [*map(_types, right)]


def _types(row: Row) -> tuple[type, ...]:
    return tuple(map(type, row))


def _values(row: Row) -> str:
    return f"({', '.join(map(_literal, row))})"


def _literal(value: Any) -> str:
    """A value as DuckDB reads it; text is cast to the column's type as a parameter would be."""
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, float):
        return f"'{value!r}'::DOUBLE"
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
    return "'" + str(value).replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    """A DuckDB value as JSON and the comparison know it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    import decimal

    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
