"""What the job tests share: a workspace with locks of its own, and waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.jobs.events import EventTail
from t2s_tui.jobs.folder import JobFolder, tail_lines
from t2s_tui.jobs.launcher import stop
from t2s_tui.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """An empty workspace; whatever still runs in it at the end is killed."""
    monkeypatch.setenv("T2S_TUI_LOCKS", str(tmp_path / "locks"))
    opened = Workspace.open(tmp_path / "workspace")
    yield opened
    for view in list_jobs(opened):
        if not view.status.state.ended:
            stop(opened, view.job.id, force=True)


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to become true; a test that waits in vain fails."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)


def until_done(workspace: Workspace, job_id: str, steps: int) -> JobView:
    """Wait until a job counted that far; its view then."""
    until(lambda: _counted(workspace, job_id, steps))
    return get_job(workspace, job_id)


def _counted(workspace: Workspace, job_id: str, steps: int) -> bool:
    view = get_job(workspace, job_id)
    log = tail_lines(JobFolder(Path(view.job.folder)).output)
    assert not view.status.state.ended or view.status.done >= steps, (view.status, log)
    return view.status.done >= steps


def events_of(view: JobView) -> list[dict[str, object]]:
    """Everything a job said."""
    return EventTail(JobFolder(Path(view.job.folder)).events).read()


def folder_of(view: JobView) -> JobFolder:
    return JobFolder(Path(view.job.folder))
