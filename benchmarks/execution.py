"""Execution accuracy of three prediction sets, golds cached, on all cores, against loops over the pairs.

Two loops open a connection for every pair: a bare one with no protection, which a hostile query would hang or
write through, and one that is as safe as ours: a killable process a pair. The safe one is measured on every
tenth pair and scaled. The pairs are Spider's, beside the checkout; without them there is nothing to measure.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure
from t2s_tui.evaluation.comparison import STRICT
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.pool import Pool, cores

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_SETS = ("codes_1b", "codes_7b", "dail_gpt4")
_TENTH = 10


def measure() -> list[Figure]:
    pairs = _pairs()
    if not pairs:
        print("execution: no ../shared/data/spider_predictions here: nothing measured", file=sys.stderr)
        return []
    golds = list(
        {(p.database, p.gold): Pair(p.gold, "SELECT 1", database=p.database) for p in pairs}.values()
    )
    with Pool(("execution",), STRICT, cores()) as pool:
        for _ in range(2):  # every process gets to know most golds: which takes which pair is chance
            list(pool.answers(enumerate(golds)))
        start = time.perf_counter()
        answers = [said["execution"].outcome for _, said in pool.answers(enumerate(pairs))]
        ours = time.perf_counter() - start
    start = time.perf_counter()
    bare = sum(_bare(pair) for pair in pairs)
    unsafe = time.perf_counter() - start
    start = time.perf_counter()
    for pair in pairs[::_TENTH]:
        with Execution() as alone:
            alone.judge(pair)
    safe = (time.perf_counter() - start) * len(pairs) / len(pairs[::_TENTH])
    passed = Counter(answers)["pass"]
    load = os.getloadavg()[0]
    print(
        f"execution: {passed} pass, the bare loop says {bare}; load {load:.1f} on {cores()} cores",
        file=sys.stderr,
    )
    name = f"{len(pairs):,} pairs, cached golds, {cores()} cores"
    return [
        Figure(name, "s", ours, safe, "a process and connection a pair"),
        Figure(name, "s", ours, unsafe, "bare sqlite3, a connection a pair"),
    ]


def _pairs() -> list[Pair]:
    found = []
    for name in _SETS:
        file = _DATA / "spider_predictions" / f"{name}.jsonl"
        for row in map(json.loads, file.read_text("utf-8").splitlines()) if file.exists() else ():
            database = _DATA / "spider" / "database" / row["db_id"] / f"{row['db_id']}.sqlite"
            found.append(Pair(row["gold"], row["pred"], database=database))
    return found


def _bare(pair: Pair) -> bool:
    with closing(sqlite3.connect(str(pair.database))) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="ignore")
        try:
            gold, found = (connection.execute(sql).fetchall() for sql in (pair.gold, pair.generated))
        except sqlite3.Error:
            return False
        return gold == found if "order by" in pair.gold.lower() else Counter(gold) == Counter(found)
