"""Execution accuracy of many pairs: the queries run ahead in sandboxes, one a core, and are compared here.

What takes the time is a few hundred microseconds a query, so what surrounds them is kept small: queries go to
a process by the dozen, the same query goes once, and no verdict crosses a process.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from t2s_tui.evaluation.comparison import Mode
from t2s_tui.evaluation.engines import Ended, new_sandbox
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.sandbox import Sandbox
from t2s_tui.sql.same_text import text_key

Key = TypeVar("Key")
_CHUNK = 64  # pairs whose queries are sent together
_WINDOW = 3  # chunks a worker that are read ahead: what bounds the memory
_TICK = 0.25  # seconds


class ExecutionStream:
    """`workers` sandboxes for golds and as many for predictions, for many rounds of pairs. For a `with`."""

    def __init__(self, mode: Mode, workers: int, store: GoldStore | None = None) -> None:
        self._execution = Execution(mode=mode, store=store)
        self._window = _WINDOW * workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="execution")
        self._sandboxes = [(new_sandbox("sqlite"), new_sandbox("sqlite")) for _ in range(workers)]
        self._free: SimpleQueue[tuple[Sandbox, Sandbox]] = SimpleQueue()
        for both in self._sandboxes:
            self._free.put(both)
        self._sent: set[tuple[bool, str, str]] = set()
        gc.freeze()  # rows make the collector run often: it need not walk the modules each time

    def __enter__(self) -> ExecutionStream:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all that still runs, at once."""
        gc.unfreeze()
        for both in self._sandboxes:
            for sandbox in both:
                sandbox.abandon()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for both in self._sandboxes:
            for sandbox in both:
                sandbox.close()
        self._execution.close()

    def answers(
        self, pairs: Iterable[tuple[Key, Pair | None]], tick: Callable[[], None] = lambda: None
    ) -> Generator[tuple[Key, dict[str, Judged]], None, None]:
        """(key, {"execution": verdict}) for each pair in their order; {} for a pair that is None.

        `tick` is called a few times a second: what it raises ends the work.
        """
        source = iter(pairs)
        waiting: deque[tuple[list[tuple[Key, Pair | None]], list[Future[_Ran]]]] = deque()
        ticked = time.monotonic()
        while True:
            while len(waiting) < self._window and (items := list(islice(source, _CHUNK))):
                waiting.append((items, self._send([pair for _, pair in items if pair is not None])))
            if not waiting:
                return
            items, running = waiting.popleft()
            for future in running:
                while not future.done():
                    wait([future], timeout=_TICK)
                    tick()
                self._keep(future.result())
            for key, pair in items:
                yield key, {"execution": self._execution.judge(pair)} if pair is not None else {}
                if time.monotonic() - ticked > _TICK:
                    tick()
                    ticked = time.monotonic()

    def _send(self, pairs: Sequence[Pair]) -> list[Future[_Ran]]:
        """Start what these pairs need and no pair before them has asked for, a future a database."""
        wanted: dict[str, tuple[list[str], list[str]]] = {}
        for pair in pairs:
            database = str(pair.database)
            for gold, sql in self._execution.wanted(pair):
                key = text_key(sql)
                if (True, database, key) in self._sent or (gold, database, key) in self._sent:
                    continue
                self._sent.add((gold, database, key))
                wanted.setdefault(database, ([], []))[0 if gold else 1].append(sql)
        return [self._threads.submit(self._run, Path(name), *both) for name, both in wanted.items()]

    def _run(self, database: Path, golds: list[str], others: list[str]) -> _Ran:
        """In a thread, which waits for the process."""
        both = self._free.get()
        try:
            run = self._execution.engines.run_in
            return database, [
                (gold, sql, ended)
                for gold, sandbox, queries in ((True, both[0], golds), (False, both[1], others))
                for sql, ended in zip(queries, run(sandbox, database, queries), strict=True)
            ]
        finally:
            self._free.put(both)

    def _keep(self, ran: _Ran) -> None:
        database, ended = ran
        for gold, sql, found in ended:
            self._sent.discard((gold, str(database), text_key(sql)))
            self._execution.engines.keep("sqlite", database, sql, found, gold=gold)


_Ran = tuple[Path, list[tuple[bool, str, Ended]]]
