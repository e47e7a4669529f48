"""A training as its events tell it: the loss curve, the last figures, the tail of what happened.

A pure reducer in bounded memory: a log of a million steps keeps MAX_POINTS points. No Textual, no torch.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Points kept of a curve: four screens of braille dots. Beyond it neighbours are merged in pairs.
MAX_POINTS = 4096
MAX_EVENTS = 300

#: Weights of the running mean that `+` and `-` step through. 0 is the raw curve.
SMOOTHING = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
DEFAULT_SMOOTHING = 2

_FIGURES = (
    "loss",
    "lr",
    "epoch",
    "tokens_per_second",
    "eta_seconds",
    "memory_mb",
    "grad_norm",
)


@dataclass(frozen=True, slots=True)
class Point:
    """The mean loss (nats a scored token) of `steps` optimizer steps that end with `step`."""

    step: int
    loss: float
    steps: int = 1


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the tail: seconds since 1970, the event's kind, what happened in words."""

    time: float
    kind: str
    words: str


@dataclass
class History:
    """What the events so far amount to. `apply` takes them in the order of the log."""

    points: list[Point] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    tail: deque[EventLine] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    done: int = 0
    total: int = 0
    label: str = ""
    steps: int = 0  # optimizer steps that the training has in all; 0 until the first one
    state: str = ""
    not_finite: int = 0  # steps whose loss was no number
    checkpoint: int | None = None  # the step of the last complete checkpoint

    def apply(self, events: Iterable[Mapping[str, Any]]) -> bool:
        """Take the events in; True when the curve or the figures changed."""
        changed = False
        for event in events:
            if event.get("kind") == "step":
                self._step(event)
                changed = True
                continue
            if event.get("kind") == "state":
                self.state = str(event.get("state", self.state))
            elif event.get("kind") == "checkpoint":
                self.checkpoint = _whole(event.get("step"), self.checkpoint or self.done)
            words = event_words(event)
            if words:
                self.tail.append(EventLine(float(event.get("t") or 0.0), str(event.get("kind")), words))
        return changed

    def _step(self, event: Mapping[str, Any]) -> None:
        self.done = _whole(event.get("done"), self.done)
        self.total = _whole(event.get("total"), self.total)
        self.label = str(event.get("label", self.label))
        if "loss" not in event:  # loading or encoding, perhaps after a resume: it has a place but no loss
            for name in ("eta_seconds", "tokens_per_second"):
                self.figures.pop(name, None)
            return
        self.steps = self.total
        for name in _FIGURES:
            value = event.get(name)
            if isinstance(value, int | float) and math.isfinite(value):
                self.figures[name] = float(value)
            elif name in event:
                self.figures.pop(name, None)
        # After a resume the steps since the last checkpoint are done again: the new ones count.
        while self.points and self.points[-1].step >= self.done:
            self.points.pop()
        loss = event["loss"]
        if isinstance(loss, int | float) and math.isfinite(loss):
            self.points.append(Point(self.done, float(loss)))
        else:
            self.not_finite += 1
        if len(self.points) > MAX_POINTS:
            self.points = _halved(self.points)


def event_words(event: Mapping[str, Any]) -> str:
    """The event in one line for a person; empty for those that are not told (steps)."""
    kind = event.get("kind")
    if kind in ("step", "result"):  # the state that follows a result tells it
        return ""
    if kind == "state":
        words = str(event.get("state", ""))
        reason = event.get("reason") or event.get("text") or event.get("error")
        return f"{words}: {reason}" if reason else words
    for key in ("text", "message", "error", "why"):
        if event.get(key):
            return str(event[key])
    if kind == "checkpoint":
        return f"checkpoint at step {event.get('step', '?')}"
    plain = (
        f"{key} {value}"
        for key, value in event.items()
        if key not in ("seq", "t", "kind") and isinstance(value, str | int | float)
    )
    return f"{kind}: {', '.join(plain)}".rstrip(": ")


def smoothed(points: Sequence[Point], weight: float) -> list[Point]:
    """The running mean of the curve, with the bias of its start taken out.

    `weight` in 0..1 is what the past keeps at each step. A merged point counts as all its steps, so that
    the same run looks the same at any length. The mean starts anew at the first point.
    """
    mean, seen = 0.0, 0.0
    curve = []
    for point in points:
        keep = weight**point.steps
        mean = keep * mean + (1 - keep) * point.loss
        seen = keep * seen + (1 - keep)
        curve.append(Point(point.step, mean / seen if seen else point.loss, point.steps))
    return curve


def sampled(points: Sequence[Point], columns: int) -> list[Point]:
    """At most two points a column, evenly over the steps.

    Of the points that fall together the one farthest from their mean stands for them: a spike must
    not vanish because the screen is narrow.
    """
    places = 2 * columns
    if len(points) <= places:
        return list(points)
    first, span = points[0].step, points[-1].step - points[0].step
    groups: dict[int, list[Point]] = {}
    for point in points:
        groups.setdefault(min(places - 1, (point.step - first) * places // max(1, span)), []).append(point)
    return [_farthest(group) for _, group in sorted(groups.items())]


def _farthest(group: Sequence[Point]) -> Point:
    mean = sum(p.loss for p in group) / len(group)
    return max(group, key=lambda p: abs(p.loss - mean))


def _halved(points: Sequence[Point]) -> list[Point]:
    """Neighbours as one point that carries their mean; a last one without a partner stays."""
    merged = []
    for at in range(0, len(points) - 1, 2):
        a, b = points[at], points[at + 1]
        steps = a.steps + b.steps
        merged.append(Point(b.step, (a.loss * a.steps + b.loss * b.steps) / steps, steps))
    if len(points) % 2:
        merged.append(points[-1])
    return merged


def _whole(value: object, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else otherwise
