"""The steps of the demo, made to end within a quarter of an hour on two cores of either kind."""

from __future__ import annotations

import pytest

from t2s_tui.commands.demo import SLOW_CPU_EPOCHS, demo_steps
from t2s_tui.generation import device
from t2s_tui.training.recipes import load_preset


@pytest.mark.parametrize("tiles", [True, False])
def test_a_cpu_without_bf16_tiles_trains_less(monkeypatch: pytest.MonkeyPatch, tiles: bool) -> None:
    monkeypatch.setenv("T2S_TUI_DEVICE", "cpu")
    monkeypatch.setattr(device, "_has_amx", lambda: tiles)
    (train,) = (step["request"] for step in demo_steps() if step["kind"] == "train")
    preset = load_preset("demo").model_dump(mode="json")
    assert train["recipe"] == preset | ({} if tiles else {"epochs": SLOW_CPU_EPOCHS})
