"""One training micro-batch: logits only where the next token is scored, against logits everywhere.

Same rows, same adapter, same loss; the losses are compared before the times are.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks.figures import Figure, median_seconds
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import resolve_model
from t2s_tui.prompts.encode import encode_example
from t2s_tui.prompts.templates import load_template
from t2s_tui.training.adapter import with_lora
from t2s_tui.training.collate import collate
from t2s_tui.training.recipes import load_preset
from t2s_tui.training.trainer import answer_loss
from t2s_tui.workspace import Workspace

_ROWS = 4


def _everywhere(model: Any, labels: Any, **inputs: Any) -> Any:
    logits = model(**inputs, use_cache=False).logits
    return cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), reduction="sum")


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder))
        add_dataset(workspace, "sample")
        recipe = load_preset("demo")
        loaded = load_model(resolve_model("smollm2", workspace), workspace, for_training=True)
        template = load_template(recipe.prompt, workspace)
        examples = open_examples(workspace, "sample").rows(0, _ROWS)
        rows = [encode_example(loaded.tokenizer, template, e, recipe.block_size) for e in examples]
        batch = collate([row for row in rows if row is not None])
        model = with_lora(loaded, recipe)
        losses = [loss(model, **batch).item() for loss in (answer_loss, _everywhere)]
        if not torch.isclose(*torch.tensor(losses), rtol=1e-4):
            raise AssertionError(f"the two losses differ: {losses}")
        ours = median_seconds(lambda: answer_loss(model, **batch).backward())
        theirs = median_seconds(lambda: _everywhere(model, **batch).backward())
    return [Figure(f"forward and backward of {_ROWS} rows", "s", ours, theirs, "logits at every position")]
