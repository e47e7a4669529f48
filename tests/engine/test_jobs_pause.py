"""A pause: what is under way ends, nothing new begins, and the same worker goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from t2s_tui.errors import JobError
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.launcher import pause, resume, stop, submit, wait
from t2s_tui.records import Outcome, RunState
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI
from tests.jobs_support import events_of, until, until_done, workspace
from tests.reviewed import reviewed_workspace

__all__ = ["workspace"]


def test_a_counter_waits_and_goes_on_with_the_same_worker(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "count", {"steps": 60, "seconds": 0.05})
    until_done(workspace, job.id, 2)
    pause(workspace, job.id)
    until(lambda: get_job(workspace, job.id).status.paused)
    before = get_job(workspace, job.id)
    time.sleep(0.6)  # a dozen steps' time
    now = get_job(workspace, job.id)
    assert now.status.done <= before.status.done + 2
    assert now.status.state is RunState.RUNNING
    resume(workspace, job.id)
    until(lambda: not get_job(workspace, job.id).status.paused)
    ended = wait(workspace, job.id, timeout=60)
    assert ended.status.state is RunState.DONE
    assert ended.status.attempt == 1
    assert [e["text"] for e in events_of(ended) if e["kind"] == "note"] == ["paused", "goes on"]


def test_a_paused_job_can_be_stopped_and_an_ended_one_not_paused(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "count", {"steps": 1000, "seconds": 0.05})
    until_done(workspace, job.id, 1)
    pause(workspace, job.id)
    until(lambda: get_job(workspace, job.id).status.paused)
    stop(workspace, job.id)
    assert wait(workspace, job.id, timeout=60).status.state is RunState.STOPPED
    with pytest.raises(JobError, match="only a running job"):
        pause(workspace, job.id)


def test_a_paused_judge_asks_nothing_more_and_then_asks_the_rest_once(workspace: Workspace) -> None:
    reviewed_workspace(workspace.root, judged=False)

    def answer(_: dict[str, Any]) -> str:
        time.sleep(0.3)
        return '{"resolve_yn": "yes"}'

    with FakeOpenAI(answer) as server:
        judge = {"base_url": server.base_url, "model": "judge-1", "concurrency": 1}
        asked = {"predictions": "tuned", "metrics": ["judge"], "judge": judge}
        job = submit(workspace, "evaluate", "evaluate tuned", asked)
        until(lambda: server.requests)
        pause(workspace, job.id)
        until(lambda: get_job(workspace, job.id).status.paused)
        until(lambda: server.concurrent == 0)
        count = len(server.requests)
        assert count < 6
        time.sleep(1.0)
        assert len(server.requests) == count
        resume(workspace, job.id)
        ended = wait(workspace, job.id, timeout=60)
        assert ended.status.state is RunState.DONE, ended.status.error
        assert len(server.requests) == 6
    with workspace.store() as store:
        said = store.verdicts.of("tuned", "judge")
    assert [row["judge"].outcome for row in said.values()] == [Outcome.PASS] * 6
