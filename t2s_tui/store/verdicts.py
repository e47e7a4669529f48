"""Verdicts: one metric's word on one prediction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from t2s_tui.records import Outcome, Verdict
from t2s_tui.store.rows import from_json, to_json, transaction


class Verdicts:
    """The `verdicts` table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Add or replace verdicts, all or none."""
        with transaction(self._db) as db:
            db.executemany(
                "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        v.set_name,
                        v.example_id,
                        v.metric,
                        str(v.outcome),
                        v.why,
                        to_json(v.evidence),
                        v.version,
                    )
                    for v in verdicts
                ],
            )

    def of(self, set_name: str, metric: str | None = None) -> dict[str, dict[str, Verdict]]:
        """example id -> metric -> verdict."""
        sql = "SELECT * FROM verdicts WHERE set_name = ?"
        values: tuple[str, ...] = (set_name,)
        if metric is not None:
            sql, values = sql + " AND metric = ?", (set_name, metric)
        found: dict[str, dict[str, Verdict]] = {}
        for row in self._db.execute(sql, values):
            found.setdefault(row["example_id"], {})[row["metric"]] = _verdict(row)
        return found

    def outcomes(self, set_name: str) -> dict[str, dict[str, Outcome]]:
        """example id -> metric -> outcome: what lists and counts need, without the evidence."""
        sql = "SELECT example_id, metric, outcome FROM verdicts WHERE set_name = ?"
        found: dict[str, dict[str, Outcome]] = {}
        for example_id, metric, outcome in self._db.execute(sql, (set_name,)):
            found.setdefault(example_id, {})[metric] = Outcome(outcome)
        return found

    def pick(self, set_name: str, metric: str, *fields: str) -> dict[str, dict[str, Any]]:
        """example id -> field -> its value in the evidence, where there is one; `a.b` is b in a.

        The rest of the evidence, which may be long, is not read into Python.
        """
        columns = ", ".join("json_quote(json_extract(evidence, ?))" for _ in fields)
        sql = f"SELECT example_id, {columns} FROM verdicts WHERE set_name = ? AND metric = ?"
        paths = ["$" + "".join(f'."{part}"' for part in name.split(".")) for name in fields]
        found: dict[str, dict[str, Any]] = {}
        for example_id, *texts in self._db.execute(sql, (*paths, set_name, metric)):
            values = {name: json.loads(text) for name, text in zip(fields, texts, strict=True)}
            found[example_id] = {name: value for name, value in values.items() if value is not None}
        return found

    def whys(self, set_name: str, metric: str, outcome: Outcome) -> dict[str, str]:
        """example id -> why the metric came to that outcome, for those of which it did."""
        sql = "SELECT example_id, why FROM verdicts WHERE set_name = ? AND metric = ? AND outcome = ?"
        return dict(self._db.execute(sql, (set_name, metric, str(outcome))).fetchall())

    def on(self, set_name: str, example_id: str) -> dict[str, Verdict]:
        """metric -> verdict, for one prediction."""
        rows = self._db.execute(
            "SELECT * FROM verdicts WHERE set_name = ? AND example_id = ?", (set_name, example_id)
        )
        return {row["metric"]: _verdict(row) for row in rows}

    def remove(self, set_name: str, example_id: str, metric: str) -> None:
        """Take one verdict back, for instance a person's."""
        with transaction(self._db) as db:
            db.execute(
                "DELETE FROM verdicts WHERE set_name = ? AND example_id = ? AND metric = ?",
                (set_name, example_id, metric),
            )

    def forget(self, set_name: str, example_ids: Iterable[str]) -> None:
        """Drop the verdicts on predictions that are made anew."""
        with transaction(self._db) as db:
            db.executemany(
                "DELETE FROM verdicts WHERE set_name = ? AND example_id = ?",
                [(set_name, example_id) for example_id in example_ids],
            )


def _verdict(row: sqlite3.Row) -> Verdict:
    values = dict(row)
    values["outcome"] = Outcome(values["outcome"])
    values["evidence"] = from_json(values["evidence"])
    return Verdict(**values)
