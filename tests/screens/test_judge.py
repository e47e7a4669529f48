"""The judge's screen: counts, rates against limits, money, errors; stop and resume; nothing made up."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from screens.evaluate_form import EvaluateForm
from screens.judge import JudgeScreen
from screens.judge_requests import entry_text, read_asked, read_entry
from screens.judge_state import Figures, cost_words, figures_of
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.run import evaluate
from t2s_tui.jobs.control import ControlTail
from t2s_tui.jobs.events import EventLog
from t2s_tui.jobs.folder import JobFolder
from t2s_tui.progress import Quiet
from t2s_tui.records import Outcome, RunState, Verdict
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI
from tests.reviewed import reviewed_workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, until

ASKED = {
    "predictions": "tuned",
    "metrics": ["judge"],
    "judge": {
        "model": "judge-1",
        "prompt": "reference",
        "base_url": "http://127.0.0.1:9/v1",
        "max_attempts": 1,
    },
}
EVENT: dict[str, Any] = {
    "done": 84,
    "in_flight": 8,
    "waiting": 20,
    "total": 112,
    "failed": 1,
    "missing": 2,
    "cached": 12,
    "requests_per_minute": 212.4,
    "tokens_per_minute": 41_200,
    "limits": {"requests": 500, "tokens": None},
    "cost": 0.42,
    "budget": 2.0,
    "currency": "USD",
    "errors": {"network": 1, "rate limit": 3},
    "eta_seconds": 360,
}


def judging(
    workspace: Workspace,
    state: RunState = RunState.RUNNING,
    *,
    events: Sequence[tuple[str, dict[str, Any]]] = (("judge", {**EVENT, "done": 1}), ("judge", EVENT)),
    **status: Any,
) -> None:
    job_folder(
        workspace,
        "0007-judge",
        state,
        kind="evaluate",
        title="evaluate tuned",
        request=ASKED,
        events=events,
        done=84,
        total=112,
        **status,
    )


async def test_a_judge_at_work_is_watched_and_stopped(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    judging(workspace)
    app = bench(workspace, start="jobs")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "evaluate tuned")
        await pressed(pilot, "a")
        await on_screen(pilot, "84 of 112")
        text = screen_text(app)
        for words in (
            "judge-1 · reference · http://127.0.0.1:9/v1",
            "8 in flight · 20 waiting · 12 from the journal · 2 missing · 1 failed",
            "212 a minute of 500",
            "41,200 a minute, no limit known",
            "0.42 of 2.00 USD",
            "rate limit 3, network 1",
            "6m",
        ):
            assert words in text, text
        log = EventLog(workspace.jobs_dir / "0007-judge" / "events.jsonl")
        log.append("judge", {**EVENT, "done": 90})
        log.close()
        await on_screen(pilot, "90 of 112")
        await pressed(pilot, "P")
        control = ControlTail(JobFolder(workspace.jobs_dir / "0007-judge").control, 20.0)
        assert control.read().paused
        judging(workspace, paused=True)
        await on_screen(pilot, "paused")
        await pressed(pilot, "R")
        assert not control.read().paused
        await pressed(pilot, "s", "y")
        assert control.read().stop_at is not None
        await pressed(pilot, "escape")
        await on_screen(pilot, "Job and its events")


async def test_a_batch_says_how_it_is_and_when_it_is_looked_at_next(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    batch = {
        "id": "batch_1",
        "status": "in_progress",
        "completed": 300,
        "failed": 0,
        "total": 1000,
        "open": 2,
    }
    told = {**EVENT, "batch": {**batch, "next_look_at": time.time() + 200.5}}
    judging(workspace, events=[("judge", told)])
    app = bench(workspace, start="jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "evaluate tuned")
        await pressed(pilot, "a", "enter")
        await on_screen(pilot, "in progress 300 of 1,000")
        await on_screen(pilot, "batch_1 · 1 of 2 open")
        await on_screen(pilot, "next look in 3m")
        log = EventLog(workspace.jobs_dir / "0007-judge" / "events.jsonl")
        log.append("judge", {**told, "batch": {"id": "b", "status": "validating", "next_look_at": 1.0}})
        await on_screen(pilot, "b · looking")
        assert "validating" in screen_text(app)
        log.append("judge", EVENT)
        log.close()
        await until(pilot, lambda: "looking" not in screen_text(app))


async def test_a_judge_that_stopped_says_why_and_can_be_resumed_also_on_a_narrow_ascii_screen(
    tmp_path: Path,
) -> None:
    workspace = Workspace.open(tmp_path)
    judging(workspace, RunState.FAILED, error="The quota is used up: top it up, then resume.")
    app = bench(workspace, start="jobs", ascii_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "evaluate tuned")
        await pressed(pilot, "a", "enter")
        await on_screen(pilot, "The quota is used up")
        await on_screen(pilot, "84 of 112")
        assert "#" * 12 in screen_text(app)
        assert "━" not in screen_text(app)
        screen = app.screen
        assert isinstance(screen, JudgeScreen)
        assert screen.check_action("resume", ()) is True
        assert screen.check_action("stop", ()) is False


async def test_each_request_is_seen_with_what_was_sent_and_what_came_back_those_without_first(
    tmp_path: Path,
) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    asked = {"model": "judge-1", "prompt": "reference"}
    usage = {"prompt_tokens": 200, "completion_tokens": 8}
    answered = {**asked, "attempts": 2, "answer": '{"resolve_yn": "yes"}', "usage": usage}
    lost = {**asked, "attempts": 6}
    why = "no answer: HTTP 500: injected"
    with workspace.store() as store:
        store.verdicts.add(
            [
                Verdict("tuned", examples[0].id, "judge", Outcome.PASS, "the judge says yes", answered),
                Verdict("tuned", examples[2].id, "judge", Outcome.MISSING, why, lost),
            ]
        )
    judging(workspace)
    app = bench(workspace, start="jobs")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "evaluate tuned")
        await pressed(pilot, "a")
        await on_screen(pilot, "2 requests, 1 without an answer first")
        await on_screen(pilot, why)
        await on_screen(pilot, "nothing that counts as an answer")
        await pressed(pilot, "tab", "j")
        await on_screen(pilot, "Based on below DDL and Question")
        await pressed(pilot, "c")
        copied = (workspace.root / "copied.txt").read_text(encoding="utf-8")
        assert '{"resolve_yn": "yes"}' in copied
        assert examples[0].question in copied
        await pressed(pilot, "E")
        assert isinstance(app.screen, EvaluateForm)
        await on_screen(pilot, "judge-1")


async def test_one_request_and_those_without_an_answer_are_asked_again_and_nothing_else(
    tmp_path: Path,
) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    said = {"model": "judge-1", "prompt": "reference", "attempts": 1, "answer": '{"resolve_yn": "yes"}'}
    lost = {"model": "judge-1", "prompt": "reference", "attempts": 6}
    with workspace.store() as store:
        store.verdicts.add(
            [
                Verdict("tuned", examples[0].id, "judge", Outcome.PASS, "the judge says yes", said),
                Verdict("tuned", examples[2].id, "judge", Outcome.MISSING, "no answer: HTTP 500", lost),
            ]
        )
    judging(workspace, RunState.DONE)
    app = bench(workspace, start="jobs")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "evaluate tuned")
        await pressed(pilot, "a")
        await on_screen(pilot, "2 requests, 1 without an answer first")
        await pressed(pilot, "A")
        await on_screen(pilot, "Ask the 1 without an answer again?")
        await pressed(pilot, "y")
        first = await _new_request(pilot, workspace, 2)
        assert (first["only"], first["judge"]["reuse"]) == (["missing"], True)
        await pressed(pilot, "tab", "j", "a")
        await on_screen(pilot, "again?")
        await pressed(pilot, "escape")
        assert len(list(workspace.jobs_dir.glob("*/job.json"))) == 2


async def _new_request(pilot: Any, workspace: Workspace, count: int) -> dict[str, Any]:
    """The request of the newest job, once there are so many."""
    for _ in range(100):
        await pilot.pause(0.05)
        folders = sorted(path for path in workspace.jobs_dir.iterdir() if (path / "job.json").exists())
        if len(folders) == count:
            found = json.loads((folders[-1] / "job.json").read_text(encoding="utf-8"))["request"]
            assert isinstance(found, dict)
            return found
    raise AssertionError("no job was submitted")


def test_what_the_worker_does_not_know_is_not_made_up() -> None:
    assert figures_of({"kind": "judge", "limits": None, "errors": None, "done": "x"}) == Figures()
    assert cost_words(Figures()) == "no price is known for this model"
    assert cost_words(Figures(cost=0.5)) == "0.50 USD, no budget set"


def test_a_request_is_told_as_the_journal_has_it(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    with FakeOpenAI(lambda _: '{"resolve_yn": "yes"}', faults=["500"]) as server:
        judge = JudgeSettings(base_url=server.base_url, model="judge-1", concurrency=1)
        evaluate(workspace, EvaluateRequest(predictions="tuned", metrics=["judge"], judge=judge), Quiet())
    asked = read_asked(workspace, "tuned", ["judge-1"])
    assert [one.example.id for one in asked] == [e.id for e in examples]
    entry = read_entry(workspace, asked[0])
    assert entry is not None
    text = entry_text(asked[0], entry).plain
    assert "tries     2" in text
    assert '"finish_reason": "stop"' in text
    assert examples[0].question in text
    assert not read_asked(workspace, "tuned", ["judge-2"])
