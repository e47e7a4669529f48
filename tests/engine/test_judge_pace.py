"""The pace, with a clock of its own: no minute holds more than it may, and lost time is made up for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.evaluation.judge.limits import Pace

Stalls = list[tuple[int, float]]


def sent_at(
    pace: Pace, seconds: float, stalls: Stalls, latency: float = 0.05, seen: Callable[[], float] = lambda: 0.0
) -> list[float]:
    """When an endpoint sees requests of one who always has one, but does nothing for a while at a stall.

    Each is seen some time after it went (`seen`, up to `latency`), and is back after `latency`.
    """
    now, arrived, left = 0.0, [], sorted(stalls)
    out: deque[float] = deque()
    while now < seconds:
        if left and now >= left[0][0]:
            now += left.pop(0)[1]
        while out and out[0] <= now:
            pace.back(1, 1, out.popleft())
        now += pace.take(1, now)
        arrived.append(now + latency * seen())
        out.append(now + latency)
    return sorted(t for t in arrived if t < seconds)


def most_in_a_minute(sent: list[float]) -> int:
    most = at = 0
    for end, t in enumerate(sent):
        while sent[at] <= t - 60:
            at += 1
        most = max(most, end - at + 1)
    return most


@given(
    per_minute=st.sampled_from((3, 60, 199, 600, 6000)),
    stalls=st.lists(st.tuples(st.integers(0, 300), st.floats(0.01, 90)), max_size=6),
)
@settings(deadline=None, max_examples=60)
def test_no_minute_holds_more_than_it_may_whatever_the_stalls(per_minute: int, stalls: Stalls) -> None:
    assert most_in_a_minute(sent_at(Pace(per_minute), 400, stalls)) <= per_minute


@given(st.floats(0.01, 0.7), st.integers())
@settings(deadline=None, max_examples=15)
def test_nor_a_minute_of_an_endpoint_that_sees_them_late(latency: float, seed: int) -> None:
    random = Random(seed)
    stalls = [(60 * minute + 20, 8.0) for minute in range(5)]
    assert most_in_a_minute(sent_at(Pace(3000), 300, stalls, latency, random.random)) <= 3000


def test_slow_answers_do_not_slow_the_plain_rate() -> None:
    assert len(sent_at(Pace(600), 600, [], latency=20.0)) >= 0.97 * 600 * 10


def test_lost_time_is_made_up_for_and_not_all_at_once() -> None:
    stalls = [(60 * minute + 20, 4.0) for minute in range(9)]
    sent = sent_at(Pace(6000), 600, stalls)
    assert len(sent) >= 0.97 * 6000 * 10
    assert most_in_a_minute(sent) <= 6000
    after = [t for t in sent if 24 <= t < 25]
    assert 100 < len(after) <= 125 + 75, "a quarter faster, and what may come at once"


def test_the_time_of_a_refusal_is_not_made_up_for() -> None:
    pace = Pace(6000)
    pace.take(1, 0.0)
    pace.hold(30.0)
    now, sent = 1.0, []
    while now < 40:
        now += pace.take(1, now)
        sent.append(now)
    assert sent[0] >= 30
    assert len(sent) <= 6000 / 60 * 10 + 1


def test_a_refusal_holds_where_no_rate_is_known() -> None:
    pace = Pace()
    assert pace.take(1, 0.0) == 0.0
    pace.hold(5.0)
    assert pace.take(1, 2.0) == 3.0
    assert pace.take(1, 6.0) == 0.0


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 800)), min_size=5, max_size=60))
@settings(deadline=None)
def test_tokens_that_were_taken_or_used_never_go_over(amounts: list[tuple[int, int]]) -> None:
    pace, now, used = Pace(2000), 0.0, []
    for taken, real in amounts:
        now += pace.take(taken, now)
        pace.back(taken, real, now)
        used.append((now, real))
    for end, _ in used:
        # What one answer used beyond its estimate is known only when it is over.
        assert sum(n for t, n in used if end - 60 < t <= end) <= 2000 + 800
