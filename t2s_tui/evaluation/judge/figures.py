"""How a run goes on, as its `judge` events tell it: counts, rates, money, errors by class."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

from t2s_tui.evaluation.judge.asks import FiguresHeard, Reply
from t2s_tui.evaluation.judge.budget import Budget
from t2s_tui.evaluation.judge.throttle import Throttle

_EVERY = 0.25  # seconds between two events
_SPAN = 60.0  # seconds that rates are taken over
_COUNTS = ("done", "in_flight", "waiting", "total", "missing", "failed", "cached", "in_doubt")


class Tally:
    """The figures of one run, and who hears them.

    `missing` are the replies without a word that can be read; `failed` those of them that are no answer at
    all.
    """

    def __init__(self, heard: FiguresHeard, throttle: Throttle, budget: Budget, total: int) -> None:
        self._heard, self._throttle, self._budget = heard, throttle, budget
        self.counts: Counter[str] = Counter(total=total)
        self.errors: Counter[str] = Counter()
        self.adapted = ""
        self._recent: deque[tuple[float, int]] = deque()
        self._told = 0.0

    def answered(self, tokens: int) -> None:
        """An answer of so many tokens, both ways, came just now."""
        self._recent.append((time.monotonic(), tokens))

    def replied(self, reply: Reply, *, readable: bool) -> None:
        """A reply is about to be reported."""
        self.counts["done"] += 1
        self.counts["cached"] += reply.cached
        self.counts["failed"] += reply.text is None
        self.counts["missing"] += not readable

    def tell(self, *, force: bool = False) -> None:
        """Say the figures, unless they were said a moment ago."""
        now = time.monotonic()
        if not force and now - self._told < _EVERY:
            return
        self._told = now
        self._heard(self._now(now))

    def _now(self, now: float) -> dict[str, Any]:
        while self._recent and self._recent[0][0] < now - _SPAN:
            self._recent.popleft()
        span = max(1.0, now - self._recent[0][0]) if self._recent else _SPAN
        rate = 60 * len(self._recent) / span
        left = self.counts["total"] - self.counts["done"]
        spent = self._budget.spent
        return {name: self.counts[name] for name in _COUNTS} | {
            "requests_per_minute": round(rate, 1),
            "tokens_per_minute": round(60 * sum(n for _, n in self._recent) / span),
            "limits": self._throttle.limits,
            "cost": None if spent is None else round(spent, 6),
            "budget": self._budget.most,
            "currency": "USD",
            "errors": dict(self.errors),
            "adapted": self.adapted,
            "eta_seconds": round(60 * left / rate) if rate and left else None,
        }
