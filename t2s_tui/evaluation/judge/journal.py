"""What was asked of judges and what they answered: a SQLite file of its own, so that nothing is paid twice.

A request is queued, sent, and done or failed; each step is committed before it is reported or acted on. The
same request (endpoint, model, messages, parameters) is answered from here in any later run. One that was sent
when its process died is in doubt: it may have been paid for, is counted as such, and is asked again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_tui.errors import WorkspaceError

FILE = "judge.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'done', 'failed')),
    answer TEXT,
    error TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    doubts INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    cost REAL,
    sent_at REAL,
    done_at REAL,
    adapted TEXT NOT NULL DEFAULT ''
) STRICT
"""
_LATER = {"adapted": "TEXT NOT NULL DEFAULT ''"}  # columns that files of earlier versions do not have
_KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as the journal has it. `answer` is the completion as the endpoint sent it.

    `done_at` is in seconds since 1970. `adapted` says in words what of `body` the endpoint does not take: it
    was sent without.
    """

    key: str
    endpoint: str
    model: str
    body: Mapping[str, Any]
    state: str
    answer: Mapping[str, Any] | None
    error: str
    attempts: int
    doubts: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    done_at: float | None = None
    adapted: str = ""


def request_key(endpoint: str, body: Mapping[str, Any], repeat: int = 0) -> str:
    """What makes two requests the same: the endpoint, the whole body, and which repetition it is."""
    content = json.dumps([endpoint, body, repeat], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:24]


class Journal:
    """The file, one connection, in one thread. Raises WorkspaceError when it cannot be used or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._words():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=15)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            # Full: what was paid for must outlive a loss of power, too.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
            self._add_columns()

    def _add_columns(self) -> None:
        there = {row["name"] for row in self._connection.execute("PRAGMA table_info(requests)")}
        for name, kind in _LATER.items():
            if name not in there:
                self._connection.execute(f"ALTER TABLE requests ADD COLUMN {name} {kind}")

    @property
    def connection(self) -> sqlite3.Connection:
        """For the tables that stand beside the requests: their steps commit with the journal's."""
        return self._connection

    def close(self) -> None:
        self._connection.close()

    def find(self, key: str) -> Entry | None:
        """The request of that key."""
        row = self._connection.execute("SELECT * FROM requests WHERE key = ?", (key,)).fetchone()
        return _entry(row) if row else None

    def find_many(self, keys: Sequence[str]) -> dict[str, Entry]:
        """The requests of these keys that are there."""
        found: dict[str, Entry] = {}
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[at : at + _KEYS_AT_ONCE]
            places = ", ".join("?" * len(some))
            rows = self._connection.execute(f"SELECT * FROM requests WHERE key IN ({places})", some)
            found |= {row["key"]: _entry(row) for row in rows}
        return found

    def spent_since(self, model: str, since: float) -> float:
        """USD that answers of that model have cost since then (seconds since 1970)."""
        row = self._connection.execute(
            "SELECT TOTAL(cost) FROM requests WHERE model = ? AND done_at >= ?", (model, since)
        ).fetchone()
        return float(row[0])

    def all(self, model: str | None = None) -> Iterator[Entry]:
        """Every request, of one model if asked, in the order they came."""
        where, values = (" WHERE model = ?", (model,)) if model else ("", ())
        for row in self._connection.execute(f"SELECT * FROM requests{where} ORDER BY rowid", values):
            yield _entry(row)

    def open_requests(self, wanted: Iterable[tuple[str, str, Mapping[str, Any]]]) -> int:
        """Queue (key, endpoint, body) of what is not there; returns how many were in doubt.

        What a process left as sent is queued again, with its doubt counted.
        """
        rows = list(wanted)
        doubts = 0
        with self._words(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for key, endpoint, body in rows:
                text = json.dumps(body, ensure_ascii=False)
                self._connection.execute(
                    "INSERT INTO requests (key, endpoint, model, body, state) VALUES (?, ?, ?, ?, 'queued') "
                    "ON CONFLICT (key) DO NOTHING",
                    (key, endpoint, str(body.get("model", "")), text),
                )
                doubts += self._connection.execute(
                    "UPDATE requests SET state = 'queued', doubts = doubts + 1 "
                    "WHERE key = ? AND state = 'sent'",
                    (key,),
                ).rowcount
        return doubts

    def sent(self, keys: Iterable[str]) -> None:
        """They are about to be sent."""
        now = time.time()
        self._write(
            "UPDATE requests SET state = 'sent', attempts = attempts + 1, sent_at = ? WHERE key = ?",
            [(now, key) for key in keys],
        )

    def unsent(self, key: str, error: str) -> None:
        """It came back without an answer and may be asked again."""
        self._write("UPDATE requests SET state = 'queued', error = ? WHERE key = ?", [(error, key)])

    def done(self, key: str, answer: Mapping[str, Any], cost: float | None, adapted: str = "") -> None:
        """It was answered; sent without what `adapted` says."""
        usage = answer.get("usage") or {}
        tokens = [int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens")]
        self._write(
            "UPDATE requests SET state = 'done', answer = ?, error = '', prompt_tokens = ?, "
            "completion_tokens = ?, cost = ?, done_at = ?, adapted = ? WHERE key = ?",
            [(json.dumps(answer, ensure_ascii=False), *tokens, cost, time.time(), adapted, key)],
        )

    def failed(self, key: str, error: str) -> None:
        """It will not be answered in this run."""
        self._write(
            "UPDATE requests SET state = 'failed', error = ?, done_at = ? WHERE key = ?",
            [(error, time.time(), key)],
        )

    def imported(self, rows: Iterable[tuple[str, str, Mapping[str, Any], Mapping[str, Any]]]) -> int:
        """(key, endpoint, body, answer) of requests answered elsewhere; returns how many are new."""
        new = 0
        with self._words(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for key, endpoint, body, answer in rows:
                usage = answer.get("usage") or {}
                new += self._connection.execute(
                    "INSERT INTO requests (key, endpoint, model, body, state, answer, prompt_tokens, "
                    "completion_tokens, done_at) VALUES (?, ?, ?, ?, 'done', ?, ?, ?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET state = 'done', answer = excluded.answer "
                    "WHERE state <> 'done'",
                    (
                        key,
                        endpoint,
                        str(body.get("model", "")),
                        json.dumps(body, ensure_ascii=False),
                        json.dumps(answer, ensure_ascii=False),
                        int(usage.get("prompt_tokens") or 0),
                        int(usage.get("completion_tokens") or 0),
                        time.time(),
                    ),
                ).rowcount
        return new

    def together(self, steps: Iterable[Callable[[], None]]) -> None:
        """Steps of this journal in one transaction: all are on the disk when it returns, or none."""
        with self._words(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            for step in steps:
                step()

    def _write(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        if self._connection.in_transaction:
            self._connection.executemany(sql, rows)
            return
        with self._words(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(sql, rows)

    def _words(self) -> _Words:
        return _Words(self._path)


class _Words:
    """A disk that is full or a file that is damaged becomes one WorkspaceError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise WorkspaceError(
                f"The judge's journal {self._path} could not be used ({error})",
                "free some space or check the permissions, then run the same command again: "
                "answers so far are kept",
            ) from error


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        key=row["key"],
        endpoint=row["endpoint"],
        model=row["model"],
        body=json.loads(row["body"]),
        state=row["state"],
        answer=json.loads(row["answer"]) if row["answer"] else None,
        error=row["error"],
        attempts=row["attempts"],
        doubts=row["doubts"],
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        cost=row["cost"],
        done_at=row["done_at"],
        adapted=row["adapted"],
    )
