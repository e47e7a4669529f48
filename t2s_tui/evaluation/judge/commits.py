"""Journal steps that come close together are committed together: one wait for the disk for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from t2s_tui.errors import T2SError
from t2s_tui.evaluation.judge.journal import Journal

_GATHER = 0.01  # seconds: little beside a judge's answer, much beside a commit


class Commits:
    """The journal for many tasks of one loop. A step is on the disk when its `write` returns."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Callable[[], None], asyncio.Future[None]]] = []

    async def write(self, step: Callable[[], None]) -> None:
        """Commit the step with what else comes now. Raises WorkspaceError when it cannot be written.

        A task that is cancelled meanwhile does not take its step back: what was paid for is kept.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._waiting.append((step, done))
        if len(self._waiting) == 1:
            loop.call_later(_GATHER, self.flush)
        await done

    def flush(self) -> None:
        """Commit what waits; whoever wrote it hears how it went."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._journal.together(step for step, _ in waiting)
        except T2SError as error:
            heard = False
            for _, done in waiting:
                if not done.done():
                    done.set_exception(error)
                    heard = True
            if not heard:
                raise
        else:
            for _, done in waiting:
                if not done.done():
                    done.set_result(None)
