"""What came of a query in the sandbox: its result, or one of the ways in which there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError

_DATABASE_TROUBLE = ("NOTADB", "CANTOPEN", "CORRUPT", "IOERR", "BUSY", "LOCKED", "PERM", "READONLY_CANTINIT")


class QueryRefused(DataError):
    """The SQL is not run at all: it is no single SELECT, or it asked for something forbidden."""


class QueryFailed(DataError):
    """The engine said no: a syntax error, an unknown column, no memory."""


class QueryTimeout(DataError):
    """The query did not end in time and was interrupted or killed."""


class DatabaseUnreadable(DataError):
    """The database file is absent, locked or no database: no query's fault."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a query returned. `rows` holds tuples of None, int, float, str and bytes, at most `max_rows`.

    `reads` are the (table, column) pairs that it read, `seconds` the time in the engine.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    seconds: float
    reads: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)


def read_answer(line: bytes, database: Path, timeout: float) -> QueryResult | DataError:
    """One line of a sandbox's process: the result, or the error that says why there is none."""
    answer = json.loads(line)
    if "error" in answer:
        return failure(str(answer["error"]), str(answer.get("code", "")), database, timeout)
    rows = answer["rows"]
    if b'{"hex":"' in line:  # a blob, or a text that looks like one
        rows = [[_value(v) for v in row] for row in rows]
    return QueryResult(
        columns=tuple(answer["columns"]),
        rows=tuple(map(tuple, rows)),
        truncated=bool(answer["truncated"]),
        seconds=float(answer["seconds"]),
        reads=frozenset(map(tuple, answer["reads"])),
    )


def _value(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def failure(message: str, code: str, database: Path, timeout: float) -> DataError:
    """The error for an engine's message and SQLite's name for its kind."""
    if code.startswith("SQLITE_INTERRUPT"):
        return QueryTimeout(f"The query ran longer than {timeout:g} s and was stopped")
    if code.startswith("SQLITE_AUTH") or message in ("not authorized", "authorizer malfunction"):
        return QueryRefused(f"The SQL was refused: {message}")
    if any(word in code for word in _DATABASE_TROUBLE):
        return DatabaseUnreadable(
            f"The database {database} cannot be read ({message})", "check that it is a SQLite file"
        )
    return QueryFailed(f"The query failed: {message}")
