"""The loss, against the plain computation over all positions; packed rows against single ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from t2s_tui.training.collate import IGNORED, collate
from t2s_tui.training.packing import collate_packed
from tests.engine.test_training_rows import make_rows
from tests.model_support import one_core, tiny_model

__all__ = ["one_core", "tiny_model"]


@pytest.fixture
def model(tiny_model: Path, one_core: None) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model)


def full_loss(model: Any, batch: dict[str, Any]) -> Any:
    """Logits of every position, the loss of those whose next token is labelled."""
    import torch

    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]),
        batch["labels"][:, 1:].reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
    )


def gradients(model: Any, loss: Any) -> list[Any]:
    model.zero_grad()
    loss.backward()
    return [p.grad.clone() for p in model.parameters()]


def close(first: list[Any], second: list[Any]) -> bool:
    import torch

    return all(torch.allclose(a, b, atol=2e-4, rtol=1e-3) for a, b in zip(first, second, strict=True))


def test_the_head_on_scored_places_gives_the_full_loss_and_gradients(model: Any) -> None:
    import torch

    from t2s_tui.training.trainer import answer_loss

    batch = collate(make_rows(6), pad_id=0)
    seen: list[int] = []
    model.lm_head.register_forward_hook(lambda module, args, out: seen.append(out.numel() // out.shape[-1]))
    ours = answer_loss(model, **batch)
    full = full_loss(model, batch)
    assert torch.allclose(ours, full, rtol=1e-5)
    assert close(gradients(model, ours), gradients(model, full_loss(model, batch)))
    assert seen[0] == int((batch["labels"] != IGNORED).sum())
    assert seen[1] == batch["input_ids"].numel()


def test_packed_rows_give_the_loss_and_the_gradients_of_single_ones(model: Any) -> None:
    import torch

    from t2s_tui.training.trainer import answer_loss

    rows = sorted(make_rows(12), key=lambda row: row.input_ids)
    packed = collate_packed(rows)
    assert packed["input_ids"].numel() < 0.6 * sum(len(row.input_ids) for row in rows)
    together = answer_loss(model, **packed)
    single = sum(answer_loss(model, **collate([row])) for row in rows)
    assert torch.allclose(together, single, rtol=1e-5)
    ours = gradients(model, answer_loss(model, **packed))
    assert close(ours, gradients(model, sum(answer_loss(model, **collate([row])) for row in rows)))
