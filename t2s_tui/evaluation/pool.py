"""Judging on all cores: processes that each hold their own judges, answers in the order of the pairs.

Few pairs are judged where they are: a process costs more than they do. A process that dies takes the pairs it
had with it, which get an `error`; another takes its place. Processes end with the one that started them: the
pipe to it closes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from t2s_tui.evaluation.comparison import Mode
from t2s_tui.evaluation.execution_stream import ExecutionStream
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.judges import SLOW, open_judges
from t2s_tui.records import Outcome

Key = TypeVar("Key")
Answer = dict[str, Judged]

_CHUNK, _SLOW_CHUNK = 16, 2  # pairs in one message
_WINDOW = 8  # chunks a process that may wait for an earlier one: what bounds the memory
_TICK = 0.25  # seconds
_FEW, _SLOW_FEW = 64, 6


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judge_all(
    pairs: Iterable[tuple[Key, Pair | None]],
    metrics: Sequence[str],
    mode: Mode,
    workers: int = 0,
    tick: Callable[[], None] = lambda: None,
    store: GoldStore | None = None,
) -> Generator[tuple[Key, Answer], None, None]:
    """(key, metric -> verdict) for each (key, pair), in their order, as they come.

    A pair that is None has an empty answer. `workers` 0: as many as there are cores. With one worker every
    pair is answered before the next is read. `tick` is called a few times a second also while no answer
    comes, and after each answer where there is one worker: what it raises ends the work at once. Memory holds
    a bounded number of pairs, however many there are. `store` keeps the results of slow golds.
    """
    workers = workers or cores()
    source = iter(pairs)
    few_are = _SLOW_FEW if SLOW.intersection(metrics) else _FEW
    few = list(islice(source, few_are)) if workers > 1 else []
    if len(few) < few_are:
        with open_judges(metrics, mode) as judges:
            for key, pair in chain(few, source):
                yield key, judges(pair) if pair else {}
                tick()
        return
    if tuple(metrics) == ("execution",) and all(p is None or p.dialect == "sqlite" for _, p in few):
        with ExecutionStream(mode, workers, store) as stream:
            yield from stream.answers(chain(few, source), tick)
        return
    with Pool(metrics, mode, workers) as pool:
        yield from pool.answers(chain(few, source), tick)


class Pool:
    """`workers` processes with judges of `metrics`, for many rounds of pairs. Use it in a `with`."""

    def __init__(self, metrics: Sequence[str], mode: Mode, workers: int) -> None:
        self._metrics = tuple(metrics)
        self._mode = mode
        self._workers = [_Worker(self._metrics, mode) for _ in range(workers)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.end()

    def answers(
        self, source: Iterator[tuple[Key, Pair | None]], tick: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Key, Answer]]:
        """What `judge_all` gives."""
        chunks = _chunks(source, _SLOW_CHUNK if SLOW.intersection(self._metrics) else _CHUNK)
        waiting: deque[_Chunk[Key]] = deque()
        more = True
        while more or waiting:
            for worker in self._workers:
                if more and worker.chunk is None and len(waiting) < _WINDOW * len(self._workers):
                    chunk = next(chunks, None)
                    more = chunk is not None
                    if chunk is not None:
                        waiting.append(chunk)
                        self._give(worker, chunk)
            busy = {w.pipe: w for w in self._workers if w.chunk is not None}
            for pipe in wait(list(busy), _TICK) if busy else ():
                self._take(busy[pipe])  # type: ignore[index]
            tick()
            while waiting and waiting[0].answers is not None:
                done = waiting.popleft()
                assert done.answers is not None
                yield from zip(done.keys, done.answers, strict=True)

    def _give(self, worker: _Worker, chunk: _Chunk[Any]) -> None:
        worker.chunk = chunk
        try:
            worker.pipe.send(chunk.pairs)
        except OSError:
            self._replace(worker)

    def _take(self, worker: _Worker) -> None:
        chunk = worker.chunk
        assert chunk is not None
        try:
            chunk.answers = worker.pipe.recv()
            worker.chunk = None
        except (EOFError, OSError):
            self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """Another process in the place of one that died, with the answer that its pairs get."""
        chunk = worker.chunk
        assert chunk is not None
        lost = Judged(Outcome.ERROR, "the process that judged it died: evaluate again")
        chunk.answers = [dict.fromkeys(self._metrics, lost) if pair else {} for pair in chunk.pairs]
        worker.end()
        self._workers[self._workers.index(worker)] = _Worker(self._metrics, self._mode)


class _Chunk(Generic[Key]):
    def __init__(self, items: Sequence[tuple[Key, Pair | None]]) -> None:
        self.keys = [key for key, _ in items]
        self.pairs = [pair for _, pair in items]
        self.answers: list[Answer] | None = None


def _chunks(source: Iterator[tuple[Key, Pair | None]], size: int) -> Iterator[_Chunk[Key]]:
    while items := list(islice(source, size)):
        yield _Chunk(items)


class _Worker:
    def __init__(self, metrics: tuple[str, ...], mode: Mode) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share a parent's threads and torch
        self.pipe, theirs = context.Pipe()
        self.chunk: _Chunk[Any] | None = None
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, metrics, mode), daemon=True)
        self._process.start()
        theirs.close()

    def end(self) -> None:
        """At once: what it is doing is no longer wanted."""
        self.pipe.close()
        if self.chunk is not None:
            self._process.terminate()
        self._process.join(timeout=2)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(pipe: Connection, metrics: tuple[str, ...], mode: Mode) -> None:
    """What a process of the pool does, until the pipe closes."""
    with open_judges(metrics, mode) as judges:
        while True:
            try:
                pairs = pipe.recv()
                pipe.send([judges(pair) if pair else {} for pair in pairs])
            except (EOFError, OSError, KeyboardInterrupt):
                return
