"""Running a model's SQL where it can do no harm: in a child process, read-only, killable (trap 28).

The child is `sandbox_child.py`, started by its path with `-I -S` and an empty environment: it sees no keys,
no site-packages and never a fork of a process with torch in it. It is reused for many queries and started
again after a kill.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.sql.guard import refuse_reason

TIMEOUT = 5.0
MAX_ROWS = 10_000
MAX_BYTES = 32_000_000
_GRACE = 0.3  # seconds that the progress handler has before SIGKILL
_OPEN = 60.0  # seconds in which DuckDB must have the tables
_CHILD = Path(__file__).with_name("sandbox_child.py")
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


class Sandbox:
    """One child process for many queries, one at a time. Safe to share between threads. Close it."""

    _dialect = "sqlite"

    @staticmethod
    def _command() -> list[str]:
        return [sys.executable, "-I", "-S", str(_CHILD)]

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._lock = threading.Lock()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def run(
        self,
        database: Path,
        sql: str,
        *,
        timeout: float = TIMEOUT,
        max_rows: int = MAX_ROWS,
        brief: bool = False,
    ) -> QueryResult:
        """Run one SELECT in the engine's own dialect on a SQLite file.

        With `brief` the result has the rows up to the first that is not all NULL, and the one behind it.
        Raises QueryRefused, QueryFailed, QueryTimeout or DatabaseUnreadable.
        """
        if reason := refuse_reason(sql, self._dialect):
            raise QueryRefused(f"The SQL was refused: {reason}")
        if not database.is_file():
            raise DatabaseUnreadable(f"There is no database file {database}", "check the dataset's databases")
        request = {
            "database": str(database.absolute()),
            "sql": sql,
            "timeout": timeout,
            "max_rows": max_rows,
            "max_bytes": MAX_BYTES,
            "brief": brief,
        }
        with self._lock:
            answer = self._prepare(database) or self._ask(request, timeout)
        if "error" in answer:
            raise _failure(answer, database, timeout)
        return QueryResult(
            columns=tuple(answer["columns"]),
            rows=tuple(tuple(_value(v) for v in row) for row in answer["rows"]),
            truncated=bool(answer["truncated"]),
            seconds=float(answer["seconds"]),
            reads=frozenset((table, column) for table, column in answer["reads"]),
        )

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._kill()

    def _prepare(self, database: Path) -> dict[str, Any] | None:
        """What the query's time must not pay for; an answer with an error when it fails."""
        return None

    def _ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        process, line = self._started(), json.dumps(request).encode("ascii") + b"\n"
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = self._read_line(process, time.monotonic() + timeout + _GRACE)
        except (BrokenPipeError, EOFError):
            self._kill()
            return {"error": "the query used up its memory", "code": "SQLITE_NOMEM"}
        except BaseException:
            self._kill()  # an answer may still come: never mix it with the next query's
            raise
        if answer is None:
            self._kill()
            return {"error": "killed", "code": "SQLITE_INTERRUPT"}
        found = json.loads(answer)
        assert isinstance(found, dict)
        if found.get("code") == "SQLITE_NOMEM":
            self._kill()
        return found

    def _read_line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
        """One line of the child's stdout, None when the deadline passes first. Raises EOFError."""
        assert process.stdout is not None
        pieces = []
        while True:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([process.stdout], [], [], wait)[0]:
                return None
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece:
                raise EOFError
            pieces.append(piece)
            if piece.endswith(b"\n"):
                return b"".join(pieces)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._kill()
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONIOENCODING": "utf-8"},
                cwd="/",
            )
        return self._process

    def _kill(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # what was left to write concerns nobody now


class DuckDBSandbox(Sandbox):
    """The same with DuckDB: it gets the tables of the SQLite file in memory, and nothing of the machine."""

    _dialect = "duckdb"

    @staticmethod
    def _command() -> list[str]:
        return [sys.executable, "-I", str(_CHILD.with_name("sandbox_duckdb.py"))]

    def _prepare(self, database: Path) -> dict[str, Any] | None:
        """DuckDB's import and the copy of the tables, which are kept for the next query."""
        answer = self._ask({"open": str(database.absolute()), "timeout": _OPEN}, _OPEN)
        if "error" not in answer:
            return None
        late = str(answer.get("code", "")).startswith("SQLITE_INTERRUPT")
        why = f"its tables are not copied within {_OPEN:g} s" if late else str(answer["error"])
        return {"error": why, "code": "SQLITE_CANTOPEN"}


_shared: Sandbox | None = None
_shared_lock = threading.Lock()


def run_query(database: Path, sql: str, *, timeout: float = TIMEOUT, max_rows: int = MAX_ROWS) -> QueryResult:
    """Run one SELECT in this process's shared sandbox; see `Sandbox.run` for what it raises."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Sandbox()
            atexit.register(_shared.close)
    return _shared.run(database, sql, timeout=timeout, max_rows=max_rows)


def _value(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def _failure(answer: dict[str, Any], database: Path, timeout: float) -> DataError:
    message, code = str(answer["error"]), str(answer.get("code", ""))
    if code.startswith("SQLITE_INTERRUPT"):
        return QueryTimeout(f"The query ran longer than {timeout:g} s and was stopped")
    if code.startswith("SQLITE_AUTH") or message in ("not authorized", "authorizer malfunction"):
        return QueryRefused(f"The SQL was refused: {message}")
    if any(word in code for word in _DATABASE_TROUBLE):
        return DatabaseUnreadable(
            f"The database {database} cannot be read ({message})", "check that it is a SQLite file"
        )
    return QueryFailed(f"The query failed: {message}")
