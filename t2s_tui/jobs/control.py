"""What people ask of a running worker: lines in `control.jsonl`, read after the last `start`.

A launcher writes `start` before each worker it spawns, so that a resumed job does not obey the request
that stopped it the time before.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.jobs.events import EventTail

#: Seconds between a stop request and the first signal. A training writes a checkpoint first; a pipeline
#: waits for its child, which may be a training.
GRACE = {"train": 120.0, "pipeline": 150.0}
DEFAULT_GRACE = 20.0


def default_grace(kind: str) -> float:
    """Seconds that a job of this kind gets to stop by itself."""
    return GRACE.get(kind, DEFAULT_GRACE)


def request(path: Path, what: str, **values: float) -> None:
    """Ask for `start`, `stop` (with `grace`), `checkpoint`, `pause` or `unpause`. Raises OSError."""
    line = json.dumps({"t": time.time(), "ask": what, **values}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@dataclass
class Asked:
    """What has been asked of the present worker. `deadline` is when the grace of a stop ends."""

    stop_at: float | None = None
    deadline: float | None = None
    checkpoints: int = 0
    paused: bool = False


class ControlTail:
    """Reads the control file and keeps what counts for the present worker."""

    def __init__(self, path: Path, grace: float) -> None:
        self._tail = EventTail(path)
        self._grace = grace
        self.asked = Asked()

    def read(self) -> Asked:
        """What has been asked so far. A later stop can shorten the grace of an earlier one only."""
        for line in self._tail.read():
            asked, at = self.asked, float(line.get("t", 0.0))
            if line.get("ask") == "start":
                self.asked = Asked()
            elif line.get("ask") == "checkpoint":
                asked.checkpoints += 1
            elif line.get("ask") in ("pause", "unpause"):
                asked.paused = line["ask"] == "pause"
            elif line.get("ask") == "stop":
                deadline = at + float(line.get("grace", self._grace))
                asked.stop_at = at if asked.stop_at is None else asked.stop_at
                asked.deadline = deadline if asked.deadline is None else min(asked.deadline, deadline)
        return self.asked
