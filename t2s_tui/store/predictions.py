"""Prediction sets and their predictions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple

from t2s_tui.errors import NotFound
from t2s_tui.records import Prediction, PredictionSet
from t2s_tui.store.rows import from_json, to_json, transaction


class Predictions:
    """The `prediction_sets` and `predictions` tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put_set(self, made: PredictionSet) -> None:
        """Add the set, or update the one of its name and keep its predictions."""
        with transaction(self._db) as db:
            db.execute(
                "INSERT INTO prediction_sets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT(name) DO UPDATE SET dataset = excluded.dataset, split = excluded.split, "
                "model = excluded.model, adapter = excluded.adapter, prompt = excluded.prompt, "
                "decoding = excluded.decoding, total = excluded.total, job_id = excluded.job_id",
                (
                    made.name,
                    made.dataset,
                    made.split,
                    made.model,
                    made.adapter,
                    made.prompt,
                    to_json(made.decoding),
                    made.total,
                    made.job_id,
                    made.created_at,
                ),
            )

    def find_set(self, name: str) -> PredictionSet | None:
        row = self._db.execute("SELECT * FROM prediction_sets WHERE name = ?", (name,)).fetchone()
        return _set(row) if row else None

    def get_set(self, name: str) -> PredictionSet:
        """Raises NotFound, naming those that exist."""
        found = self.find_set(name)
        if found is None:
            known = ", ".join(s.name for s in self.sets()) or "none yet"
            raise NotFound(
                f"There are no predictions {name!r} (there is: {known})",
                "make them with `t2s-tui generate`",
            )
        return found

    def sets(self) -> list[PredictionSet]:
        """Oldest first."""
        rows = self._db.execute("SELECT * FROM prediction_sets ORDER BY created_at, name")
        return [_set(row) for row in rows]

    def remove_set(self, name: str) -> None:
        """With its predictions and verdicts."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM prediction_sets WHERE name = ?", (name,))

    def add(self, predictions: Iterable[Prediction]) -> None:
        """Add or replace predictions, all or none."""
        with transaction(self._db) as db:
            db.executemany(
                "INSERT OR REPLACE INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [astuple(p) for p in predictions],
            )

    def of(self, set_name: str) -> dict[str, Prediction]:
        """example id -> prediction."""
        rows = self._db.execute("SELECT * FROM predictions WHERE set_name = ?", (set_name,))
        return {row["example_id"]: Prediction(**dict(row)) for row in rows}

    def sets_with(self, example_id: str) -> list[str]:
        """The names of the sets that answer this example."""
        rows = self._db.execute("SELECT set_name FROM predictions WHERE example_id = ?", (example_id,))
        return [str(row[0]) for row in rows]

    def count(self, set_name: str) -> int:
        row = self._db.execute("SELECT COUNT(*) FROM predictions WHERE set_name = ?", (set_name,)).fetchone()
        return int(row[0])


def _set(row: sqlite3.Row) -> PredictionSet:
    values = dict(row)
    values["decoding"] = from_json(values["decoding"])
    return PredictionSet(**values)
