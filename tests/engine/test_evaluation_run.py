"""Scoring a whole prediction set: stored as it comes, resumed, never paid twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import JobStopped, ModelError, NotFound, UsageError
from t2s_tui.evaluation.compare import compare
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.run import evaluate
from t2s_tui.evaluation.statistics import scores_of
from t2s_tui.progress import Quiet
from t2s_tui.records import Example, Outcome, Prediction, PredictionSet
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI
from tests.shared_data import shared

CHEAP = ["exact", "normalized", "execution"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "ws")


def predict(workspace: Workspace, name: str, dataset: str, split: str, answers: dict[str, str]) -> None:
    """A prediction set with these answers, by example id."""
    with workspace.store() as store:
        store.predictions.put_set(
            PredictionSet(name, dataset, split, "model", None, "book", {}, len(answers), "job", 1.0)
        )
        store.predictions.add(
            Prediction(name, key, sql, sql, 10, 5, "eos", 0.1) for key, sql in answers.items()
        )


def sample(workspace: Workspace, count: int = 8) -> list[Example]:
    add_dataset(workspace, "sample")
    return open_examples(workspace, "sample").split("eval")[:count]


def answers_of(rows: list[Example]) -> dict[str, str]:
    """Gold, gold in other words, another row's gold, a broken one; over and over."""
    made = {}
    for i, row in enumerate(rows):
        texts = (
            row.gold,
            f"SELECT * FROM ({row.gold.rstrip('; ')}) AS again",
            "SELECT 'nothing like it'",
            "SELECT FROM",
        )
        made[row.id] = texts[i % 4]
    return made


class Tape(Quiet):
    """A Progress that asks for a stop once a number of verdicts is stored."""

    def __init__(self, asks: Any) -> None:
        super().__init__()
        self._asks = asks

    def stop_requested(self) -> bool:
        return bool(self._asks())


def test_the_cheap_metrics_on_the_sample(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", answers_of(rows))
    progress = Quiet()
    scores = evaluate(workspace, EvaluateRequest(predictions="p", metrics=CHEAP[::-1]), progress)
    assert list(scores) == CHEAP
    assert {name: (s["passed"], s["failed"]) for name, s in scores.items()} == {
        "exact": (2, 6),
        "normalized": (4, 4),
        "execution": (4, 4),
    }
    assert (progress.events[-1]["done"], progress.events[-1]["total"]) == (24, 24)
    with workspace.store() as store:
        verdicts = store.verdicts.of("p")
        assert [s.as_json() for s in scores_of(store, "p")] == list(scores.values())
    broken = verdicts[rows[3].id]["execution"]
    assert broken.why.startswith("does not parse at line 1, column")
    assert verdicts[rows[0].id]["execution"].evidence["engine"].startswith("sqlite 3.")
    assert rows[1].dialect == "mysql"
    assert verdicts[rows[1].id]["execution"].evidence["ran"].startswith("SELECT * FROM (SELECT")


def test_all_golds_of_the_sample_pass_against_themselves(workspace: Workspace) -> None:
    rows = sample(workspace, 112)
    predict(workspace, "gold", "sample", "eval", {row.id: row.gold for row in rows})
    scores = evaluate(workspace, EvaluateRequest(predictions="gold", metrics=CHEAP), Quiet())
    assert {name: s["passed"] for name, s in scores.items()} == dict.fromkeys(CHEAP, 112)


def test_a_second_run_does_nothing_and_redo_does_all(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", answers_of(rows))
    request = EvaluateRequest(predictions="p", metrics=CHEAP)
    first = evaluate(workspace, request, Quiet())
    again = Quiet()
    assert evaluate(workspace, request, again) == first
    assert again.events == []
    redone = Quiet()
    assert evaluate(workspace, request.model_copy(update={"redo": True}), redone) == first
    assert redone.events[-1]["total"] == 24


def test_verdicts_of_another_version_are_made_anew(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", answers_of(rows))
    request = EvaluateRequest(predictions="p", metrics=["execution"])
    first = evaluate(workspace, request, Quiet())
    with workspace.store() as store:
        old = store.verdicts.of("p")[rows[0].id]["execution"]
        store.verdicts.add([replace(old, outcome=Outcome.FAIL, version="0")])
    progress = Quiet()
    assert evaluate(workspace, request, progress) == first
    assert progress.events[-1]["total"] == 1


def test_a_stop_keeps_what_is_done_and_a_resume_does_the_rest(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", answers_of(rows))
    request = EvaluateRequest(predictions="p", metrics=["execution"])
    looks = iter([False, False, True])
    with pytest.raises(JobStopped):
        evaluate(workspace, request, Tape(lambda: next(looks)))
    with workspace.store() as store:
        assert len(store.verdicts.of("p")) == 3
    progress = Quiet()
    assert evaluate(workspace, request, progress)["execution"]["total"] == 8
    assert progress.events[-1]["total"] == 5


def test_a_prediction_without_its_example_is_an_error(workspace: Workspace) -> None:
    rows = sample(workspace, 1)
    predict(workspace, "p", "sample", "eval", {rows[0].id: rows[0].gold, "gone": "SELECT 1"})
    scores = evaluate(workspace, EvaluateRequest(predictions="p", metrics=["exact"]), Quiet())
    assert (scores["exact"]["passed"], scores["exact"]["errors"]) == (1, 1)


def test_bad_requests(workspace: Workspace) -> None:
    rows = sample(workspace, 1)
    predict(workspace, "p", "sample", "eval", {rows[0].id: "SELECT 1"})
    predict(workspace, "empty", "sample", "eval", {})
    for request, kind, words in (
        (EvaluateRequest(predictions="p", metrics=["judge"]), UsageError, "--judge-model"),
        (
            EvaluateRequest(predictions="p", metrics=["bleu"]),
            UsageError,
            "exact, normalized, execution, equivalence, judge",
        ),
        (EvaluateRequest(predictions="q", metrics=CHEAP), NotFound, "empty, p|p, empty"),
        (EvaluateRequest(predictions="empty", metrics=CHEAP), UsageError, "no predictions yet"),
    ):
        with pytest.raises(kind, match=words):
            evaluate(workspace, request, Quiet())
    with pytest.raises(ValidationError):
        EvaluateRequest(predictions="p", metrics=CHEAP, judged=True)  # type: ignore[call-arg]


def judge_of(server: FakeOpenAI, **more: Any) -> JudgeSettings:
    return JudgeSettings(base_url=server.base_url, model="j", max_attempts=1, timeout=10, **more)


def test_the_judge_is_never_paid_twice_and_missing_is_asked_again(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", {row.id: row.gold for row in rows})
    unread = [True] * 4  # two answers, and the one repair that each may have

    def answer(body: dict[str, Any]) -> str:
        return "hm" if unread and unread.pop() else '{"resolve_yn": "yes"}'

    with FakeOpenAI(answer) as server:
        request = EvaluateRequest(predictions="p", metrics=["judge"], judge=judge_of(server, concurrency=1))
        first = evaluate(workspace, request, Quiet())["judge"]
        assert (first["passed"], first["missing"], first["accuracy"]) == (6, 2, 1.0)
        assert len(server.requests) == 10
        second = evaluate(workspace, request, Quiet())["judge"]
        assert (second["passed"], second["missing"]) == (8, 0)
        assert len(server.requests) == 12
        evaluate(workspace, request, Quiet())
        assert len(server.requests) == 12


def test_when_the_judge_ends_the_run_all_that_came_is_stored(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "p", "sample", "eval", {row.id: row.gold for row in rows})
    with FakeOpenAI(lambda body: '{"resolve_yn": "no"}', [None, None, None, "401"]) as server:
        request = EvaluateRequest(
            predictions="p", metrics=["exact", "judge"], judge=judge_of(server, concurrency=1)
        )
        with pytest.raises(ModelError, match="refuses the key"):
            evaluate(workspace, request, Quiet())
        with workspace.store() as store:
            counts = Counter(metric for row in store.verdicts.of("p").values() for metric in row)
        assert counts == {"exact": 8, "judge": 3}
        evaluate(workspace, request, Quiet())
        assert len(server.requests) == 4 + 5


def test_ko_text2sql_with_a_loopback_judge(workspace: Workspace) -> None:
    """The real 112 rows and answers, and a judge that says what GPT-4 said: 12 times nothing."""
    add_dataset(workspace, str(shared("ko_text2sql/test.csv")), name="ko", dialect="mysql")
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    table = open_examples(workspace, "ko")
    examples = [e for split in table.split_names for e in table.split(split)]
    assert len(examples) == 112
    by_text = {(e.question, e.gold): e for e in examples}
    pairs = [(by_text[row["question"], row["answer"]], row) for row in rows]
    said = {(e.question, row["gen_sql_first"]): row["resolve_yn_gpt4turbo"] for e, row in pairs}
    predict(workspace, "base", "ko", examples[0].split, {e.id: row["gen_sql_first"] for e, row in pairs})

    def answer(body: dict[str, Any]) -> str:
        prompt = body["messages"][0]["content"]
        word = next(
            w for (q, sql), w in said.items() if f"Question: {q}\n" in prompt and prompt.endswith(sql)
        )
        return json.dumps({"resolve_yn": word}) if word in ("yes", "no") else "…"

    with FakeOpenAI(answer) as server:
        request = EvaluateRequest(predictions="base", metrics=[*CHEAP, "judge"], judge=judge_of(server))
        scores = evaluate(workspace, request, Quiet())
    judge = scores["judge"]
    assert judge["total"] == len({e.id for e, _ in pairs})
    assert (judge["passed"], judge["failed"], judge["missing"]) == (17, 83, 12)
    assert judge["accuracy"] == 17 / 100
    assert scores["execution"]["unknown"] == judge["total"]
    assert scores["execution"]["accuracy"] is None
    assert scores["normalized"]["errors"] == 0


def test_comparing_two_sets(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "a", "sample", "eval", answers_of(rows))
    predict(workspace, "b", "sample", "eval", {row.id: row.gold for row in rows})
    with pytest.raises(UsageError, match="have no execution verdicts"):
        compare(workspace, "a", "b")
    for name in "ab":
        evaluate(workspace, EvaluateRequest(predictions=name, metrics=["execution"]), Quiet())
    made = compare(workspace, "a", "b")
    assert [len(x) for x in (made.both, made.only_a, made.only_b, made.neither, made.left_out)] == [
        4,
        0,
        4,
        0,
        0,
    ]
    assert made.p_value == 0.125
    with pytest.raises(NotFound):
        compare(workspace, "a", "absent")


def test_the_rooms_that_the_screen_uses_stay_light() -> None:
    """Statistics, compare, requests and all of sql import none of the heavy packages."""
    code = (
        "import sys, t2s_tui.evaluation.compare, t2s_tui.evaluation.statistics, t2s_tui.evaluation.request, "
        "t2s_tui.evaluation.metrics, t2s_tui.evaluation.sandbox, t2s_tui.sql.diff, t2s_tui.sql.highlight, "
        "t2s_tui.sql.schema, t2s_tui.sql.guard, t2s_tui.sql.statements; "
        "heavy = ('torch', 'transformers', 'datasets', 'openai', 'pandas', 'textual', 'sqlglot'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_mode_is_part_of_the_verdicts_version_and_modes_are_not_compared(workspace: Workspace) -> None:
    rows = sample(workspace)
    predict(workspace, "a", "sample", "eval", answers_of(rows))
    predict(workspace, "b", "sample", "eval", {row.id: row.gold for row in rows})
    request = EvaluateRequest(predictions="a", metrics=["execution"], mode="test-suite")
    evaluate(workspace, request, Quiet())
    evaluate(workspace, EvaluateRequest(predictions="b", metrics=["execution"]), Quiet())
    with workspace.store() as store:
        verdict = store.verdicts.of("a")[rows[0].id]["execution"]
    assert verdict.version.endswith("test-suite")
    assert verdict.evidence["mode"] == "test-suite"
    with pytest.raises(UsageError, match="different modes"):
        compare(workspace, "a", "b")
    evaluate(workspace, request.model_copy(update={"mode": "strict"}), Quiet())
    assert compare(workspace, "a", "b").p_value == 0.125
    with pytest.raises(UsageError, match="no comparison mode"):
        evaluate(workspace, request.model_copy(update={"mode": "lenient"}), Quiet())
