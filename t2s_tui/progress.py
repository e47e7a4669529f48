"""How long work speaks: the seam between the engine's rooms and whoever runs them.

Training, generation and evaluation take a `Progress`; `jobs` implements it over the event log.
"""

from __future__ import annotations

from typing import Any, Protocol

from t2s_tui.errors import JobStopped


class Progress(Protocol):
    """Where long work reports, and where it asks whether it should stop."""

    def event(self, kind: str, **data: Any) -> None:
        """Append one event. Data is plain JSON. Kinds: see docs/jobs.md."""

    def step(self, done: int, total: int, label: str, **figures: Any) -> None:
        """Where the work is: `done` of `total`, in the words of `label`, with its figures."""

    def stop_requested(self) -> bool:
        """True once a person asked for a stop: save what there is, then raise JobStopped."""

    def checkpoint_requested(self) -> bool:
        """True once for each request to save a checkpoint now."""


class Quiet:
    """A Progress that keeps everything in memory: for tests and for library use."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self._stop_after = stop_after

    def event(self, kind: str, **data: Any) -> None:
        self.events.append({"kind": kind, **data})

    def step(self, done: int, total: int, label: str, **figures: Any) -> None:
        self.event("step", done=done, total=total, label=label, **figures)

    def stop_requested(self) -> bool:
        steps = sum(1 for e in self.events if e["kind"] == "step")
        return self._stop_after is not None and steps >= self._stop_after

    def checkpoint_requested(self) -> bool:
        return False


def stop_if_asked(progress: Progress) -> None:
    """Raise JobStopped when a stop was requested. Call it where everything done is saved."""
    if progress.stop_requested():
        raise JobStopped
