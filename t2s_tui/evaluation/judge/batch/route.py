"""Asking the judge by the Batch API: the journal says what is left, batches carry it, their ends are merged.

What to do with a request is always read from the journal and its table of batches, at the start as after
every batch: there is its answer, or the batch to wait for, or it waits for one. So a run that was stopped or
killed goes on where it was, and asks for nothing that is under way or answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import IO, Any

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.asks import Ask, Reply, Room
from t2s_tui.evaluation.judge.batch.account import Account
from t2s_tui.evaluation.judge.batch.api import BatchApi, Seen
from t2s_tui.evaluation.judge.batch.calls import Calls
from t2s_tui.evaluation.judge.batch.desk import Desk
from t2s_tui.evaluation.judge.batch.ledger import OPEN, Batch, Ledger
from t2s_tui.evaluation.judge.batch.lines import InputFile, Item
from t2s_tui.evaluation.judge.batch.looks import LOOKS, Looks
from t2s_tui.evaluation.judge.batch.merge import End, Merge, queue_limit
from t2s_tui.evaluation.judge.batch.report import Report
from t2s_tui.evaluation.judge.batch.requests import Requests
from t2s_tui.evaluation.judge.budget import Budget
from t2s_tui.evaluation.judge.dialect import Dialect
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.key import find_key
from t2s_tui.evaluation.judge.refusals import ends_run
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.transport import Trouble

_STEP = 0.25  # seconds at most until the next step: a pause ends, a batch is due
_DOWNLOADS = 3  # of files that are not whole


def batch_all(
    settings: JudgeSettings,
    asks: Iterable[Ask],
    on_reply: Callable[[Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
    readable: Callable[[str], bool] = lambda text: True,
    looks: Looks = LOOKS,
) -> None:
    """Ask everything in batches; `on_reply` is called in this thread, once an Ask, as batches end.

    Raises what `ask_all` raises, JobStopped at once: batches that are under way go on at the endpoint, and
    the same call waits for them again. While `paused` says so nothing is handed in or looked at.
    """
    asks = iter(asks)
    if (first := next(asks, None)) is None:
        return
    asks, room, key = chain([first], asks), room or Room(), find_key(settings)
    journal = Journal(room.journal)

    async def run() -> None:
        async with BatchApi(settings, key) as api:
            route = _Route(settings, api, journal, key, (should_stop, paused), room, looks)
            await route.ask(asks, on_reply, readable)

    try:
        asyncio.run(run())
    finally:
        journal.close()


@dataclass(slots=True)
class _Watch:
    """A batch that is waited for. `due`: when to look next, seconds since 1970; `form`: of its requests."""

    batch: Batch
    due: float = 0.0
    form: Dialect = field(default_factory=Dialect)
    failures: int = 0
    downloads: int = 0


class _Route:
    def __init__(
        self,
        settings: JudgeSettings,
        api: BatchApi,
        journal: Journal,
        key: str,
        watch: tuple[Callable[[], bool], Callable[[], bool]],
        room: Room,
        looks: Looks,
    ) -> None:
        self._settings, self._api, self._journal, self._key = settings, api, journal, key
        self._room, self._looks, self._paused = room, looks, watch[1]
        self._endpoint = settings.base_url or "openai"
        self._ledger = Ledger(journal)
        self._calls = Calls(settings, watch[0])
        self._desk = Desk(api, self._calls, journal, self._ledger, looks)
        self._budget = Budget(settings, room.workspace_root)
        if self._budget.spent is not None:
            before = journal.spent_since(settings.model, room.since) if room.spent is None else room.spent
            self._budget.carry(before)
        self._account = Account(settings, self._budget, self._ledger, looks)
        self._report = Report(room.on_figures, settings.budget)
        self._dialect = Dialect()
        self._watched: dict[str, _Watch] = {}

    async def ask(
        self, asks: Iterable[Ask], on_reply: Callable[[Reply], None], readable: Callable[[str], bool]
    ) -> None:
        self._requests = Requests(
            self._settings, self._journal, self._ledger, on_reply, readable, self._room.since,
            self._calls.stop_if_asked,
        )  # fmt: skip
        try:
            async with self._calls.alone(self._room.journal):
                await self._desk.recover(self._endpoint)
                self._requests.ask(asks)
            self._watch_new()
            while self._requests.pending:
                await self._step()
        finally:
            self._tell()
        self._ledger.closed(self._requests.touched)

    async def _step(self) -> None:
        """Hand in what fits, look at what is due, or wait a little."""
        self._calls.stop_if_asked()
        self._tell()
        if self._paused():
            await self._calls.sleep(_STEP)
        elif self._may_hand_in():
            await self._hand_in()
        elif (next_one := self._next()) is not None and next_one.due <= time.time():
            await self._look(next_one)
        else:
            left = next_one.due - time.time() if next_one is not None else _STEP
            await self._calls.sleep(min(_STEP, max(0.0, left)))

    def _next(self) -> _Watch | None:
        """The batch that is to be looked at first."""
        return min(self._watched.values(), key=lambda watch: watch.due, default=None)

    # -- handing in ---------------------------------------------------------------------------

    def _may_hand_in(self) -> bool:
        """Whether the next request fits now. Raises ModelError when the budget is used up."""
        waiting = self._requests.waiting
        while waiting and (words := self._account.never_fits(waiting[0])):
            self._requests.give_up(waiting.popleft(), words)
        return bool(waiting) and self._account.check(waiting[0], self._open_ones())

    def _open_ones(self) -> list[Batch]:
        return [watch.batch for watch in self._watched.values()]

    async def _hand_in(self) -> None:
        async with self._calls.alone(self._room.journal):
            await self._desk.recover(self._endpoint)
            with closing(InputFile(self._spoken, self._budget.worst)) as file:
                file.fill(self._requests.waiting, self._account.space(self._open_ones()))
                if self._requests.changed(file.items):
                    self._requests.settle_all()
                else:
                    batch, wait = await self._desk.hand_in(self._endpoint, self._settings.model, file)
                    self._requests.touched.add(batch.id)
                    self._watched[batch.id] = _Watch(batch, time.time() + wait, deepcopy(self._dialect))
        self._watch_new()

    def _spoken(self, item: Item) -> Mapping[str, Any]:
        return self._dialect.spoken(self._requests.body(item))

    def _watch_new(self) -> None:
        """Wait for the batches that hold something that was asked for: they are looked at once at first."""
        for id, batch in self._requests.under_way.items():
            self._watched.setdefault(id, _Watch(batch))
        self._requests.under_way.clear()

    # -- looking ------------------------------------------------------------------------------

    async def _look(self, watch: _Watch) -> None:
        here = self._ledger.get(watch.batch.id)
        if here is None:  # another process found that the account's queue was full
            del self._watched[watch.batch.id]
            self._requests.settle_all()
        elif here.state != OPEN or here.batch is None:  # another process took its ends
            self._ended(watch)
        else:
            try:
                await self._look_at(watch, here.batch)
            except Trouble as trouble:
                self._look_failed(watch, trouble)

    async def _look_at(self, watch: _Watch, batch: str) -> None:
        seen = await self._calls.once(self._api.look(batch))
        now = replace(watch.batch, status=seen.status, completed=seen.completed, failed=seen.failed)
        if now != watch.batch:
            self._ledger.seen(now.id, now.status, now.completed, now.failed)
        watch.batch, watch.failures = now, 0
        watch.due = time.time() + self._looks.after(now.age, seen.headers)
        if seen.ended:
            await self._take(watch, seen)

    def _look_failed(self, watch: _Watch, trouble: Trouble) -> None:
        """Look again later, however often. Raises ModelError where that is of no use."""
        watch.failures += 1
        if not trouble.again:
            raise ModelError(
                f"The batch {watch.batch.batch} is not to be had ({trouble})",
                "use a key of the project that handed it in, or let go of it: "
                f"t2s-tui judge batches --forget {watch.batch.batch}",
            ) from trouble
        if not self._calls.reached:
            self._calls.give_up_after(watch.failures, trouble)
        wait = self._looks.after_trouble(watch.failures, watch.batch.age, trouble.headers)
        watch.due = time.time() + wait

    # -- the ends of a batch ------------------------------------------------------------------

    async def _take(self, watch: _Watch, seen: Seen) -> None:
        """Merge what came of a batch that ended, then report it. Raises ModelError when the run must end."""
        limit = queue_limit(seen, watch.batch)
        if limit is not None:
            self._wait_for_room(watch, limit)
            return
        keys = self._ledger.keys(watch.batch.id)
        merge = Merge(seen, keys, self._key, self._ends_run, partial(self._learn, watch.form))
        with ExitStack() as stack:
            files = [stack.enter_context(file) for file in await self._files(watch, seen)]
            watch.downloads += 1
            if watch.downloads <= _DOWNLOADS:
                merge.check(files)
            self._journal.together(self._steps(watch, merge, files))
        self._calls.errors.update(merge.errors)
        self._ended(watch)
        if merge.fatal is not None:
            raise merge.fatal

    async def _files(self, watch: _Watch, seen: Seen) -> list[IO[bytes]]:
        """The files of a batch. One that is not there any more is left out: its requests are missing."""
        files: list[IO[bytes]] = []
        for name in seen.files:
            try:
                files.append(await self._calls.once(self._api.fetch(name)))
            except Trouble as trouble:
                if trouble.again:
                    raise
                watch.downloads = _DOWNLOADS
        return files

    def _steps(self, watch: _Watch, merge: Merge, files: list[IO[bytes]]) -> Iterator[Callable[[], None]]:
        """The ends of a batch as steps of the journal: all of them are on the disk, or none."""
        here = self._ledger.get(watch.batch.id)
        if here is None or here.state != OPEN:
            return  # another process was first
        for end in merge.ends(files):
            yield partial(self._write, end, watch.form.learned)
        yield partial(self._ledger.answered, watch.batch.id)

    def _write(self, end: End, adapted: str) -> None:
        if end.answer is not None:
            usage = end.answer.usage
            cost = self._budget.paid(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))
            self._journal.done(end.key, end.answer.raw, cost, adapted)
        elif end.again and len(self._ledger.batches_of(end.key)) < self._settings.max_attempts:
            self._journal.unsent(end.key, end.words)
        else:
            self._journal.failed(end.key, end.words)

    def _ends_run(self, status: int, error: Mapping[str, Any], words: str) -> ModelError | None:
        where = self._settings.base_url or "OpenAI"
        return ends_run(status, error, words, where, self._settings)

    def _learn(self, form: Dialect, key: str, status: int, words: str) -> bool:
        """Whether a refusal is about the form in which a request was sent: the next batch asks for less."""
        entry = self._journal.find(key)
        return entry is not None and self._dialect.learn(form.spoken(entry.body), status, words)

    def _ended(self, watch: _Watch) -> None:
        """Do for each request of a batch what its end asks for."""
        del self._watched[watch.batch.id]
        self._account.relieved()
        for key in self._ledger.keys(watch.batch.id):
            self._requests.settle(key)
        self._watch_new()

    def _wait_for_room(self, watch: _Watch, limit: float) -> None:
        """The account's queue was full: nothing was asked, and less of it is handed in after a while."""
        keys = self._ledger.keys(watch.batch.id)
        self._account.full(limit)
        again = [partial(self._journal.unsent, key, "the account's queue was full") for key in keys]
        self._journal.together([partial(self._ledger.dropped, watch.batch.id), *again])
        del self._watched[watch.batch.id]
        for key in keys:
            self._requests.settle(key)
        self._watch_new()

    def _tell(self) -> None:
        held = self._account.held
        self._report.tell(
            self._requests,
            [(watch.batch, watch.due) for watch in self._watched.values()],
            self._calls.errors,
            self._budget.spent,
            held if self._requests.waiting and held > time.time() else None,
            self._dialect.learned,
        )
