"""How many pairs that our equivalence engine does not refute have an empty diff: raw trees, sqlglot's
qualify and simplify, ours. On published predictions against Spider's golds; beside it the pairs that agree on
Spider's own database (`ex`), which many a wrong query does."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from t2s_tui.evaluation.comparison import STRICT
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.pool import judge_all
from t2s_tui.records import Outcome
from t2s_tui.sql.diff import compare
from t2s_tui.sql.schema import schema_mapping

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_FILES = ("codes_1b", "codes_7b", "dail_gpt4")


def measure() -> list[Figure]:
    if not (_SHARED / "spider_predictions").exists():
        print("diff: no predictions on this machine (looked in ../shared/data)", file=sys.stderr)
        return []
    return [figure for name in _FILES for figure in _measure(name)]


def _measure(name: str) -> list[Figure]:
    lines = (_SHARED / "spider_predictions" / f"{name}.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    pairs = [(row["gold"], row["pred"], _ddl(row["db_id"])) for row in rows]
    start = time.perf_counter()
    same = [compare(gold, generated, "sqlite", ddl).same for gold, generated, ddl in pairs]
    seconds = (time.perf_counter() - start) / len(pairs)
    start = time.perf_counter()
    qualified = [_qualified(gold, ddl) == _qualified(generated, ddl) for gold, generated, ddl in pairs]
    their_seconds = (time.perf_counter() - start) / len(pairs)
    raw = [_raw(gold) == _raw(generated) for gold, generated, _ in pairs]
    figures = []
    for what, chosen in (("not refuted", _not_refuted(pairs)), ("ex", [bool(row["ex"]) for row in rows])):

        def share(found: list[bool], chosen: list[bool] = chosen) -> float:
            return 100 * sum(f for f, c in zip(found, chosen, strict=True) if c) / sum(chosen)

        title = f"{name} ({what}, {sum(chosen)})"
        ours, proved = share([bool(s) for s in same]), share([s == "proof" for s in same])
        figures += [
            Figure(f"{title}: empty diff", "%", ours, share(raw), "raw trees equal"),
            Figure(f"{title}: empty diff", "%", ours, share(qualified), "qualify + simplify equal"),
            Figure(f"{title}: proved the same", "%", proved, share(qualified), "qualify + simplify equal"),
        ]
    took = Figure(f"{name}: a pair", "ms", 1000 * seconds, 1000 * their_seconds, "qualify + simplify of both")
    return [*figures, took]


def _not_refuted(pairs: list[tuple[str, str, str]]) -> list[bool]:
    """Whether the engine's verdict is a pass: proved, or no small database told the two apart."""
    asked = ((at, Pair(gold, generated, ddl=ddl)) for at, (gold, generated, ddl) in enumerate(pairs))
    answers = judge_all(asked, ("equivalence",), STRICT)
    return [said["equivalence"].outcome is Outcome.PASS for _, said in answers]


def _raw(sql: str) -> Any:
    import sqlglot

    with suppress(sqlglot.errors.SqlglotError):
        return sqlglot.parse_one(sql, read="sqlite")
    return sql


def _qualified(sql: str, ddl: str) -> str:
    import sqlglot
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.simplify import simplify

    try:
        tree = sqlglot.parse_one(sql, read="sqlite")
        tree = qualify(tree, dialect="sqlite", schema=schema_mapping(ddl, "sqlite"))
        return simplify(tree, dialect="sqlite").sql("sqlite")
    except (sqlglot.errors.SqlglotError, KeyError, ValueError, AttributeError):
        return sql


@lru_cache
def _ddl(db_id: str) -> str:
    path = _SHARED / "spider" / "database" / db_id / f"{db_id}.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return ";\n".join(row[0] for row in db.execute(query))
