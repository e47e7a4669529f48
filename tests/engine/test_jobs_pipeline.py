"""A pipeline of real child jobs: in order, resumable, stopped with its child."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.jobs.launcher import resume, stop, submit, wait
from t2s_tui.jobs.pipeline import steps_of
from t2s_tui.records import Job, RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, folder_of, until, workspace

__all__ = ["workspace"]


def _steps(*counts: int, seconds: float = 0.05) -> dict[str, Any]:
    return {
        "steps": [
            {
                "key": f"s{number}",
                "kind": "probe",
                "title": f"step {number}",
                "request": {"steps": count, "seconds": seconds},
            }
            for number, count in enumerate(counts)
        ]
    }


def _children(workspace: Workspace, parent: Job) -> dict[str | None, JobView]:
    return {view.key: view for view in list_jobs(workspace) if view.parent == parent.id}


def _until_step(workspace: Workspace, parent: Job, key: str, done: int) -> JobView:
    def there() -> bool:
        child = _children(workspace, parent).get(key)
        return child is not None and child.status.done >= done

    until(there)
    return _children(workspace, parent)[key]


def test_steps_run_in_order_and_results_are_collected(workspace: Workspace) -> None:
    job = submit(workspace, "pipeline", "loop", _steps(40, 2))
    view = wait(workspace, job.id)
    assert view.status.state is RunState.DONE, view.status
    children = _children(workspace, job)
    assert (children["s0"].status.ended_at or 0) <= children["s1"].job.created_at
    assert view.status.result == {
        "children": {
            "s0": {"job": children["s0"].job.id, "result": {"steps": 40}},
            "s1": {"job": children["s1"].job.id, "result": {"steps": 2}},
        }
    }
    assert steps_of(folder_of(view).path) == {key: child.job.id for key, child in children.items()}
    shown = [event for event in events_of(view) if event["kind"] == "step"]
    assert {event["step"] for event in shown} == {"s0", "s1"}
    assert "step 0: count" in {event["label"] for event in shown}
    assert (view.status.done, view.status.total) == (2, 2)


def test_a_failed_step_fails_the_pipeline_which_resumes_there(workspace: Workspace) -> None:
    request = _steps(1, 1)
    request["steps"][1]["request"] = {"steps": 0}
    job = submit(workspace, "pipeline", "loop", request)
    view = wait(workspace, job.id)
    assert view.status.state is RunState.FAILED
    assert "step 1" in str(view.status.error)
    assert "steps" in str(view.status.error)
    first = _children(workspace, job)
    resume(workspace, job.id)
    assert wait(workspace, job.id).status.state is RunState.FAILED
    again = _children(workspace, job)
    assert {key: child.job.id for key, child in again.items()} == {key: c.job.id for key, c in first.items()}
    assert again["s0"].status.attempt == 1
    assert again["s1"].status.attempt == 2


def test_a_killed_pipeline_adopts_the_child_that_went_on(workspace: Workspace) -> None:
    job = submit(workspace, "pipeline", "loop", _steps(1, 60, 1))
    child = _until_step(workspace, job, "s1", 1)
    view = get_job(workspace, job.id)
    assert view.status.identity is not None
    os.killpg(view.status.identity.pid, signal.SIGKILL)
    until(lambda: get_job(workspace, job.id).status.state is RunState.LOST)
    assert get_job(workspace, child.job.id).status.state is RunState.RUNNING
    (folder_of(view).children).unlink()  # as if it had been killed before it noted the child
    resume(workspace, job.id)
    ended = wait(workspace, job.id)
    assert ended.status.state is RunState.DONE, ended.status
    children = _children(workspace, job)
    assert len(list_jobs(workspace)) == 4
    assert children["s1"].job.id == child.job.id
    assert [c.status.attempt for c in children.values()] == [1, 1, 1]


def test_a_dead_child_is_resumed_and_a_finished_one_kept(workspace: Workspace) -> None:
    job = submit(workspace, "pipeline", "loop", _steps(1, 40))
    child = _until_step(workspace, job, "s1", 1)
    assert child.status.identity is not None
    os.killpg(child.status.identity.pid, signal.SIGKILL)
    view = wait(workspace, job.id)
    assert view.status.state is RunState.FAILED
    assert "was lost" in str(view.status.error)
    resume(workspace, job.id)
    assert wait(workspace, job.id).status.state is RunState.DONE
    children = _children(workspace, job)
    assert (children["s0"].status.attempt, children["s1"].status.attempt) == (1, 2)


def test_a_stop_stops_the_child_first(workspace: Workspace) -> None:
    job = submit(workspace, "pipeline", "loop", _steps(2000, 1))
    child = _until_step(workspace, job, "s0", 1)
    stop(workspace, job.id)
    assert wait(workspace, job.id).status.state is RunState.STOPPED
    assert get_job(workspace, child.job.id).status.state is RunState.STOPPED
    assert set(_children(workspace, job)) == {"s0"}


@pytest.mark.parametrize("steps", [[], [{"key": "a", "kind": "probe", "title": "", "request": {}}] * 2])
def test_a_pipeline_needs_distinct_steps(workspace: Workspace, steps: list[Any]) -> None:
    view = wait(workspace, submit(workspace, "pipeline", "bad", {"steps": steps}).id)
    assert view.status.state is RunState.FAILED
    assert "steps" in str(view.status.error)
