"""The engines that run queries, each in processes of its own: gold's never run a prediction."""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from t2s_tui.evaluation.kept import Kept
from t2s_tui.evaluation.sandbox import DuckDBSandbox, QueryResult, Sandbox

Engine = Literal["sqlite", "duckdb"]

#: How the engines say that they do not know a function.
MISSING_FUNCTION = re.compile(
    r"no such function: (\w+)|(?:Scalar|Aggregate|Table) Function with name (\w+) does not exist",
    re.IGNORECASE,
)
_KEPT_CELLS = 400_000  # cells of results of predictions that may come again: tens of megabytes


@cache
def engine_name(engine: Engine) -> str:
    """The engine with its version, as evidence has it."""
    return (
        f"sqlite {sqlite3.sqlite_version}" if engine == "sqlite" else f"duckdb {metadata.version('duckdb')}"
    )


class Engines:
    """One sandbox for golds and one for predictions an engine, started when first asked. Close it."""

    def __init__(self, *, timeout: float, max_rows: int) -> None:
        self._timeout = timeout
        self._max_rows = max_rows
        self._sandboxes: dict[tuple[Engine, bool], Sandbox] = {}
        self._results: Kept[tuple[Engine, str, str], QueryResult] = Kept(_KEPT_CELLS)

    def close(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def run(self, engine: Engine, database: Path, sql: str, *, gold: bool = False) -> QueryResult:
        """The result of one query; of one that ran before the same result. Raises as `Sandbox.run` does."""
        key = (engine, str(database), sql)
        found = None if gold else self._results.get(key)
        if found is None:
            found = self._sandbox(engine, gold).run(
                database, sql, timeout=self._timeout, max_rows=self._max_rows
            )
            if not gold:
                self._results.put(key, found, 1 + len(found.rows) * len(found.columns))
        return found

    def _sandbox(self, engine: Engine, gold: bool) -> Sandbox:
        kind = Sandbox if engine == "sqlite" else DuckDBSandbox
        return self._sandboxes.setdefault((engine, gold), kind())
