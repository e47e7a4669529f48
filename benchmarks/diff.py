"""How many pairs that no database tells apart have an empty diff: raw trees, sqlglot's qualify and simplify,
ours. On published predictions against Spider's golds; pairs that agree on Spider's own database (`ex`) and
that random small databases with keys and foreign keys in order do not tell apart either."""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import time
from contextlib import closing, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from t2s_tui.sql.diff import compare
from t2s_tui.sql.schema import schema_mapping
from tests.random_rows import bag, constants_in, random_database, rows_of

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_FILES = ("codes_1b", "codes_7b", "dail_gpt4")
_DATABASES = 60


def measure() -> list[Figure]:
    if not (_SHARED / "spider_predictions").exists():
        print("diff: no predictions on this machine (looked in ../shared/data)", file=sys.stderr)
        return []
    return [figure for name in _FILES for figure in _measure(name)]


def _measure(name: str) -> list[Figure]:
    lines = (_SHARED / "spider_predictions" / f"{name}.jsonl").read_text("utf-8").splitlines()
    agreeing = [row for row in map(json.loads, lines) if row["ex"]]
    pairs = [(row["gold"], row["pred"], _ddl(row["db_id"])) for row in agreeing]
    start = time.perf_counter()
    same = [compare(gold, generated, "sqlite", ddl).same for gold, generated, ddl in pairs]
    seconds = (time.perf_counter() - start) / len(pairs)
    start = time.perf_counter()
    qualified = [_qualified(gold, ddl) == _qualified(generated, ddl) for gold, generated, ddl in pairs]
    their_seconds = (time.perf_counter() - start) / len(pairs)
    raw = [_raw(gold) == _raw(generated) for gold, generated, _ in pairs]
    alive = [not _told_apart(*pair) for pair in pairs]
    figures = []
    for what, chosen in ((f"ex, {len(pairs)}", [True] * len(pairs)), (f"not refuted, {sum(alive)}", alive)):

        def share(found: list[bool], chosen: list[bool] = chosen) -> float:
            return 100 * sum(f for f, c in zip(found, chosen, strict=True) if c) / sum(chosen)

        ours, proved = share([bool(s) for s in same]), share([s == "proof" for s in same])
        figures += [
            Figure(f"{name} ({what}): empty diff", "%", ours, share(raw), "raw trees equal"),
            Figure(f"{name} ({what}): empty diff", "%", ours, share(qualified), "qualify + simplify equal"),
            Figure(
                f"{name} ({what}): proved the same", "%", proved, share(qualified), "qualify + simplify equal"
            ),
        ]
    took = Figure(f"{name}: a pair", "ms", 1000 * seconds, 1000 * their_seconds, "qualify + simplify of both")
    return [*figures, took]


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


@cache
def _told_apart(gold: str, generated: str, ddl: str) -> bool:
    """Whether one of the random databases gives them other bags of rows, or the generated SQL an error."""
    constants = constants_in(gold, generated)
    for seed in range(_DATABASES):
        with closing(random_database(ddl, random.Random(seed), constants, references=True)) as db:
            try:
                if bag(rows_of(db, gold)) != bag(rows_of(db, generated)):
                    return True
            except sqlite3.Error:
                return True
    return False
