"""The real worker in its own process: it ends well, fails in words, dies, stops, resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_tui.errors import JobError, UsageError
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.folder import Identity, alive, read_json, tail_lines
from t2s_tui.jobs.identity import boot_id, identity_of
from t2s_tui.jobs.launcher import checkpoint, resume, stop, submit, wait
from t2s_tui.jobs.worker import sentence
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, folder_of, until, until_done, workspace

__all__ = ["workspace"]


def test_a_job_runs_to_its_end_and_says_all_of_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    # A module of the standard library's name in the workspace must not be imported there.
    (workspace.root / "random.py").write_text("raise SystemExit('imported from the workspace')")
    job = submit(workspace, "probe", "질문 세기", {"steps": 4, "seconds": 0.01})
    assert job.state is RunState.QUEUED
    seen: list[int] = []
    view = wait(workspace, job.id, lambda event: seen.append(event["seq"]))
    assert (view.status.state, view.status.result) == (RunState.DONE, {"steps": 4})
    assert (view.status.done, view.status.total, view.status.error) == (4, 4, None)
    assert seen == list(range(1, view.status.seq + 1))
    steps = [event["done"] for event in events_of(view) if event["kind"] == "step"]
    assert steps == [1, 2, 3, 4]
    assert tail_lines(folder_of(view).output) == []
    assert job.id.startswith("0001-probe-")
    stored = read_json(folder_of(view).job)
    assert stored is not None
    assert stored["request"] == {"steps": 4, "seconds": 0.01}
    assert not [entry for entry in workspace.jobs_dir.iterdir() if entry.name.startswith(".new-")]
    with pytest.raises(JobError, match="is done"):
        resume(workspace, job.id)


def test_a_wrong_request_fails_in_one_sentence(workspace: Workspace) -> None:
    view = wait(workspace, submit(workspace, "probe", "bad", {"steps": 0}).id)
    assert view.status.state is RunState.FAILED
    assert view.status.error is not None
    assert "steps" in view.status.error
    assert "Traceback" not in "".join(tail_lines(folder_of(view).output))
    with pytest.raises(UsageError, match="no job of kind 'magic'"):
        submit(workspace, "magic", "x", {})


def test_what_nobody_foresaw_fails_with_its_traceback_in_the_log(workspace: Workspace) -> None:
    view = wait(workspace, submit(workspace, "probe", "bad", {"steps": 0}).id)
    folder = folder_of(view)
    values = read_json(folder.job)
    folder.job.write_text(json.dumps({**(values or {}), "request": ["steps", 1]}))
    # A request that is no object any more: the worker's own code meets an AttributeError.
    process = subprocess.run(
        [sys.executable, "-P", "-m", "t2s_tui.jobs.worker", str(folder.path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    status = read_json(folder.status)
    assert status is not None
    assert status["state"] == "failed"
    assert status["error"].startswith("Unexpected error: AttributeError: ")
    assert status["error"].endswith("see output.log.")
    assert "Traceback" in process.stderr


def test_sentences() -> None:
    assert sentence(UsageError("No such column", "name another")) == "No such column: name another."
    assert sentence(MemoryError()).startswith("The memory was not enough")
    assert sentence(OSError(28, "No space left on device", "/x/y")).startswith("The disk is full (/x/y)")
    assert sentence(ValueError("a\nb")) == "Unexpected error: ValueError: a b, see output.log."


def test_a_killed_worker_is_lost_and_resumes_where_the_log_ends(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "long", {"steps": 600, "seconds": 0.1})
    view = until_done(workspace, job.id, 2)
    assert view.status.identity is not None
    assert os.getpgid(view.status.identity.pid) == view.status.identity.pid
    with pytest.raises(JobError, match="is running"):
        resume(workspace, job.id)
    os.kill(view.status.identity.pid, signal.SIGKILL)
    # Its parent, this process, has not waited for it: it is a zombie, and that is dead.
    until(lambda: not alive(view.status.identity))
    lost = get_job(workspace, job.id)
    assert lost.status.state is RunState.LOST
    assert lost.job.state is RunState.LOST
    assert lost.status.error == "The worker was killed, perhaps out of memory: resume the job."
    before = [event["seq"] for event in events_of(lost)]
    again = resume(workspace, job.id)
    assert (again.id, again.folder) == (job.id, job.folder)
    view = until_done(workspace, job.id, 1)
    assert view.status.attempt == 2
    stopped = stop(workspace, job.id, wait=True)
    assert stopped.status.state is RunState.STOPPED
    after = [event["seq"] for event in events_of(stopped)]
    assert after[: len(before)] == before
    assert after == list(range(1, len(after) + 1))
    with pytest.raises(JobError, match="is stopped already"):
        stop(workspace, job.id)


def test_another_process_with_the_same_pid_is_not_the_worker() -> None:
    me = identity_of()
    assert me is not None
    assert alive(me)
    assert not alive(Identity(me.pid, me.start_time + 1, me.boot_id))
    assert not alive(Identity(me.pid, me.start_time, "another boot"))
    assert not alive(None)
    assert me.boot_id == boot_id()
    assert Identity.from_json(me.to_json()) == me


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (
            "import os; os.write(2, b'no luck\\n'); os._exit(1)",
            "died while it started (no luck)",
        ),
        (
            "import faulthandler, os; faulthandler.enable(); os.abort()",
            "The worker crashed (Aborted), see output.log",
        ),
    ],
)
def test_a_worker_that_cannot_start_is_lost_with_the_reason(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    custom = tmp_path / "custom"
    custom.mkdir()
    (custom / "sitecustomize.py").write_text(code)  # the Python of the worker dies before its first line
    monkeypatch.setenv("PYTHONPATH", str(custom))
    job = submit(workspace, "probe", "x", {"steps": 1})
    view = wait(workspace, job.id)
    assert view.status.state is RunState.LOST
    assert why in str(view.status.error)
    assert tail_lines(folder_of(view).output)
    monkeypatch.delenv("PYTHONPATH")
    resume(workspace, job.id)
    assert wait(workspace, job.id).status.state is RunState.DONE


def test_a_stop_is_a_request_and_a_checkpoint_too(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "x", {"steps": 600, "seconds": 0.1})
    until(lambda: get_job(workspace, job.id).status.state is RunState.RUNNING)
    checkpoint(workspace, job.id)
    until(lambda: any(e["kind"] == "checkpoint" for e in events_of(get_job(workspace, job.id))))
    stop(workspace, job.id)
    view = wait(workspace, job.id)
    assert (view.status.state, view.status.error) == (RunState.STOPPED, None)
    states = [event["state"] for event in events_of(view) if event["kind"] == "state"]
    assert states == ["running", "stopping", "stopped"]
    with pytest.raises(JobError, match="only a running job"):
        checkpoint(workspace, job.id)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_asks_for_a_stop_and_sighup_is_nothing(workspace: Workspace, number: int) -> None:
    job = submit(workspace, "probe", "x", {"steps": 20, "seconds": 0.1})
    view = until_done(workspace, job.id, 1)
    assert view.status.identity is not None
    os.killpg(view.status.identity.pid, number)
    ended = wait(workspace, job.id)
    assert ended.status.state is (RunState.STOPPED if number == signal.SIGTERM else RunState.DONE)


def test_one_that_does_not_listen_is_terminated_by_its_own_watch(workspace: Workspace) -> None:
    # Whoever asked is long gone: the second SIGTERM comes from within.
    job = submit(workspace, "probe", "deaf", {"steps": 2, "seconds": 3000})
    until(lambda: get_job(workspace, job.id).status.state is RunState.RUNNING)
    stop(workspace, job.id, grace=0.5)
    view = wait(workspace, job.id)
    assert view.status.state is RunState.STOPPED
    assert [e for e in events_of(view) if e["kind"] == "warning"]


@pytest.mark.slow
def test_one_stuck_in_c_kills_itself_after_the_signal(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "stuck", {"steps": 1, "seconds": 120, "work": "hash"})
    until(lambda: get_job(workspace, job.id).status.state is RunState.RUNNING)
    view = stop(workspace, job.id, grace=0.2)
    assert view.status.state in (RunState.RUNNING, RunState.STOPPING)
    view = wait(workspace, job.id, timeout=60)
    assert view.status.state is RunState.STOPPED
    assert "was killed" in str(view.status.error)
    until(lambda: not alive(view.status.identity))


def test_force_kills_even_a_frozen_worker(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "frozen", {"steps": 600, "seconds": 0.1})
    view = until_done(workspace, job.id, 1)
    assert view.status.identity is not None
    os.kill(view.status.identity.pid, signal.SIGSTOP)
    ended = stop(workspace, job.id, force=True)
    assert ended.status.state is RunState.STOPPED
    assert "killed on request" in str(ended.status.error)
    assert not alive(view.status.identity)
    assert events_of(ended)[-1]["state"] == "stopped"


def test_two_resumes_make_one_worker(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "x", {"steps": 600, "seconds": 0.1})
    until_done(workspace, job.id, 1)
    stop(workspace, job.id, wait=True)
    resume(workspace, job.id)
    with pytest.raises(JobError, match=r"is (queued|running)"):
        resume(workspace, job.id)
