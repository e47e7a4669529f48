"""Equivalence without a database: many small ones are built that would tell two queries apart.

`Equivalence` judges pairs in worker processes that can be killed. What each verdict means: docs/verdicts.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import t2s_tui
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome

DATABASES = 40
SEED = 42
TIMEOUT = 20.0  # seconds a pair, after which its worker is killed
_AHEAD = 16  # pairs that are read ahead a worker

__all__ = ["DATABASES", "SEED", "Equivalence"]


class Equivalence:
    """Judges pairs in `workers` processes (default: one a core). Use it in a `with`.

    Deterministic for a seed: the same pair gets the same databases, whichever worker has it.
    """

    def __init__(
        self,
        seed: int = SEED,
        databases: int = DATABASES,
        workers: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._seed, self._databases, self._timeout = seed, databases, timeout
        self._count = workers or len(os.sched_getaffinity(0))
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None
        self._made: list[_Worker] = []

    def __enter__(self) -> Equivalence:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self._made:
            worker.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None

    def judge(self, pair: Pair) -> Judged:
        """The verdict on one pair. unknown, with the reason, when its time is up."""
        worker = self._take()
        try:
            return worker.judge(pair, self._seed, self._databases, self._timeout)
        finally:
            self._idle.put(worker)

    def judge_many(self, pairs: Iterable[Pair]) -> Iterator[Judged]:
        """The verdicts in the order of the pairs, all workers at work, few pairs read ahead."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="equivalence")
        waiting: deque[Future[Judged]] = deque()
        for pair in pairs:
            waiting.append(self._threads.submit(self.judge, pair))
            if len(waiting) >= _AHEAD * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _take(self) -> _Worker:
        if self._idle.empty() and len(self._made) < self._count:
            worker = _Worker()
            self._made.append(worker)
            return worker
        return self._idle.get()


_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME", "LD_LIBRARY_PATH")


class _Worker:
    """One process, started when it is first asked and anew after it was killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def judge(self, pair: Pair, seed: int, databases: int, timeout: float) -> Judged:
        from t2s_tui.evaluation.equivalence.worker import pair_to

        request = {"pair": pair_to(pair), "seed": seed, "databases": databases}
        process = self._started()
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(timeout, kill)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self.close()
            why = (
                f"no verdict within {timeout:g} s"
                if late.is_set()
                else "the engine's process died on this pair"
            )
            return Judged(Outcome.UNKNOWN, why)
        answer: dict[str, Any] = json.loads(line)
        return Judged(Outcome(answer["outcome"]), answer["why"], answer["evidence"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "t2s_tui.evaluation.equivalence.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # what a killed process did not read is flushed by close
                        pipe.close()
            self._process = None


def _environment() -> dict[str, str]:
    """What Python needs to start and to find this package: the worker runs a model's SQL and sees no keys."""
    home = str(Path(t2s_tui.__file__).parent.parent)
    known = os.environ.get("PYTHONPATH")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else home}
