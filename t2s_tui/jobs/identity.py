"""Who a process is: pid, start time and boot, never the pid alone (DESIGN, 'Work happens ...').

A pid is reused; a pid with its start time on one boot is not. Where there is no /proc, psutil answers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_DEAD = frozenset("ZXx")  # a zombie has ended: only its parent has not looked yet


@dataclass(frozen=True, slots=True)
class Identity:
    """One process on one boot. `start_time`: clock ticks since boot (without /proc, seconds since 1970)."""

    pid: int
    start_time: float
    boot_id: str

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Identity | None:
        """The identity in a status or launch file, None where there is none yet."""
        pid, start, boot = values.get("pid"), values.get("start_time"), values.get("boot_id")
        if not isinstance(pid, int) or not isinstance(start, int | float) or not isinstance(boot, str):
            return None
        return cls(pid, float(start), boot)

    def to_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "start_time": self.start_time, "boot_id": self.boot_id}


@lru_cache(maxsize=1)
def boot_id() -> str:
    """What names this boot of this machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil  # type: ignore[import-untyped]

        return f"boot-{int(psutil.boot_time())}"


def identity_of(pid: int | None = None) -> Identity | None:
    """The identity of a living process (this one by default), None when there is no such process."""
    pid = os.getpid() if pid is None else pid
    found = _look(pid)
    return None if found is None else Identity(pid, found, boot_id())


def alive(identity: Identity | None) -> bool:
    """True while exactly that process lives. A zombie, a reused pid and another boot are dead."""
    if identity is None or identity.boot_id != boot_id():
        return False
    return _look(identity.pid) == identity.start_time


def _look(pid: int) -> float | None:
    """The start time of a living process, None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _look_psutil(pid)
    # The command name is in parentheses and may hold anything: count the fields after the last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in _DEAD else float(fields[19])


def _look_psutil(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None
