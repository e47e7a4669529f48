"""Full collections wait until the keys rest."""

from __future__ import annotations

import gc

from t2s_tui.system.idle_collector import QUIET, IdleCollector


def test_it_collects_only_when_due_and_at_rest() -> None:
    usual, now = gc.get_threshold(), [0.0]
    gc.collect()
    collector = IdleCollector(clock=lambda: now[0])
    try:
        assert gc.get_threshold()[2] > usual[2]
        now[0] = 10.0
        assert not collector.tick(), "nothing is due"
        for _ in range(usual[2]):
            gc.collect(1)
        collector.touched()
        assert not collector.tick(), "a key was just pressed"
        now[0] += QUIET
        assert collector.tick()
        assert gc.get_count()[2] == 0
    finally:
        collector.stop()
    assert gc.get_threshold() == usual
