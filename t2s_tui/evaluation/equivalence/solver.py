"""Values that fulfil conditions, found by SQLite itself."""

from __future__ import annotations

import sqlite3
from typing import Any

from t2s_tui.evaluation.equivalence.model import Value

_SOLUTIONS = 40


class Solver:
    """Crosses pools of values and says which fulfil conditions. One SQLite connection, for one pair."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._made: dict[tuple[str, tuple[Value, ...]], str] = {}
        self._known: dict[tuple[Any, ...], list[tuple[Value, ...]]] = {}

    def close(self) -> None:
        self._connection.close()

    def solve(
        self, pools: list[tuple[str, tuple[str, tuple[Value, ...]]]], conditions: list[str]
    ) -> list[tuple[Value, ...]]:
        """Values in the order of the pools; empty when nothing does, or when SQLite cannot say."""
        key = (tuple(pools), tuple(conditions))
        if key not in self._known:
            self._known[key] = self._ask(pools, conditions)
        return self._known[key]

    def _ask(
        self, pools: list[tuple[str, tuple[str, tuple[Value, ...]]]], conditions: list[str]
    ) -> list[tuple[Value, ...]]:
        tables = ", ".join(f"{self._table(kind, values)} AS {name}" for name, (kind, values) in pools)
        chosen = ", ".join(f"{name}.v" for name, _ in pools)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self._steps = 0
        self._connection.set_progress_handler(self._enough, 5000)
        try:
            rows = self._connection.execute(
                f"SELECT {chosen} FROM {tables}{where} LIMIT {_SOLUTIONS}"
            ).fetchall()
        except (sqlite3.Error, ValueError, OverflowError):
            return []
        finally:
            self._connection.set_progress_handler(None, 0)
        return rows

    def _enough(self) -> bool:
        self._steps += 1
        return self._steps > 60

    def _table(self, kind: str, values: tuple[Value, ...]) -> str:
        key = (kind, values)
        if key not in self._made:
            name = self._made[key] = f"pool{len(self._made)}"
            self._connection.execute(f"CREATE TABLE {name} (v {kind})")
            self._connection.executemany(f"INSERT INTO {name} VALUES (?)", [(v,) for v in values])
        return self._made[key]
