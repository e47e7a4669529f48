"""Results of slow golds on disk: the next prediction set over the same database need not wait for them.

A cache and nothing more: it may be deleted at any time, and what goes wrong with it costs a run of the gold.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from t2s_tui.evaluation.query_result import QueryResult, read_answer

FILE = "golds.sqlite"  # in a workspace
_SLOW = 0.02  # seconds: a quicker gold is run again in the time that it takes to look it up
_MOST_BYTES = 4_000_000  # of one result, packed
_MOST_PAGES = 65_536  # of 4 kB each: a fuller file is emptied


class GoldStore:
    """The results of golds by engine, database file, limit of rows, and query. Close it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def get(self, engine: str, database: Path, max_rows: int, key: str) -> QueryResult | None:
        """The result that was kept of this query while the file was what it is now."""
        with suppress(sqlite3.Error, OSError, ValueError, zlib.error):
            place = _place(engine, database, max_rows, key)
            for (answer,) in self._opened().execute("SELECT answer FROM golds WHERE place = ?", (place,)):
                result = read_answer(zlib.decompress(answer), database, 0.0)
                return result if isinstance(result, QueryResult) else None
        return None

    def put(self, engine: str, database: Path, max_rows: int, key: str, result: QueryResult) -> None:
        """Keep the result of a query that was slow enough for it."""
        if result.seconds < _SLOW:
            return
        answer = zlib.compress(_written(result), 1)
        if len(answer) > _MOST_BYTES:
            return
        with suppress(sqlite3.Error, OSError):
            db = self._opened()
            if db.execute("PRAGMA page_count").fetchone()[0] > _MOST_PAGES:
                db.execute("DELETE FROM golds")
                db.execute("VACUUM")
            place = _place(engine, database, max_rows, key)
            db.execute("INSERT OR REPLACE INTO golds VALUES (?, ?)", (place, answer))

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute("CREATE TABLE IF NOT EXISTS golds (place BLOB PRIMARY KEY, answer BLOB)")
        return self._db


def _place(engine: str, database: Path, max_rows: int, key: str) -> bytes:
    files = [database, database.with_name(database.name + "-wal")]
    known = [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for s in (f.stat() for f in files if f.exists())]
    return sha256(json.dumps([engine, str(database.absolute()), known, max_rows, key]).encode()).digest()


def _written(result: QueryResult) -> bytes:
    answer = {
        "columns": result.columns,
        "rows": result.rows,
        "truncated": result.truncated,
        "seconds": result.seconds,
        "reads": sorted(result.reads),
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=_blob).encode()


def _blob(value: Any) -> Any:
    return {"hex": bytes(value).hex()}
