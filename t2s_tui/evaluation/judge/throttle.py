"""The limits of one run as they are known so far: what may go now, and what answers and refusals teach."""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random

from t2s_tui.evaluation.judge.backoff import pause, retry_after
from t2s_tui.evaluation.judge.limits import Concurrency, Pace, limits_of, reset_after
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.transport import ANSWER, RATE_LIMIT, Answer, Trouble

_ANSWER_TOKENS = 64  # what an answer is taken to use until its usage is known
_START = 2


class Throttle:
    """Requests and tokens a minute, and how many at once."""

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._requests, self._tokens = Pace(settings.requests_per_minute), Pace(settings.tokens_per_minute)
        known = settings.requests_per_minute or settings.tokens_per_minute
        self._room = Concurrency(settings.concurrency, start=settings.concurrency if known else _START)
        self._random = Random()

    @property
    def slots(self) -> int:
        """How many requests may be under way."""
        return self._room.now

    @property
    def limits(self) -> dict[str, float | None]:
        """A minute's requests and tokens; None where not known."""
        return {"requests": self._requests.per_minute, "tokens": self._tokens.per_minute}

    def never(self, tokens: int) -> str:
        """Why a request of so many tokens can never go; empty where it can."""
        limit = self._tokens.per_minute
        if limit is None or tokens <= limit:
            return ""
        return f"it needs about {tokens} tokens, the limit a minute is {limit:g}"

    def take(self, tokens: int) -> float:
        """Reserve one request of so many tokens; returns the seconds until it may go."""
        now = time.monotonic()
        return max(self._requests.take(1, now), self._tokens.take(tokens + _ANSWER_TOKENS, now))

    def answered(self, answer: Answer, used: int, expected: int) -> None:
        """It went well, with `used` tokens where `expected` were taken."""
        self._back(expected, used)
        self._room.answered()
        self._learn(answer.headers)

    def failed(self, expected: int) -> None:
        """A request of so many tokens came back without an answer: it counts as it was taken."""
        self._back(expected, expected + _ANSWER_TOKENS)

    def _back(self, expected: int, used: int) -> None:
        now = time.monotonic()
        self._requests.back(1, 1, now)
        self._tokens.back(expected + _ANSWER_TOKENS, used, now)

    def refused(self, trouble: Trouble, sent_at: float, tries: int) -> float:
        """It failed, for the `tries`th time in this way; returns the seconds to wait before another try."""
        self._learn(trouble.headers)
        if trouble.kind == RATE_LIMIT:
            now = time.monotonic()
            self._room.refused(sent_at, now)
            asked = retry_after(trouble.headers)
            reset = reset_after(trouble.headers) if asked is None else None
            wait = reset if reset is not None else pause(tries, trouble.headers, self._random)
            self._requests.hold(now + wait)  # the others need not find out one by one
            return wait
        if trouble.kind != ANSWER:
            self._room.troubled()
        return pause(tries, trouble.headers, self._random)

    def _learn(self, headers: Mapping[str, str]) -> None:
        """Take over limits that the endpoint names, unless a person set them."""
        limits = limits_of(headers)
        if limits.requests and not self._settings.requests_per_minute:
            if self._requests.per_minute is None:  # once: later cuts stand
                self._room.now = self._room.most
            self._requests.per_minute = limits.requests
        if limits.tokens and not self._settings.tokens_per_minute:
            self._tokens.per_minute = limits.tokens
