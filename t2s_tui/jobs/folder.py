"""A job's folder: the only truth about a job.

job.json       what was asked, complete enough to run it again; never changed
status.json    where it is; replaced atomically (by the worker; by a launcher only while no worker lives)
events.jsonl   what happened; append-only
control.jsonl  what was asked of the worker: start, stop, checkpoint, pause, unpause; append-only
output.log     stdout and stderr of the worker
launch.json    who the worker is, from the moment it was spawned
worker.lock    held (flock) by the one worker; launch.lock by whoever starts or kills one
children.json  a pipeline's steps and their jobs; inbox/ the questions to a session
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t2s_tui.jobs.identity import Identity, alive, boot_id
from t2s_tui.jobs.locks import held
from t2s_tui.records import Job, RunState

#: Kept in every folder, given up when the disk is full, so that the last word of a job finds room.
RESERVE_BYTES = 16_384

#: What OSErrors of a disk with no room left say.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

__all__ = [
    "FULL",
    "Identity",
    "JobFolder",
    "Status",
    "alive",
    "events_path",
    "output_path",
    "read_status",
    "tail_lines",
]


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The files of one job."""

    path: Path

    @property
    def job(self) -> Path:
        return self.path / "job.json"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def control(self) -> Path:
        return self.path / "control.jsonl"

    @property
    def output(self) -> Path:
        return self.path / "output.log"

    @property
    def launch(self) -> Path:
        return self.path / "launch.json"

    @property
    def worker_lock(self) -> Path:
        return self.path / "worker.lock"

    @property
    def launch_lock(self) -> Path:
        return self.path / "launch.lock"

    @property
    def reserve(self) -> Path:
        return self.path / ".reserve"

    @property
    def children(self) -> Path:
        return self.path / "children.json"

    @property
    def inbox(self) -> Path:
        return self.path / "inbox"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a job is, as its worker last said it (times are seconds since 1970).

    `done` of `total` in the words of `label`; `figures` are the last step's. `error` is one sentence,
    `result` what the handler returned. `attempt` counts the workers this job has had. `paused`: it runs, and
    begins nothing new until it is resumed.
    """

    state: RunState = RunState.QUEUED
    done: int = 0
    total: int = 0
    label: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    heartbeat: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    error: str | None = None
    result: Mapping[str, Any] | None = None
    seq: int = 0
    attempt: int = 1
    identity: Identity | None = None
    paused: bool = False

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Status:
        """The status in a file; raises ValueError for a state this version does not know."""
        known = {name: values[name] for name in _PLAIN if values.get(name) is not None}
        state = RunState(values.get("state", "queued"))
        return cls(state=state, identity=Identity.from_json(values), **known)

    def to_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in _PLAIN}
        who = self.identity.to_json() if self.identity else {"pid": None, "start_time": None, "boot_id": None}
        return {"state": str(self.state), **who, **values}


_PLAIN = (
    "done",
    "total",
    "label",
    "figures",
    "heartbeat",
    "started_at",
    "ended_at",
    "error",
    "result",
    "seq",
    "attempt",
    "paused",
)


def events_path(job: Job) -> Path:
    """The event log of a job, for an EventTail."""
    return JobFolder(Path(job.folder)).events


def output_path(job: Job) -> Path:
    """The output of a job's worker, for tail_lines."""
    return JobFolder(Path(job.folder)).output


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = False) -> None:
    """Replace the file atomically: a reader sees the old or the new one. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in the file, None when there is no file or no readable object in it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_status(folder: JobFolder) -> Status:
    """The status with the truth about its worker: one that died without a word is LOST, and why."""
    status = _read(folder)
    if status.state.ended or alive(worker_of(folder, status)) or _starting(folder, status):
        return status
    # It may have ended between our two looks: its last word is in the file by now.
    status = _read(folder)
    if status.state.ended:
        return status
    return _lost(folder, status)


def worker_of(folder: JobFolder, status: Status) -> Identity | None:
    """Who works on the job: as the worker says, or as the launcher knew before it could speak."""
    return status.identity or Identity.from_json(read_json(folder.launch) or {})


def tail_lines(path: Path, count: int = 20, limit: int = 65_536) -> list[str]:
    """The last lines of a log, reading at most `limit` bytes of it; [] when there is none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, end - limit))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    lines = text.splitlines()
    return (lines[1:] if start and len(lines) > 1 else lines)[-count:]


def _read(folder: JobFolder) -> Status:
    values = read_json(folder.status)
    try:
        return Status.from_json(values or {})
    except (ValueError, TypeError):
        # Not one of our files any more (a crash of the machine can leave it empty): as good as none.
        return Status()


def _starting(folder: JobFolder, status: Status) -> bool:
    """True while a launcher is between making the folder and noting whom it spawned."""
    if status.identity is not None or folder.launch.exists():
        return False
    return held(folder.launch_lock)


def _lost(folder: JobFolder, status: Status) -> Status:
    return replace(status, state=RunState.LOST, error=f"{_cause(folder, status)}: resume the job.")


def _cause(folder: JobFolder, status: Status) -> str:
    who = worker_of(folder, status)
    if who is None:
        return "The worker was never started"
    if who.boot_id != boot_id():
        return "The machine was restarted while the job ran"
    last = tail_lines(folder.output)
    fatal = next((line for line in reversed(last) if line.startswith("Fatal Python error:")), None)
    if fatal:
        return f"The worker crashed ({fatal.removeprefix('Fatal Python error:').strip()}), see output.log"
    if status.identity is None and last:
        return f"The worker died while it started ({last[-1].strip()}), see output.log"
    return "The worker was killed, perhaps out of memory"
