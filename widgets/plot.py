"""A curve in braille dots: pure functions from numbers to lines of Text.

Two dots across and four down a cell; with `ascii_only` one mark a cell. What is given is drawn: sampling to
two points a column happens before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from widgets.theme import DIM

XY = tuple[float, float]

RAW = Style(color="blue")
LINE = Style(color="cyan", bold=True)

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_ROWS_A_TICK = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, evenly or by decades."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where the value lies, 0 at `low` and 1 at `high`; clamped."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        return (at - low) / (high - low) if high > low else 0.5


def y_axis(values: Sequence[float], log: bool) -> Axis:
    """An axis that holds all values, with a little air. By decades only where all can be drawn so."""
    low, high = min(values), max(values)
    if log and high > 0:
        low = min((v for v in values if v > 0), default=high)
        return Axis(low / 1.05, high * 1.05, log=True)
    air = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    return Axis(max(0.0, low - air) if low >= 0 else low - air, high + air)


def ticks(axis: Axis, most: int) -> list[float]:
    """At most `most` round values on the axis, at least one where a round one lies on it."""
    if most < 1:
        return []
    if axis.log and axis.high / axis.low > 10:
        return _log_ticks(axis, most)
    raw = (axis.high - axis.low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 5, 10, 20):
        gap = factor * power
        first, last = math.ceil(axis.low / gap), math.floor(axis.high / gap)
        if last - first + 1 <= most:
            return [n * gap for n in range(first, last + 1)]
    return []


def _log_ticks(axis: Axis, most: int) -> list[float]:
    powers = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    for factors in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [f * 10.0**p for p in powers for f in factors if axis.low <= f * 10.0**p <= axis.high]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def number(value: float) -> str:
    """A tick in at most five cells or so: `0.25`, `12`, `3k`, `2e-05`."""
    if value and abs(value) < 0.001:
        return f"{value:.0e}"
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:.4g}"


def plot(
    raw: Sequence[XY],
    line: Sequence[XY],
    width: int,
    height: int,
    *,
    log: bool = False,
    ascii_only: bool = False,
) -> list[Text]:
    """`height` lines of `width` cells: `raw` as dots, `line` joined up, y labels left, x labels below."""
    both = [*raw, *line]
    if not both or width < 16 or height < 3:
        return []
    y = y_axis([v for _, v in both], log)
    rows = height - 1
    marks = {_row(y, tick, rows): number(tick) for tick in ticks(y, max(2, rows // _ROWS_A_TICK))}
    gutter = max((len(m) for m in marks.values()), default=1)
    x = Axis(min(v for v, _ in both), max(v for v, _ in both))
    cells = width - gutter - 1
    canvas = _Canvas(cells, rows, ascii_only)
    canvas.mark(raw, x, y, RAW, joined=False)
    canvas.mark(line, x, y, LINE, joined=True)
    edge, tick_edge = ("|", "+") if ascii_only else ("│", "┤")
    lines = []
    for row, drawn in enumerate(canvas.lines()):
        label = marks.get(row, "")
        head = Text(f"{label:>{gutter}}{tick_edge if label else edge}", style=DIM, no_wrap=True, end="")
        lines.append(head.append_text(drawn))
    lines.append(Text(" " * (gutter + 1) + _x_labels(x, cells), style=DIM, no_wrap=True, end=""))
    return lines


def _row(axis: Axis, value: float, rows: int) -> int:
    return min(rows - 1, int((1 - axis.share(value)) * rows))


def _x_labels(axis: Axis, cells: int) -> str:
    """The first step at the left, the last at the right, one in between where there is room."""
    first, last = f"{axis.low:.0f}", f"{axis.high:.0f}"
    if first == last:
        return f"step {first}"
    middle = f"step {(axis.low + axis.high) / 2:.0f}"
    gap = cells - len(first) - len(last)
    if gap < len(middle) + 4:
        return first + " " * max(1, gap) + last
    left = (cells - len(middle)) // 2 - len(first)
    return first + " " * left + middle + " " * (gap - left - len(middle)) + last


class _Canvas:
    """Dots of two kinds over cells. A cell has one colour: that of the kind drawn last."""

    def __init__(self, cells: int, rows: int, ascii_only: bool) -> None:
        self._cells, self._rows, self._ascii = cells, rows, ascii_only
        self._across, self._down = (1, 1) if ascii_only else (2, 4)
        self._bits: dict[tuple[int, int], int] = {}
        self._styles: dict[tuple[int, int], Style] = {}

    def mark(self, points: Iterable[XY], x: Axis, y: Axis, style: Style, *, joined: bool) -> None:
        wide, high = self._cells * self._across - 1, self._rows * self._down - 1
        before: tuple[int, int] | None = None
        for step, value in points:
            at = (round(x.share(step) * wide), round((1 - y.share(value)) * high))
            for dot in _between(before, at) if joined and before else (at,):
                self._dot(*dot, style, joined)
            before = at

    def _dot(self, x: int, y: int, style: Style, joined: bool) -> None:
        cell = (y // self._down, x // self._across)
        if self._ascii:
            self._bits[cell] = ord("*" if joined else ".")
        else:
            self._bits[cell] = self._bits.get(cell, 0) | _DOTS[x % 2][y % 4]
        self._styles[cell] = style

    def lines(self) -> Iterable[Text]:
        base = 0 if self._ascii else 0x2800
        for row in range(self._rows):
            text = Text(no_wrap=True, end="")
            for column in range(self._cells):
                bits = self._bits.get((row, column))
                text.append(chr(base + bits) if bits else " ", self._styles.get((row, column)))
            yield text


def _between(a: tuple[int, int], b: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots from after `a` to `b` on a straight line."""
    count = max(abs(b[0] - a[0]), abs(b[1] - a[1]), 1)
    return [
        (a[0] + round((b[0] - a[0]) * n / count), a[1] + round((b[1] - a[1]) * n / count))
        for n in range(1, count + 1)
    ]
