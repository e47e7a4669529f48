"""Training rows and the order they are seen in: all of it fixed before the first step, from the seed alone.

The whole training is one list of micro-batches. A resumed training therefore goes on with exactly the rows
that would have come, whatever the random state.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from t2s_tui.errors import TrainingError
from t2s_tui.prompts.encode import Encoded, encode_example
from t2s_tui.prompts.templates import PromptTemplate
from t2s_tui.records import Example
from t2s_tui.training.packing import alike, packed_length, shuffled_alike
from t2s_tui.training.recipes import Recipe

#: Rows are sorted by length within shuffled stretches of so many micro-batches: little padding.
_STRETCH = 32
_SAY_EVERY = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that fit. `dropped` did not fit into the block size, `cut` lost a part of their DDL."""

    rows: tuple[Encoded, ...]
    dropped: int
    cut: int

    @property
    def tokens(self) -> int:
        return sum(len(row.input_ids) for row in self.rows)

    @property
    def scored_tokens(self) -> int:
        return sum(len(row.input_ids) - row.answer_start for row in self.rows)


def chosen(examples: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The examples to train on: all, or `max_rows` of them drawn by the seed, in the dataset's order."""
    if recipe.max_rows is None or recipe.max_rows >= len(examples):
        return list(examples)
    places = random.Random(recipe.seed).sample(range(len(examples)), recipe.max_rows)
    return [examples[at] for at in sorted(places)]


def encode_rows(
    tokenizer: Any,
    template: PromptTemplate,
    examples: Sequence[Example],
    block_size: int,
    on_row: Callable[[int], None] = lambda done: None,
) -> Rows:
    """Encode the examples; `on_row` hears now and then how many are done. TrainingError if none fits."""
    encoded = []
    for done, example in enumerate(examples, start=1):
        encoded.append(encode_example(tokenizer, template, example, block_size))
        if done % _SAY_EVERY == 0:
            on_row(done)
    fitting = tuple(row for row in encoded if row is not None)
    if not fitting:
        raise TrainingError(
            f"None of the {len(examples)} rows fits into {block_size} tokens", "raise block_size"
        )
    return Rows(fitting, len(encoded) - len(fitting), sum(row.ddl_cut for row in fitting))


def steps_of(rows: int, recipe: Recipe) -> int:
    """Optimizer steps of a training on so many rows."""
    micro = _micro_batches(rows, recipe)
    return -(-micro // recipe.gradient_accumulation)


def plan_batches(rows: Sequence[Encoded], recipe: Recipe) -> list[list[int]]:
    """Every micro-batch of the training, as places in `rows`.

    Each epoch shuffles anew. A fraction of an epoch at the end is a random part of it. Where an epoch's
    micro-batches do not fill the last optimizer step, the next epoch's go on with it.
    """
    wanted = _micro_batches(len(rows), recipe)
    groups = alike(rows) if recipe.share_beginnings else []
    batches: list[list[int]] = []
    epoch = 0
    while len(batches) < wanted:
        draw = random.Random(f"{recipe.seed}/{epoch}")
        if recipe.share_beginnings:
            ready = _cut(shuffled_alike(groups, draw), recipe.batch_size)
        else:
            ready = _by_length(rows, recipe, draw)
        draw.shuffle(ready)
        batches += ready
        epoch += 1
    return batches[:wanted]


def positions_of(batch: Sequence[int], rows: Sequence[Encoded], recipe: Recipe) -> int:
    """How many places a micro-batch has for the model, padding included."""
    members = [rows[at] for at in batch]
    if recipe.share_beginnings:
        return packed_length(members)
    return len(members) * max(len(row.input_ids) for row in members)


def _micro_batches(rows: int, recipe: Recipe) -> int:
    return max(1, round(recipe.epochs * -(-rows // recipe.batch_size)))


def _by_length(rows: Sequence[Encoded], recipe: Recipe, draw: random.Random) -> list[list[int]]:
    order = draw.sample(range(len(rows)), len(rows))
    stretch = recipe.batch_size * max(_STRETCH, recipe.gradient_accumulation)
    batches = []
    for part in _cut(order, stretch):
        part.sort(key=lambda at: len(rows[at].input_ids))
        batches += _cut(part, recipe.batch_size)
    return batches


def _cut(order: Sequence[int], size: int) -> list[list[int]]:
    return [list(order[at : at + size]) for at in range(0, len(order), size)]
