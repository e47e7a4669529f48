"""The worker process: `python -m t2s_tui.jobs.worker FOLDER` does the job of that folder.

It lives in a session of its own and ignores SIGHUP, so that no terminal's end is its end. Exit code 0: done
or stopped on request; 1: failed, the reason is in status.json; 3: another worker has the folder.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

from t2s_tui.errors import JobError, JobStopped, T2SError
from t2s_tui.jobs.devices import confine, devices_for
from t2s_tui.jobs.folder import FULL, JobFolder, read_json
from t2s_tui.jobs.locks import DeviceLock
from t2s_tui.jobs.redaction import RedactedStream, Redactor
from t2s_tui.jobs.reporter import Reporter, disk_error
from t2s_tui.records import RunState
from t2s_tui.text import one_line
from t2s_tui.workspace import Workspace

_PREDECESSOR_SECONDS = 20.0  # how long a resumed job waits for its last worker to be gone
_EXIT_SECONDS = 15.0  # how long other people's threads may hold up the exit
_MESSAGE = 300


def main(argv: list[str]) -> int:
    """Run the job in the folder `argv[0]`; returns the exit code."""
    folder = JobFolder(Path(argv[0]).absolute())
    redactor = Redactor()
    sys.stdout = cast("TextIO", RedactedStream(sys.stdout, redactor))
    sys.stderr = cast("TextIO", RedactedStream(sys.stderr, redactor))
    faulthandler.enable(2)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = read_json(folder.job)
    if job is None:
        print(f"{folder.job} cannot be read", file=sys.stderr, flush=True)
        return 1
    with folder.worker_lock.open("a") as lock:
        if not _only_worker(lock):
            print("another worker has this job", file=sys.stderr, flush=True)
            return 3
        try:
            reporter = Reporter(folder, str(job["id"]), str(job["kind"]), redactor)
            signal.signal(signal.SIGTERM, reporter.on_sigterm)
            reporter.start()
        except OSError as error:
            print(disk_error(error, "its status could not be written"), file=sys.stderr, flush=True)
            return 1
        code = _work(folder, job, reporter)
    sys.stdout.flush()
    sys.stderr.flush()
    _exit_in_time(code)
    return code


def _work(folder: JobFolder, job: dict[str, Any], reporter: Reporter) -> int:
    lock: DeviceLock | None = None
    state, error, result = RunState.DONE, None, None
    try:
        os.environ["T2S_TUI_JOB_ID"] = str(job["id"])
        workspace = Workspace.open(folder.path.parent.parent)
        lock = _take_device(job, reporter)
        reporter.running()
        from t2s_tui.jobs.handlers import run

        with reporter.interruptible():
            result = run(str(job["kind"]), workspace, dict(job["request"]), reporter)
    except JobStopped:
        state = RunState.STOPPED
    except BaseException as failure:
        state, error = RunState.FAILED, sentence(failure)
        if not isinstance(failure, T2SError):
            with suppress(OSError):  # the log may be on the disk that is full
                traceback.print_exc()
    finally:
        if lock is not None:
            lock.release()
    try:
        reporter.finish(state, error=error, result=result)
    except OSError as failure:
        with suppress(OSError):
            print(
                f"the last status could not be written: {failure} ({state}: {error})",
                file=sys.stderr,
                flush=True,
            )
        return 1
    return 1 if state is RunState.FAILED else 0


def sentence(error: BaseException) -> str:
    """What a person reads of a failure: one sentence; the traceback is in output.log."""
    if isinstance(error, T2SError):
        return str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return str(disk_error(error, one_line(str(error.filename or "a file could not be written"))))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return str(
            JobError(
                "The memory was not enough", "use a smaller batch or shorter examples, then resume the job"
            )
        )
    said = one_line(str(error))[:_MESSAGE].rstrip(".")
    return f"Unexpected error: {type(error).__name__}{': ' if said else ''}{said}, see output.log."


def _take_device(job: dict[str, Any], reporter: Reporter) -> DeviceLock | None:
    devices = devices_for(str(job["kind"]), job["request"])
    if not devices:
        return None
    lock = DeviceLock(devices, str(job["id"]), str(job["title"]))
    device = lock.acquire(
        reporter.stop_requested,
        lambda device, title: reporter.waiting(f"waiting for {device.partition(':')[0]}: {title}"),
    )
    confine(device)
    return lock


def _only_worker(lock: Any) -> bool:
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
        else:
            return True


def _exit_in_time(code: int) -> None:
    """A thread of some library that does not end must not keep a finished job's memory."""
    timer = threading.Timer(_EXIT_SECONDS, os._exit, (code,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
