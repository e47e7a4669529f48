"""Normalised match: the same query once both are in canonical form (t2s_tui/sql/normalize.py)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import Unparsed
from t2s_tui.sql.faults import Fault, faults_of
from t2s_tui.sql.normalize import normal_forms


def judge_normalized(pair: Pair) -> Judged:
    """Pass when the canonical forms are equal, with gold or with another query that is as right: a proof.

    Fail when they differ or the generated SQL does not parse, with its `faults` in the evidence, the leading
    one first. Error when gold does not parse.
    """
    if pair.ddl is None and pair.database is not None and pair.dialect == "sqlite":
        pair = replace(pair, ddl=_ddl_in(pair.database))
    gold, generated = normal_forms(pair.gold, pair.generated, pair.dialect, pair.ddl, pair.ordered)
    if isinstance(gold, Unparsed):
        return Judged(Outcome.ERROR, f"gold {gold}")
    if not pair.generated.strip():
        return failed("there is no SQL", faults=_faults(pair))
    if isinstance(generated, Unparsed):
        return failed(str(generated), gold=gold, faults=_faults(pair))
    if gold == generated:
        return passed("the same after normalisation", gold=gold, generated=generated)
    for other in pair.accepted:
        accepted, generated = normal_forms(other, pair.generated, pair.dialect, pair.ddl, pair.ordered)
        if accepted == generated:
            why = "the same after normalisation as another accepted query"
            return passed(why, gold=accepted, generated=generated)
    return failed("differs after normalisation", gold=gold, generated=generated, faults=_faults(pair))


def _faults(pair: Pair) -> list[str]:
    """The faults against the query, of those that are right, that shows the fewest."""
    found = [
        faults_of(gold, pair.generated, pair.dialect, pair.ddl, raw=pair.raw, ordered=pair.ordered)
        for gold in (pair.gold, *pair.accepted)
    ]
    fewest: tuple[Fault, ...] = min(found, key=len)
    return [str(fault) for fault in fewest]


@lru_cache(maxsize=64)
def _ddl_in(database: Path) -> str | None:
    """The tables that a SQLite file declares; None where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL"
            )
            return ";\n".join(str(sql) for (sql,) in rows) or None
    except (sqlite3.Error, OSError):
        return None
