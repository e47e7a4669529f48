"""How fast a judge may be asked: requests and tokens a minute, and how many at once. The clock is passed in.

Known limits are paced (GCRA, ITU-T I.371) a little below what is permitted; time that was lost (a busy
machine) is made up for a little faster, while no minute holds more than it may. Unknown limits are felt for:
concurrency starts small, grows by one a round of answers, and is halved once an episode of refusals, as TCP
does (Jacobson 1988).
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

_SHARE = 0.985  # of the permitted rate
_BURST = 0.01  # of a minute's allowance that may come at once
_LATE = 0.25  # of a minute's allowance that may be made up for
_FASTER = 1.25  # times the rate while it is made up for
_WINDOW, _GRAIN = 60.0, 0.1  # seconds
_LAG = 0.75  # seconds that a request may take from here to the endpoint
_FULL = 0.995  # of what a minute may hold
_START = 2
_RESET = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")


class Pace:
    """A rate a minute, None while it is not known. `take` says when so much may go, `back` that it came back
    and what it used; `hold` makes all wait, at a known rate or not.

    Two ways lead out. At the plain rate, where the last minute had room if all went out a moment late. And
    faster, for time that was lost, where it had room by what is not back yet and what came back in it: no
    minute of the endpoint's own can hold more then, however late it saw them.
    """

    def __init__(self, per_minute: float | None = None) -> None:
        self.per_minute = per_minute
        self._plain = 0.0  # when the next goes at the plain rate
        self._due: float | None = None  # and if no time had been lost
        self._soonest = 0.0  # and while it is made up for
        self._held = 0.0
        self._last = 0.0  # nothing goes before what went
        self._minute, self._gone = _Minute(), _Minute()

    def take(self, amount: float, now: float) -> float:
        """Reserve `amount`; returns the seconds to wait until it may go."""
        if not self.per_minute:
            return max(0.0, self._held - now)
        interval = self._interval
        burst = max(0.0, self.per_minute * _BURST - amount) * interval
        late = max(burst, (self.per_minute * _LATE - amount) * interval)
        plain = max(self._plain, now - burst)
        due = now - burst if self._due is None else max(self._due, now - late)
        soonest = max(self._soonest, now - burst)
        faster = max(due, soonest, self._minute.room_at(amount, self.per_minute * _FULL))
        full = self.per_minute * _FULL if self.per_minute * (1 - _FULL) >= 1 else self.per_minute
        gone = self._gone.room_at(amount, full)
        start = max(now, self._held, self._last, min(plain, faster), gone if gone < math.inf else 0.0)
        self._last = start
        self._gone.add(amount, start + _LAG, start)
        self._plain = max(plain, start - burst) + amount * interval
        self._due = due + amount * interval
        self._soonest = max(soonest, start - burst) + amount * interval / _FASTER
        self._minute.out += amount
        return start - now

    def back(self, taken: float, used: float, now: float) -> None:
        """What was `taken` came back, and used so much in truth."""
        if not self.per_minute or self._due is None:
            return
        more = (used - taken) * self._interval
        self._plain += more
        self._due += more
        self._soonest += more / _FASTER
        self._minute.out = max(0.0, self._minute.out - taken)
        self._minute.add(used, now, now)
        self._gone.more(used - taken)

    def hold(self, until: float) -> None:
        """Nothing goes before then, and none of that time is made up for."""
        self._held, self._plain = max(self._held, until), max(self._plain, until)
        self._soonest = max(self._soonest, until)
        self._due = until if self._due is None else max(self._due, until)

    @property
    def _interval(self) -> float:
        assert self.per_minute is not None
        return 60.0 / (self.per_minute * _SHARE)


class _Minute:
    """What came back in the last minute, in grains of a tenth of a second, and what is `out`."""

    def __init__(self) -> None:
        self.out = 0.0
        self._grains: deque[list[float]] = deque()  # [when it is over, how much]
        self._sum = 0.0

    def more(self, amount: float) -> None:
        """What went last was so much more, or less."""
        if self._grains:
            self._sum += amount
            self._grains[-1][1] += amount

    def add(self, amount: float, at: float, now: float) -> None:
        while self._grains and self._grains[0][0] + _WINDOW <= now:
            self._sum -= self._grains.popleft()[1]
        self._sum += amount
        if self._grains and at <= self._grains[-1][0]:
            self._grains[-1][1] += amount
        else:
            self._grains.append([at + _GRAIN, amount])

    def room_at(self, amount: float, most: float) -> float:
        """When so much fits into a minute that holds `most`; infinity where that depends on what is out."""
        over, at = self.out + self._sum + amount - most, 0.0
        for end, held in self._grains:
            if over <= 0:
                break
            over, at = over - held, end + _WINDOW
        return at if over <= 0 else math.inf


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
