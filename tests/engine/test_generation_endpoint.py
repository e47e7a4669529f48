"""Answers from an endpoint: a real server on the loopback interface, with faults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import t2s_tui.generation.endpoint as endpoint
from t2s_tui.errors import ModelError
from t2s_tui.generation.decode import Decoded
from t2s_tui.generation.endpoint import EndpointSettings, answer_all
from t2s_tui.generation.models import ModelRef, resolve_model
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI, refusing_url


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.01)


def echo(request: dict[str, Any]) -> str:
    return f"SELECT '{request['messages'][-1]['content']}';"


def at(base_url: str, tmp_path: Path, model: str = "fake") -> ModelRef:
    return resolve_model(f"{base_url}#{model}", Workspace.open(tmp_path / "workspace"))


def ask(ref: ModelRef, count: int, **options: Any) -> list[Decoded]:
    settings = EndpointSettings(**options)
    got: list[Decoded] = []
    conversations = [[{"role": "user", "content": f"질문 {i}"}] for i in range(count)]
    assert answer_all(ref, conversations, max_new_tokens=64, settings=settings, on_answer=got.append)
    return sorted(got, key=lambda d: d.index)


def test_every_question_is_answered_greedily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "k-123")
    with FakeOpenAI(echo, faults=lambda body, before: "slow", slow_seconds=0.05) as server:
        got = ask(at(server.base_url, tmp_path, "org/m"), 20, api_key_env="MY_KEY", concurrency=4)
        assert [d.text for d in got] == [f"SELECT '질문 {i}';" for i in range(20)]
        assert {d.stopped for d in got} == {"endpoint"}
        assert all(d.prompt_tokens > 0 and d.new_tokens > 0 for d in got)
        assert {r["model"] for r in server.requests} == {"org/m"}
        assert {(r["temperature"], r["max_tokens"]) for r in server.requests} == {(0, 64)}
        assert {h["authorization"] for h in server.headers} == {"Bearer k-123"}
        assert 1 < server.most_concurrent <= 4


def test_no_key_is_needed_on_the_own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with FakeOpenAI(echo) as server:
        assert len(ask(at(server.base_url, tmp_path), 1)) == 1


@pytest.mark.parametrize("fault", ["429", "500", "503", "garbage", "empty", "drop"])
def test_passing_faults_are_retried(tmp_path: Path, fault: str) -> None:
    with FakeOpenAI(echo, faults=[None, fault, fault]) as server:
        got = ask(at(server.base_url, tmp_path), 3, concurrency=1)
        assert [d.text for d in got] == [f"SELECT '질문 {i}';" for i in range(3)]
        assert len(server.requests) == 5


def test_a_slow_answer_is_asked_for_again(tmp_path: Path) -> None:
    with FakeOpenAI(echo, faults=["slow"], slow_seconds=1.0) as server:
        assert len(ask(at(server.base_url, tmp_path), 1, timeout=0.3)) == 1
        assert len(server.requests) == 2


def test_a_server_that_says_when_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    real = endpoint.asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    with FakeOpenAI(echo, faults=["429:7"]) as server:
        monkeypatch.setattr(endpoint.asyncio, "sleep", note)
        monkeypatch.setattr(endpoint, "_STOP_EVERY", 0.5)
        ask(at(server.base_url, tmp_path), 1)
    assert 7.0 in waits


def test_a_port_that_refuses_is_one_sentence_at_once(tmp_path: Path) -> None:
    url = refusing_url()
    with pytest.raises(ModelError) as caught:
        ask(at(url, tmp_path), 5)
    assert str(caught.value).startswith(f"Nothing answers at {url} (connection refused)")
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("401", r"refuses the key in OPENAI_API_KEY"),
        ("404", r"does not know the model 'fake'"),
        ("400", r"refuses"),
    ],
)
def test_what_no_retry_can_help_is_said_at_once(tmp_path: Path, status: str, said: str) -> None:
    with FakeOpenAI(echo, faults=lambda body, before: status) as server:
        with pytest.raises(ModelError, match=said):
            ask(at(server.base_url, tmp_path), 3, concurrency=1)
        assert len(server.requests) == 1


def test_after_the_last_attempt_what_came_is_kept(tmp_path: Path) -> None:
    def third_never(body: dict[str, Any], before: int) -> str | None:
        return "500" if "질문 2" in str(body["messages"]) else None

    got: list[Decoded] = []
    with FakeOpenAI(echo, faults=third_never) as server:
        conversations = [[{"role": "user", "content": f"질문 {i}"}] for i in range(4)]
        settings = EndpointSettings(concurrency=1, max_attempts=3)
        with pytest.raises(ModelError, match=re.escape("did not answer in 3 attempts (status 500)")):
            answer_all(
                at(server.base_url, tmp_path),
                conversations,
                max_new_tokens=8,
                settings=settings,
                on_answer=got.append,
            )
        assert len(server.requests) == 5
    assert [d.index for d in got] == [0, 1]


def test_a_stop_ends_it_between_answers(tmp_path: Path) -> None:
    got: list[Decoded] = []
    with FakeOpenAI(
        echo, faults=lambda body, before: "slow" if before >= 3 else None, slow_seconds=2
    ) as server:
        finished = answer_all(
            at(server.base_url, tmp_path),
            [[{"role": "user", "content": str(i)}] for i in range(50)],
            max_new_tokens=8,
            settings=EndpointSettings(concurrency=2),
            on_answer=got.append,
            should_stop=lambda: len(got) >= 3,
        )
        assert not finished
        assert 3 <= len(got) < 50
        assert len(server.requests) < 10
