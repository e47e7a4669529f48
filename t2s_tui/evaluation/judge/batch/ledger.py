"""The batches in the judge's journal: what was handed in, and whether its answers are in.

A batch is written down with its requests before it is created at the endpoint, under an id of ours that goes
with it as metadata: after a crash it is found there by that id, and is not created again.

    handing_in -> open -> answered -> closed

`answered`: every request of it has its end in the journal. `closed`: every end was reported to the run.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from t2s_tui.evaluation.judge.journal import Journal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    hash TEXT NOT NULL,
    input_file TEXT NOT NULL,
    batch TEXT,
    state TEXT NOT NULL CHECK (state IN ('handing_in', 'open', 'answered', 'closed')),
    status TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    total INTEGER NOT NULL,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL,
    created_at REAL NOT NULL,
    submitted_at REAL
) STRICT;
CREATE TABLE IF NOT EXISTS batch_requests (
    batch_id TEXT NOT NULL,
    key TEXT NOT NULL,
    line INTEGER NOT NULL,
    PRIMARY KEY (batch_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batch_requests_key ON batch_requests (key);
"""
HANDING_IN, OPEN, ANSWERED, CLOSED = "handing_in", "open", "answered", "closed"
_UNDER_WAY = "state IN ('handing_in', 'open')"


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. `id` is ours, `batch` the endpoint's; `status`, `completed` and `failed` are its last word.

    `tokens`: about how many its requests have; `hash`: SHA-256 of its file. Times are seconds since 1970.
    """

    id: str
    endpoint: str
    model: str
    hash: str
    input_file: str
    total: int
    tokens: int
    created_at: float
    batch: str | None = None
    state: str = HANDING_IN
    status: str = ""
    error: str = ""
    completed: int = 0
    failed: int = 0
    submitted_at: float | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is at the endpoint, or may be."""
        return self.state in (HANDING_IN, OPEN)

    @property
    def age(self) -> float:
        """Seconds since it was handed in."""
        return max(0.0, time.time() - (self.submitted_at or self.created_at))


class Ledger:
    """The table of batches. Its steps are written like the journal's, alone or in `Journal.together`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows = journal.connection
        journal.together([self._create])

    def _create(self) -> None:
        for statement in _SCHEMA.split(";"):
            self._rows.execute(statement)

    # -- what is there ------------------------------------------------------------------------

    def all(self) -> list[Batch]:
        """Every batch, oldest first."""
        return self._read("1")

    def unclosed(self, endpoint: str) -> list[Batch]:
        """The batches of an endpoint whose answers are not all reported yet, oldest first."""
        return self._read("endpoint = ? AND state <> 'closed'", endpoint)

    def get(self, id: str) -> Batch | None:
        """The batch with our id or the endpoint's."""
        found = self._read("id = ? OR batch = ?", id, id)
        return found[-1] if found else None

    def _read(self, where: str, *values: object) -> list[Batch]:
        rows = self._rows.execute(f"SELECT * FROM batches WHERE {where} ORDER BY created_at, id", values)
        return [Batch(**dict(row)) for row in rows]

    def keys(self, id: str) -> list[str]:
        """The requests of a batch, in the order of its file's lines."""
        rows = self._rows.execute("SELECT key FROM batch_requests WHERE batch_id = ? ORDER BY line", (id,))
        return [key for (key,) in rows]

    def batches_of(self, key: str) -> list[str]:
        """Our ids of the unclosed batches that hold a request, oldest first."""
        rows = self._rows.execute(
            "SELECT id FROM batches JOIN batch_requests ON batch_id = id WHERE key = ? AND state <> 'closed' "
            "ORDER BY created_at",
            (key,),
        )
        return [id for (id,) in rows]

    def under_way(self, key: str) -> Batch | None:
        """The batch that is at the endpoint, or may be, with this request in it."""
        found = self._read(f"{_UNDER_WAY} AND id IN (SELECT batch_id FROM batch_requests WHERE key = ?)", key)
        return found[-1] if found else None

    # -- steps --------------------------------------------------------------------------------

    def handing_in(self, batch: Batch, keys: Iterable[str]) -> None:
        """It is about to be created, with these requests in the order of its lines."""
        self._many(
            "INSERT INTO batches (id, endpoint, model, hash, input_file, state, total, tokens, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'handing_in', ?, ?, ?)",
            [
                (
                    batch.id,
                    batch.endpoint,
                    batch.model,
                    batch.hash,
                    batch.input_file,
                    batch.total,
                    batch.tokens,
                    batch.created_at,
                )
            ],
        )
        rows: list[tuple[object, ...]] = [(batch.id, key, line) for line, key in enumerate(keys, start=1)]
        self._many("INSERT INTO batch_requests (batch_id, key, line) VALUES (?, ?, ?)", rows)

    def handed_in(self, id: str, batch: str, status: str) -> None:
        """The endpoint has it."""
        self._step(
            "UPDATE batches SET state = 'open', batch = ?, status = ?, submitted_at = ? WHERE id = ?",
            (batch, status, time.time(), id),
        )

    def seen(self, id: str, status: str, completed: int, failed: int) -> None:
        """What the endpoint says of it now."""
        self._step(
            "UPDATE batches SET status = ?, completed = ?, failed = ? WHERE id = ?",
            (status, completed, failed, id),
        )

    def answered(self, id: str, error: str = "") -> None:
        """Each of its requests has its end in the journal."""
        self._step("UPDATE batches SET state = 'answered', error = ? WHERE id = ?", (error, id))

    def dropped(self, id: str) -> None:
        """The endpoint never took it: it is as if it had not been."""
        self._step("DELETE FROM batch_requests WHERE batch_id = ?", (id,))
        self._step("DELETE FROM batches WHERE id = ?", (id,))

    def closed(self, ids: Iterable[str]) -> None:
        """What came of them was reported."""
        self._many(
            "UPDATE batches SET state = 'closed' WHERE id = ? AND state = 'answered'", [(id,) for id in ids]
        )

    def _step(self, sql: str, values: tuple[object, ...]) -> None:
        self._many(sql, [values])

    def _many(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        if self._rows.in_transaction:
            self._rows.executemany(sql, rows)
        else:
            self._journal.together([lambda: _run(self._rows, sql, rows)])


def _run(connection: sqlite3.Connection, sql: str, rows: list[tuple[object, ...]]) -> None:
    connection.executemany(sql, rows)


def metadata_of(batch: Batch) -> Mapping[str, str]:
    """What goes with the batch to the endpoint, to know it again by."""
    return {"t2s_tui_batch": batch.id, "sha256": batch.hash}
