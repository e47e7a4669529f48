"""The judge's journal, pace, cost and cookbook files: nothing lost, nothing paid twice."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.cli import main
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import ModelError, UsageError
from t2s_tui.evaluation.judge.brought import bring_set
from t2s_tui.evaluation.judge.client import Ask, Reply, Room, ask_all, body_of
from t2s_tui.evaluation.judge.cookbook import BadLine, Line, read_results
from t2s_tui.evaluation.judge.cost import price_of
from t2s_tui.evaluation.judge.facts import Facts
from t2s_tui.evaluation.judge.journal import FILE, Journal, request_key
from t2s_tui.evaluation.judge.limits import Concurrency, Limits, Pace, limits_of, reset_after
from t2s_tui.evaluation.judge.prompts import PROMPTS
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.records import Prediction, PredictionSet
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI
from tests.shared_data import shared


def yes(_: dict[str, Any]) -> str:
    return '{"resolve_yn": "yes"}'


def asks(n: int) -> list[Ask]:
    return [Ask(f"e{i}", ({"role": "system", "content": f"question {i}"},)) for i in range(n)]


def asked(server: FakeOpenAI, path: Path, n: int, **more: Any) -> list[Reply]:
    settings = JudgeSettings(base_url=server.base_url, model="m", **{"max_attempts": 3, **more})
    found: list[Reply] = []
    ask_all(settings, asks(n), found.append, room=Room(path))
    return found


def test_an_identical_request_is_answered_from_the_journal_unless_asked_not_to(tmp_path: Path) -> None:
    with FakeOpenAI(yes) as server:
        first = asked(server, tmp_path / FILE, 5)
        again = asked(server, tmp_path / FILE, 6)
        assert len(server.requests) == 6
        assert [reply.cached for reply in first] == [False] * 5
        assert sorted(reply.cached for reply in again) == [False] + [True] * 5
        asked(server, tmp_path / FILE, 2, reuse=False)
        assert len(server.requests) == 8


def test_what_failed_is_asked_again_and_what_was_answered_is_not(tmp_path: Path) -> None:
    with FakeOpenAI(yes, ["400"]) as server:
        first = asked(server, tmp_path / FILE, 3, concurrency=1)
        assert [reply.text is None for reply in first] == [True, False, False]
        second = asked(server, tmp_path / FILE, 3)
        assert all(reply.text for reply in second)
        assert len(server.requests) == 4


_KILLED = """
import sys
from pathlib import Path
from t2s_tui.evaluation.judge.client import Room, ask_all
from t2s_tui.evaluation.judge.settings import JudgeSettings
from tests.engine.test_judge_journal import asks
settings = JudgeSettings(base_url=sys.argv[1], model="m", concurrency=4)
ask_all(settings, asks(30), lambda reply: print(reply.example_id, flush=True), room=Room(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_kill_loses_nothing_and_pays_nothing_acknowledged_twice(tmp_path: Path, after: int) -> None:
    def slowly(body: dict[str, Any]) -> str:
        time.sleep(0.02)
        return yes(body)

    with FakeOpenAI(slowly) as server:
        command = [sys.executable, "-c", _KILLED, server.base_url, str(tmp_path / FILE)]
        home = str(Path(__file__).resolve().parents[2])
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": home}
        )
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
        process.wait()
        process.stdout.close()
        before = len(server.requests)
        replies = asked(server, tmp_path / FILE, 30)
        prompts = [body["messages"][0]["content"] for body in server.requests]
    assert sorted(reply.example_id for reply in replies) == sorted(f"e{i}" for i in range(30))
    assert all(reply.text for reply in replies)
    for example_id in told:  # acknowledged: paid for once
        assert prompts.count(f"question {example_id[1:]}") == 1
    again = [reply for reply in replies if reply.doubts]
    assert len(again) <= 4  # those in flight
    assert len(prompts) - 30 <= len(again)
    assert before <= len(prompts)


def test_a_budget_stops_in_time_and_a_model_without_a_price_has_none(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(
        'as_of = "2026-01-01"\n[models."m"]\nprompt = 20000.0\ncompletion = 20000.0\n', encoding="utf-8"
    )
    found: list[Reply] = []
    with FakeOpenAI(yes) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", budget=6.5, concurrency=1)
        with pytest.raises(ModelError, match=r"budget of 6\.5 USD is used up"):
            ask_all(settings, asks(50), found.append, room=Room(tmp_path / FILE, tmp_path))
        with pytest.raises(UsageError, match="no price for"):
            ask_all(settings.model_copy(update={"model": "x"}), asks(1), found.append, room=Room())
    assert found
    assert sum(reply.cost or 0 for reply in found) <= 6.5
    assert price_of("gpt-4o-2024-08-06", None) == price_of("gpt-4o", None) != price_of("gpt-4o-mini", None)
    assert price_of("gpt-4oo", None) is None


def test_a_request_that_can_never_fit_fails_at_once(tmp_path: Path) -> None:
    with FakeOpenAI(yes) as server:
        settings = JudgeSettings(base_url=server.base_url, model="m", tokens_per_minute=50)
        found: list[Reply] = []
        big = Ask("big", ({"role": "system", "content": "word " * 400},))
        ask_all(settings, [big], found.append, room=Room(tmp_path / FILE))
        assert server.requests == []
    assert "the limit a minute is 50" in found[0].trouble


def test_an_endpoint_without_json_mode_is_asked_in_plain_text() -> None:
    def faults(body: dict[str, Any], before: int) -> str | None:
        return "400:response_format is not supported" if "response_format" in body else None

    with FakeOpenAI(yes, faults) as server:
        found: list[Reply] = []
        ask_all(JudgeSettings(base_url=server.base_url, model="m"), asks(4), found.append)
    assert all(reply.text for reply in found)


# -- the pace, with a clock of its own ----------------------------------------------------------


@pytest.mark.parametrize("per_minute", [3, 60, 500, 30_000])
def test_the_pace_uses_its_allowance_and_never_more(per_minute: float) -> None:
    pace, now, sent = Pace(per_minute), 0.0, []
    while now < 600:
        now += pace.take(1, now)
        sent.append(now)
        now += 1e-9
    inside = [t for t in sent if t < 600]
    at = 0
    for end, t in enumerate(inside):
        while inside[at] <= t - 60:
            at += 1
        assert end - at + 1 <= per_minute
    assert len(inside) >= 0.97 * per_minute * 10


def test_tokens_are_reconciled_with_what_was_used() -> None:
    pace = Pace(600)
    assert pace.take(10, 0.0) == 0.0
    pace.back(10, 300, 0.0)
    assert pace.take(10, 0.0) > 25


def test_concurrency_is_cut_once_an_episode() -> None:
    room = Concurrency(32)
    for _ in range(200):
        room.answered()
    before = room.now
    for _ in range(10):
        room.refused(sent_at=1.0, now=2.0)
    assert room.now == before // 2
    room.refused(sent_at=3.0, now=4.0)
    assert room.now == before // 4


def test_limits_are_learned_from_headers() -> None:
    assert limits_of({"x-ratelimit-limit-requests": "500", "x-ratelimit-limit-tokens": "-1"}) == Limits(
        500, None
    )
    assert limits_of({"x-ratelimit-limit-requests": "0"}) == Limits()
    assert (
        reset_after({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m1.5s"}) == 361.5
    )
    assert reset_after({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}) == 0.02
    assert reset_after({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "20ms"}) is None


# -- cookbook files ---------------------------------------------------------------------------


def test_result_lines() -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": "q"}], "metadata": {"row": 1}}
    body = {k: v for k, v in request.items() if k != "metadata"}
    answer = {"choices": [{"message": {"content": "a"}}]}
    lines = [
        json.dumps([request, answer]),
        json.dumps([request, ["timeout", {"error": {"message": "overloaded"}}], {"row": 2}]),
        json.dumps([request, {"error": {"message": "a 500 saved as an answer"}}]),
        "not json",
        json.dumps({"a": 1}),
        "",
    ]
    assert list(read_results(lines)) == [
        Line(body, answer, "", {"row": 1}),
        Line(body, None, "overloaded", {"row": 2}),
        Line(body, None, "a 500 saved as an answer", {"row": 1}),
        BadLine(4, "is no JSON (Expecting value: line 1 column 1 (char 0))"),
        BadLine(5, "is no [request, answer] or [request, answer, metadata]"),
    ]


def _published(workspace: Workspace) -> None:
    """The 112 examples with the base model's raw output as its predictions."""
    add_dataset(workspace, str(shared("ko_text2sql/test.csv")), name="ko")
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    examples = list(open_examples(workspace, "ko"))
    by_content = {(e.ddl, e.question): e for e in examples}
    with workspace.store() as store:
        split = examples[0].split
        store.predictions.put_set(
            PredictionSet("base", "ko", split, "m", None, "book", {}, len(rows), "", time.time())
        )
        store.predictions.add(
            Prediction(
                "base",
                by_content[r["context"], r["question"]].id,
                r["gen_sql_raw"],
                "SELECT 1",
                1,
                1,
                "eos",
                0.1,
            )
            for r in rows
        )


def test_the_published_results_come_in_and_the_missing_are_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace.open(tmp_path / "w")
    _published(workspace)
    results = shared("ko_text2sql/judge_results.jsonl")
    where = ["--workspace", str(workspace.root)]
    assert main(["judge", "import", "base", "--results", str(results), "--json", *where]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["yes"], said["no"], said["missing"], said["strangers"]) == (17, 83, 12, 0)
    assert main(["judge", "to-csv", "base", "--to", str(tmp_path / "v.csv"), *where]) == 0
    with (tmp_path / "v.csv").open(encoding="utf-8", newline="") as file:
        words = [row["resolve_yn"] for row in csv.DictReader(file)]
    assert (words.count("yes"), words.count("no"), words.count("")) == (17, 83, 12)
    with FakeOpenAI(lambda body: '{"resolve_yn": "no"}') as server:
        options = ["--judge-model", said["model"], "--judge-url", server.base_url, "--wait", "--json"]
        assert main(["judge", "run", "base", *options, *where]) == 0
        assert len(server.requests) == 12
    capsys.readouterr()


def test_predictions_come_in_from_the_request_file_where_they_are_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace.open(tmp_path / "w")
    add_dataset(workspace, str(shared("ko_text2sql/test.csv")), name="ko")
    requests, results = (shared(f"ko_text2sql/judge_{name}.jsonl") for name in ("requests", "results"))
    command = ["judge", "import", "base", "--results", str(results), "--requests", str(requests)]
    command += ["--dataset", "ko", "--workspace", str(workspace.root), "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["yes"], told["no"], told["missing"], told["strangers"]) == (17, 83, 12, 0)
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    by_content = {(e.ddl, e.question): e.id for e in open_examples(workspace, "ko")}
    with workspace.store() as store:
        made = store.predictions.of("base")
    raw = {by_content[r["context"], r["question"]]: r["gen_sql_raw"].strip() for r in rows}
    assert {key: prediction.raw for key, prediction in made.items()} == raw
    assert main(command) == 2, "it is there already"


def test_requests_are_joined_to_rows_also_where_these_ask_the_same(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    rows = tmp_path / "rows.jsonl"
    row = {"db_id": "d", "context": "CREATE TABLE t (a)", "question": "q?", "answer": "SELECT a FROM t"}
    others = [row, {**row, "question": "r?"}, {**row, "db_id": "e"}]
    rows.write_text("".join(json.dumps(r) + "\n" for r in others), encoding="utf-8")
    add_dataset(workspace, str(rows), name="d")
    (split,) = {e.split for e in open_examples(workspace, "d")}
    lines = [
        json.dumps({"messages": [{"role": "system", "content": PROMPTS["reference"].render(facts)}]})
        for facts in (
            Facts(row["context"], "r?", row["answer"], "SELECT 2"),
            Facts(row["context"], "q?", row["answer"], "SELECT 1; and more"),
            Facts(row["context"], "q?", row["answer"], "SELECT 3"),
            Facts(row["context"], "nobody's", row["answer"], "SELECT 4"),
        )
    ]
    made = bring_set(workspace, "s", "d", split, PROMPTS["reference"], [*lines, "{no json"])
    assert (made.predictions, made.strangers, len(made.bad)) == (3, 1, 1)
    with workspace.store() as store:
        found = store.predictions.of("s")
    said = [found[e.id].sql for e in open_examples(workspace, "d")]
    assert said == ["SELECT 1", "SELECT 2", "SELECT 3"]


def test_export_is_what_the_reference_sent(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    _published(workspace)
    target = tmp_path / "requests.jsonl"
    command = ["judge", "export", "base", "--to", str(target), "--judge-model", "gpt-4-turbo-preview"]
    assert main([*command, "--workspace", str(workspace.root)]) == 0
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert len(lines) == 112
    assert all(set(line) == {"model", "response_format", "messages", "metadata"} for line in lines)
    theirs = shared("ko_text2sql/judge_requests.jsonl").read_text("utf-8").splitlines()
    heads = {json.loads(line)["messages"][0]["content"].split("gen_sql: ")[0] for line in theirs}
    assert {line["messages"][0]["content"].split("gen_sql: ")[0] for line in lines} == heads


def test_two_requests_are_the_same_only_if_all_of_them_is() -> None:
    settings = JudgeSettings(model="m")
    body = body_of(settings, [{"role": "system", "content": "q"}])
    keys = {
        request_key("openai", body),
        request_key("http://x/v1", body),
        request_key("openai", {**body, "temperature": 0}),
        request_key("openai", body, repeat=1),
    }
    assert len(keys) == 4


def test_the_journal_says_what_is_in_doubt(tmp_path: Path) -> None:
    journal = Journal(tmp_path / FILE)
    journal.open_requests([("a", "openai", {"model": "m"}), ("b", "openai", {"model": "m"})])
    journal.sent(["a"])
    journal.close()
    journal = Journal(tmp_path / FILE)
    assert journal.open_requests([("a", "openai", {"model": "m"}), ("b", "openai", {"model": "m"})]) == 1
    assert [(entry.key, entry.state, entry.doubts) for entry in journal.all("m")] == [
        ("a", "queued", 1),
        ("b", "queued", 0),
    ]
    journal.close()
