"""Making a job's folder and starting its worker: a detached process that needs nothing of ours."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import t2s_tui
from t2s_tui.jobs import control
from t2s_tui.jobs.folder import RESERVE_BYTES, JobFolder, Status, read_json, write_json
from t2s_tui.jobs.identity import Identity, boot_id, identity_of
from t2s_tui.jobs.locks import locked
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace

_NUMBER = re.compile(r"(\d+)-")

# The workers this process spawned: kept so that they can be reaped, which is all a parent owes them.
_spawned: list[subprocess.Popen[bytes]] = []
_spawned_lock = threading.Lock()  # a screen polls in one thread and submits in another


def python_environment() -> dict[str, str]:
    """The environment of a Python of ours in another folder: it finds this package there too."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    environment.setdefault("TQDM_DISABLE", "1")  # bars redraw themselves, which a log file cannot
    # glibc gives every large tensor back to the kernel and gets it anew, zeroed, a page fault each 4 KB: on
    # a CPU trial steps went from about 210 to 270 tokens/s with these two, which let it reuse what it has.
    environment.setdefault("MALLOC_MMAP_MAX_", "0")
    environment.setdefault("MALLOC_TRIM_THRESHOLD_", str(1 << 34))
    # libgomp's idle threads spin for long by default, and two torch processes on the same cores then wait for
    # each other's spinning: on a loaded machine 40 to 65 tokens/s here, and 120 to 280 with a short spin.
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "10000")
    environment.setdefault("PYTHONIOENCODING", "utf-8:backslashreplace")
    home = Path(t2s_tui.__file__).parent.parent
    if "site-packages" not in home.parts:  # a checkout
        known = os.environ.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{home}{os.pathsep}{known}" if known else str(home)
    return environment


def reap() -> None:
    """Let go of the workers this process started that have ended, so that no zombies stay."""
    with _spawned_lock:
        _spawned[:] = [process for process in _spawned if process.poll() is None]


def make_folder(workspace: Workspace, values: dict[str, Any], stack: contextlib.ExitStack) -> JobFolder:
    """The whole folder under its final name in one rename, launch.lock held in `stack` from before that."""
    jobs = workspace.jobs_dir
    jobs.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=jobs))
    try:
        folder = JobFolder(made)
        stack.enter_context(locked(folder.launch_lock))
        made.chmod(0o755)
        folder.events.touch()
        with locked(jobs / ".lock"):
            job_id = _next_id(jobs, values)
            write_json(folder.job, {"id": job_id, **values}, durable=True)
            write_json(folder.status, Status(heartbeat=time.time(), label="starting").to_json())
            made.rename(jobs / job_id)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return JobFolder(jobs / job_id)


def _next_id(jobs: Path, values: dict[str, Any]) -> str:
    """`0007-train-tuned`: counted in this workspace, so that it sorts, and short enough to type."""
    numbers = [int(found[1]) for entry in jobs.iterdir() if (found := _NUMBER.match(entry.name))]
    words = re.sub(r"\W+", "-", f"{values['kind']} {values['title']}".lower()).strip("-")
    repeated = f"{values['kind']}-{values['kind']}"
    words = words.replace(repeated, str(values["kind"]), 1) if words.startswith(repeated) else words
    return f"{max(numbers, default=0) + 1:04d}-{words[:28].rstrip('-')}"


def spawn(workspace: Workspace, folder: JobFolder) -> None:
    """Start the worker in a session of its own. Its status says it failed when there is no starting it."""
    reap()
    control.request(folder.control, "start")
    if not folder.reserve.exists():  # a full disk took it the last time
        folder.reserve.write_bytes(b"\0" * RESERVE_BYTES)
    # -P: the workspace has folders named `datasets` and the like, which must not be importable there.
    command = [sys.executable, "-P", "-m", "t2s_tui.jobs.worker", str(folder.path)]
    try:
        with folder.output.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=workspace.root,
                env=python_environment(),
                close_fds=True,
                start_new_session=True,
            )
    except OSError as error:
        said = f"The worker could not be started ({error.strerror}): resume the job."
        status = Status.from_json(read_json(folder.status) or {})
        status = replace(status, state=RunState.FAILED, error=said, ended_at=time.time())
        with contextlib.suppress(OSError):  # the caller gets the first error
            write_json(folder.status, status.to_json())
        raise
    with _spawned_lock:
        _spawned.append(process)
    who = identity_of(process.pid) or Identity(process.pid, -1.0, boot_id())
    try:
        write_json(folder.launch, who.to_json())
    except OSError:  # nobody would know whom to ask for life: better not begun
        process.kill()
        raise
