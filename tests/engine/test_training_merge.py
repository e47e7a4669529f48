"""An adapter merged into its base answers as the two together do."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_tui.cli import main
from t2s_tui.errors import UsageError
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import resolve_model
from t2s_tui.training.merge import merge
from t2s_tui.training.recipes import Recipe
from t2s_tui.training.request import TrainRequest
from t2s_tui.training.run import train
from tests.model_support import Listener, Room, one_core, room, tiny_model

__all__ = ["one_core", "room", "tiny_model"]

RECIPE = Recipe(prompt="short", learning_rate=1e-2, batch_size=2, gradient_accumulation=1, precision="fp32")


def test_a_merged_model_equals_base_and_adapter(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    workspace = room.workspace
    train(workspace, TrainRequest(run="r", dataset="tiny", model=room.model, recipe=RECIPE), Listener())
    assert main(["models", "merge", "r", "--name", "merged", "--workspace", str(workspace.root)]) == 0
    assert "Merged into" in capsys.readouterr().err
    with workspace.store() as store:
        adapter = store.runs.get("r").adapter_path
    assert adapter is not None
    both = load_model(resolve_model(room.model, workspace), workspace, adapter=Path(adapter))
    base = load_model(resolve_model(room.model, workspace), workspace)
    merged = load_model(resolve_model("merged", workspace), workspace)
    ids = torch.tensor([[1, 5, 9, 12]])
    logits = [loaded.model(ids).logits for loaded in (merged, both, base)]
    assert torch.allclose(logits[0], logits[1], atol=1e-5)
    assert not torch.allclose(logits[0], logits[2], atol=1e-3)
    with pytest.raises(UsageError, match="is there already"):
        merge(workspace, "r", "merged")
