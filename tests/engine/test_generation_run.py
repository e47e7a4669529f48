"""A prediction set: made once, resumable, and never mixed with another request's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from t2s_tui.errors import JobStopped, ModelError, NotFound, UsageError
from t2s_tui.generation.request import GenerateRequest
from t2s_tui.generation.run import generate
from t2s_tui.generation.session import Answerer
from t2s_tui.records import Prediction, TrainingRun
from t2s_tui.sql.statements import first_statement
from tests.fixtures.openai_server import FakeOpenAI
from tests.model_support import Listener, Room, one_core, room, tiny_model

__all__ = ["one_core", "room", "tiny_model"]


def request(room: Room, **changes: Any) -> GenerateRequest:
    values = {
        "name": "p",
        "dataset": "tiny",
        "split": "eval",
        "model": room.model,
        "prompt": "short",
        "max_new_tokens": 12,
        "batch_size": 3,
    }
    return GenerateRequest.model_validate({**values, **changes})


def made(room: Room, name: str = "p") -> dict[str, Prediction]:
    with room.workspace.store() as store:
        return store.predictions.of(name)


def test_every_example_is_answered(room: Room) -> None:
    progress = Listener()
    summary = generate(room.workspace, request(room), progress)
    found = made(room)
    assert summary["total"] == summary["answered"] == len(found) == 8
    assert all(p.sql == first_statement(p.raw) for p in found.values())
    # A random model may end at once: zero tokens and EOS are an answer too.
    assert all(p.new_tokens <= 12 and p.seconds > 0 for p in found.values())
    assert all(p.new_tokens > 0 or p.stopped == "eos" for p in found.values())
    assert any(p.new_tokens > 0 for p in found.values())
    with room.workspace.store() as store:
        record = store.predictions.get_set("p")
    assert (record.total, record.split, record.prompt) == (8, "eval", "short")
    assert record.decoding["method"] == "greedy"
    done = [e["done"] for e in progress.of("answers")]
    assert done == [0, 3, 6, 8]


def test_a_stop_keeps_what_is_there_and_the_next_run_adds_the_rest(room: Room) -> None:
    with pytest.raises(JobStopped):
        generate(room.workspace, request(room), Listener(stop_after=3, label="answers"))
    first = made(room)
    assert 0 < len(first) < 8
    summary = generate(room.workspace, request(room), Listener())
    assert summary["kept"] == len(first)
    assert summary["answered"] == 8 - len(first)
    both = made(room)
    assert {key: both[key] for key in first} == first
    generate(room.workspace, request(room, name="whole"), Listener())
    assert {k: p.raw for k, p in made(room, "whole").items()} == {k: p.raw for k, p in both.items()}
    assert generate(room.workspace, request(room), Listener())["answered"] == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "train"}, "split 'eval' and not 'train'"),
        ({"prompt": "book-en"}, "prompt 'short' and not 'book-en'"),
        ({"max_new_tokens": 13}, "max_new_tokens 12 and not 13"),
        ({"limit": 2}, "limit None and not 2"),
    ],
)
def test_a_name_is_of_one_request(room: Room, changes: dict[str, Any], said: str) -> None:
    generate(room.workspace, request(room), Listener())
    before = made(room)
    with pytest.raises(UsageError, match=said):
        generate(room.workspace, request(room, **changes), Listener())
    assert made(room) == before


def test_only_the_first_rows(room: Room) -> None:
    assert generate(room.workspace, request(room, limit=2), Listener())["total"] == 2


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dataset": "none"}, NotFound),
        ({"split": "none"}, UsageError),
        ({"prompt": "none"}, NotFound),
        ({"model": "/no/such/folder"}, ModelError),
        ({"adapter": "none"}, NotFound),
        ({"name": "a/b"}, UsageError),
    ],
)
def test_a_wrong_request_is_said_and_leaves_nothing(room: Room, changes: dict[str, Any], kind: type) -> None:
    with pytest.raises(kind) as caught:
        generate(room.workspace, request(room, **changes), Listener())
    assert caught.value.next_step  # type: ignore[attr-defined]
    with room.workspace.store() as store:
        assert store.predictions.sets() == []


def test_an_adapter_answers_on_its_own_model_only(room: Room) -> None:
    run = TrainingRun("r", "tiny", "train", "another/model", {}, "", "/nowhere", {}, 0.0)
    with room.workspace.store() as store:
        store.runs.put(run)
    with pytest.raises(UsageError, match="trained on another/model"):
        generate(room.workspace, request(room, adapter="r"), Listener())


def test_an_endpoint_answers_and_each_answer_is_saved(room: Room) -> None:
    def answer(body: dict[str, Any]) -> str:
        return "```sql\nSELECT 1;\n```\nThat is it."

    with FakeOpenAI(answer) as server:
        summary = generate(
            room.workspace, request(room, model=f"{server.base_url}#m", batch_size=2), Listener()
        )
        assert server.most_concurrent <= 2
        asked = server.requests[0]["messages"]
    assert summary["stopped"] == {"endpoint": 8}
    assert {p.sql for p in made(room).values()} == {"SELECT 1"}
    assert [m["role"] for m in asked] == ["user"]
    assert "CREATE TABLE" in asked[0]["content"]
    with FakeOpenAI(answer) as server:
        answerer = Answerer(room.workspace, f"{server.base_url}#m", None, "short")
        assert answerer.answer("CREATE TABLE t (a INT);", "a?", "sqlite").sql == "SELECT 1"


def test_one_question_at_a_time_gives_the_answer_of_the_set(room: Room) -> None:
    generate(room.workspace, request(room, max_new_tokens=256), Listener())
    from t2s_tui.datasets.catalogue import open_examples

    answerer = Answerer(room.workspace, room.model, None, "short")
    found = made(room)
    for example in open_examples(room.workspace, "tiny").split("eval")[:2]:
        answer = answerer.answer(example.ddl, example.question, "sqlite")
        assert (answer.raw, answer.sql) == (found[example.id].raw, found[example.id].sql)
    with pytest.raises(ModelError, match="longer than the model can read"):
        answerer.answer("x" * 2000, "y", "sqlite")
    answerer.release()


def test_requests_are_plain_json(room: Room) -> None:
    asked = request(room, adapter="r", limit=3)
    assert GenerateRequest.model_validate(json.loads(json.dumps(asked.model_dump(mode="json")))) == asked
    with pytest.raises(ValueError, match="extra"):
        GenerateRequest.model_validate({**asked.model_dump(), "temperature": 1})
