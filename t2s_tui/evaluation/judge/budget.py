"""What a run has cost and may still cost, request by request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2s_tui.errors import ModelError, UsageError
from t2s_tui.evaluation.judge.bodies import REASONING_TOKENS, is_reasoning
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.settings import JudgeSettings

_ANSWER_TOKENS, _THOUGHT_TOKENS = 256, 4096  # of an answer at most, while none has been longer
_ROOM = 1.5  # times the longest answer seen so far, where no limit bounds it


class Budget:
    """USD spent, and at stake in what is under way.

    Raises UsageError when a budget is set for a model that has no price.
    """

    def __init__(self, settings: JudgeSettings, workspace_root: Path | None) -> None:
        price = price_of(settings.model, workspace_root)
        self._price = price.in_batch() if price and settings.route == "batch" else price
        self.most = settings.budget
        if self.most is not None and self._price is None:
            raise UsageError(
                f"There is no price for {settings.model!r}, so a budget cannot be kept",
                "add it to prices.toml in the workspace, or leave --judge-budget out",
            )
        reserve = REASONING_TOKENS if is_reasoning(settings) else 0
        self._bound = None if settings.max_tokens is None else settings.max_tokens + reserve
        self._longest = _ANSWER_TOKENS + (_THOUGHT_TOKENS if reserve else 0)
        self._spent = self._at_stake = 0.0

    @property
    def spent(self) -> float | None:
        """USD; None where no price is known."""
        return self._spent if self._price else None

    def carry(self, spent: float) -> None:
        """So much the work cost before it was resumed."""
        self._spent += spent

    def waits(self, tokens: int) -> bool:
        """Whether only what is under way stands between such a request and the budget: it may cost less."""
        if self.most is None or not self._at_stake:
            return False
        left = self.most - self._spent - self.worst(tokens)
        return 0 <= left < self._at_stake

    def check(self, tokens: int) -> None:
        """Raises ModelError where a request of so many tokens could take it over the budget."""
        worst = self.worst(tokens)
        if self.most is not None and self._spent + self._at_stake + worst > self.most:
            raise ModelError(
                f"The budget of {self.most:g} USD is used up ({self._spent:.2f} spent, "
                f"the next request could cost {worst:.4f})",
                "raise --judge-budget and run the same command again: the verdicts so far are kept",
            )

    @contextmanager
    def staked(self, tokens: int) -> Iterator[None]:
        """While a request of so many tokens is under way."""
        worst = self.worst(tokens)
        self._at_stake += worst
        try:
            yield
        finally:
            self._at_stake -= worst

    def paid(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """An answer came; returns its price."""
        self._longest = max(self._longest, round(_ROOM * completion_tokens))
        if self._price is None:
            return None
        cost = self._price.of(prompt_tokens, completion_tokens)
        self._spent += cost
        return cost

    def worst(self, tokens: int) -> float:
        """USD that a request of so many tokens may cost; 0 where no price is known."""
        bound = self._longest if self._bound is None else self._bound
        return self._price.of(tokens, bound) if self._price else 0.0
