"""Judging on several processes: the order, the bound on what is read ahead, a process that dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from t2s_tui.evaluation import pool
from t2s_tui.evaluation.comparison import STRICT
from t2s_tui.evaluation.judged import Pair
from t2s_tui.evaluation.kept import Kept
from t2s_tui.records import Outcome


def pairs(count: int) -> Iterator[tuple[int, Pair | None]]:
    for i in range(count):
        yield i, None if i % 50 == 7 else Pair(f"SELECT {i}", f"SELECT {i if i % 3 else 'x'}")


def test_answers_come_in_order_and_are_those_of_one_process() -> None:
    alone = list(pool.judge_all(pairs(300), ("exact", "normalized"), STRICT, workers=1))
    both = list(pool.judge_all(pairs(300), ("exact", "normalized"), STRICT, workers=2))
    assert both == alone
    assert [key for key, _ in both] == list(range(300))
    assert both[7][1] == {}
    assert [both[i][1]["exact"].outcome for i in (0, 1)] == [Outcome.FAIL, Outcome.PASS]


def test_no_more_than_a_bounded_number_is_read_ahead() -> None:
    read = 0

    def counted() -> Iterator[tuple[int, Pair | None]]:
        nonlocal read
        for item in pairs(5_000):
            read += 1
            yield item

    answers = pool.judge_all(counted(), ("exact",), STRICT, workers=2)
    next(answers)
    assert read <= pool._FEW + 2 * pool._CHUNK * pool._WINDOW
    answers.close()


def test_a_process_that_dies_costs_its_pairs_and_no_others() -> None:
    with pool.Pool(("exact",), STRICT, 2) as made:
        answers = made.answers(pairs(2_000))
        first = next(answers)
        victim = made._workers[0]._process.pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        found = [first, *answers]
    assert [key for key, _ in found] == list(range(2_000))
    lost = [key for key, said in found if said and said["exact"].outcome is Outcome.ERROR]
    assert 0 < len(lost) <= pool._CHUNK


def test_what_the_tick_raises_ends_slow_work_at_once(tmp_path: Path) -> None:
    """Queries that take seconds each: a stop does not wait for the first of them."""
    database = tmp_path / "t.db"
    sqlite3.connect(database).close()
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT count(*) FROM r"
    slow = [(i, Pair("SELECT 1", f"{endless} WHERE n > {i}", database=database)) for i in range(200)]

    def stop() -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        list(pool.judge_all(slow, ("execution",), STRICT, workers=2, tick=stop))
    assert [p for p in multiprocessing.active_children() if p.is_alive()] == []


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    kept: Kept[str, int] = Kept(10)
    for name in "abc":
        kept.put(name, 1, 3)
    assert kept.get("a") == 1
    kept.put("d", 4, 4)
    kept.put("huge", 5, 11)
    assert [kept.get(name) for name in ("a", "b", "c", "d", "huge")] == [1, None, 1, 4, None]
