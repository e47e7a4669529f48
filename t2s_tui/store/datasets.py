"""Datasets in the catalogue. Their examples live beside the store, in Arrow."""

from __future__ import annotations

import json
import sqlite3

from t2s_tui.errors import NotFound
from t2s_tui.records import Dataset
from t2s_tui.store.rows import from_json, to_json, transaction


class Datasets:
    """The `datasets` table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, dataset: Dataset) -> None:
        """Add the dataset or replace the one of its name."""
        with transaction(self._db) as db:
            db.execute(
                "INSERT OR REPLACE INTO datasets (name, source, format, dialect, fingerprint, splits, "
                "dropped, created_at, license, history, databases) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    dataset.name,
                    dataset.source,
                    dataset.format,
                    dataset.dialect,
                    dataset.fingerprint,
                    to_json(dataset.splits),
                    dataset.dropped,
                    dataset.created_at,
                    dataset.license,
                    json.dumps(dataset.history, ensure_ascii=False),
                    to_json(dataset.databases),
                ),
            )

    def find(self, name: str) -> Dataset | None:
        row = self._db.execute("SELECT * FROM datasets WHERE name = ?", (name,)).fetchone()
        return _dataset(row) if row else None

    def get(self, name: str) -> Dataset:
        """Raises NotFound, naming those that exist."""
        found = self.find(name)
        if found is None:
            known = ", ".join(d.name for d in self.all()) or "none yet"
            raise NotFound(
                f"There is no dataset {name!r} (there is: {known})",
                "add it with `t2s-tui datasets add SOURCE`",
            )
        return found

    def all(self) -> list[Dataset]:
        """Oldest first."""
        rows = self._db.execute("SELECT * FROM datasets ORDER BY created_at, name")
        return [_dataset(row) for row in rows]

    def remove(self, name: str) -> None:
        with transaction(self._db) as db:
            db.execute("DELETE FROM datasets WHERE name = ?", (name,))


def _dataset(row: sqlite3.Row) -> Dataset:
    values = dict(row)
    values["splits"] = from_json(values["splits"])
    values["databases"] = from_json(values["databases"])
    values["history"] = tuple(json.loads(values["history"]))
    return Dataset(**values)
