"""Examining rows in processes of their own: stretches of a dataset in, their results out, in order.

A worker opens the dataset itself, so that no row travels to it. Few rows are examined in this process: a
second process would need longer to start.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, TypeVar

from t2s_tui.datasets.audit.examine import Examined, Examiner
from t2s_tui.datasets.audit.ports import MakeGoldRunner, MakeTokenCounter
from t2s_tui.datasets.audit.similar import key
from t2s_tui.datasets.catalogue import ExampleTable, read_examples
from t2s_tui.errors import DataError, JobStopped
from t2s_tui.records import Example
from t2s_tui.sql.normalize import normalize

STRETCH = 200  # rows a task: a fraction of a second without a slow gold
_ALONE = 1_000  # rows up to which no process is started

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker needs, picklable."""

    folder: Path
    run_golds: MakeGoldRunner | None = None
    count_tokens: MakeTokenCounter | None = None
    block_size: int | None = None


class Worker:
    """One process's hands: the dataset and an examiner."""

    def __init__(self, setup: Setup, stopped: Callable[[], bool]) -> None:
        self._table: ExampleTable = read_examples(setup.folder)
        self._examiner = Examiner(
            setup.run_golds() if setup.run_golds else None,
            setup.count_tokens() if setup.count_tokens else None,
            block_size=setup.block_size,
            stopped=stopped,
        )

    def examine(self, start: int) -> Examined:
        """The rows from `start`, at most STRETCH. Raises JobStopped when it is asked to, between two rows."""
        rows = self._table.rows(start, start + STRETCH)
        self._table.release()
        return self._examiner.examine(rows)

    def normal_golds(self, indexes: list[int]) -> list[int]:
        """64-bit keys of the normalised golds of these rows; of one that does not parse, of its text."""
        return [_normal(self._table[index]) for index in indexes]

    def close(self) -> None:
        """End what runs the golds."""
        self._examiner.close()


class Workers:
    """Processes that examine the rows of one dataset. Use it in a `with`.

    `stopped` is asked before every task; when it says yes, JobStopped is raised and the processes end.
    """

    def __init__(self, setup: Setup, rows: int, processes: int, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._worker = Worker(setup, stopped) if rows <= _ALONE or processes < 1 else None
        self._pool: ProcessPoolExecutor | None = None
        self._ahead = 2 * processes + 2
        if self._worker is None:
            # spawn: the job's own process has threads, and a fork of those can hang.
            context = multiprocessing.get_context("spawn")
            self._stop = context.Event()
            self._pool = ProcessPoolExecutor(
                processes, mp_context=context, initializer=_start, initargs=(setup, self._stop)
            )

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        if self._worker is not None:
            self._worker.close()
        if self._pool is not None:
            self._stop.set()
            self._pool.shutdown(cancel_futures=True)

    def examine(self, start: int, stop: int) -> Iterator[Examined]:
        """The rows from `start`, a stretch after the other."""
        starts = range(start, stop, STRETCH)
        if self._worker is not None:
            return map(self._worker.examine, starts)
        return self._in_order(_examine, starts)

    def normal_golds(self, indexes: list[list[int]]) -> Iterator[list[int]]:
        """The keys of the normalised golds of some rows, a list after the other."""
        if self._worker is not None:
            return map(self._worker.normal_golds, indexes)
        return self._in_order(_normal_golds, indexes)

    def _in_order(self, work: Callable[[_Task], _Result], tasks: Iterable[_Task]) -> Iterator[_Result]:
        """A few tasks ahead of what was taken, so that results do not pile up."""
        assert self._pool is not None
        left = iter(tasks)
        running: deque[Future[_Result]] = deque()
        try:
            while True:
                if self._stopped():
                    raise JobStopped
                running.extend(self._pool.submit(work, t) for t in islice(left, self._ahead - len(running)))
                if not running:
                    return
                yield running.popleft().result()
        except BrokenProcessPool as error:
            if self._stopped():  # a stop that ends in a signal ends the processes first
                raise JobStopped from error
            raise DataError(
                "A process that examined rows was killed, perhaps for lack of memory",
                "close other programs and run the audit again",
            ) from error


def _normal(example: Example) -> int:
    found = normalize(example.gold, example.dialect, example.ddl)
    return key(found if isinstance(found, str) else example.gold)


_here: Worker | None = None


def _start(setup: Setup, stop: Any) -> None:
    global _here
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _here = Worker(setup, stop.is_set)
    Finalize(None, _here.close, exitpriority=1)  # atexit is not heard in such a process


def _leave_with_parent() -> None:
    """A process whose parent was killed would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _examine(start: int) -> Examined:
    assert _here is not None
    return _here.examine(start)


def _normal_golds(indexes: list[int]) -> list[int]:
    assert _here is not None
    return _here.normal_golds(indexes)
