"""Training runs and their adapters."""

from __future__ import annotations

import sqlite3

from t2s_tui.errors import NotFound
from t2s_tui.records import TrainingRun
from t2s_tui.store.rows import from_json, to_json, transaction


class Runs:
    """The `runs` table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, run: TrainingRun) -> None:
        """Add the run or replace the one of its name."""
        with transaction(self._db) as db:
            db.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run.name,
                    run.dataset,
                    run.split,
                    run.model,
                    to_json(run.recipe),
                    run.job_id,
                    run.adapter_path,
                    to_json(run.summary),
                    run.created_at,
                ),
            )

    def find(self, name: str) -> TrainingRun | None:
        row = self._db.execute("SELECT * FROM runs WHERE name = ?", (name,)).fetchone()
        return _run(row) if row else None

    def get(self, name: str) -> TrainingRun:
        """Raises NotFound, naming those that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(r.name for r in self.all()) or "none yet"
            raise NotFound(
                f"There is no training run {name!r} (there is: {known})",
                "train one with `t2s-tui train`",
            )
        return found

    def all(self) -> list[TrainingRun]:
        """Oldest first."""
        return [_run(row) for row in self._db.execute("SELECT * FROM runs ORDER BY created_at, name")]


def _run(row: sqlite3.Row) -> TrainingRun:
    values = dict(row)
    values["recipe"] = from_json(values["recipe"])
    values["summary"] = from_json(values["summary"])
    return TrainingRun(**values)
