"""One request to its end: tried again as its troubles ask, journalled, repaired once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.asks import Item, Reply
from t2s_tui.evaluation.judge.budget import Budget
from t2s_tui.evaluation.judge.commits import Commits
from t2s_tui.evaluation.judge.figures import Tally
from t2s_tui.evaluation.judge.intake import Intake
from t2s_tui.evaluation.judge.journal import Journal
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.throttle import Throttle
from t2s_tui.evaluation.judge.tokens import about_tokens
from t2s_tui.evaluation.judge.transport import ANSWER, FORM, RATE_LIMIT, Answer, Transport, Trouble

_MOST_REFUSALS = 60  # so many times in a row at the rate limit is no waiting any more
_MOST_LOST = 10  # so many requests in a row that reached nobody are no troubles of their own

Wait = Callable[[float], Awaitable[bool]]


class Exchange:
    """All of a run's requests go through one. `wait` sleeps, and says False when the run ends meanwhile."""

    def __init__(
        self,
        settings: JudgeSettings,
        transport: Transport,
        journal: Journal,
        intake: Intake,
        throttle: Throttle,
        budget: Budget,
        tally: Tally,
        readable: Callable[[str], bool],
        wait: Wait,
    ) -> None:
        self._settings, self._transport = settings, transport
        self._journal, self._intake = journal, intake
        self._throttle, self._budget, self._tally = throttle, budget, tally
        self._readable, self._wait = readable, wait
        self.commits = Commits(journal)
        self._reached = False
        self._lost = 0  # requests in a row that reached nobody

    async def answered(self, item: Item) -> Reply | None:
        """The reply; None when the run ends before there is one. Raises what ends the run."""
        reply = item.said
        if reply is None:
            with self._budget.staked(item.tokens):
                reply = await self._tried(item)
        if reply is None or reply.text is None or self._readable(reply.text):
            return reply
        return await self._repaired(item, reply, reply.text)

    def refuse(self, item: Item, words: str) -> Reply:
        """The reply to a request that is never sent."""
        self._journal.failed(item.key, words)
        return Reply(item.ask.example_id, None, words, 0, {}, doubts=item.doubts, key=item.key)

    async def _repaired(self, item: Item, reply: Reply, answer: str) -> Reply | None:
        """Ask once more for an answer that can be read; the first reply where that does not help."""
        self._tally.errors[ANSWER] += 1
        again = self._intake.repair(item, answer)
        self._budget.check(again.tokens)
        with self._budget.staked(again.tokens):
            if not await self._wait(self._throttle.take(again.tokens)):
                return None
            second = await self._tried(again)
        if second is None:
            return None
        costs = [cost for cost in (reply.cost, second.cost) if cost is not None]
        better = second if second.text is not None and self._readable(second.text) else reply
        return replace(
            better,
            attempts=reply.attempts + second.attempts,
            cost=sum(costs) if costs else None,
            doubts=reply.doubts,
        )

    async def _tried(self, item: Item) -> Reply | None:
        """The reply after as many tries as are worth it. The first has its turn already."""
        attempts = failures = refusals = 0
        while True:
            attempts += 1
            sent_at = time.monotonic()
            await self.commits.write(partial(self._journal.sent, [item.key]))
            try:
                answer = await self._transport.ask(item.body)
            except Trouble as trouble:
                self._throttle.failed(item.tokens)
                again = trouble.again
                if trouble.kind == FORM:
                    self._tally.adapted = self._transport.learned
                else:
                    self._tally.errors[trouble.kind] += 1
                    refusals = refusals + 1 if trouble.kind == RATE_LIMIT else 0
                    failures += trouble.kind != RATE_LIMIT
                    again &= failures < self._settings.max_attempts and refusals < _MOST_REFUSALS
                if trouble.reached:
                    self._reached, self._lost = True, 0
                if not again:
                    return await self._gave_up(item, trouble, attempts)
                await self.commits.write(partial(self._journal.unsent, item.key, str(trouble)))
                # A try counts at the endpoint like any other: it waits for its turn again.
                if not await self._wait(self._pause(trouble, sent_at, refusals or failures)):
                    return None
                if not await self._wait(self._throttle.take(item.tokens)):
                    return None
            except ModelError:
                await self.commits.write(partial(self._journal.unsent, item.key, "the run ended"))
                raise
            else:
                return await self._paid(item, answer, attempts, self._transport.learned)

    def _pause(self, trouble: Trouble, sent_at: float, tries: int) -> float:
        return 0.0 if trouble.kind == FORM else self._throttle.refused(trouble, sent_at, tries)

    async def _paid(self, item: Item, answer: Answer, attempts: int, adapted: str) -> Reply:
        """Journal an answer, then report it."""
        self._reached, self._lost = True, 0
        prompt = answer.usage.get("prompt_tokens", item.tokens)
        completion = answer.usage.get("completion_tokens", about_tokens(answer.text))
        cost = self._budget.paid(prompt, completion)
        await self.commits.write(partial(self._journal.done, item.key, answer.raw, cost, adapted))
        self._throttle.answered(answer, prompt + completion, item.tokens)
        self._tally.answered(prompt + completion)
        return Reply(
            item.ask.example_id,
            answer.text,
            "",
            attempts,
            answer.usage,
            cost,
            doubts=item.doubts,
            key=item.key,
        )

    async def _gave_up(self, item: Item, trouble: Trouble, attempts: int) -> Reply:
        await self.commits.write(partial(self._journal.failed, item.key, str(trouble)))
        if not trouble.reached:
            self._nobody(trouble)
        tries = "1 try" if attempts == 1 else f"{attempts} tries"
        return Reply(
            item.ask.example_id,
            None,
            f"{trouble} (after {tries})",
            attempts,
            {},
            doubts=item.doubts,
            key=item.key,
        )

    def _nobody(self, trouble: Trouble) -> None:
        """A request reached nobody to its end. Raises ModelError when nobody seems to be there."""
        self._lost += 1
        where = self._settings.base_url or "OpenAI"
        if not self._reached:
            raise ModelError(
                f"The judge at {where} does not answer ({trouble})", "check the URL and that it runs"
            )
        if self._lost >= _MOST_LOST:
            raise ModelError(
                f"The judge at {where} does not answer any more ({trouble})",
                "check the connection and run the same command again: the verdicts so far are kept",
            )
