"""One job a device: a queue in order, freed by the kernel, left at once on a stop."""

from __future__ import annotations

import os
import signal

import pytest

from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.devices import devices_for
from t2s_tui.jobs.launcher import stop, submit, wait
from t2s_tui.jobs.locks import holder, lock_dir
from t2s_tui.records import Job, RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, until, until_done, workspace

__all__ = ["workspace"]


def _probe(workspace: Workspace, title: str, steps: int = 2000) -> Job:
    return submit(workspace, "probe", title, {"steps": steps, "seconds": 0.05, "device": "cpu"})


def test_jobs_take_turns_in_the_order_they_came(workspace: Workspace) -> None:
    first = _probe(workspace, "첫째")
    view = until_done(workspace, first.id, 1)
    assert holder("cpu") == "첫째"
    second = _probe(workspace, "둘째", steps=2)
    until(lambda: get_job(workspace, second.id).status.label == "waiting for cpu: 첫째")
    assert get_job(workspace, second.id).status.state is RunState.QUEUED
    third = _probe(workspace, "셋째", steps=2)
    until(lambda: get_job(workspace, third.id).status.label.startswith("waiting for cpu"))
    fourth = _probe(workspace, "넷째", steps=2)
    until(lambda: get_job(workspace, fourth.id).status.label.startswith("waiting for cpu"))
    # The one in the middle gives up; that is not the end of the queue, and it stops without its turn.
    stop(workspace, third.id)
    assert wait(workspace, third.id).status.state is RunState.STOPPED
    assert get_job(workspace, first.id).status.state is RunState.RUNNING
    # The kernel frees the lock of a killed worker.
    assert view.status.identity is not None
    os.kill(view.status.identity.pid, signal.SIGKILL)
    ended = [wait(workspace, job.id).status for job in (second, fourth)]
    assert [status.state for status in ended] == [RunState.DONE, RunState.DONE]
    assert (ended[0].started_at or 0) < (ended[1].started_at or 0)
    assert holder("cpu") is None
    assert not list((lock_dir() / "cpu.waiting").iterdir())
    labels = [e["label"] for e in events_of(get_job(workspace, fourth.id)) if e.get("state") == "queued"]
    assert labels[0] == "waiting for cpu: 첫째"


def test_which_device_a_request_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T2S_TUI_DEVICE", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert devices_for("train", {"model": "smollm2"}) == ["cpu"]
    assert devices_for("generate", {"model": "http://127.0.0.1:8000/v1#m"}) == []
    assert devices_for("evaluate", {}) == []
    assert devices_for("pipeline", {"steps": []}) == []
    assert devices_for("session", {"model": "smollm2"}) == ["cpu"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-abc")
    assert devices_for("train", {"model": "smollm2"}) == ["cuda:2", "cuda:GPU-abc"]
    monkeypatch.setenv("T2S_TUI_DEVICE", "cpu")
    assert devices_for("train", {"model": "smollm2"}) == ["cpu"]
