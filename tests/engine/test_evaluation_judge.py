"""The judge against a real loopback server that misbehaves on demand."""

from __future__ import annotations

import json
import logging
import threading
import time
import unicodedata
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from t2s_tui.errors import JobStopped, ModelError, UsageError
from t2s_tui.evaluation.judge import throttle
from t2s_tui.evaluation.judge.backoff import pause, redact, retry_after
from t2s_tui.evaluation.judge.client import Room
from t2s_tui.evaluation.judge.facts import Facts
from t2s_tui.evaluation.judge.panel import judge_version
from t2s_tui.evaluation.judge.prompts import PROMPTS, REFERENCE
from t2s_tui.evaluation.judge.run import judge_pairs
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judge.verdicts import read_answer
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome
from tests.fixtures.openai_server import FakeOpenAI, refusing_url
from tests.shared_data import shared

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _short_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are drawn by chance are short here; what a server asks for is waited out."""
    monkeypatch.setattr(
        throttle,
        "pause",
        lambda n, headers, random: 0.01 if retry_after(headers) is None else pause(n, headers, random),
    )


def pairs(n: int) -> dict[str, Pair]:
    return {
        f"e{i}": Pair(f"SELECT {i}", f"SELECT {i} ", ddl="CREATE TABLE t (a);", question=f"q{i}?")
        for i in range(n)
    }


def render(name: str, **values: str) -> str:
    return PROMPTS[name].render(Facts(**values))


def yes(_: dict[str, Any]) -> str:
    return '{"resolve_yn": "yes"}'


def ask(server: FakeOpenAI | str, n: int = 4, **more: Any) -> dict[str, Judged]:
    url = server if isinstance(server, str) else server.base_url
    settings = JudgeSettings(base_url=url, model="judge-1", **{"timeout": 5.0, "max_attempts": 3, **more})
    found: dict[str, Judged] = {}
    judge_pairs(settings, pairs(n), found.__setitem__)
    return found


def outcomes(found: dict[str, Judged]) -> list[str]:
    return [str(found[key].outcome) for key in sorted(found)]


def test_yes_and_no_and_what_cannot_be_read() -> None:
    answers = {
        "q0?": '{"resolve_yn": "yes", "rationale": "both count"}',
        "q1?": '```json\n{"resolve_yn": "No"}\n```',
        "q2?": "I think so.",
        "q3?": '{"resolve_yn": ""}',
    }

    def answer(body: dict[str, Any]) -> str:
        prompt = body["messages"][0]["content"]
        return next(text for question, text in answers.items() if question in prompt)

    with FakeOpenAI(answer) as server:
        found = ask(server)
    assert outcomes(found) == ["pass", "fail", "missing", "missing"]
    assert found["e0"].why == "both count"
    assert found["e1"].why == "the judge says no"
    assert found["e2"].evidence["answer"] == "I think so."
    assert found["e0"].evidence["model"] == "judge-1"
    assert found["e0"].evidence["usage"]["completion_tokens"] > 0


def test_the_request_is_the_reference_one() -> None:
    with FakeOpenAI(yes) as server:
        ask(server, 1)
    prompt = render(
        "reference", ddl="CREATE TABLE t (a);", question="q0?", gold="SELECT 0", generated="SELECT 0 "
    )
    assert server.requests == [
        {
            "model": "judge-1",
            "response_format": {"type": "json_object"},
            "messages": [{"role": "system", "content": prompt}],
        }
    ]
    assert prompt == (
        "Based on below DDL and Question, evaluate gen_sql can resolve Question. "
        'If gen_sql and gt_sql do equal job, return "yes" else return "no". '
        'Output JSON Format: {"resolve_yn": ""}\n\n'
        "DDL: CREATE TABLE t (a);\nQuestion: q0?\ngt_sql: SELECT 0\ngen_sql: SELECT 0 "
    )


def test_the_prompt_is_byte_for_byte_what_the_reference_sent() -> None:
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    lines = shared("ko_text2sql/judge_requests.jsonl").read_text("utf-8").splitlines()
    for row, line in zip(rows, lines, strict=True):
        sent = json.loads(line)
        prompt = render(
            "reference",
            ddl=row["context"],
            question=row["question"],
            gold=row["answer"],
            generated=row["gen_sql_raw"],
        )
        assert sent["messages"] == [{"role": "system", "content": prompt}]
        assert set(sent) == {"model", "response_format", "messages"}


def test_values_are_never_taken_for_places() -> None:
    text = render("reference", ddl="{question}", question="{gold}", gold="{ddl} {0}", generated="{generated}")
    assert text.endswith("DDL: {question}\nQuestion: {gold}\ngt_sql: {ddl} {0}\ngen_sql: {generated}")
    assert REFERENCE.count("{") == 5


@pytest.mark.parametrize(
    "fault",
    [
        *("429", "429:none", "429:reset", "500", "503", "502:html", "408", "drop", "cut"),
        *("garbage", "empty", "truncated", "schema", "error"),
    ],
)
def test_what_passes_is_tried_again(fault: str) -> None:
    with FakeOpenAI(yes, [fault, fault]) as server:
        found = ask(server, 2, concurrency=1)
    assert outcomes(found) == ["pass", "pass"]
    assert len(server.requests) == 4
    assert found["e0"].evidence["attempts"] == 3


def test_a_slow_answer_times_out_and_is_asked_again() -> None:
    with FakeOpenAI(yes, ["slow"], slow_seconds=1.0) as server:
        found = ask(server, 1, timeout=0.3)
    assert outcomes(found) == ["pass"]
    assert found["e0"].evidence["attempts"] == 2


def test_what_does_not_pass_is_missing_and_the_rest_go_on() -> None:
    def faults(body: dict[str, Any], before: int) -> str | None:
        return "500" if "q1?" in body["messages"][0]["content"] else None

    with FakeOpenAI(yes, faults) as server:
        found = ask(server, 3)
    assert outcomes(found) == ["pass", "missing", "pass"]
    assert found["e1"].why == "no answer: HTTP 500: injected 500 (after 3 tries)"


@pytest.mark.parametrize("status", ["400", "413", "422", "403:html"])
def test_other_client_errors_fail_that_request_only_and_at_once(status: str) -> None:
    def faults(body: dict[str, Any], before: int) -> str | None:
        return status if "q0?" in body["messages"][0]["content"] else None

    with FakeOpenAI(yes, faults) as server:
        found = ask(server, 3)
    assert outcomes(found) == ["missing", "pass", "pass"]
    assert f"HTTP {status[:3]}" in found["e0"].why
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("403", r"does not permit this .*use a key that may ask 'm', or another model"),
        ("404:The model m does not exist", r"has no model 'm' .*with --judge-model"),
        ("404", r"no chat endpoint at .*/v1/chat/completions .*with --judge-url"),
        ("402", r"quota .* is used up .*top it up"),
        ("quota", r"quota .* is used up .*top it up"),
    ],
)
def test_what_no_request_will_get_past_stops_the_run_in_words_and_can_be_resumed(
    fault: str, words: str, tmp_path: Path
) -> None:
    found: dict[str, Judged] = {}
    with FakeOpenAI(yes, [None, fault]) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", concurrency=1)
        room = Room(tmp_path / "judge.sqlite")
        with pytest.raises(ModelError, match=words):
            judge_pairs(settings, pairs(5), found.__setitem__, room=room)
        assert outcomes(found) == ["pass"]
        judge_pairs(settings, pairs(5), found.__setitem__, room=room)
        assert outcomes(found) == ["pass"] * 5
        assert len(server.requests) == 6


def test_a_request_over_the_whole_limit_is_not_waited_for() -> None:
    with FakeOpenAI(yes, ["large"]) as server:
        found = ask(server, 2, concurrency=1)
    assert outcomes(found) == ["missing", "pass"]
    assert "Request too large" in found["e0"].why


@pytest.mark.parametrize("fault", ["stall", "drip"])
def test_an_answer_that_does_not_end_is_given_up_in_time(fault: str) -> None:
    with FakeOpenAI(yes, [fault], slow_seconds=0.2) as server:
        found = ask(server, 1, timeout=0.5)
    assert outcomes(found) == ["pass"]
    assert found["e0"].evidence["attempts"] == 2


def test_a_refused_key_stops_the_run_and_keeps_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found: dict[str, Judged] = {}
    with FakeOpenAI(yes, [None, None, *["401"] * 50]) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", concurrency=1)
        with pytest.raises(ModelError, match=r"refuses the key.*put a valid key into OPENAI_API_KEY"):
            judge_pairs(settings, pairs(20), found.__setitem__)
        assert len(server.requests) == 3
        assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert outcomes(found) == ["pass", "pass"]


def test_a_port_that_refuses_is_one_sentence() -> None:
    with pytest.raises(ModelError, match=r"does not answer .*: check the URL and that it runs\.$") as raised:
        ask(refusing_url(), 3, max_attempts=2)
    assert "\n" not in str(raised.value)


def test_the_limit_on_concurrency_holds() -> None:
    with FakeOpenAI(yes, lambda body, before: "slow", slow_seconds=0.05) as server:
        found = ask(server, 12, concurrency=3)
    assert outcomes(found) == ["pass"] * 12
    assert 1 < server.most_concurrent <= 3


def test_a_stop_takes_what_arrives_at_once(tmp_path: Path) -> None:
    stop = threading.Event()
    found: dict[str, Judged] = {}

    def keep(key: str, judged: Judged) -> None:
        found[key] = judged
        stop.set()

    with FakeOpenAI(yes, lambda body, before: "slow:0.2") as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", concurrency=2)
        with pytest.raises(JobStopped):
            judge_pairs(settings, pairs(30), keep, stop.is_set)
        assert len(found) == len(server.requests) < 30


@pytest.mark.timeout(30, func_only=True)  # the time-out of a request is 60 s, the wait asked for too
@pytest.mark.parametrize("fault", ["stall", "429:60"])
def test_a_stop_waits_for_nobody(fault: str, tmp_path: Path) -> None:
    started = time.monotonic()
    room = Room(tmp_path / "judge.sqlite")
    with FakeOpenAI(yes, [fault] * 2) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", concurrency=2)
        found: dict[str, Judged] = {}
        with pytest.raises(JobStopped):
            judge_pairs(
                settings,
                pairs(4),
                found.__setitem__,
                lambda: len(server.requests) == 2 and time.monotonic() > started + 0.5,
                room=room,
            )
        assert found == {}
        judge_pairs(settings, pairs(4), found.__setitem__, room=room)
    in_doubt = [judged.evidence.get("in_doubt", 0) for judged in found.values()]
    assert sum(in_doubt) == (2 if fault == "stall" else 0)


def test_an_empty_prediction_is_not_paid_for() -> None:
    found: dict[str, Judged] = {}
    with FakeOpenAI(yes) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m")
        judge_pairs(settings, {"a": Pair("SELECT 1", " ")}, found.__setitem__)
        assert server.requests == []
    assert found["a"].outcome is Outcome.FAIL


def test_the_key_is_in_nothing_that_is_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    with FakeOpenAI(lambda body: f'{{"resolve_yn": "maybe", "echo": "{KEY}"}}') as server:
        found = ask(server, 1, api_key_env="JUDGE_KEY")
    assert KEY not in json.dumps(found["e0"].evidence)
    assert KEY not in caplog.text
    assert redact(f"Incorrect API key provided: {KEY}.", KEY) == "Incorrect API key provided: ***."
    assert "sk-abcd" not in redact("Incorrect API key provided: sk-abcd***wxyz", "other")


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY is not set"):
        judge_pairs(JudgeSettings(model="m"), pairs(1), lambda key, judged: None)


def test_settings_say_what_is_wrong() -> None:
    for wrong in (
        {"base_url": "localhost:8000"},
        {"base_url": "http://u:p@h/v1"},
        {"concurrency": 0},
        {"key": "x"},
    ):
        with pytest.raises(ValidationError):
            JudgeSettings(model="m", **wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no prompt 'another'"):  # which there are, only a workspace knows
        judge_version(JudgeSettings(model="m", prompt="another"))
    settings = JudgeSettings(base_url="http://127.0.0.1:8000/v1/", model="m")
    assert settings.base_url == "http://127.0.0.1:8000/v1"
    assert settings.loopback
    assert not JudgeSettings(model="m").loopback
    assert judge_version(settings) != judge_version(JudgeSettings(model="other"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"resolve_yn": "yes"}', True),
        ('{"resolve_yn": " NO "}', False),
        ('Sure: {"resolve_yn": "no"} as asked', False),
        ('{"resolve_yn": true}', None),
        ('{"resolve_yn": "perhaps"}', None),
        ('{"answer": "yes"}', None),
        ("yes", True),
        ("No.", False),
        ("```\n예\n```", True),
        ("아니오", False),
        ("yes or no", None),
        ("", None),
        ('{"resolve_yn": "ye', None),
        ('["yes"]', None),
        ('<think>maybe {"resolve_yn": "no"}</think>\n{"resolve_yn": "yes"}', True),
        ("the joins differ, so no </think> 예", True),
        ("<think>no", None),
        ('{"resolve_yn": "no"} or {"resolve_yn": "yes"}', None),
        ('{"details": {"resolve_yn": "no"}, "resolve_yn": "yes"}', True),
        ('{"details": {"resolve_yn": "no"}, "resolve_yn": "ye', None),
        ('{"resolve_yn": "no"', None),
        ("use {braces}: {'resolve_yn': 'no'}", None),
        ("{'resolve_yn': 'no'}", False),
        ("```json\n{'resolve_yn': '예'}\n```", True),
        ("resolve_yn: yes", True),
        ("**아니요.**", False),
        ("답: 아닙니다.", False),
        ("정답은 예", True),
        ('The answer is "No"', False),
        ("The answer is not clear", None),
        ("The answer is no, I think", None),
        (unicodedata.normalize("NFD", "예"), True),
        ('{"Resolve_YN": "Y"}', True),
        ("예, 아니오", None),
        ("no?", None),
    ],
)
def test_reading_answers(text: str, expected: bool | None) -> None:
    assert read_answer(text).yes is expected


def test_the_real_results_read_as_the_reference_read_them() -> None:
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    lines = shared("ko_text2sql/judge_results.jsonl").read_text("utf-8").splitlines()
    answers = [json.loads(line)[1]["choices"][0]["message"]["content"] for line in lines]
    said = [read_answer(text).yes for text in answers]
    wanted = [row["resolve_yn_gpt4turbo"] for row in rows]
    assert (said.count(True), said.count(False), said.count(None)) == (
        wanted.count("yes"),
        wanted.count("no"),
        0,
    )
    assert len(said) == 100


def test_waiting() -> None:
    random = Random(7)
    waits = [pause(attempt, None, random) for attempt in range(1, 9) for _ in range(50)]
    assert min(waits) >= 0
    assert max(waits) <= 30
    assert max(waits[:50]) <= 1.0 < max(waits)
    assert pause(1, {"retry-after": "2"}, random) == 2.0
    assert pause(1, {"retry-after": "99999"}, random) == 300.0
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None


def test_retry_after_is_honoured() -> None:
    with FakeOpenAI(yes, ["429:1"]) as server:
        started = time.monotonic()
        ask(server, 1)
        waited = time.monotonic() - started
    assert waited >= 1.0  # a server's word, not a measure of speed
