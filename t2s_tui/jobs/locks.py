"""One job a device: an flock that the worker holds and the kernel frees at its death.

The lock files lie in a per-user run directory, so that two workspaces of one person queue for the same GPU.
Waiting jobs take turns in the order they came: each holds an flock on a ticket of its own, and takes the
device only when no older ticket is held.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from t2s_tui.errors import JobError, JobStopped

_POLL = 0.2


def lock_dir() -> Path:
    """`$T2S_TUI_LOCKS`, else `$XDG_RUNTIME_DIR/t2s-tui`, else `/tmp/t2s-tui-UID`; made when absent.

    Raises JobError when it cannot be made or is someone else's.
    """
    named, runtime = os.environ.get("T2S_TUI_LOCKS"), os.environ.get("XDG_RUNTIME_DIR")
    if named:
        path = Path(named)
    elif runtime and os.access(runtime, os.W_OK):
        path = Path(runtime) / "t2s-tui"
    else:
        path = Path("/tmp") / f"t2s-tui-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid != os.getuid():
            raise PermissionError(1, "it belongs to another user")
    except OSError as error:
        raise JobError(
            f"The lock folder {path} cannot be used ({error.strerror or error})",
            "set T2S_TUI_LOCKS to a folder of your own",
        ) from error
    return path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an flock on the file for a short piece of work; waits for whoever has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def held(path: Path) -> bool:
    """True while some process holds the flock on the file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class DeviceLock:
    """One device out of `devices` (names such as `cpu`, `cuda:0`): the first that is free."""

    def __init__(self, devices: Sequence[str], job_id: str, title: str) -> None:
        self._devices = list(devices)
        self._note = {"job": job_id, "title": title, "pid": os.getpid()}
        self._fd: int | None = None

    def acquire(self, should_stop: Callable[[], bool], on_wait: Callable[[str, str], None]) -> str:
        """Wait for a device and take it; `on_wait(device, title)` tells whom it waits for, once a change.

        Raises JobStopped when a stop is asked meanwhile.
        """
        folder = lock_dir()
        ticket = _Ticket(folder, self._devices)
        told: tuple[str, str] | None = None
        try:
            while True:
                if ticket.first():
                    for device in self._devices:
                        if self._take(folder / f"{_file(device)}.lock"):
                            return device
                device = self._devices[0]
                whom = device, holder(device) or "another job"
                if whom != told:
                    told = whom
                    on_wait(*whom)
                if should_stop():
                    raise JobStopped
                time.sleep(_POLL)
        finally:
            ticket.drop()

    def release(self) -> None:
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def _take(self, path: Path) -> bool:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(self._note, ensure_ascii=False).encode(), 0)
        self._fd = descriptor
        # A forked child (a data loader) shares the flock: it must not outlive the worker with it.
        os.register_at_fork(after_in_child=self._forget)
        return True

    def _forget(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def holder(device: str) -> str | None:
    """The title of the job that holds the device, None when it is free."""
    path = lock_dir() / f"{_file(device)}.lock"
    if not held(path):
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["title"])
    except (OSError, ValueError, KeyError):
        return None  # it is being written at this moment


def someone_waits(devices: Sequence[str]) -> bool:
    """True while a job waits for one of these devices: who holds one idly should leave."""
    try:
        return any(held(path) for path in _queue(lock_dir(), devices).iterdir())
    except FileNotFoundError:
        return False


def _queue(folder: Path, devices: Sequence[str]) -> Path:
    return folder / f"{_file('+'.join(devices))}.waiting"


class _Ticket:
    """A place in the queue: a file whose flock says that its owner still waits."""

    def __init__(self, folder: Path, devices: Sequence[str]) -> None:
        self._folder = _queue(folder, devices)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._path = self._folder / f"{time.time_ns():020d}-{os.getpid()}"
        self._file = self._path.open("x")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def first(self) -> bool:
        """True when nobody who still waits came earlier. Tickets of the dead are thrown away."""
        for path in sorted(self._folder.iterdir()):
            if path.name >= self._path.name:
                break
            if held(path):
                return False
            path.unlink(missing_ok=True)
        return True

    def drop(self) -> None:
        self._path.unlink(missing_ok=True)
        self._file.close()


def _file(device: str) -> str:
    return re.sub(r"[^\w.+-]", "-", device)
