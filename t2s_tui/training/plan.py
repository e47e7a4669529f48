"""What a training would do, counted before it starts. Needs the model's tokenizer, and so transformers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.generation.models import resolve_model
from t2s_tui.prompts.templates import load_template
from t2s_tui.records import Example
from t2s_tui.training.request import TrainRequest
from t2s_tui.training.rows import chosen, encode_rows, plan_batches, positions_of, steps_of
from t2s_tui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Plan:
    """`examples` rows are trained on, `cut_rows` of them with a part of their DDL, `dropped_rows` do not fit.

    `tokens` and `scored_tokens` are of one pass over the rows. `computed_tokens` are what the model goes
    through in the whole training: with padding, and with shared beginnings counted once.
    """

    examples: int
    cut_rows: int
    dropped_rows: int
    tokens: int
    scored_tokens: int
    longest_row: int
    steps: int
    effective_batch: int
    computed_tokens: int


def estimate(workspace: Workspace, request: TrainRequest, tokenizer: Any = None) -> Plan:
    """Count, with the model's own tokenizer unless one is given.

    Raises NotFound, UsageError, ModelError or TrainingError: whatever would keep the training from starting.
    """
    recipe = request.recipe
    template = load_template(recipe.prompt, workspace)
    examples = training_examples(workspace, request)
    if tokenizer is None:
        from t2s_tui.generation.loading import load_tokenizer

        tokenizer = load_tokenizer(resolve_model(request.model, workspace), workspace)
    found = encode_rows(tokenizer, template, chosen(examples, recipe), recipe.block_size)
    batches = plan_batches(found.rows, recipe)
    return Plan(
        examples=len(found.rows),
        cut_rows=found.cut,
        dropped_rows=found.dropped,
        tokens=found.tokens,
        scored_tokens=found.scored_tokens,
        longest_row=max(len(row.input_ids) for row in found.rows),
        steps=steps_of(len(found.rows), recipe),
        effective_batch=recipe.effective_batch,
        computed_tokens=sum(positions_of(batch, found.rows, recipe) for batch in batches),
    )


def training_examples(workspace: Workspace, request: TrainRequest) -> Sequence[Example]:
    """The split's examples. Raises NotFound or UsageError when there are none."""
    with workspace.store() as store:
        dataset = store.datasets.get(request.dataset)
    if request.split not in dataset.splits:
        raise UsageError(
            f"{dataset.name} has no split {request.split!r}", f"it has {', '.join(dataset.splits)}"
        )
    examples = open_examples(workspace, dataset.name).split(request.split)
    if not examples:
        raise UsageError(f"The split {request.split} of {dataset.name} has no rows", "choose another split")
    return examples
