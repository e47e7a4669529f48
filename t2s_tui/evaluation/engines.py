"""The engines that run queries, each in processes of its own: gold's never run a prediction."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from t2s_tui.errors import DataError
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.kept import Kept
from t2s_tui.evaluation.query_result import QueryResult
from t2s_tui.evaluation.sandbox import DuckDBSandbox, Sandbox
from t2s_tui.sql.same_text import text_key

Engine = Literal["sqlite", "duckdb"]
#: A result, or the error that says why there is none.
Ended = QueryResult | DataError

#: How the engines say that they do not know a function.
MISSING_FUNCTION = re.compile(
    r"no such function: (\w+)|(?:Scalar|Aggregate|Table) Function with name (\w+) does not exist",
    re.IGNORECASE,
)
_KEPT_CELLS = 1_000_000  # cells of results that may be asked for again: tens of megabytes


@cache
def engine_name(engine: Engine) -> str:
    """The engine with its version, as evidence has it."""
    return (
        f"sqlite {sqlite3.sqlite_version}" if engine == "sqlite" else f"duckdb {metadata.version('duckdb')}"
    )


class Engines:
    """One sandbox for golds and one for predictions an engine, started when first asked. Close it.

    What a query came to is kept under its `text_key`: the same query runs once. A prediction that is some
    gold's text has gold's result; a gold never has what a prediction's process said. `store` keeps slow golds
    beyond this process.
    """

    def __init__(self, *, timeout: float, max_rows: int, store: GoldStore | None = None) -> None:
        self._timeout = timeout
        self._max_rows = max_rows
        self._store = store
        self._sandboxes: dict[tuple[Engine, bool], Sandbox] = {}
        self._golds: Kept[tuple[Engine, str, str], Ended] = Kept(_KEPT_CELLS)
        self._others: Kept[tuple[Engine, str, str], Ended] = Kept(_KEPT_CELLS)

    def close(self) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()

    def run(self, engine: Engine, database: Path, sql: str, *, gold: bool = False) -> QueryResult:
        """The result of one query; of one that ran before the same result. Raises as `Sandbox.run` does."""
        found = self.known(engine, database, sql, gold=gold)
        if found is None:
            if (engine, gold) not in self._sandboxes:
                self._sandboxes[engine, gold] = new_sandbox(engine)
            (found,) = self.run_in(self._sandboxes[engine, gold], database, [sql])
            self.keep(engine, database, sql, found, gold=gold)
        if isinstance(found, DataError):
            raise found.with_traceback(None)
        return found

    def run_in(self, sandbox: Sandbox, database: Path, queries: Sequence[str]) -> list[Ended]:
        """Run queries in this sandbox, in any thread."""
        return sandbox.run_all(database, queries, timeout=self._timeout, max_rows=self._max_rows)

    def known(self, engine: Engine, database: Path, sql: str, *, gold: bool) -> Ended | None:
        """What the query came to before; None where it has not run."""
        key = (engine, str(database), text_key(sql))
        found = self._golds.get(key)
        if found is None and not gold:
            return self._others.get(key)
        if found is None and self._store is not None:
            found = self._store.get(engine_name(engine), database, self._max_rows, key[2])
            if found is not None:
                self._golds.put(key, found, _cells(found))
        return found

    def keep(self, engine: Engine, database: Path, sql: str, ended: Ended, *, gold: bool) -> None:
        """Know from now on what the query came to."""
        key = (engine, str(database), text_key(sql))
        (self._golds if gold else self._others).put(key, ended, _cells(ended))
        if gold and self._store is not None and isinstance(ended, QueryResult):
            self._store.put(engine_name(engine), database, self._max_rows, key[2], ended)


def new_sandbox(engine: Engine) -> Sandbox:
    """A sandbox of that engine; its process starts with its first query."""
    return Sandbox() if engine == "sqlite" else DuckDBSandbox()


def _cells(ended: Ended) -> int:
    return 1 + len(ended.rows) * len(ended.columns) if isinstance(ended, QueryResult) else 1
