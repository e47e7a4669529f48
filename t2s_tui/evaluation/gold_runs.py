"""Golds as execution accuracy needs them: run once, with their result and whether order counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.evaluation.comparison import Mode
from t2s_tui.evaluation.engines import Engine, Engines, engine_name
from t2s_tui.evaluation.foreign import foreign_function, short_name
from t2s_tui.evaluation.judged import Judged
from t2s_tui.evaluation.kept import Kept
from t2s_tui.evaluation.query_result import DatabaseUnreadable, QueryFailed, QueryResult
from t2s_tui.evaluation.result_rows import as_evidence
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import SqlSyntaxError, parse, translate
from t2s_tui.sql.distinct import without_distinct
from t2s_tui.sql.same_text import text_key

_KEPT_CELLS = 1_000_000
_LIMIT = re.compile(r"\blimit\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Gold:
    """What gold came to: its result and whether order counts, or the trouble with it.

    `key` is the `text_key` of what ran; `foreign` says that the trouble is a function this engine has not.
    """

    key: str
    result: QueryResult | None
    ordered: bool
    limited: bool
    trouble: Judged | None
    foreign: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Golds:
    """The golds of a run, each run once an engine."""

    def __init__(self, engines: Engines, mode: Mode) -> None:
        self._engines = engines
        self._mode = mode
        self._there: Kept[tuple[str, str, str, Engine], Gold] = Kept(_KEPT_CELLS)

    def get(self, sql: str, dialect: str, database: Path, engine: Engine) -> Gold:
        """The gold; it runs where it has not."""
        key = (str(database), dialect, sql, engine)
        found = self._there.get(key)
        if found is None:
            found = self._run(sql, dialect, database, engine)
            rows = found.result.rows if found.result else ()
            self._there.put(key, found, 1 + sum(map(len, rows)))
        return found

    def _run(self, sql: str, dialect: str, database: Path, engine: Engine) -> Gold:
        try:
            ran = what_runs(sql, dialect, engine, self._mode)
            result = self._engines.run(engine, database, ran, gold=True)
        except SqlSyntaxError as error:
            return _trouble(f"gold does not parse at {error.position}: {error.message}", engine)
        except QueryFailed as error:
            if name := foreign_function(error, dialect):
                words = f"gold needs {name}, which {short_name(engine)} has not"
                return Gold("", None, False, False, Judged(Outcome.UNKNOWN, words), foreign=True)
            return _trouble(f"gold does not run: {reason(error)}", engine)
        except DatabaseUnreadable as error:
            return _trouble(error.cause, engine)
        except DataError as error:
            return _trouble(f"gold does not run: {reason(error)}", engine)
        shown = as_evidence(result.columns, result.rows, result.truncated)
        limited = bool(_LIMIT.search(sql))
        return Gold(text_key(ran), result, orders(sql, dialect), limited, None, evidence=shown)


def _trouble(why: str, engine: Engine) -> Gold:
    return Gold("", None, False, False, Judged(Outcome.ERROR, why, {"engine": engine_name(engine)}))


def what_runs(sql: str, dialect: str, engine: Engine, mode: Mode) -> str:
    """The SQL as the engine gets it. Raises SqlSyntaxError."""
    ran = sql if dialect == engine else _translated(sql, dialect, engine)
    return without_distinct(ran, engine) if mode.ignores_distinct else ran


@lru_cache(maxsize=512)
def _translated(sql: str, dialect: str, engine: Engine) -> str:
    return translate(sql, dialect, engine)


def orders(sql: str, dialect: str) -> bool:
    """Whether the outermost query has an ORDER BY: the words inside a literal or subquery do not count."""
    if "order" not in sql.lower():
        return False
    from sqlglot import exp

    try:
        tree: Any = parse(sql, dialect)
    except SqlSyntaxError:
        return False
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree.args.get("order") is not None


def reason(error: DataError) -> str:
    """The half of the sentence that says what happened."""
    head, _, tail = error.cause.partition(": ")
    return tail if tail and head in ("The query failed", "The SQL was refused") else error.cause
