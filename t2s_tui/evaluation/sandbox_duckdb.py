"""The process that runs other people's SQL on DuckDB: the protocol and the walls of sandbox_child.py.

The tables of the SQLite file are read by Python's own sqlite3, read-only, and put into a database in memory;
then the connection gives up the file system, extensions and Python's variables, and its configuration is
locked, and one SELECT at a time is all that runs. A timer interrupts a query at its deadline; the parent's
SIGKILL is the last resort.
"""

from __future__ import annotations

import importlib
import sqlite3
import sys
import threading
import time
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
walls: Any = importlib.import_module("sandbox_child")  # a file beside this one, not the whole package

_MOST_ROWS = 2_000_000
_SETTINGS = """
SET memory_limit = '512MB'; SET max_temp_directory_size = '0KB'; SET threads = 1;
SET python_enable_replacements = false; SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false; SET allow_community_extensions = false;
SET preserve_insertion_order = true; SET enable_external_access = false; SET lock_configuration = true;
"""
_TYPES = {"int": "BIGINT", "float": "DOUBLE", "str": "VARCHAR", "bytes": "BLOB"}


def main() -> None:
    """Answer queries until stdin ends."""
    import duckdb

    walls.confine(4 << 30)  # DuckDB reserves more than it uses; its own limit is lower
    walls.serve(lambda request: lambda sql: answer(duckdb, request, sql))


def answer(duckdb: Any, request: dict[str, Any], sql: str) -> bytes:
    """The answer to one query, or to a request that only asks for the tables."""
    started = time.monotonic()
    try:
        connection = _opened(duckdb, Path(request["database"]))
        if request.get("open"):
            return bytes(walls.answered([], [], False, [], started))
        return _query(duckdb, connection, request, sql, started)
    except duckdb.InterruptException:
        error, code = "interrupted", "SQLITE_INTERRUPT"
    except (duckdb.OutOfMemoryException, MemoryError):
        error, code = "out of memory", "SQLITE_NOMEM"
    except duckdb.PermissionException as refused:
        error, code = str(refused), "SQLITE_AUTH"
    except sqlite3.Error as trouble:
        error, code = str(trouble), getattr(trouble, "sqlite_errorname", "SQLITE_CANTOPEN")
    except (duckdb.Error, ValueError, OverflowError, RuntimeError) as trouble:
        error, code = str(trouble).split("\n")[0], "SQLITE_ERROR"
    return bytes(walls.failure(error, code, started))


_databases: dict[tuple[Any, ...], Any] = {}


def _opened(duckdb: Any, path: Path) -> Any:
    """The connection with the tables of this file; the last two are kept."""
    key = (str(path), *walls._identity(path))
    if key not in _databases:
        while len(_databases) > 1:
            _databases.pop(next(iter(_databases))).close()
        _databases[key] = _loaded(duckdb, path)
    return _databases[key]


def _loaded(duckdb: Any, path: Path) -> Any:
    source = sqlite3.connect(walls._uri(path), uri=True)
    source.text_factory = walls._text
    connection = duckdb.connect(":memory:")
    names = [r[0] for r in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        if not name.startswith("sqlite_"):
            _copy(source, connection, name)
    source.close()
    connection.execute(_SETTINGS)
    return connection


def _copy(source: sqlite3.Connection, target: Any, name: str) -> None:
    """One table. A column has the type of what is in it, text where that is mixed: SQLite declares little."""
    table = _quoted(name)
    cursor = source.execute(f"SELECT * FROM {table}")
    columns = [d[0] for d in cursor.description]
    rows = cursor.fetchmany(_MOST_ROWS)
    types = [
        _type(declared, {type(row[i]).__name__ for row in rows} - {"NoneType"})
        for i, declared in enumerate(_declared(source, table))
    ]
    fields = ", ".join(f"{_quoted(c)} {t}" for c, t in zip(columns, types, strict=True))
    target.execute(f"CREATE TABLE {table} ({fields})")
    if rows:
        import pyarrow as pa

        held = {f"c{i}": _column([row[i] for row in rows], t) for i, t in enumerate(types)}
        target.register("held", pa.table(held))
        target.execute(f"INSERT INTO {table} SELECT * FROM held")
        target.unregister("held")


def _column(values: list[Any], kind: str) -> Any:
    import pyarrow as pa

    as_text = kind == "VARCHAR"
    arrow = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "BLOB": pa.binary()}[kind]
    return pa.array([str(v) if as_text and v is not None else v for v in values], type=arrow)


def _declared(source: sqlite3.Connection, table: str) -> list[str]:
    return [
        str(row[2]).upper() for row in source.execute(f"PRAGMA table_xinfo({table})") if row[6] in (0, 2, 3)
    ]


def _type(declared: str, held: set[str]) -> str:
    if held <= {"str"} and any(word in declared for word in ("DATETIME", "TIMESTAMP")):
        return "VARCHAR"
    if held == {"int", "float"}:
        return "DOUBLE"
    if len(held) == 1:
        return _TYPES[held.pop()]
    if not held:
        number = any(word in declared for word in ("INT", "REAL", "DOUB", "FLOA", "NUM", "DEC"))
        return "DOUBLE" if number else "VARCHAR"
    return "VARCHAR"


def _query(duckdb: Any, connection: Any, request: dict[str, Any], sql: str, started: float) -> bytes:
    statements = connection.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        return bytes(walls.failure("only one SELECT is run", "SQLITE_AUTH", started))
    timer = threading.Timer(float(request["timeout"]), connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        connection.execute(sql)
        columns = [d[0] for d in connection.description or ()]

        def fetch(count: int) -> list[list[Any]]:
            return [list(map(_plain, row)) for row in connection.fetchmany(count)]

        rows, truncated = walls.pieces(fetch, int(request["max_rows"]), int(request["max_bytes"]))
    finally:
        timer.cancel()
        timer.join()
    return bytes(walls.answered(columns, rows, truncated, [], started))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | float | str):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | clock | timedelta):
        return str(value)
    return str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


if __name__ == "__main__":
    main()
