"""How fast a judge may be asked: requests and tokens a minute, and how many at once. The clock is passed in.

Known limits are paced (GCRA, ITU-T I.371) a little below what is permitted, so that no minute holds more.
Unknown ones are felt for: concurrency starts small, grows by one a round of answers, and is halved once an
episode of refusals, as TCP does (Jacobson 1988).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SHARE = 0.985  # of the permitted rate
_BURST = 0.01  # of a minute's allowance that may come at once
_START = 2
_RESET = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


class Pace:
    """A rate a minute, None while it is not known. `take` says when so much may go; `adjust` corrects what
    was taken; `hold` makes all wait, at a known rate or not."""

    def __init__(self, per_minute: float | None = None) -> None:
        self.per_minute = per_minute
        self._next = 0.0

    def take(self, amount: float, now: float) -> float:
        """Reserve `amount`; returns the seconds to wait until it may go."""
        if not self.per_minute:
            return max(0.0, self._next - now)
        interval = 60.0 / (self.per_minute * _SHARE)
        slack = max(0.0, self.per_minute * _BURST - amount) * interval
        start = max(self._next, now - slack)
        self._next = start + amount * interval
        return max(0.0, start - now)

    def adjust(self, amount: float) -> None:
        """So much more (or less) was used than was taken."""
        if self.per_minute:
            self._next += amount * 60.0 / (self.per_minute * _SHARE)

    def hold(self, until: float) -> None:
        """Nothing goes before then."""
        self._next = max(self._next, until)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits a minute that an endpoint named; None where it named none."""

    requests: float | None = None
    tokens: float | None = None


def limits_of(headers: Mapping[str, str]) -> Limits:
    """The limits in `x-ratelimit-limit-*`. 0 and -1 mean nothing: some proxies send them."""
    return Limits(
        _positive(headers.get("x-ratelimit-limit-requests")),
        _positive(headers.get("x-ratelimit-limit-tokens")),
    )


def reset_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until a used-up allowance comes back, from `x-ratelimit-remaining-*` and `-reset-*`."""
    waits = [
        seconds
        for kind in ("requests", "tokens")
        if (headers.get(f"x-ratelimit-remaining-{kind}") or "").strip() == "0"
        and (seconds := _seconds(headers.get(f"x-ratelimit-reset-{kind}"))) is not None
    ]
    return max(waits, default=None)


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number > 0 else None


def _seconds(text: str | None) -> float | None:
    """`1s`, `6m0s`, `20ms`, or a plain number."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        match = _RESET.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return 3600 * hours + 60 * minutes + seconds + milliseconds / 1000


class Concurrency:
    """How many requests may be under way. Grows by one a round, is halved once an episode of refusals."""

    def __init__(self, most: int, *, start: int = _START) -> None:
        self.most = most
        self.now = min(start, most)
        self._good = 0
        self._cut_at = -1.0

    def answered(self) -> None:
        """A request went well."""
        self._good += 1
        if self._good >= self.now:
            self._good = 0
            self.now = min(self.most, self.now + 1)

    def refused(self, sent_at: float, now: float) -> None:
        """A request sent at `sent_at` met the rate limit: cut, unless it was sent before the last cut."""
        self._good = 0
        if sent_at > self._cut_at:
            self._cut_at = now
            self.now = max(1, self.now // 2)

    def troubled(self) -> None:
        """The server had a fault of its own: no cut, but growth starts over."""
        self._good = 0
