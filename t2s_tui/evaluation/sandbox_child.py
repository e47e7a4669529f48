"""The process that runs other people's SQL. Only the standard library: it starts in a few milliseconds.

It reads one JSON object a line on stdin and writes one a line on stdout for each query, in their order:

    {"database", "queries", "timeout", "max_rows", "max_bytes", "brief"}
    {"columns", "rows", "truncated", "seconds", "reads"}  or  {"error", "code", "seconds"}

With "brief" the rows end where it is known whether the result says anything. A blob is {"hex": "..."}.

Walls, outermost first: SIGALRM from the kernel when nothing else ends a query (the parent's SIGKILL comes
before it), RLIMIT_AS, no file of more than 0 bytes, one read-only connection a file, an allow-list
authorizer, SQLite's own limits, a progress handler that knows the deadline.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

MEMORY_BYTES = 1 << 30
_MAX_VALUE_BYTES = 8_000_000
_STEPS_BETWEEN_LOOKS = 2_000
_LAST_RESORT = 3.0  # seconds past the timeout, when the parent is gone too
_QUIET = 10.0  # seconds since a database was written, after which nobody is taken to be at it
_DENIED_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"))
_WAL = 2
_MOST_OPEN = 8
_TOGETHER = 0.002  # seconds in which answers wait for the next
_LARGE_PIECE = 100_000  # characters of JSON
_MOST_AT_ONCE = 2_048  # rows


def main() -> None:
    """Answer queries until stdin ends."""
    confine()
    serve(opened_for)


def serve(begin: Callable[[dict[str, Any]], Callable[[str], bytes]]) -> None:
    """Write the answer to each query of each request. Those that come fast go out together."""
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        armed = told = time.monotonic()
        _alarm(float(request["timeout"]) + _LAST_RESORT)
        answer = begin(request)
        for sql in request["queries"]:
            now = time.monotonic()
            if now - told > _TOGETHER:
                out.flush()
                told = now
            if now - armed > 1.0:
                _alarm(float(request["timeout"]) + _LAST_RESORT)
                armed = now
            out.write(answer(sql) + b"\n")
        _alarm(0)
        out.flush()


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


def opened_for(request: dict[str, Any]) -> Callable[[str], bytes]:
    """What answers the queries of this request. Never raises what SQL can cause."""
    timeout, brief = float(request["timeout"]), bool(request.get("brief"))
    limits = _Limits(int(request["max_rows"]), int(request["max_bytes"]), brief)
    try:
        opened = _opened(Path(request["database"]))
    except (sqlite3.Error, OSError) as error:
        trouble = failure(str(error), getattr(error, "sqlite_errorname", "SQLITE_CANTOPEN"), time.monotonic())
        return lambda sql: trouble

    def answer(sql: str) -> bytes:
        started = time.monotonic()
        opened.deadline = started + timeout
        try:
            return _query(opened, sql, limits, started)
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "") or type(error).__name__
            return failure(str(error), code, started)
        except MemoryError:
            return failure("out of memory", "SQLITE_NOMEM", started)
        except (ValueError, OverflowError) as error:  # a NUL or a lone surrogate in the text
            return failure(str(error), "SQLITE_ERROR", started)

    return answer


def _query(opened: _Opened, sql: str, limits: _Limits, started: float) -> bytes:
    try:
        columns, rows, truncated = _fetch(opened, sql, limits)
    except sqlite3.OperationalError as error:
        if not str(error).startswith("Could not decode"):
            raise
        opened.connection.text_factory = _text
        try:
            columns, rows, truncated = _fetch(opened, sql, limits)
        finally:
            opened.connection.text_factory = str
    return answered(columns, rows, truncated, sorted(opened.reads), started)


def answered(columns: list[str], rows: list[str], truncated: bool, reads: list[Any], started: float) -> bytes:
    """The answer with a result, whose rows are pieces of JSON."""
    head = json.dumps(
        {
            "columns": columns,
            "truncated": truncated,
            "reads": reads,
            "seconds": time.monotonic() - started,
        }
    )
    return f'{head[:-1]}, "rows": [{",".join(rows)}]}}'.encode()


def failure(error: str, code: str, started: float) -> bytes:
    """The answer that says what went wrong."""
    return json.dumps({"error": error, "code": code, "seconds": time.monotonic() - started}).encode("ascii")


class _Opened:
    """A read-only connection, good for many queries as long as its file stays what it was."""

    def __init__(self, path: Path) -> None:
        self.reads: set[tuple[str, str]] = set()
        self.deadline = 0.0
        # No statement is kept: a prepared one is not shown to the authorizer again.
        connection = sqlite3.connect(_uri(path), uri=True, isolation_level=None, cached_statements=0)
        self.connection = connection
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
        connection.set_authorizer(authorizer(self.reads))
        connection.set_progress_handler(lambda: time.monotonic() > self.deadline, _STEPS_BETWEEN_LOOKS)


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
    """Read-only; and immutable where nobody writes it: no locks, and no -shm file beside a WAL database.

    A file that is written later is seen to be another one before the next request.
    """
    uri = f"file:{quote(str(path))}?mode=ro"
    with path.open("rb") as file:
        header = file.read(20)
    logs = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
    open_logs = any(log.exists() and log.stat().st_size for log in logs)
    still = time.time() - path.stat().st_mtime > _QUIET
    alone = not open_logs and (still or header[18:19] == bytes([_WAL]))
    return f"{uri}&immutable=1" if alone else uri


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


class _Limits(NamedTuple):
    rows: int
    size: int
    brief: bool


def _fetch(opened: _Opened, sql: str, limits: _Limits) -> tuple[list[str], list[str], bool]:
    """The columns, the rows as pieces of JSON, and whether there were more."""
    opened.reads.clear()
    cursor = opened.connection.cursor()
    try:
        cursor.execute(sql)
        if cursor.description is None:
            raise sqlite3.NotSupportedError("the statement returns no rows")
        if limits.brief:
            rows, truncated = _brief(cursor, limits.rows)
        else:
            rows, truncated = pieces(cursor.fetchmany, limits.rows, limits.size)
        return [d[0] for d in cursor.description], rows, truncated
    finally:
        cursor.close()


def _brief(cursor: sqlite3.Cursor, max_rows: int) -> tuple[list[str], bool]:
    """The rows up to the first that has a value, and the next; the others are only counted."""
    found: list[str] = []
    enough = max_rows
    for count, row in enumerate(cursor, 1):
        if count > max_rows:
            return found, True
        if count <= enough:
            found.append(_to_json(row))
            if enough == max_rows and any(value is not None for value in row):
                enough = count + 1
    return found, False


def pieces(
    fetch: Callable[[int], list[tuple[Any, ...]]], max_rows: int, max_bytes: int
) -> tuple[list[str], bool]:
    """The rows as pieces of JSON, no more than `max_rows` and about `max_bytes`, and whether there were more.

    Few rows are fetched at a time where they are large: memory is limited.
    """
    found: list[str] = []
    size = 16
    while batch := fetch(min(size, max_rows + 1)):
        text = _to_json(batch[:max_rows])[1:-1]
        if len(text) > max_bytes:
            return [*found, *_that_fit(batch[:max_rows], max_bytes)], True
        if text:
            found.append(text)
        if len(batch) > max_rows:
            return found, True
        max_rows -= len(batch)
        max_bytes -= len(text)
        size = min(2 * size, _MOST_AT_ONCE) if len(text) < _LARGE_PIECE else max(1, size // 4)
    return found, False


def _that_fit(rows: list[tuple[Any, ...]], max_bytes: int) -> list[str]:
    found = []
    for text in map(_to_json, rows):
        max_bytes -= len(text)
        if max_bytes < 0:
            break
        found.append(text)
    return found


def _blob(value: Any) -> Any:
    return {"hex": bytes(value).hex()}


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_blob).encode


def _text(raw: bytes) -> str:
    """Text that is not UTF-8 stays distinguishable and printable."""
    return raw.decode("utf-8", "backslashreplace")


def _alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM's default: the kernel ends this process


if __name__ == "__main__":
    main()
