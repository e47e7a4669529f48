"""The loss curve as lines of text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.plot import Axis, number, plot, ticks, y_axis

_NUMBERS = st.floats(min_value=1e-6, max_value=1e6, allow_nan=False)


def falling(steps: int) -> list[tuple[float, float]]:
    return [(n, 3.0 * math.exp(-n / 20)) for n in range(1, steps + 1)]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_every_line_has_the_width_and_there_are_so_many(log: bool, ascii_only: bool) -> None:
    lines = plot(falling(120), falling(120), 60, 12, log=log, ascii_only=ascii_only)
    assert len(lines) == 12
    assert {cell_len(line.plain) for line in lines[:-1]} == {60}
    assert cell_len(lines[-1].plain) <= 60
    assert not ascii_only or all(line.plain.isascii() for line in lines)


def test_a_falling_loss_falls_from_the_upper_left_to_the_lower_right() -> None:
    lines = [line.plain.split("|" if "|" in line.plain else "+", 1)[1] for line in
             plot([], falling(120), 60, 12, ascii_only=True)[:-1]]  # fmt: skip
    assert lines[0].startswith("*")
    assert lines[-1].rstrip().endswith("*")
    assert len(lines[-1].rstrip()) == len(lines[-1])


def test_the_axes_say_the_steps_and_round_losses() -> None:
    lines = [line.plain for line in plot(falling(120), [], 60, 13)]
    assert lines[-1].split() == ["1", "step", "60", "120"]
    labels = [float(line.split("┤")[0]) for line in lines if "┤" in line]
    assert labels == sorted(labels, reverse=True)
    assert labels == [2.0, 1.0, 0.0] or len(labels) >= 3


def test_one_point_and_a_flat_curve_are_drawn() -> None:
    for points in ([(1.0, 0.5)], [(n, 0.5) for n in range(50)], [(n, 0.0) for n in range(50)]):
        drawn = "".join(line.plain for line in plot(points, points, 40, 8))
        assert any("⠀" < c <= "⣿" for c in drawn)


def test_too_small_a_place_draws_nothing() -> None:
    assert plot(falling(10), [], 10, 8) == []
    assert plot([], [], 80, 20) == []


@given(st.lists(_NUMBERS, min_size=1, max_size=30), st.booleans(), st.integers(2, 9))
def test_ticks_lie_on_the_axis_and_are_few(values: list[float], log: bool, most: int) -> None:
    axis = y_axis(values, log)
    found = ticks(axis, most)
    assert len(found) <= most
    gap = (axis.high - axis.low) * 1e-9
    assert all(axis.low - gap <= tick <= axis.high + gap for tick in found)
    assert all(0.0 <= axis.share(value) <= 1.0 for value in values)


def test_log_axis_has_equal_ratios_at_equal_distances() -> None:
    axis = Axis(0.01, 1.0, log=True)
    assert axis.share(0.1) == pytest.approx(0.5)


def test_numbers_are_short() -> None:
    assert [number(v) for v in (0.25, 12.0, 30_000.0, 0.0, 2e-5)] == ["0.25", "12", "30k", "0", "2e-05"]
