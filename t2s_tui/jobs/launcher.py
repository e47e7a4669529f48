"""Submit, stop, pause, resume, checkpoint, wait: what a person asks of a job. Loads nothing heavy.

Whoever starts or kills a worker holds the folder's launch.lock meanwhile, so that two of them never do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import t2s_tui
from t2s_tui.errors import JobError, UsageError
from t2s_tui.jobs import control
from t2s_tui.jobs.board import JobView, get_job, read_view
from t2s_tui.jobs.events import EventLog, EventTail, plain
from t2s_tui.jobs.folder import JobFolder, read_status, worker_of, write_json
from t2s_tui.jobs.identity import Identity, alive
from t2s_tui.jobs.locks import locked
from t2s_tui.jobs.redaction import Redactor
from t2s_tui.jobs.reporter import disk_error
from t2s_tui.jobs.spawn import make_folder, reap, spawn
from t2s_tui.records import Job, RunState
from t2s_tui.text import nfc, one_line
from t2s_tui.workspace import Workspace

KINDS = (
    "train", "generate", "evaluate", "audit", "split", "clean", "export", "pipeline", "session", "probe"
)  # fmt: skip
#: Kinds whose work asks between two pieces whether it should wait.
PAUSABLE = frozenset({"evaluate", "audit", "split", "clean", "export", "probe"})
_POLL = 0.2
_KILL_MARGIN = 15.0  # after the grace: the worker's own SIGTERM and SIGKILL come first


def submit(
    workspace: Workspace,
    kind: str,
    title: str,
    request: Mapping[str, Any],
    *,
    parent: str | None = None,
    key: str | None = None,
) -> Job:
    """Make a job and start its worker, detached. `request` is plain JSON or a pydantic model.

    `parent` and `key` name the pipeline and the step it belongs to. Raises UsageError for an unknown kind or
    a secret in the request, JobError when the folder cannot be made or the worker cannot be started.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no job of kind {kind!r}", f"use one of {', '.join(KINDS)}")
    asked = plain(request)
    redactor = Redactor()
    if redactor.value(asked) != asked:
        raise UsageError(
            "The request holds a secret of your environment, and jobs are written to disk",
            "give the name of the variable instead of its value",
        )
    title = redactor.text(one_line(nfc(title)))
    values = {
        "kind": kind,
        "title": title,
        "request": asked,
        "created_at": time.time(),
        "parent": parent,
        "key": key,
    }
    values["version"] = t2s_tui.__version__
    try:
        with contextlib.ExitStack() as stack:
            folder = make_folder(workspace, values, stack)
            try:
                spawn(workspace, folder)
            except OSError:
                shutil.rmtree(folder.path, ignore_errors=True)  # never begun: nothing to resume
                raise
    except OSError as error:
        raise disk_error(error, f"the job {title!r} could not be started") from error
    return read_view(folder).job


def resume(workspace: Workspace, job_id: str) -> Job:
    """Start a new worker on a stopped, failed or lost job: same folder, same id, events go on.

    A paused job goes on with the worker it has. Raises JobError when the job runs or is done.
    """
    view = get_job(workspace, job_id)
    folder = JobFolder(Path(view.job.folder))
    if view.status.state is RunState.RUNNING and view.status.paused:
        _ask(folder, "unpause")
        return view.job
    try:
        with locked(folder.launch_lock):
            status = read_status(folder)
            if not status.state.resumable:
                raise JobError(
                    f"The job {view.job.id} is {status.state}",
                    "only a stopped, failed or lost job can be resumed",
                )
            folder.launch.unlink(missing_ok=True)
            queued = replace(
                status,
                state=RunState.QUEUED,
                identity=None,
                error=None,
                ended_at=None,
                label="resuming",
                attempt=status.attempt + 1,
            )
            write_json(folder.status, queued.to_json())
            spawn(workspace, folder)
    except OSError as error:
        raise disk_error(error, f"the job {view.job.id} could not be resumed") from error
    return read_view(folder).job


def stop(
    workspace: Workspace, job_id: str, *, grace: float | None = None, wait: bool = False, force: bool = False
) -> JobView:
    """Ask a job to stop: it saves what it has and exits. Returns at once unless `wait`.

    After `grace` seconds (120 for a training, 150 for a pipeline, else 20) the worker terminates itself.
    `force` kills it now; so does a second stop once the grace and its margin are over. Raises JobError when
    the job has ended.
    """
    view = get_job(workspace, job_id)
    folder = JobFolder(Path(view.job.folder))
    if view.status.state.ended:
        raise JobError(f"The job {view.job.id} is {view.status.state} already", "there is nothing to stop")
    grace = control.default_grace(view.job.kind) if grace is None else grace
    before = control.ControlTail(folder.control, grace).read()
    try:
        control.request(folder.control, "stop", grace=grace)
    except OSError:
        # The disk is full: a SIGTERM asks for the same.
        _signal(worker_of(folder, view.status), signal.SIGTERM)
    overdue = before.deadline is not None and time.time() > before.deadline + _KILL_MARGIN
    if force or overdue or (wait and not _ended(folder, grace + _KILL_MARGIN)):
        _kill(folder)
    return read_view(folder)


def pause(workspace: Workspace, job_id: str) -> None:
    """Ask a running job to begin nothing new until it is resumed. Its worker stays, with what it has loaded.

    Raises JobError when the job does not run, or is of a kind that cannot wait.
    """
    view = get_job(workspace, job_id)
    if view.job.kind not in PAUSABLE:
        raise JobError(f"A job of kind {view.job.kind!r} cannot be paused", "stop it, and resume it later")
    if view.status.state is not RunState.RUNNING:
        raise JobError(f"The job {view.job.id} is {view.status.state}", "only a running job can be paused")
    _ask(JobFolder(Path(view.job.folder)), "pause")


def _ask(folder: JobFolder, what: str) -> None:
    try:
        control.request(folder.control, what)
    except OSError as error:
        raise disk_error(error, "the request could not be written") from error


def checkpoint(workspace: Workspace, job_id: str) -> None:
    """Ask a running job to save a checkpoint now. Raises JobError when it does not run."""
    view = get_job(workspace, job_id)
    if view.status.state is not RunState.RUNNING:
        raise JobError(
            f"The job {view.job.id} is {view.status.state}", "only a running job can save a checkpoint"
        )
    _ask(JobFolder(Path(view.job.folder)), "checkpoint")


def wait(
    workspace: Workspace,
    job_id: str,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    *,
    since: int = 0,
    timeout: float | None = None,
) -> JobView:
    """Follow a job to its end; `on_event` gets every event with a `seq` above `since`, in order.

    Returns its last view, or the present one after `timeout` seconds.
    """
    folder = JobFolder(Path(get_job(workspace, job_id).job.folder))
    tail = EventTail(folder.events)
    give_up = None if timeout is None else time.monotonic() + timeout
    while True:
        # The state first: what a job says before it ends is then in the events read after it.
        view = read_view(folder)
        while events := tail.read():
            for event in events:
                if on_event is not None and event.get("seq", 0) > since:
                    on_event(event)
        reap()
        if view.status.state.ended or (give_up is not None and time.monotonic() >= give_up):
            return view
        time.sleep(_POLL)


def _ended(folder: JobFolder, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reap()
        if read_status(folder).state.ended:
            return True
        time.sleep(_POLL)
    return False


def _kill(folder: JobFolder) -> None:
    """SIGKILL to the whole group, then say in the worker's place that it was stopped."""
    with locked(folder.launch_lock):
        status = read_status(folder)
        if status.state.ended:
            return
        who = worker_of(folder, status)
        _signal(who, signal.SIGKILL)
        until = time.monotonic() + _KILL_MARGIN
        while alive(who) and time.monotonic() < until:
            time.sleep(0.05)
        if alive(who):
            raise JobError(
                f"The worker {who.pid if who else ''} cannot be killed",
                "it hangs in the kernel: look at its device",
            )
        reap()
        status = read_status(folder)  # LOST now, unless it had its last word
        if status.state is RunState.LOST:
            stopped = replace(
                status, state=RunState.STOPPED, error="The job was killed on request: resume it."
            )
            log = EventLog(folder.events)
            try:
                log.append("state", {"state": "stopped", "error": stopped.error})
            finally:
                log.close()
            write_json(folder.status, replace(stopped, ended_at=time.time(), seq=log.seq).to_json())


def _signal(who: Identity | None, number: int) -> None:
    """To the worker's group, and only while its leader lives: a dead leader's pid may be anyone's."""
    if who is not None and alive(who):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(who.pid, number)
