"""Execution accuracy of three published prediction sets against the loops in which evaluators do it.

Ours: golds cached, on all cores. The loops, all on the same pairs, gold run for each pair:

- bare: one connection a pair, no limit of time, no protection; nobody's evaluator, the floor of them
- BIRD's: one connection a pair, in a thread that is waited for at most so long (bird-bench/mini_dev,
  `func_timeout` around `execute_sql`); also on a process a core, as its `run_sqls_parallel` does
- Spider's: a connection a query, each in an event loop of its own (taoyds/test-suite-sql-eval, `exec_on_db`)
- safe: a process a pair that can be killed, read-only: our own sandbox, started for each. On every tenth pair

The pairs are Spider's, beside the checkout; without them there is nothing to measure.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import sqlite3
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from benchmarks.figures import Figure
from t2s_tui.evaluation.comparison import STRICT
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.execution_stream import ExecutionStream
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.pool import cores

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_SETS = ("codes_1b", "codes_7b", "dail_gpt4")
_TENTH = 10
_ROUNDS = 5
_LIMIT = 30.0  # seconds a pair, BIRD's default


def measure() -> list[Figure]:
    pairs = _pairs()
    if not pairs:
        print("execution: no ../shared/data/spider_predictions here: nothing measured", file=sys.stderr)
        return []
    golds = list(
        {(p.database, p.gold): Pair(p.gold, "SELECT 1", database=p.database) for p in pairs}.values()
    )
    loops: dict[str, Callable[[], int]] = {
        "bare: a connection a pair": lambda: sum(map(_bare, pairs)),
        "BIRD's: and a thread a pair": lambda: sum(map(_in_a_thread, pairs)),
        f"BIRD's, on {cores()} processes": lambda: _on_processes(pairs),
        "Spider's: a connection a query": lambda: sum(map(_as_spider, pairs)),
    }
    took: dict[str, list[float]] = {name: [] for name in (*loops, "ours", "cold")}
    passed: dict[str, int] = {}
    for _ in range(_ROUNDS):  # in turns: what else the machine does meets all of them
        passed["ours"] = _ours(pairs, golds, took["ours"])
        _ours(pairs, [], took["cold"])
        for name, loop in loops.items():
            start = time.perf_counter()
            passed[name] = loop()
            took[name].append(time.perf_counter() - start)
    said = ", ".join(f"{name} {count}" for name, count in passed.items())
    load = os.getloadavg()[0]
    print(f"execution: right by {said}; load {load:.1f} on {cores()} cores", file=sys.stderr)
    ours = statistics.median(took["ours"])
    what = f"{len(pairs):,} pairs, cached golds, {cores()} cores"
    figures = [Figure(what, "s", ours, statistics.median(took[name]), name) for name in loops]
    cold = statistics.median(took["cold"])
    bare = statistics.median(took[next(iter(loops))])
    return [
        *figures,
        Figure(f"{len(pairs):,} pairs, golds not cached", "s", cold, bare, next(iter(loops))),
        Figure(what, "s", ours, _safe(pairs), "safe: a process a pair"),
    ]


def _pairs() -> list[Pair]:
    found = []
    for name in _SETS:
        file = _DATA / "spider_predictions" / f"{name}.jsonl"
        for row in map(json.loads, file.read_text("utf-8").splitlines()) if file.exists() else ():
            database = _DATA / "spider" / "database" / row["db_id"] / f"{row['db_id']}.sqlite"
            found.append(Pair(row["gold"], row["pred"], database=database))
    return found


def _ours(pairs: list[Pair], golds: list[Pair], took: list[float]) -> int:
    """A new stream, which knows none of the predictions; its golds run before the clock starts, if at all."""
    with ExecutionStream(STRICT, cores()) as stream:
        idle = [Pair("SELECT 1", f"SELECT {i}", database=pairs[i].database) for i in range(0, len(pairs), 50)]
        for _ in stream.answers(enumerate(idle + golds)):
            pass  # the processes have started, as they have all but once in a run
        start = time.perf_counter()
        answers = [said["execution"].outcome for _, said in stream.answers(enumerate(pairs))]
        took.append(time.perf_counter() - start)
    return Counter(answers)["pass"]


def _bare(pair: Pair) -> bool:
    with closing(sqlite3.connect(str(pair.database))) as connection:
        connection.text_factory = lambda raw: raw.decode(errors="ignore")
        try:
            gold, found = (connection.execute(sql).fetchall() for sql in (pair.gold, pair.generated))
        except sqlite3.Error:
            return False
        return _same(pair, gold, found)


def _same(pair: Pair, gold: list[object], found: list[object]) -> bool:
    return gold == found if "order by" in pair.gold.lower() else Counter(gold) == Counter(found)


def _in_a_thread(pair: Pair) -> bool:
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(_bare(pair)), daemon=True)
    thread.start()
    thread.join(_LIMIT)
    return bool(said and said[0])


def _on_processes(pairs: Iterable[Pair]) -> int:
    with multiprocessing.get_context("fork").Pool(cores()) as pool:
        return sum(waiting.get() for waiting in [pool.apply_async(_in_a_thread, (pair,)) for pair in pairs])


def _as_spider(pair: Pair) -> bool:
    async def run(sql: str) -> list[object] | None:
        with closing(sqlite3.connect(str(pair.database))) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="ignore")
            try:
                return connection.execute(sql).fetchall()
            except sqlite3.Error:
                return None

    def limited(sql: str) -> list[object] | None:
        async def wait() -> list[object] | None:
            return await asyncio.wait_for(run(sql), _LIMIT)

        return asyncio.run(wait())

    gold, found = limited(pair.gold), limited(pair.generated)
    return gold is not None and found is not None and _same(pair, gold, found)


def _safe(pairs: list[Pair]) -> float:
    start = time.perf_counter()
    for pair in pairs[::_TENTH]:
        with Execution() as alone:
            alone.judge(pair)
    return (time.perf_counter() - start) * len(pairs) / len(pairs[::_TENTH])
