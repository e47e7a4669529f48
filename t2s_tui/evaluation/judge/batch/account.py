"""What a run may still hand in: the money of its budget, and room in the account's queue."""

from __future__ import annotations

import time
from collections.abc import Iterable

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.batch.ledger import OPEN, Batch, Ledger
from t2s_tui.evaluation.judge.batch.lines import MOST_BYTES, Item, Space
from t2s_tui.evaluation.judge.batch.looks import Looks
from t2s_tui.evaluation.judge.budget import Budget
from t2s_tui.evaluation.judge.settings import JudgeSettings

_STALE = 25 * 3600.0  # seconds: an older batch has no place in the queue any more


class Account:
    """The account of one run. `held`: when to hand in again after a full queue, in seconds since 1970."""

    def __init__(self, settings: JudgeSettings, budget: Budget, ledger: Ledger, looks: Looks) -> None:
        self._settings, self._ledger, self._looks = settings, ledger, looks
        self.budget = budget
        self._endpoint = settings.base_url or "openai"
        self._limit = float(settings.batch_tokens or "inf")
        self._refusals = 0
        self.held = 0.0

    def check(self, item: Item, waited_for: Iterable[Batch]) -> bool:
        """Whether a request fits beside the batches that are waited for.

        Raises ModelError when there is no money for it, and nothing under way that may leave some.
        """
        if time.time() < self.held:
            return False
        open_ones = list(waited_for)
        space = self.space(open_ones)
        if self.budget.worst(item.tokens) > space.money and not open_ones:
            self._used_up(item)
        return item.tokens <= space.tokens and self.budget.worst(item.tokens) <= space.money

    def never_fits(self, item: Item) -> str:
        """Why a request can be in no batch; empty where it can."""
        if item.tokens > self._limit:
            return f"it needs about {item.tokens} tokens, batches may hold {self._limit:g}"
        return "it is larger than a batch's file may be" if item.size > MOST_BYTES else ""

    def space(self, waited_for: Iterable[Batch]) -> Space:
        """What may be handed in beside the batches that are waited for."""
        most, spent = self.budget.most, self.budget.spent or 0.0
        if most is None:
            return Space(tokens=self._limit - self._in_queue())
        at_stake = sum(self._at_stake(batch) for batch in waited_for)
        return Space(tokens=self._limit - self._in_queue(), money=most - spent - at_stake)

    def full(self, limit: float) -> None:
        """The queue had no room: hand in no more than `limit` tokens at once, and not at once."""
        self._limit = min(self._limit, limit)
        self._refusals += 1
        self.held = time.time() + min(self._looks.most, self._looks.first * 2**self._refusals)

    def relieved(self) -> None:
        """A batch ended: there is room again."""
        self._refusals, self.held = 0, 0.0

    def _in_queue(self) -> int:
        """Tokens that take a place in the queue, those of other runs as well."""
        found = self._ledger.unclosed(self._endpoint)
        return sum(batch.tokens for batch in found if batch.state == OPEN and batch.age < _STALE)

    def _at_stake(self, batch: Batch) -> float:
        """What a batch may cost: each of its requests at the mean of their tokens."""
        return batch.total * self.budget.worst(round(batch.tokens / max(1, batch.total)))

    def _used_up(self, item: Item) -> None:
        raise ModelError(
            f"The budget of {self.budget.most:g} USD is used up ({self.budget.spent or 0.0:.2f} spent, "
            f"the next request could cost {self.budget.worst(item.tokens):.4f})",
            "raise --judge-budget and run the same command again: the verdicts so far are kept",
        )
