"""The process that runs other people's SQL. Only the standard library: it starts in a few milliseconds.

It reads one JSON object a line on stdin and answers one a line on stdout:

    {"database", "sql", "timeout", "max_rows", "max_bytes", "brief"}
    {"columns", "rows", "truncated", "seconds", "reads"}  or  {"error", "code", "seconds"}

With "brief" the rows end where it is known whether the result says anything. A blob is {"hex": "..."}.

Walls, outermost first: SIGALRM from the kernel when nothing else ends a query (the
parent's SIGKILL comes before it), RLIMIT_AS, no file of more than 0 bytes, one read-only connection a file,
an allow-list authorizer, SQLite's own limits, a progress handler that knows the deadline.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

MEMORY_BYTES = 1 << 30
_MAX_VALUE_BYTES = 8_000_000
_STEPS_BETWEEN_LOOKS = 2_000
_LAST_RESORT = 2.0  # seconds past the timeout, when the parent is gone too
_DENIED_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"))
_WAL = 2
_MOST_OPEN = 8


def main() -> None:
    """Answer queries until stdin ends."""
    confine()
    for line in sys.stdin.buffer:
        answer = run(json.loads(line))
        sys.stdout.buffer.write(json.dumps(answer).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


def confine(memory: int = MEMORY_BYTES) -> None:
    """Give up memory, files and core dumps, where the platform can. Ctrl+C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource
    except ImportError:  # not a Unix: the other walls stand
        return
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for name, limit in (("RLIMIT_AS", memory), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)):
        try:
            which = getattr(resource, name)
            hard = resource.getrlimit(which)[1]
            wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(which, (wanted, wanted))
        except (AttributeError, ValueError, OSError):
            continue  # macOS refuses RLIMIT_AS


def run(request: dict[str, Any]) -> dict[str, Any]:
    """One query on its own connection. Never raises what SQL can cause."""
    started = time.monotonic()
    timeout = float(request["timeout"])
    _alarm(timeout + _LAST_RESORT)
    try:
        answer = _query(request, started + timeout)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", "") or type(error).__name__
        answer = {"error": str(error), "code": code}
    except MemoryError:
        answer = {"error": "out of memory", "code": "SQLITE_NOMEM"}
    except (ValueError, OverflowError) as error:  # a NUL or a lone surrogate in the text
        answer = {"error": str(error), "code": "SQLITE_ERROR"}
    finally:
        _alarm(0)
    answer["seconds"] = time.monotonic() - started
    return answer


def _query(request: dict[str, Any], deadline: float) -> dict[str, Any]:
    opened = _opened(Path(request["database"]))
    connection = opened.connection
    opened.reads.clear()
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    cursor = connection.cursor()
    try:
        cursor.execute(request["sql"])
        if cursor.description is None:
            raise sqlite3.NotSupportedError("the statement returns no rows")
        most, room, brief = int(request["max_rows"]), int(request["max_bytes"]), bool(request.get("brief"))
        rows, truncated = _fetch(cursor, most, room, brief=brief)
        columns = [d[0] for d in cursor.description]
    finally:
        cursor.close()
    return {"columns": columns, "rows": rows, "truncated": truncated, "reads": sorted(opened.reads)}


class _Opened:
    """A read-only connection, good for many queries as long as its file stays what it was."""

    def __init__(self, path: Path) -> None:
        self.reads: set[tuple[str, str]] = set()
        # No statement is kept: a prepared one is not shown to the authorizer again.
        connection = sqlite3.connect(_uri(path), uri=True, isolation_level=None, cached_statements=0)
        self.connection = connection
        connection.text_factory = _text
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
        connection.set_authorizer(authorizer(self.reads))


_connections: dict[tuple[Any, ...], _Opened] = {}


def _opened(path: Path) -> _Opened:
    """The connection to this file, the same one for query after query. The last few are kept open."""
    key = (str(path), *_identity(path), *_identity(path.with_name(path.name + "-wal")))
    found = _connections.pop(key, None) or _Opened(path)
    _connections[key] = found
    while len(_connections) > _MOST_OPEN:
        _connections.pop(next(iter(_connections))).connection.close()
    return found


def _identity(path: Path) -> tuple[int, ...]:
    """Changes when the file is written or replaced."""
    try:
        known = path.stat()
    except OSError:
        return ()
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns


def _uri(path: Path) -> str:
    """Read-only. A WAL file that nobody writes is opened immutable: else SQLite writes -shm beside it."""
    uri = f"file:{quote(str(path))}?mode=ro"
    with path.open("rb") as file:
        header = file.read(20)
    log = path.with_name(path.name + "-wal")
    quiet = not log.exists() or log.stat().st_size == 0
    return f"{uri}&immutable=1" if header[18:19] == bytes([_WAL]) and quiet else uri


def authorizer(reads: set[tuple[str, str]]) -> Callable[..., int]:
    """Allow reading columns, calling harmless functions and recursion. Deny all else. Notes what is read."""

    def allow(action: int, first: str | None, second: str | None, _db: str | None, _by: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            reads.add((first or "", second or ""))
            return sqlite3.SQLITE_OK
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            denied = (second or "").lower() in _DENIED_FUNCTIONS
            return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return allow


def _fetch(
    cursor: sqlite3.Cursor, max_rows: int, max_bytes: int, *, brief: bool = False
) -> tuple[list[list[Any]], bool]:
    """The rows, and whether there are more; with `brief` up to the first that has a value, and the next."""
    rows: list[list[Any]] = []
    room, count, enough = max_bytes, 0, max_rows
    for row in cursor:
        count += 1
        if count > enough:
            if count > max_rows:
                return rows, True
            continue
        room -= sum(len(v) if isinstance(v, str | bytes) else 8 for v in row)
        if room < 0:
            return rows, True
        rows.append([{"hex": v.hex()} if isinstance(v, bytes) else v for v in row])
        if brief and enough == max_rows and any(v is not None for v in row):
            enough = count + 1
    return rows, False


def _text(raw: bytes) -> str:
    """Text that is not UTF-8 stays distinguishable and printable."""
    return raw.decode("utf-8", "backslashreplace")


def _alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM's default: the kernel ends this process


if __name__ == "__main__":
    main()
