"""The judge's processor: bounded, in order, never twice, and quiet about what asyncio would complain of."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.cli import main
from t2s_tui.errors import ModelError, UsageError
from t2s_tui.evaluation.judge import dispatcher, throttle
from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
from t2s_tui.evaluation.judge.journal import FILE
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.run import evaluate
from t2s_tui.progress import Quiet
from tests.fixtures.openai_server import FakeOpenAI
from tests.reviewed import reviewed_workspace

YES, NO = '{"resolve_yn": "yes"}', '{"resolve_yn": "no"}'


def asks(n: int) -> list[Ask]:
    return [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(n)]


def question(body: dict[str, Any]) -> str:
    return str(body["messages"][0]["content"])


def readable(text: str) -> bool:
    return read_answer(text).yes is not None


def settings(server: FakeOpenAI, **more: Any) -> JudgeSettings:
    return JudgeSettings(base_url=server.base_url, **{"model": "m", "timeout": 20, **more})


def test_asks_are_taken_as_there_is_room_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "_CHUNK", 10)
    made = told = most = 0

    def some() -> Iterator[Ask]:
        nonlocal made, most
        for ask in asks(120):
            made += 1
            most = max(most, made - told)
            yield ask

    def heard(reply: Reply) -> None:
        nonlocal told
        told += 1

    figures: list[Any] = []
    with FakeOpenAI(lambda _: YES) as server:
        room = Room(tmp_path / FILE, None, figures.append)
        ask_all(settings(server, concurrency=4), some(), heard, room=room, total=120)
    assert (made, told) == (120, 120)
    assert most <= 10 + 4, "a chunk, and what is under way"
    assert (figures[-1]["done"], figures[-1]["total"]) == (120, 120)


def test_the_same_request_of_two_asks_is_sent_once(tmp_path: Path) -> None:
    twice = [*asks(3), *(Ask(f"also{a.example_id}", a.messages) for a in asks(3))]
    other = Ask("repeated", asks(1)[0].messages, repeat=1)
    found: list[Reply] = []
    with FakeOpenAI(lambda _: YES) as server:
        ask_all(settings(server), [*twice, other], found.append, room=Room(tmp_path / FILE))
        assert len(server.requests) == 4
    assert sorted(r.example_id for r in found) == sorted(a.example_id for a in [*twice, other])
    assert sum(reply.cached for reply in found) == 3


def test_a_repair_is_found_again_and_an_answer_to_be_repaired_is_not_paid_for_again(tmp_path: Path) -> None:
    said = {"question 0": ["hm", NO], "question 1": ["hm", YES]}
    room = Room(tmp_path / FILE)
    first: list[Reply] = []
    second: list[Reply] = []
    with FakeOpenAI(lambda body: said[question(body)].pop(0), [None, None, None, "quota"]) as server:
        judge = settings(server, concurrency=1)
        with pytest.raises(ModelError, match="quota"):
            ask_all(judge, asks(2), first.append, room=room, readable=readable)
        assert [(reply.text, reply.attempts) for reply in first] == [(NO, 2)]
        ask_all(judge, asks(2), second.append, room=room, readable=readable)
        assert [question(body) for body in server.requests] == ["question 0"] * 2 + ["question 1"] * 3
        assert server.requests[-1]["messages"][1] == {"role": "assistant", "content": "hm"}
    assert [(reply.example_id, reply.text, reply.cached) for reply in second] == [
        ("e0", NO, True),
        ("e1", YES, False),
    ]


def test_repairs_keep_to_the_limit(tmp_path: Path) -> None:
    at: list[float] = []

    def answer(body: dict[str, Any]) -> str:
        at.append(time.monotonic())
        return "hm"

    with FakeOpenAI(answer) as server:
        judge = settings(server, requests_per_minute=300)
        ask_all(judge, asks(6), lambda reply: None, room=Room(tmp_path / FILE), readable=readable)
    assert len(at) == 12
    # 300 a minute is one every 0.2 s, and 1% of a minute's at once.
    assert sorted(at)[-1] - sorted(at)[0] > 0.2 * (12 - 3) * 0.98


def test_a_request_over_the_limit_of_tokens_fails_at_once_before_its_turn(tmp_path: Path) -> None:
    long = Ask("long", ({"role": "user", "content": "word " * 500},))
    found: list[Reply] = []
    with FakeOpenAI(lambda _: YES) as server:
        judge = settings(server, tokens_per_minute=200, requests_per_minute=1)
        ask_all(judge, [long], found.append, room=Room(tmp_path / FILE))
        assert server.requests == []
    assert "the limit a minute is 200" in found[0].trouble


@pytest.mark.parametrize("fault", ["429:0.05", "429:none", "429:reset"])
def test_bursts_of_refusals_lose_nothing(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = throttle.pause
    monkeypatch.setattr(
        throttle, "pause", lambda tries, headers, random: min(0.05, drawn(tries, headers, random))
    )
    found: list[Reply] = []
    figures: list[Any] = []
    with FakeOpenAI(lambda _: YES, lambda body, before: fault if before % 40 < 12 else None) as server:
        room = Room(tmp_path / FILE, None, figures.append)
        ask_all(settings(server, concurrency=16, max_attempts=2), asks(60), found.append, room=room)
        refused = len(server.requests) - 60
    assert sum(reply.text is not None for reply in found) == 60
    assert figures[-1]["errors"] == {"rate limit": refused}
    assert refused >= 12


def test_one_refusal_makes_all_wait_where_no_limit_is_known(tmp_path: Path) -> None:
    at: list[float] = []

    def fault(body: dict[str, Any], before: int) -> str | None:
        at.append(time.monotonic())
        return "429:1" if before == 0 else "slow:0.1"

    with FakeOpenAI(lambda _: YES, fault) as server:
        ask_all(settings(server), asks(8), lambda reply: None, room=Room(tmp_path / FILE))
    assert len([t for t in at if t < at[0] + 0.98]) <= 3, "those that were under way"


def test_what_work_spent_before_it_was_resumed_counts_against_its_budget(tmp_path: Path) -> None:
    prices = 'as_of = "2026-01-01"\n[models."m"]\nprompt = 20000.0\ncompletion = 20000.0\n'
    (tmp_path / "prices.toml").write_text(prices, encoding="utf-8")
    begun = time.time()
    figures: list[Any] = []
    found: list[Reply] = []
    with FakeOpenAI(lambda _: YES) as server:
        judge = settings(server, budget=6.0)
        room = Room(tmp_path / FILE, tmp_path, figures.append, begun)
        ask_all(judge, asks(5), found.append, room=room)
        spent = figures[-1]["cost"]
        assert spent == pytest.approx(sum(reply.cost or 0 for reply in found))
        assert spent > 0
        ask_all(judge, asks(6), found.append, room=room)
        assert figures[-1]["cost"] > spent
        tight = judge.model_copy(update={"budget": spent + 0.01})
        with pytest.raises(ModelError, match="budget"):
            ask_all(tight, asks(7), found.append, room=room)
        known = Room(tmp_path / FILE, tmp_path, spent=6.0)  # by the caller, of another judge
        with pytest.raises(ModelError, match=r"6\.00 spent"):
            ask_all(judge, asks(7), found.append, room=known)


def test_fresh_answers_are_kept_when_their_work_is_resumed(tmp_path: Path) -> None:
    with FakeOpenAI(lambda _: YES) as server:
        judge = settings(server, reuse=False)
        ask_all(judge, asks(3), lambda reply: None, room=Room(tmp_path / FILE))
        begun = time.time()
        ask_all(judge, asks(2), lambda reply: None, room=Room(tmp_path / FILE, since=begun))
        assert len(server.requests) == 5
        ask_all(judge, asks(3), lambda reply: None, room=Room(tmp_path / FILE, since=begun))
        assert len(server.requests) == 6


def test_a_connection_that_is_lost_ends_the_run_and_the_next_takes_up_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "pause", lambda tries, headers, random: 0.0)
    found: list[Reply] = []
    with FakeOpenAI(
        lambda _: YES, lambda body, before: "drop" if 5 <= before < 5 + 2 * 10 else None
    ) as server:
        judge = settings(server, concurrency=1, max_attempts=2)
        with pytest.raises(ModelError, match="does not answer any more"):
            ask_all(judge, asks(100), found.append, room=Room(tmp_path / FILE))
        assert sum(reply.text is not None for reply in found) == 5
        again: list[Reply] = []
        ask_all(judge, asks(100), again.append, room=Room(tmp_path / FILE))
    assert sum(reply.text is not None for reply in again) == 100
    assert sum(reply.cached for reply in again) == 5


_FULL = """
import resource, signal, sys
from pathlib import Path
from t2s_tui.errors import WorkspaceError
from t2s_tui.evaluation.judge.client import Room, ask_all
from t2s_tui.evaluation.judge.settings import JudgeSettings
from tests.engine.test_judge_processor import asks
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
judge = JudgeSettings(base_url=sys.argv[1], model="m", concurrency=8, requests_per_minute=10**6)
try:
    ask_all(judge, asks(60), lambda reply: None, room=Room(Path(sys.argv[2])))
except WorkspaceError as error:
    print(error)
"""


def test_where_nothing_more_can_be_written_there_is_one_sentence_and_no_noise(tmp_path: Path) -> None:
    home = str(Path(__file__).resolve().parents[2])
    with FakeOpenAI(lambda _: YES + " " * 20_000) as server:
        done = subprocess.run(
            [sys.executable, "-c", _FULL, server.base_url, str(tmp_path / FILE)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": home},
            check=True,
        )
    assert done.stdout.count("\n") == 1
    assert "free some space" in done.stdout
    assert done.stderr == ""


# -- a whole evaluation ---------------------------------------------------------------------------


def test_answers_come_as_they_arrive_and_are_written_in_the_order_of_the_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    number = {e.question: at for at, e in enumerate(examples)}

    def late(body: dict[str, Any], before: int) -> str:
        return f"slow:{0.6 if examples[0].question in question(body) else 0.01}"

    progress = Quiet()
    with FakeOpenAI(lambda body: YES, late) as server:
        request = EvaluateRequest(predictions="tuned", metrics=["judge"], judge=settings(server))
        evaluate(workspace, request, progress)
    with workspace.store() as store:
        stored = list(store.verdicts.of("tuned", "judge"))
    target = tmp_path / "verdicts.csv"
    assert main(["judge", "to-csv", "tuned", "--to", str(target), "--workspace", str(workspace.root)]) == 0
    capsys.readouterr()
    with target.open(encoding="utf-8", newline="") as file:
        prompts = [row["prompt"] for row in csv.DictReader(file)]
    order = [next(at for words, at in number.items() if words in prompt) for prompt in prompts]
    assert order == sorted(order)
    assert len(stored) == len(prompts) == len(examples)
    assert progress.events[-1]["done"] == len(examples)


def test_only_the_missing_the_failed_or_the_chosen_are_asked_again(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    ids = [e.id for e in examples]
    failed, unreadable = examples[0], examples[1]

    def fault(body: dict[str, Any], before: int) -> str | None:
        return "400" if failed.question in question(body) else None

    def answer(body: dict[str, Any]) -> str:
        return "hm" if unreadable.question in question(body) else YES

    def judged(server: FakeOpenAI, only: list[str] | None, **more: Any) -> list[str]:
        """The examples that were asked about."""
        server.requests.clear()
        judge = settings(server, **more)
        request = EvaluateRequest(predictions="tuned", metrics=["judge"], judge=judge, only=only)
        evaluate(workspace, request, Quiet())
        said = [question(body) for body in server.requests]
        return [e.id for e in examples if any(e.question in text for text in said)]

    with FakeOpenAI(answer, fault) as server:
        assert judged(server, None) == ids
    with FakeOpenAI(answer, fault) as server:
        assert judged(server, ["failed"]) == [failed.id]
        assert judged(server, ["missing"]) == [failed.id, unreadable.id]
        assert judged(server, None) == [failed.id, unreadable.id]
    with FakeOpenAI(lambda _: NO) as server:
        assert judged(server, [ids[3]]) == [ids[3]]  # another endpoint: the journal has no answer of it
        assert judged(server, [ids[3]]) == []
        assert judged(server, [ids[3], "failed"], reuse=False) == [failed.id, ids[3]]
        with pytest.raises(UsageError, match="no example nobody"):
            judged(server, ["nobody"])
