"""The reducer of a training's events: what the Train screen shows, without a screen."""

from __future__ import annotations

import math
import random

import pytest

from t2s_tui.training.history import MAX_EVENTS, MAX_POINTS, History, Point, sampled, smoothed


def step(done: int, loss: float | None = 1.0, total: int = 100, **more: object) -> dict[str, object]:
    return {"kind": "step", "done": done, "total": total, "label": "train", "loss": loss, **more}


def test_the_last_figures_and_the_curve() -> None:
    history = History()
    assert history.apply([step(1, 2.5, lr=1e-4, tokens_per_second=80.0), step(2, 1.5, lr=2e-4)])
    assert [(p.step, p.loss) for p in history.points] == [(1, 2.5), (2, 1.5)]
    assert (history.done, history.total) == (2, 100)
    assert history.figures == {"loss": 1.5, "lr": 2e-4, "tokens_per_second": 80.0}


def test_steps_done_again_after_a_resume_replace_the_first_ones() -> None:
    history = History()
    history.apply(step(n, float(n)) for n in range(1, 56))
    history.apply([{"kind": "state", "state": "lost"}, {"kind": "state", "state": "running"}])
    history.apply(step(n, 100.0 + n) for n in range(41, 46))
    assert [p.step for p in history.points] == list(range(1, 46))
    assert [p.loss for p in history.points[-6:]] == [40.0, 141.0, 142.0, 143.0, 144.0, 145.0]
    assert [line.words for line in history.tail] == ["lost", "running"]


def test_loading_steps_are_no_points_of_the_curve_and_have_no_eta() -> None:
    history = History()
    loading = {"kind": "step", "done": 30, "total": 700, "label": "encode"}
    history.apply([loading, step(1, 2.0, eta_seconds=9.0)])
    assert [p.step for p in history.points] == [1]
    assert (history.label, history.steps) == ("train", 100)
    history.apply([loading])  # it goes on after a stop
    assert (history.label, history.steps, history.figures) == ("encode", 100, {"loss": 2.0})


def test_a_loss_that_is_no_number_is_counted_and_leaves_no_point() -> None:
    history = History()
    history.apply([step(1, 2.0), step(2, None), step(3, math.nan)])
    assert history.not_finite == 2
    assert [p.step for p in history.points] == [1]
    assert "loss" not in history.figures


def test_memory_is_bounded_and_the_mean_is_kept() -> None:
    rng = random.Random(7)
    losses = [rng.random() for _ in range(5 * MAX_POINTS + 3)]
    history = History()
    history.apply(step(n, loss) for n, loss in enumerate(losses, start=1))
    assert len(history.points) <= MAX_POINTS
    assert sum(p.steps for p in history.points) == len(losses)
    mean = sum(p.loss * p.steps for p in history.points) / len(losses)
    assert mean == pytest.approx(sum(losses) / len(losses))
    assert history.points[-1].step == len(losses)
    history.apply({"kind": "note", "text": str(n), "t": n} for n in range(2 * MAX_EVENTS))
    assert len(history.tail) == MAX_EVENTS


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.99])
def test_smoothing_of_a_constant_is_the_constant(weight: float) -> None:
    curve = smoothed([Point(n, 0.7) for n in range(1, 50)], weight)
    assert [p.loss for p in curve] == pytest.approx([0.7] * 49)


def test_smoothing_follows_the_textbook_formula_and_counts_merged_steps() -> None:
    points = [Point(1, 1.0), Point(2, 3.0)]
    # debiased: m2 = (w * (1 - w) * 1 + (1 - w) * 3) / (1 - w**2)
    assert smoothed(points, 0.9)[1].loss == pytest.approx((0.09 * 1 + 0.1 * 3) / 0.19)
    single = smoothed([Point(n, 1.0) for n in (1, 2)] + [Point(n, 5.0) for n in (3, 4)], 0.8)
    merged = smoothed([Point(2, 1.0, 2), Point(4, 5.0, 2)], 0.8)
    assert merged[-1].loss == pytest.approx(single[-1].loss)


def test_sampling_keeps_two_points_a_column_and_the_spike() -> None:
    points = [Point(n, 9.0 if n == 3137 else 1.0) for n in range(1, 4001)]
    few = sampled(points, 50)
    assert len(few) <= 100
    assert max(p.loss for p in few) == 9.0
    assert [p.step for p in few] == sorted({p.step for p in few})
    assert sampled(points[:80], 50) == points[:80]
