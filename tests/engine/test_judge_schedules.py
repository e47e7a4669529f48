"""The judge against schedules of faults that also end the run.

Each request ends in exactly one of yes, no and missing, none is lost, no answer that was taken is paid for
twice, and nothing unreadable becomes a no.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge import throttle
from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
from t2s_tui.evaluation.judge.journal import FILE, Journal
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from tests.fixtures.openai_server import FakeOpenAI

PASSING = (
    *("429:0.01", "429:none", "429:reset", "500", "502:html", "503", "408", "drop", "cut"),
    *("garbage", "empty", "truncated", "schema", "error"),
)
FINAL = ("400", "413", "403:html", "large")
ENDING = ("401", "402", "403", "404", "quota")
ANSWERS = (
    '{"resolve_yn": "yes"}',
    '{"resolve_yn": "no"}',
    "```json\n{'resolve_yn': '아니오'}\n```",
    "<think>no</think>예",
    "I would say no.",
    '{"resolve_yn": "n',
    "<think>no, because",
    "",
)


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "pause", lambda tries, headers, random: 0.0)


def _readable(text: str) -> bool:
    return read_answer(text).yes is not None


class Script:
    """What the server does with each question, try by try; then all is well and the answer is yes."""

    def __init__(self, schedule: list[list[str]]) -> None:
        self.left = {number: list(steps) for number, steps in enumerate(schedule)}
        self.served: dict[int, list[str]] = defaultdict(list)

    def fault(self, body: dict[str, Any], before: int) -> str | None:
        steps = self.left[_number(body)]
        return steps.pop(0) if steps and steps[0] not in ANSWERS else None

    def answer(self, body: dict[str, Any]) -> str:
        steps = self.left[_number(body)]
        text = steps.pop(0) if steps else ANSWERS[0]
        self.served[_number(body)].append(text)
        return text


def _number(body: dict[str, Any]) -> int:
    return int(body["messages"][0]["content"].split()[-1])


schedules = st.lists(
    st.lists(st.sampled_from(PASSING + FINAL + ENDING + ANSWERS), max_size=6), min_size=1, max_size=8
)


@pytest.mark.slow
@given(schedule=schedules, concurrency=st.sampled_from((1, 3, 8)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_request_ends_in_one_word_and_no_answer_that_was_taken_is_paid_for_twice(
    schedule: list[list[str]], concurrency: int
) -> None:
    script = Script(schedule)
    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in script.left]
    with tempfile.TemporaryDirectory() as folder, FakeOpenAI(script.answer, script.fault) as server:
        judge = JudgeSettings(
            base_url=server.base_url, model="m", max_attempts=3, concurrency=concurrency, timeout=30
        )
        room = Room(Path(folder) / FILE)
        told: dict[str, Reply] = {}
        replies = _until_it_ends(judge, asks, room, told)
        assert Counter(r.example_id for r in replies) == Counter(a.example_id for a in asks)
        for reply in replies:
            words = [
                word for text in script.served[_at(reply)] if (word := read_answer(text).yes) is not None
            ]
            assert len(words) <= 1, "an answer that was taken is not asked for again"
            assert _word(reply) is (words[0] if words else None)
        for name, reply in told.items():  # what was said before an end of the run holds after it
            if _word(reply) is not None:
                assert _word(next(r for r in replies if r.example_id == name)) is _word(reply)
        journal = Journal(Path(folder) / FILE)
        assert {entry.state for entry in journal.all()} <= {"done", "failed"}
        journal.close()


HANGING = ("stall", "drip")


@pytest.mark.slow
@given(schedule=st.lists(st.lists(st.sampled_from((*HANGING, *PASSING)), max_size=2), min_size=2, max_size=8))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_hangs_among_other_faults_is_given_up_and_asked_again(schedule: list[list[str]]) -> None:
    """No word on what is paid for here: an answer that drips in was sent, and may cost."""
    script = Script(schedule)
    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in script.left]
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeOpenAI(script.answer, script.fault, slow_seconds=0.05) as server,
    ):
        judge = JudgeSettings(base_url=server.base_url, model="m", max_attempts=5, timeout=2)
        replies = _until_it_ends(judge, asks, Room(Path(folder) / FILE), {})
    assert Counter(r.example_id for r in replies) == Counter(a.example_id for a in asks)
    assert all(_word(reply) is True for reply in replies)


def _until_it_ends(judge: JudgeSettings, asks: list[Ask], room: Room, told: dict[str, Reply]) -> list[Reply]:
    """Run it, and again after each error that ends a run: each such error uses up a step of the schedule."""
    for _ in range(60):
        replies: list[Reply] = []
        try:
            ask_all(judge, iter(asks), replies.append, room=room, readable=_readable)
        except ModelError:
            told |= {reply.example_id: reply for reply in replies}
        else:
            return replies
    raise AssertionError("it does not end")


def _at(reply: Reply) -> int:
    return int(reply.example_id[1:])


def _word(reply: Reply) -> bool | None:
    return None if reply.text is None else read_answer(reply.text).yes
