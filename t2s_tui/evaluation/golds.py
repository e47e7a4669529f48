"""Running golds for an audit: the sandbox's answer in the audit's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from t2s_tui.datasets.audit.ports import GoldRun
from t2s_tui.errors import DataError
from t2s_tui.evaluation.result_rows import says_little
from t2s_tui.evaluation.sandbox import TIMEOUT, QueryFailed, Sandbox
from t2s_tui.sql.dialects import SqlSyntaxError, translate

_COUNTS = re.compile(r"\s*SELECT\s+COUNT\s*\(", re.IGNORECASE)


class SandboxedGolds:
    """A `GoldRunner` over one sandbox. A gold with more than `max_rows` rows is `large`."""

    def __init__(self, max_rows: int, timeout: float = TIMEOUT) -> None:
        self._sandbox = Sandbox()
        self._max_rows = max_rows
        self._timeout = timeout

    def run(self, database: str, sql: str, dialect: str) -> GoldRun:
        """Run the gold on the SQLite file. Another dialect is translated first."""
        try:
            ran = translate(sql, dialect, "sqlite")
            result = self._sandbox.run(
                Path(database), ran, timeout=self._timeout, max_rows=self._max_rows, brief=True
            )
        except SqlSyntaxError as error:
            return GoldRun("fails", f"it does not parse at {error.position}: {error.message}")
        except DataError as error:
            words = error.cause.removeprefix("The query failed: ").removeprefix("The SQL was refused: ")
            foreign = dialect != "sqlite" and isinstance(error, QueryFailed) and "no such function" in words
            return GoldRun("elsewhere" if foreign else "fails", words)
        if result.truncated:
            return GoldRun("large", f"it returns more than {self._max_rows:,} rows")
        nothing = _nothing(ran, result.rows)
        return GoldRun("empty", nothing) if nothing else GoldRun("rows")

    def close(self) -> None:
        self._sandbox.close()


def _nothing(sql: str, rows: Sequence[Sequence[Any]]) -> str:
    """How a result says nothing that a wrong query would not say as well, empty where it says something."""
    if not rows:
        return "it returns no rows"
    if says_little(rows):
        return "it returns nothing but NULL"
    return "it counts 0 rows" if tuple(map(tuple, rows)) == ((0,),) and _COUNTS.match(sql) else ""
