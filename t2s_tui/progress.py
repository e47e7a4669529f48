"""How long work speaks: the seam between the engine's rooms and whoever runs them.

Training, generation and evaluation take a `Progress`; `jobs` implements it over the event log.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from t2s_tui.errors import JobStopped

_PAUSE_POLL = 0.1  # seconds
_COUNT_EVERY = 1000  # items of `counted` between two words

_T = TypeVar("_T")


class Progress(Protocol):
    """Where long work reports, and where it asks whether it should stop.

    `asked_at` is when the work was first asked for, in seconds since 1970: the same after each resume.
    """

    @property
    def asked_at(self) -> float: ...

    def event(self, kind: str, **data: Any) -> None:
        """Append one event. Data is plain JSON. Kinds: see docs/jobs.md."""

    def step(self, done: int, total: int, label: str, **figures: Any) -> None:
        """Where the work is: `done` of `total`, in the words of `label`, with its figures."""

    def stop_requested(self) -> bool:
        """True once a person asked for a stop: save what there is, then raise JobStopped."""

    def paused(self) -> bool:
        """True while a person wants nothing new begun: what is under way ends, then the work waits."""

    def checkpoint_requested(self) -> bool:
        """True once for each request to save a checkpoint now."""


class Quiet:
    """A Progress that keeps everything in memory: for tests and for library use."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked_at = time.time()
        self._stop_after = stop_after

    def event(self, kind: str, **data: Any) -> None:
        self.events.append({"kind": kind, **data})

    def step(self, done: int, total: int, label: str, **figures: Any) -> None:
        self.event("step", done=done, total=total, label=label, **figures)

    def stop_requested(self) -> bool:
        steps = sum(1 for e in self.events if e["kind"] == "step")
        return self._stop_after is not None and steps >= self._stop_after

    def paused(self) -> bool:
        return False

    def checkpoint_requested(self) -> bool:
        return False


def stop_if_asked(progress: Progress) -> None:
    """Wait while the work is paused; raise JobStopped when a stop was requested.

    Call it where everything done is saved.
    """
    while progress.paused() and not progress.stop_requested():
        time.sleep(_PAUSE_POLL)
    if progress.stop_requested():
        raise JobStopped


def counted(items: Iterable[_T], total: int, label: str, progress: Progress) -> Iterator[_T]:
    """The items, each thousandth told to `progress`. Raises JobStopped between two items on request."""
    for done, item in enumerate(items):
        if done % _COUNT_EVERY == 0:
            stop_if_asked(progress)
            progress.step(done, total, label)
        yield item
    progress.step(total, total, label)
