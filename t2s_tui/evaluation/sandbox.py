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
from collections.abc import Sequence
from pathlib import Path

from t2s_tui.errors import DataError
from t2s_tui.evaluation.query_result import (
    DatabaseUnreadable,
    QueryFailed,
    QueryRefused,
    QueryResult,
    QueryTimeout,
    failure,
    read_answer,
)
from t2s_tui.sql.guard import refuse_reason

__all__ = [
    "MAX_ROWS",
    "TIMEOUT",
    "DatabaseUnreadable",
    "DuckDBSandbox",
    "QueryFailed",
    "QueryRefused",
    "QueryResult",
    "QueryTimeout",
    "Sandbox",
    "run_query",
]

TIMEOUT = 5.0
MAX_ROWS = 10_000
MAX_BYTES = 32_000_000
_GRACE = 0.3  # seconds that the progress handler has before SIGKILL
_OPEN = 60.0  # seconds in which DuckDB must have the tables
_CHILD = Path(__file__).with_name("sandbox_child.py")


class Sandbox:
    """One child process for many queries, one at a time. Safe to share between threads. Close it."""

    _dialect = "sqlite"

    @staticmethod
    def _command() -> list[str]:
        return [sys.executable, "-I", "-S", str(_CHILD)]

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""  # what came after the last answer that was taken
        self._lock = threading.Lock()
        self._abandoned = False

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
        (found,) = self.run_all(database, [sql], timeout=timeout, max_rows=max_rows, brief=brief)
        if isinstance(found, DataError):
            raise found
        return found

    def run_all(
        self,
        database: Path,
        queries: Sequence[str],
        *,
        timeout: float = TIMEOUT,
        max_rows: int = MAX_ROWS,
        brief: bool = False,
    ) -> list[QueryResult | DataError]:
        """Run several, in turn, each with its own `timeout` in seconds: what `run` returns or raises of each.

        They go to the child in one message, which spares most of what a quick query costs.
        """
        found: list[QueryResult | DataError | None] = []
        for sql in queries:
            reason = refuse_reason(sql, self._dialect)
            found.append(QueryRefused(f"The SQL was refused: {reason}") if reason else None)
        if not database.is_file():
            gone = DatabaseUnreadable(
                f"There is no database file {database}", "check the dataset's databases"
            )
            return [there or gone for there in found]
        waiting = [at for at, there in enumerate(found) if there is None]
        with self._lock:
            trouble = self._prepare(database) if waiting else None
            together = len(waiting)
            while waiting and trouble is None and not self._abandoned:
                part = waiting[:together]
                these = [queries[at] for at in part]
                answers = self._ask(database, these, timeout, max_rows, brief=brief)
                for at, answer in zip(part, answers, strict=False):
                    found[at] = answer
                waiting = waiting[len(answers) :]
                together = 1  # the child was killed: which query made it so is to be seen
        missing = trouble or QueryTimeout("The query was given up")
        return [there or missing for there in found]

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._kill()

    def abandon(self) -> None:
        """End the child at once and for good: another thread that waits for it gets errors."""
        self._abandoned = True
        process = self._process
        if process is not None:
            process.kill()

    def _prepare(self, database: Path) -> DataError | None:
        """What the queries' time must not pay for; the error when it fails."""
        return None

    def _ask(
        self, database: Path, queries: Sequence[str], timeout: float, max_rows: int, **more: object
    ) -> list[QueryResult | DataError]:
        """The answers to these queries: all, or as far as they were known when the child had to be killed.

        At least one: alone, a query is the one that had it killed.
        """
        request = {
            "database": str(database.absolute()),
            "queries": queries,
            "timeout": timeout,
            "max_rows": max_rows,
            "max_bytes": MAX_BYTES,
            **more,
        }
        found: list[QueryResult | DataError] = []
        process, line = self._started(), json.dumps(request).encode("ascii") + b"\n"
        assert process.stdin is not None
        message, code = "killed", "SQLITE_INTERRUPT"
        try:
            process.stdin.write(line)
            process.stdin.flush()
            for _ in queries:
                answer = self._read_line(process, time.monotonic() + timeout + _GRACE)
                if answer is None:
                    break
                found.append(read_answer(answer, database, timeout))
                if b'"code": "SQLITE_NOMEM"' in answer:
                    self._kill()  # its memory is in pieces
                    return found
            else:
                return found
        except (BrokenPipeError, EOFError):
            message, code = "the query used up its memory", "SQLITE_NOMEM"
        except BaseException:
            self._kill()  # an answer may still come: never mix it with the next query's
            raise
        self._kill()
        if len(queries) == 1:
            found.append(failure(message, code, database, timeout))
        return found

    def _read_line(self, process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
        """The next line of the child's stdout, None when the deadline passes first. Raises EOFError."""
        assert process.stdout is not None
        pieces, there = [self._rest], b"\n" in self._rest
        while not there:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([process.stdout], [], [], wait)[0]:
                return None
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece:
                raise EOFError
            pieces.append(piece)
            there = b"\n" in piece
        line, _, self._rest = b"".join(pieces).partition(b"\n")
        return line

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
        self._rest = b""
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

    def _prepare(self, database: Path) -> DataError | None:
        """DuckDB's import and the copy of the tables, which are kept for the next query."""
        (answer,) = self._ask(database, [""], _OPEN, 0, open=True)
        if isinstance(answer, QueryTimeout):
            return failure(
                f"its tables are not copied within {_OPEN:g} s", "SQLITE_CANTOPEN", database, _OPEN
            )
        if isinstance(answer, DataError):
            words = answer.cause.removeprefix("The query failed: ")
            return failure(words, "SQLITE_CANTOPEN", database, _OPEN)
        return None


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
