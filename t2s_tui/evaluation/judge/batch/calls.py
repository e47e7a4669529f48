"""Calls that a stop ends at once, and that are made again while another try may go better."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import TypeVar

from t2s_tui.errors import JobStopped, ModelError, WorkspaceError
from t2s_tui.evaluation.judge.backoff import pause
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.transport import RATE_LIMIT, Trouble

_LOOK = 0.1  # seconds between looks at whether to stop
_MOST_REFUSALS = 60  # in a row

T = TypeVar("T")


class Calls:
    """The calls of one run. `errors` counts their troubles by class; `reached`: whether any was answered."""

    def __init__(self, settings: JudgeSettings, should_stop: Callable[[], bool]) -> None:
        self._settings, self._should_stop = settings, should_stop
        self._random = Random()
        self.errors: Counter[str] = Counter()
        self.reached = False

    def stop_if_asked(self) -> None:
        """Raise JobStopped when a stop was asked for."""
        if self._should_stop():
            raise JobStopped

    async def sleep(self, seconds: float) -> None:
        """Wait. Raises JobStopped as soon as a stop is asked for."""
        until = time.monotonic() + seconds
        while True:
            self.stop_if_asked()
            left = until - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(_LOOK, left))

    async def once(self, call: Awaitable[T]) -> T:
        """One try, its trouble counted. Raises JobStopped when a stop is asked for before it ends."""
        task = asyncio.ensure_future(call)
        try:
            while True:
                done, _ = await asyncio.wait({task}, timeout=_LOOK)
                if done:
                    break
                self.stop_if_asked()
            answer = task.result()
        except Trouble as trouble:
            self.errors[trouble.kind] += 1
            self.reached = self.reached or trouble.reached
            raise
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.reached = True
        return answer

    async def tried(self, call: Callable[[], Awaitable[T]]) -> T:
        """As many tries as are worth it. Raises ModelError when none of them went well."""
        failures = 0
        while True:
            try:
                return await self.once(call())
            except Trouble as trouble:
                failures += 1
                self.give_up_after(failures, trouble)
                await self.back_off(failures, trouble)

    async def back_off(self, failures: int, trouble: Trouble) -> None:
        """Wait before the next try."""
        await self.sleep(pause(failures, trouble.headers, self._random))

    def give_up_after(self, failures: int, trouble: Trouble) -> None:
        """Raise ModelError where another try is not worth it."""
        most = _MOST_REFUSALS if trouble.kind == RATE_LIMIT else self._settings.max_attempts
        if trouble.again and failures < most:
            return
        where = self._settings.base_url or "OpenAI"
        if not self.reached:
            raise ModelError(
                f"The judge at {where} does not answer ({trouble})", "check the URL and that it runs"
            )
        raise ModelError(
            f"The Batch API at {where} refuses ({trouble})",
            "run the same command again later, or without batches: --judge-route live",
        )

    @asynccontextmanager
    async def alone(self, journal: Path) -> AsyncIterator[None]:
        """Only one process of this journal at a time. The kernel lets go when it dies."""
        if str(journal) == ":memory:":
            yield
            return
        path = journal.with_suffix(".batches.lock")
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise WorkspaceError(
                f"{path} cannot be opened ({error.strerror})", "check its permissions"
            ) from error
        try:
            while not _locked(file):
                await self.sleep(_LOOK)
            yield
        finally:
            os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
