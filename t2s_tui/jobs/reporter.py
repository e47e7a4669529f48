"""The worker's voice and ear: `Progress` over the event log, the heartbeat, and the watch over stops.

One thread looks four times a second: it reads what was asked, writes the status when it changed (at most
twice a second) or every two seconds, and sees to it that a stop ends: SIGTERM to the group when the grace is
over, SIGKILL last. The watch is in the worker itself, so it outlives whoever asked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from t2s_tui.errors import JobError, JobStopped
from t2s_tui.jobs.control import ControlTail, default_grace
from t2s_tui.jobs.events import EventLog, plain
from t2s_tui.jobs.folder import FULL, JobFolder, Status, read_json, write_json
from t2s_tui.jobs.identity import identity_of
from t2s_tui.jobs.redaction import Redactor
from t2s_tui.records import RunState

_TICK = 0.25
_WRITE_EVERY = 0.5
_HEARTBEAT_EVERY = 2.0
_KILL_AFTER = 10.0  # from the SIGTERM to the SIGKILL
_STEP_EVENTS_EVERY = 0.1  # for steps that carry no figures: a counter needs no line for each


class Reporter:
    """The Progress of one job's worker. `job_id` names the job in the records it writes."""

    def __init__(self, folder: JobFolder, job_id: str, kind: str, redactor: Redactor) -> None:
        self.job_id = job_id
        self.asked_at = float((read_json(folder.job) or {}).get("created_at") or time.time())
        self._folder = folder
        self._redactor = redactor
        self._log = EventLog(folder.events)
        self._grace = default_grace(kind)
        self._control = ControlTail(folder.control, self._grace)
        before = Status.from_json(read_json(folder.status) or {})
        # Where the last worker was stays in sight until this one knows better.
        self._status = replace(
            before,
            state=RunState.QUEUED,
            error=None,
            result=None,
            ended_at=None,
            identity=identity_of(),
            paused=False,
        )
        self._lock = threading.RLock()
        self._dirty = False
        self._written = self._last_step = 0.0
        self._terminated_at: float | None = None  # set by the signal handler, which must take no lock
        self._escalated_at: float | None = None
        self._interruptible = self._finished = False
        self._checkpoints_done = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="job-watch", daemon=True)

    # -- Progress ------------------------------------------------------------------------------------------

    def event(self, kind: str, **data: Any) -> None:
        """Append one event. Raises JobError when it cannot be written: a job does not go on unrecorded."""
        with self._lock:
            try:
                self._log.append(kind, self._redactor.value(plain(data)))
            except OSError as error:
                raise disk_error(error, "its events could not be written") from error

    def step(self, done: int, total: int, label: str, **figures: Any) -> None:
        clean = self._redactor.value(plain(figures))
        now = time.monotonic()
        with self._lock:
            relabelled = label != self._status.label
            self._status = replace(
                self._status, done=done, total=total, label=self._redactor.text(label), figures=clean
            )
            self._dirty = True
            if figures or relabelled or done >= total or now - self._last_step >= _STEP_EVENTS_EVERY:
                self._last_step = now
                self.event("step", done=done, total=total, label=label, **figures)

    def stop_requested(self) -> bool:
        return self._control.asked.stop_at is not None or self._terminated_at is not None

    def paused(self) -> bool:
        return self._control.asked.paused

    def checkpoint_requested(self) -> bool:
        with self._lock:
            if self._control.asked.checkpoints > self._checkpoints_done:
                self._checkpoints_done += 1
                return True
            return False

    # -- the worker's own ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Say who works here, and begin to watch."""
        self._write_status()
        self._thread.start()

    def waiting(self, label: str) -> None:
        """Still queued, and for what."""
        with self._lock:
            self._status = replace(self._status, label=self._redactor.text(label))
            self.event("state", state="queued", label=label)
            self._write_status()

    def running(self) -> None:
        """The work itself begins."""
        with self._lock:
            began = self._status.started_at or time.time()
            self._status = replace(self._status, state=RunState.RUNNING, started_at=began, label="starting")
            self.event("state", state="running", attempt=self._status.attempt)
            self._write_status()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """While this is open, an escalated stop raises JobStopped in the main thread."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def finish(
        self, state: RunState, *, error: str | None = None, result: dict[str, Any] | None = None
    ) -> None:
        """The last word. A full disk gives up the reserve for it. Raises OSError if not even that helps."""
        with self._lock:
            if self._finished:
                return
            self._finished = True
        self._over.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)
        with self._lock:
            error = self._redactor.text(error) if error else None
            clean = self._redactor.value(plain(result)) if result is not None else None
            self._status = replace(self._status, state=state, error=error, result=clean, ended_at=time.time())
            try:
                if clean is not None:
                    self._append_at_last("result", {"result": clean})
                self._append_at_last("state", {"state": str(state), **({"error": error} if error else {})})
            except OSError as failure:  # the status below still says it
                print(f"the last events could not be written: {failure}", file=sys.stderr)
            try:
                self._write_status()
            except OSError:
                self._give_up_reserve()
                self._write_status()
            if state is RunState.DONE:
                self._give_up_reserve()

    def on_sigterm(self, _signal: int, _frame: object) -> None:
        """A SIGTERM asks for a stop; the one that this watch sends after the grace unwinds the work."""
        self._terminated_at = self._terminated_at or time.time()
        if self._escalated_at is not None and self._interruptible:
            self._interruptible = False
            raise JobStopped

    # -- the watch -----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        complained = False
        while not self._over.wait(_TICK):
            try:
                self._look()
                complained = False
            except (OSError, JobError) as error:
                # The work itself meets a full disk at its next event; the watch must not die of it.
                if not complained:
                    with contextlib.suppress(OSError):
                        print(f"status not written: {error}", file=sys.stderr, flush=True)
                complained = True

    def _look(self) -> None:
        asked = self._control.read()
        if asked.paused != self._status.paused:
            with self._lock:
                self._status = replace(self._status, paused=asked.paused)
                self._dirty = True
            self.event("note", text="paused" if asked.paused else "goes on")
        if self.stop_requested():
            self._see_to_stop(asked.deadline)
        age = time.monotonic() - self._written
        with self._lock:
            if not self._over.is_set() and (age >= _HEARTBEAT_EVERY or (self._dirty and age >= _WRITE_EVERY)):
                self._write_status()

    def _see_to_stop(self, deadline: float | None) -> None:
        now = time.time()
        if deadline is None:
            deadline = (self._terminated_at or now) + self._grace
        if self._status.state is not RunState.STOPPING:
            with self._lock:
                self._status = replace(self._status, state=RunState.STOPPING)
                self._write_status()
                self.event("state", state="stopping", seconds=round(max(0.0, deadline - now), 1))
        if self._escalated_at is None and now >= deadline:
            self._escalated_at = now
            with contextlib.suppress(JobError):  # a full disk must not keep a job from being stopped
                self.event("warning", text="The job did not stop in time and is terminated now.")
            _signal_own_group(signal.SIGTERM)
        elif self._escalated_at is not None and now >= self._escalated_at + _KILL_AFTER:
            if self._finished:
                return  # it made it after all
            with contextlib.suppress(OSError):
                self.finish(
                    RunState.STOPPED, error="The job did not stop by itself and was killed: resume it."
                )
            _signal_own_group(signal.SIGKILL)

    def _write_status(self) -> None:
        with self._lock:
            self._status = replace(self._status, heartbeat=time.time(), seq=self._log.seq)
            self._dirty = False
            self._written = time.monotonic()
            write_json(self._folder.status, self._status.to_json())

    def _append_at_last(self, kind: str, data: dict[str, Any]) -> None:
        try:
            self._log.append(kind, data)
        except OSError:
            self._give_up_reserve()
            self._log.append(kind, data)

    def _give_up_reserve(self) -> None:
        self._folder.reserve.unlink(missing_ok=True)


def disk_error(error: OSError, what: str) -> JobError:
    """A failed write as one sentence."""
    if error.errno in FULL:
        return JobError(f"The disk is full ({what})", "free some space, then resume the job")
    return JobError(
        f"The job's folder cannot be written ({error.strerror or error}; {what})", "check it, then resume"
    )


def _signal_own_group(number: int) -> None:
    """To the whole group where this worker leads it, else (run by hand in a terminal) to itself."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), number)
    else:
        os.kill(os.getpid(), number)
