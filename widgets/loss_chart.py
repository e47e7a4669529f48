"""The loss curve of a training, drawn at most once a second and only while it is seen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from t2s_tui.training.history import DEFAULT_SMOOTHING, SMOOTHING, Point, sampled, smoothed
from widgets.plot import plot
from widgets.theme import DIM

if TYPE_CHECKING:
    from t2s_tui.app import T2SApp

REDRAW_SECONDS = 1.0


class LossChart(Widget):
    """Raw loss as dots, its running mean as a line over the steps."""

    DEFAULT_CSS = """
    LossChart { height: 1fr; width: 100%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._points: Sequence[Point] = ()
        self._empty = ""
        self._level = DEFAULT_SMOOTHING
        self._log = False
        self._drawn_at = 0.0
        self._stale = False

    def on_mount(self) -> None:
        self.set_interval(REDRAW_SECONDS, self._draw_if_stale)

    def show(self, points: Sequence[Point], *, empty: str = "", now: bool = False) -> None:
        """Show these points, at the next drawing or `now`. `empty` stands where there are none."""
        self._points, self._empty, self._stale = list(points), empty, True
        if now or time.monotonic() - self._drawn_at >= REDRAW_SECONDS:
            self._draw_if_stale()

    @property
    def weight(self) -> float:
        """What the running mean keeps of the past at each step, 0..1."""
        return SMOOTHING[self._level]

    @property
    def log_scale(self) -> bool:
        return self._log

    @property
    def legend(self) -> str:
        """How it is drawn, in words."""
        words = f"smoothed {self.weight:g}" if self.weight else "raw"
        return f"{words} · log" if self._log else words

    def smooth(self, by: int) -> None:
        """A level smoother or rougher."""
        self._level = min(max(self._level + by, 0), len(SMOOTHING) - 1)
        self.refresh()

    def toggle_log(self) -> None:
        self._log = not self._log
        self.refresh()

    def _draw_if_stale(self) -> None:
        if self._stale and self.screen.is_current and self.region.area:
            self._stale, self._drawn_at = False, time.monotonic()
            self.refresh()

    def render(self) -> RenderResult:
        width, height = self.content_size
        points = self._points
        if not points:
            return Text(self._empty, style=DIM)
        dots = [(p.step, p.loss) for p in sampled(points, width)]
        if self.weight:
            line = [(p.step, p.loss) for p in sampled(smoothed(points, self.weight), width)]
        else:
            dots, line = [], dots
        ascii_only = cast("T2SApp", self.app).ascii_only
        lines = plot(dots, line, width, height, log=self._log, ascii_only=ascii_only)
        return Text("\n", no_wrap=True).join(lines) if lines else Text("too small to draw", style=DIM)
