"""From a recipe to transformers' training arguments and the trainer. Imports torch and transformers."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, TrainingArguments

from t2s_tui.errors import TrainingError
from t2s_tui.generation.loading import Loaded
from t2s_tui.progress import Progress
from t2s_tui.training.callback import Reporter
from t2s_tui.training.collate import collate
from t2s_tui.training.packing import collate_packed
from t2s_tui.training.recipes import Recipe
from t2s_tui.training.rows import Rows, plan_batches, positions_of, steps_of
from t2s_tui.training.trainer import AnswerTrainer

_KEPT_CHECKPOINTS = 2  # the newest may be cut off by a kill: the one before it is whole

_SCHEDULERS = {"linear": "linear", "cosine": "cosine", "constant": "constant_with_warmup"}


def build_trainer(
    loaded: Loaded,
    model: Any,
    recipe: Recipe,
    precision: str,
    rows: Rows,
    run_dir: Path,
    progress: Progress,
) -> tuple[AnswerTrainer, Reporter]:
    """The trainer of `model` (with its LoRA) on the rows, and the reporter that speaks for it."""
    lengths = [len(row.input_ids) for row in rows.rows]
    batches = plan_batches(rows.rows, recipe)
    steps = [
        batches[at : at + recipe.gradient_accumulation]
        for at in range(0, len(batches), recipe.gradient_accumulation)
    ]
    reporter = Reporter(
        progress,
        tokens=[sum(lengths[at] for batch in step for at in batch) for step in steps],
        positions=[sum(positions_of(batch, rows.rows, recipe) for batch in step) for step in steps],
        steps_in_epoch=steps_of(len(lengths), recipe) / recipe.epochs,
    )
    if recipe.share_beginnings and model.config._attn_implementation != "sdpa":
        raise TrainingError(
            f"Shared beginnings need torch's own attention, not {model.config._attn_implementation}",
            "set share_beginnings to false",
        )
    pad = loaded.tokenizer.pad_token_id
    trainer = AnswerTrainer(
        model=model,
        args=training_arguments(recipe, precision, len(steps), loaded.device, run_dir),
        rows=rows.rows,
        batches=batches,
        collator=collate_packed
        if recipe.share_beginnings
        else partial(collate, pad_id=pad if pad is not None else loaded.tokenizer.eos_token_id),
        callbacks=[reporter],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, reporter


def training_arguments(
    recipe: Recipe, precision: str, steps: int, device: str, run_dir: Path
) -> TrainingArguments:
    """The arguments of transformers 5. One of its epochs is the whole plan, all our epochs included.

    `warmup_ratio` and `group_by_length` are gone there (TRAPS 18): the warm-up is in steps, and the plan
    groups by length.
    """
    arguments = TrainingArguments(
        output_dir=str(run_dir),
        per_device_train_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        num_train_epochs=1,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=_SCHEDULERS[recipe.lr_scheduler],
        warmup_steps=math.ceil(recipe.warmup_ratio * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        seed=recipe.seed,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=device == "cpu",
        optim="adamw_torch",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=recipe.checkpoint_every,
        save_total_limit=_KEPT_CHECKPOINTS,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    # A job holds one device. With more than one in sight the trainer would wrap the model in DataParallel.
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1
    return arguments
