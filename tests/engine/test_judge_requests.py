"""What is sent to a judge: the form of the answer, a model's parameters, what an endpoint takes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.evaluation.judge.bodies import REASONING_TOKENS, body_of, is_reasoning
from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all
from t2s_tui.evaluation.judge.dialect import Dialect
from t2s_tui.evaluation.judge.journal import FILE, Journal
from t2s_tui.evaluation.judge.panel import judge_version
from t2s_tui.evaluation.judge.prompts import PROMPTS
from t2s_tui.evaluation.judge.settings import JudgeSettings
from tests.fixtures.openai_server import FakeOpenAI

LIMIT_LEARNED = "max_completion_tokens for max_tokens"
MESSAGES = ({"role": "system", "content": "q"},)


def body(**settings: Any) -> dict[str, Any]:
    return body_of(JudgeSettings(**{"model": "m", **settings}), MESSAGES)


def test_nothing_that_is_not_set_is_sent() -> None:
    sent = '{"model": "m", "response_format": {"type": "json_object"}, "messages": '
    assert json.dumps(body()) == sent + '[{"role": "system", "content": "q"}]}'
    assert set(body(structured="text")) == {"model", "messages"}


def test_a_preset_with_more_than_a_word_asks_for_its_fields_by_a_schema_reasons_first() -> None:
    for name, prompt in PROMPTS.items():
        wanted = body(prompt=name)["response_format"]
        if '"rationale"' not in prompt.text:
            assert wanted == {"type": "json_object"}
            continue
        schema = wanted["json_schema"]["schema"]
        assert list(schema["properties"]) == schema["required"]
        assert schema["required"][0] == "rationale"
        assert schema["required"][-1] == "resolve_yn"
        assert schema["properties"]["resolve_yn"]["enum"] == ["yes", "no"]
        assert all(f'"{field}"' in prompt.text for field in schema["required"])
        assert schema["additionalProperties"] is False
    assert body(structured="schema")["response_format"]["json_schema"]["schema"]["required"] == ["resolve_yn"]
    assert body(prompt="rubric", structured="json")["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("o1", True),
        ("o1-mini", True),
        ("o3-2025-04-16", True),
        ("o4-mini", True),
        ("gpt-5", True),
        ("gpt-5.1", True),
        ("openai/gpt-5-mini", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4o", False),
        ("gpt-4-turbo-preview", False),
        ("olmo-2", False),
        ("o1x", False),
        ("llama-3", False),
    ],
)
def test_the_models_that_think_are_known_by_name(model: str, thinks: bool) -> None:
    assert is_reasoning(JudgeSettings(model=model)) is thinks
    assert is_reasoning(JudgeSettings(model=model, reasoning=not thinks)) is not thinks


def test_a_model_that_thinks_gets_room_for_it_and_no_temperature() -> None:
    wanted = {"temperature": 0.0, "max_tokens": 100, "seed": 7}
    plain = body(**wanted)
    assert (plain["temperature"], plain["max_tokens"], plain["seed"]) == (0.0, 100, 7)
    thinking = body(model="o3", **wanted)
    assert "temperature" not in thinking
    assert "max_tokens" not in thinking
    assert thinking["max_completion_tokens"] == 100 + REASONING_TOKENS
    assert "max_completion_tokens" not in body(model="o3")


def test_other_parameters_are_another_judge() -> None:
    versions = {
        judge_version(JudgeSettings(model="m", **more)) for more in ({}, {"temperature": 0}, {"seed": 1})
    }
    assert len(versions) == 3
    assert judge_version(JudgeSettings(model="m", concurrency=3)) in versions


# -- what an endpoint takes ---------------------------------------------------------------------


def no_schema(sent: dict[str, Any]) -> str | None:
    kind = sent.get("response_format", {}).get("type")
    return "400:response_format.type must be text or json_object" if kind == "json_schema" else None


def no_format(sent: dict[str, Any]) -> str | None:
    return "422:body.response_format: Extra inputs are not permitted" if "response_format" in sent else None


def no_temperature(sent: dict[str, Any]) -> str | None:
    words = "400:Unsupported value: 'temperature' does not support 0.0 with this model."
    return words if "temperature" in sent else None


def other_limit(sent: dict[str, Any]) -> str | None:
    words = "400:Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    return words if "max_tokens" in sent else None


@pytest.mark.parametrize(
    ("refuses", "last", "learned"),
    [
        (no_schema, {"response_format": {"type": "json_object"}}, "JSON mode only"),
        (no_format, {"response_format": None}, "plain text only"),
        (no_temperature, {"temperature": None}, "no temperature"),
        (
            other_limit,
            {"max_tokens": None, "max_completion_tokens": 50},
            "max_completion_tokens for max_tokens",
        ),
    ],
)
def test_an_endpoint_is_asked_in_the_form_it_takes_and_the_request_stays_the_same(
    refuses: Callable[[dict[str, Any]], str | None], last: dict[str, Any], learned: str, tmp_path: Path
) -> None:
    asks = [Ask(f"e{i}", ({"role": "user", "content": f"question {i}"},)) for i in range(12)]
    figures: list[Any] = []
    with FakeOpenAI(lambda _: '{"resolve_yn": "yes"}', lambda sent, before: refuses(sent)) as server:
        judge = JudgeSettings(
            base_url=server.base_url, model="m", prompt="rubric", temperature=0, max_tokens=50, concurrency=4
        )
        found: list[Reply] = []
        ask_all(judge, asks, found.append, room=Room(tmp_path / FILE, None, figures.append))
        assert all(reply.text for reply in found)
        refused = [sent for sent in server.requests if refuses(sent)]
        assert 1 <= len(refused) <= 4, "those under way when the first was refused, and no more"
        assert {name: server.requests[-1].get(name) for name in last} == last
        assert figures[-1]["adapted"] == learned
        assert figures[-1]["errors"] == {}
        before = len(server.requests)
        again: list[Reply] = []
        ask_all(judge, asks, again.append, room=Room(tmp_path / FILE))
        assert len(server.requests) == before
        assert all(reply.cached for reply in again)
    journal = Journal(tmp_path / FILE)
    entries = list(journal.all())
    journal.close()
    assert [entry.body for entry in entries] == [body_of(judge, ask.messages) for ask in asks]
    assert {entry.adapted for entry in entries} == {learned}


def test_a_refusal_of_a_value_is_no_refusal_of_the_form() -> None:
    dialect = Dialect()
    sent = body(temperature=2, max_tokens=10**6)
    assert not dialect.learn(sent, 400, "max_tokens is too large: 1000000, this model has 4096")
    assert not dialect.learn(sent, 400, "temperature must be at most 1")
    assert not dialect.learn(sent, 500, "response_format is not supported")
    assert dialect.spoken(sent) == sent
    assert dialect.learned == ""


def test_a_limit_that_is_refused_under_both_names_ends() -> None:
    dialect = Dialect()
    sent = dialect.spoken(body(max_tokens=10))
    assert dialect.learn(sent, 400, "unknown parameter max_tokens")
    sent = dialect.spoken(body(max_tokens=10))
    assert sent["max_completion_tokens"] == 10
    assert not dialect.learn(sent, 400, "unknown parameter max_completion_tokens")
