"""Asking the judge: paced by its limits, retried by the class of error, journalled before it is reported."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from t2s_tui.errors import JobStopped, ModelError, UsageError
from t2s_tui.evaluation.judge.backoff import pause, retry_after
from t2s_tui.evaluation.judge.commits import Commits
from t2s_tui.evaluation.judge.cost import Price, price_of
from t2s_tui.evaluation.judge.journal import Journal, request_key
from t2s_tui.evaluation.judge.key import find_key
from t2s_tui.evaluation.judge.limits import Concurrency, Pace, limits_of, reset_after
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.tokens import counter
from t2s_tui.evaluation.judge.transport import ANSWER, RATE_LIMIT, Answer, Transport, Trouble

_LOOK = 0.1  # seconds between looks at whether to stop
_TELL = 0.25
_MOST_REFUSALS = (
    60  # a request that meets the rate limit waits; so many times in a row is no waiting any more
)
_REPAIR = 'Your answer could not be read. Answer with {"resolve_yn": "yes"} or {"resolve_yn": "no"} only.'
_ANSWER_TOKENS = 64  # what an answer is taken to cost until its usage is known

Figures = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the judge: the messages of a chat. `repeat` tells repetitions of it apart."""

    example_id: str
    messages: tuple[Mapping[str, str], ...]
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an Ask: the judge's text, or `trouble` that says why there is none.

    `cached`: answered from the journal, for nothing. `doubts`: how often it was under way when
    a process died.
    """

    example_id: str
    text: str | None
    trouble: str
    attempts: int
    usage: dict[str, int]
    cost: float | None = None
    cached: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """Where the journal and the price table are, and who hears figures (at most 4 a second)."""

    journal: Path = Path(":memory:")
    workspace_root: Path | None = None
    on_figures: Figures = field(default=lambda figures: None)


def ask_all(
    settings: JudgeSettings,
    asks: Sequence[Ask],
    on_reply: Callable[[Reply], None],
    should_stop: Callable[[], bool] = lambda: False,
    paused: Callable[[], bool] = lambda: False,
    room: Room | None = None,
    readable: Callable[[str], bool] = lambda text: True,
) -> None:
    """Ask everything; `on_reply` is called in this thread, once an Ask, as replies arrive.

    Raises UsageError when OpenAI's own endpoint is asked without a key, or a budget is set for a model that
    has no price; ModelError when the key, the quota or the budget ends the run, or nothing answers;
    WorkspaceError when the journal cannot be written; JobStopped after a stop was asked for and the requests
    that were under way are in. While `paused` says so nothing new is asked. An answer that is not `readable`
    is asked for once more, in the same conversation.
    """
    if asks:
        watch = (should_stop, paused)
        asyncio.run(_Dispatcher(settings, on_reply, watch, room or Room(), readable).run(asks))


def body_of(settings: JudgeSettings, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The request as it is sent, the reference's keys in the reference's order."""
    return {
        "model": settings.model,
        "response_format": {"type": "json_object"},
        "messages": [dict(message) for message in messages],
    }


@dataclass(slots=True)
class _Item:
    ask: Ask
    key: str
    body: dict[str, Any]
    tokens: int
    doubts: int = 0


class _Dispatcher:
    def __init__(
        self,
        settings: JudgeSettings,
        on_reply: Callable[[Reply], None],
        watch: tuple[Callable[[], bool], Callable[[], bool]],
        room: Room,
        readable: Callable[[str], bool],
    ) -> None:
        self._settings, self._on_reply, self._room = settings, on_reply, room
        self._should_stop, self._paused = watch
        self._readable = readable
        self._key = find_key(settings)
        self._endpoint = settings.base_url or "openai"
        self._price = _price(settings, room)
        self._requests, self._tokens = Pace(settings.requests_per_minute), Pace(settings.tokens_per_minute)
        known = settings.requests_per_minute or settings.tokens_per_minute
        self._room_for = Concurrency(settings.concurrency, start=settings.concurrency if known else 2)
        self._random = Random()
        self._reached = self._stopped = False
        self._counts: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._spent = self._at_stake = 0.0
        self._recent: deque[tuple[float, int]] = deque()
        self._told = 0.0

    async def run(self, asks: Sequence[Ask]) -> None:
        journal = Journal(self._room.journal)
        try:
            waiting = self._from_journal(journal, asks)
            if waiting:
                async with Transport(self._settings, self._key) as transport:
                    self._commits = Commits(journal)
                    await self._all(transport, journal, waiting)
        finally:
            self._tell(force=True)
            journal.close()
        if self._stopped:
            raise JobStopped

    def _from_journal(self, journal: Journal, asks: Sequence[Ask]) -> deque[_Item]:
        """Answer what the journal has; what is left is queued there."""
        waiting: deque[_Item] = deque()
        self._counts["total"] = len(asks)
        for ask in asks:
            body = body_of(self._settings, ask.messages)
            key = request_key(self._endpoint, body, ask.repeat)
            entry = journal.find(key)
            text = _text_of(entry.answer) if entry is not None and entry.answer is not None else None
            if entry is not None and text is not None and self._settings.reuse and self._readable(text):
                self._counts["cached"] += 1
                self._counts["done"] += 1
                usage = {"prompt_tokens": entry.prompt_tokens, "completion_tokens": entry.completion_tokens}
                self._on_reply(Reply(ask.example_id, text, "", entry.attempts, usage, 0.0, cached=True))
                continue
            doubt = 1 if entry is not None and entry.state == "sent" else 0
            waiting.append(_Item(ask, key, body, self._size(body), doubt + (entry.doubts if entry else 0)))
        self._counts["in_doubt"] = journal.open_requests((i.key, self._endpoint, i.body) for i in waiting)
        return waiting

    async def _all(self, transport: Transport, journal: Journal, waiting: deque[_Item]) -> None:
        tasks: set[asyncio.Task[None]] = set()
        try:
            while waiting or tasks:
                self._stopped = self._stopped or self._should_stop()
                if self._stopped and not tasks:
                    return
                self._counts["waiting"], self._counts["in_flight"] = len(waiting), len(tasks)
                self._tell()
                if waiting and not self._stopped and not self._paused() and len(tasks) < self._room_for.now:
                    if not await self._may_go(waiting[0]):
                        continue
                    tasks.add(asyncio.create_task(self._one(transport, journal, waiting.popleft())))
                    continue
                if not tasks:
                    await asyncio.sleep(_LOOK)
                    continue
                done, tasks = await asyncio.wait(tasks, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._commits.flush()

    async def _may_go(self, item: _Item) -> bool:
        """Wait for the pace; False when a stop came first. Raises ModelError at the end of the budget."""
        worst = self._worst(item)
        budget = self._settings.budget
        if budget is not None and self._spent + self._at_stake + worst > budget:
            raise ModelError(
                f"The budget of {budget:g} USD is used up ({self._spent:.2f} spent, "
                f"the next request could cost {worst:.4f})",
                "raise --judge-budget and run the same command again: the verdicts so far are kept",
            )
        return await self._paced(item)

    async def _paced(self, item: _Item) -> bool:
        """Wait until the limits let one more try go; False when a stop came first."""
        now = time.monotonic()
        delay = max(self._requests.take(1, now), self._tokens.take(item.tokens + _ANSWER_TOKENS, now))
        return await self._sleep(delay)

    async def _one(self, transport: Transport, journal: Journal, item: _Item) -> None:
        worst = self._worst(item)
        self._at_stake += worst
        try:
            reply = await self._answered(transport, journal, item)
            if reply is not None and reply.text is not None and not self._readable(reply.text):
                reply = await self._repaired(transport, journal, item, reply)
        finally:
            self._at_stake -= worst
        if reply is None:
            return
        self._counts["done"] += 1
        self._counts["failed"] += reply.text is None
        self._on_reply(reply)

    async def _repaired(self, transport: Transport, journal: Journal, item: _Item, reply: Reply) -> Reply:
        """Ask once more for an answer that can be read; the first reply where that does not help."""
        self._errors[ANSWER] += 1
        said = [{"role": "assistant", "content": reply.text or ""}, {"role": "user", "content": _REPAIR}]
        body = {**item.body, "messages": [*item.body["messages"], *said]}
        again = _Item(item.ask, request_key(self._endpoint, body, item.ask.repeat), body, self._size(body))
        journal.open_requests([(again.key, self._endpoint, body)])
        second = await self._answered(transport, journal, again)
        if second is None or second.text is None or not self._readable(second.text):
            return reply
        cost = None if second.cost is None else (reply.cost or 0.0) + second.cost
        return replace(second, attempts=reply.attempts + second.attempts, cost=cost, doubts=reply.doubts)

    def _size(self, body: Mapping[str, Any]) -> int:
        """About how many tokens a request has."""
        count, _ = counter(self._settings.model)
        return sum(count(str(message["content"])) + 8 for message in body["messages"])

    async def _answered(self, transport: Transport, journal: Journal, item: _Item) -> Reply | None:
        """The reply after as many tries as are worth it; None when a stop came while waiting to try again."""
        limit = self._tokens.per_minute
        if limit and item.tokens > limit:
            return await self._gave_up(
                journal, item, f"it needs about {item.tokens} tokens, the limit a minute is {limit:g}", 0
            )
        attempts = failures = refusals = 0
        while True:
            attempts += 1
            sent_at = time.monotonic()
            await self._commits.write(partial(journal.sent, [item.key]))
            try:
                answer = await transport.ask(item.body)
            except Trouble as trouble:
                self._reached = self._reached or trouble.reached
                self._errors[trouble.kind] += 1
                refusals = refusals + 1 if trouble.kind == RATE_LIMIT else 0
                failures += trouble.kind != RATE_LIMIT
                over = failures >= self._settings.max_attempts or refusals >= _MOST_REFUSALS
                if not trouble.again or over:
                    return await self._gave_up(journal, item, str(trouble), attempts, trouble)
                await self._commits.write(partial(journal.unsent, item.key, str(trouble)))
                self._learn(trouble.headers)
                # A try counts at the endpoint like any other: it waits for its turn again.
                if not (await self._back_off(trouble, max(1, failures), sent_at) and await self._paced(item)):
                    return None
            except ModelError:
                await self._commits.write(partial(journal.unsent, item.key, "the run ended"))
                raise
            else:
                return await self._paid(journal, item, answer, attempts)

    async def _paid(self, journal: Journal, item: _Item, answer: Answer, attempts: int) -> Reply:
        """Journal an answer, then report it."""
        self._reached = True
        usage = {
            k: v
            for k, v in (answer.raw.get("usage") or {}).items()
            if k.endswith("_tokens") and isinstance(v, int)
        }
        prompt, completion = usage.get("prompt_tokens", item.tokens), usage.get("completion_tokens", 0)
        cost = self._price.of(prompt, completion) if self._price else None
        self._spent += cost or 0.0
        await self._commits.write(partial(journal.done, item.key, answer.raw, cost))
        self._tokens.adjust(prompt + completion - item.tokens - _ANSWER_TOKENS)
        self._recent.append((time.monotonic(), prompt + completion))
        self._room_for.answered()
        self._learn(answer.headers)
        kept = {k: usage[k] for k in ("prompt_tokens", "completion_tokens") if k in usage}
        return Reply(item.ask.example_id, answer.text, "", attempts, kept, cost, doubts=item.doubts)

    async def _gave_up(
        self, journal: Journal, item: _Item, words: str, attempts: int, trouble: Trouble | None = None
    ) -> Reply:
        await self._commits.write(partial(journal.failed, item.key, words))
        if trouble is not None and not trouble.reached and not self._reached:
            where = self._settings.base_url or "OpenAI"
            raise ModelError(
                f"The judge at {where} does not answer ({words})", "check the URL and that it runs"
            )
        tries = "" if not attempts else " (after 1 try)" if attempts == 1 else f" (after {attempts} tries)"
        return Reply(item.ask.example_id, None, f"{words}{tries}", attempts, {}, doubts=item.doubts)

    async def _back_off(self, trouble: Trouble, failures: int, sent_at: float) -> bool:
        """Wait as the class of the trouble asks; False when a stop came meanwhile."""
        now = time.monotonic()
        if trouble.kind == RATE_LIMIT:
            self._room_for.refused(sent_at, now)
            asked = retry_after(trouble.headers)
            reset = reset_after(trouble.headers) if asked is None else None
            wait = reset if reset is not None else pause(failures, trouble.headers, self._random)
            self._requests.hold(now + wait)  # the others need not find out one by one
            return await self._sleep(wait)
        if trouble.kind != ANSWER:
            self._room_for.troubled()
        return await self._sleep(pause(failures, trouble.headers, self._random))

    def _learn(self, headers: Mapping[str, str]) -> None:
        """Take over limits that the endpoint names, unless a person set them."""
        limits = limits_of(headers)
        if limits.requests and not self._settings.requests_per_minute:
            if self._requests.per_minute is None:  # once: later cuts stand
                self._room_for.now = self._room_for.most
            self._requests.per_minute = limits.requests
        if limits.tokens and not self._settings.tokens_per_minute:
            self._tokens.per_minute = limits.tokens

    async def _sleep(self, seconds: float) -> bool:
        """Wait; False when a stop was asked for meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._stopped = self._stopped or self._should_stop()
            if self._stopped:
                return False
            await asyncio.sleep(min(_LOOK, left))
        return not self._stopped

    def _worst(self, item: _Item) -> float:
        """What the request may cost at most, by the estimate."""
        return self._price.of(item.tokens, 4 * _ANSWER_TOKENS) if self._price else 0.0

    def _tell(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._told < _TELL:
            return
        self._told = now
        while self._recent and self._recent[0][0] < now - 60:
            self._recent.popleft()
        span = max(1.0, now - self._recent[0][0]) if self._recent else 60.0
        rate = 60 * len(self._recent) / span
        left = self._counts["total"] - self._counts["done"]
        figures = {
            name: self._counts[name]
            for name in ("done", "in_flight", "waiting", "total", "failed", "cached", "in_doubt")
        }
        self._room.on_figures(
            figures
            | {
                "requests_per_minute": round(rate, 1),
                "tokens_per_minute": round(60 * sum(n for _, n in self._recent) / span),
                "limits": {"requests": self._requests.per_minute, "tokens": self._tokens.per_minute},
                "cost": round(self._spent, 6) if self._price else None,
                "budget": self._settings.budget,
                "currency": "USD",
                "errors": dict(self._errors),
                "eta_seconds": round(60 * left / rate) if rate and left else None,
            }
        )


def _price(settings: JudgeSettings, room: Room) -> Price | None:
    found = price_of(settings.model, room.workspace_root)
    if settings.budget is not None and found is None:
        raise UsageError(
            f"There is no price for {settings.model!r}, so a budget cannot be kept",
            "add it to prices.toml in the workspace, or leave --judge-budget out",
        )
    return found


def _text_of(answer: Mapping[str, Any]) -> str:
    """The text of a stored completion."""
    choices = answer.get("choices") or [{}]
    return str((choices[0].get("message") or {}).get("content") or "")
