"""A run of the judge: takes asks as there is room, lets them go as the limits permit, ends it well."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

from t2s_tui.errors import JobStopped, ModelError
from t2s_tui.evaluation.judge.asks import Ask, Item, Reply, Room
from t2s_tui.evaluation.judge.budget import Budget
from t2s_tui.evaluation.judge.exchange import Exchange
from t2s_tui.evaluation.judge.figures import Tally
from t2s_tui.evaluation.judge.intake import Intake
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.key import find_key
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.throttle import Throttle
from t2s_tui.evaluation.judge.transport import Transport

_LOOK = 0.1  # seconds between looks at whether to stop
_GRACE = 1.0  # seconds that a stop waits for what is under way
_CHUNK = 256  # asks that are looked up in the journal at a time

Watch = tuple[Callable[[], bool], Callable[[], bool]]


class Dispatcher:
    """One run. `watch` says whether to stop and whether to pause."""

    def __init__(
        self,
        settings: JudgeSettings,
        on_reply: Callable[[Reply], None],
        watch: Watch,
        room: Room,
        readable: Callable[[str], bool],
    ) -> None:
        self._settings, self._on_reply, self._room = settings, on_reply, room
        self._should_stop, self._paused = watch
        self._readable = readable
        self._throttle = Throttle(settings)
        self._stopped = False
        self._error: BaseException | None = None  # what ends the run
        self._waiting: deque[Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, asks: Iterator[Ask], total: int | None) -> None:
        """Ask all of it. Raises what `ask_all` raises."""
        key = find_key(self._settings)
        self._asks, self._more, self._total = asks, True, total
        self._news = asyncio.Event()  # set at the end of a task
        journal = Journal(self._room.journal)
        try:
            self._budget = Budget(self._settings, self._room.workspace_root)
            if self._budget.spent is not None:
                before = self._room.spent
                if before is None:
                    before = journal.spent_since(self._settings.model, self._room.since)
                self._budget.carry(before)
            self._tally = Tally(self._room.on_figures, self._throttle, self._budget, total or 0)
            self._intake = Intake(self._settings, journal, self._readable, self._room.since)
            async with Transport(self._settings, key) as transport:
                self._exchange = Exchange(
                    self._settings, transport, journal, self._intake, self._throttle, self._budget,
                    self._tally, self._readable, self._wait,
                )  # fmt: skip
                await self._all()
        finally:
            journal.close()
        if self._stopped:
            raise JobStopped

    async def _all(self) -> None:
        try:
            while await self._step():
                self._count()
                self._tally.tell()
        except ModelError as error:
            self._error = error  # what is under way is paid for: it may arrive
            await self._drain(self._settings.timeout)
            raise
        else:
            await self._drain(_GRACE)
            if self._error is not None:
                raise self._error
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._exchange.commits.flush()
            self._count()
            self._tally.tell(force=True)

    async def _step(self) -> bool:
        """Take asks, let a request go, or wait a moment; False when there is nothing left to do."""
        if self._stop():
            return False
        if self._more and not self._waiting:
            self._take()
            await asyncio.sleep(0)  # all may be in the journal: what is under way must not wait for that
            return True
        if not self._waiting and not self._tasks:
            return False
        if not self._waiting or self._paused() or len(self._tasks) >= self._throttle.slots:
            await self._moment(_LOOK)
            return True
        item = self._waiting[0]
        if why := self._throttle.never(item.tokens):
            self._report(self._waiting.popleft(), self._exchange.refuse(item, why))
            await asyncio.sleep(0)
            return True
        if self._budget.waits(item.tokens):
            await self._moment(_LOOK)
            return True
        self._budget.check(item.tokens)
        if await self._turn(self._throttle.take(item.tokens)):
            self._start(self._waiting.popleft())
        return True

    # -- what comes in and goes out -----------------------------------------------------------

    def _take(self) -> None:
        asks = list(islice(self._asks, _CHUNK))
        self._more = len(asks) == _CHUNK
        taken = self._intake.take(asks)
        self._waiting.extend(taken.items)
        self._tally.counts["in_doubt"] += taken.doubts
        if self._total is None:
            self._tally.counts["total"] += len(asks)
        for reply in taken.replies:
            self._tell_of(reply)

    def _start(self, item: Item) -> None:
        task = asyncio.create_task(self._one(item))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _one(self, item: Item) -> None:
        reply = await self._exchange.answered(item)
        if reply is not None:
            self._report(item, reply)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Each task's error is looked at, the first one kept: none is left for asyncio to complain of."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and self._error is None:
            self._error = error
        self._news.set()

    def _report(self, item: Item, reply: Reply) -> None:
        for each in self._intake.closed(item, reply):
            self._tell_of(each)

    def _tell_of(self, reply: Reply) -> None:
        readable = reply.text is not None and self._readable(reply.text)
        self._tally.replied(reply, readable=readable)
        self._on_reply(reply)

    def _count(self) -> None:
        counts = self._tally.counts
        counts["in_flight"] = len(self._tasks)
        counts["waiting"] = max(len(self._waiting), counts["total"] - counts["done"] - len(self._tasks))

    # -- waiting ------------------------------------------------------------------------------

    def _stop(self) -> bool:
        self._stopped = self._stopped or self._should_stop()
        return self._stopped

    async def _moment(self, seconds: float) -> None:
        """Until a task ends, so many seconds at most. Raises the error that ends the run."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
        if self._error is not None:
            raise self._error

    async def _turn(self, seconds: float) -> bool:
        """Wait for the next request's turn; False when a stop came first."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stop():
                return False
            await self._moment(min(_LOOK, left))
        if self._error is not None:
            raise self._error
        return not self._stop()

    async def _wait(self, seconds: float) -> bool:
        """For a task: sleep; False when the run ends meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stop() or self._error is not None:
                return False
            await asyncio.sleep(min(_LOOK, left))
        return not self._stop() and self._error is None

    async def _drain(self, seconds: float) -> None:
        """Let what is under way arrive: so many seconds at most, and a moment after a stop."""
        until = time.monotonic() + seconds
        while self._tasks and (left := until - time.monotonic()) > 0:
            if self._stop():
                until = min(until, time.monotonic() + _GRACE)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(_LOOK, left)):
                    await self._news.wait()
            self._news.clear()
