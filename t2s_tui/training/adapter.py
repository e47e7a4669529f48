"""LoRA on a loaded model, and the finished adapter on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from t2s_tui.generation.loading import Loaded
from t2s_tui.training.recipes import Recipe
from t2s_tui.training.request import TrainRequest

FOLDER = "adapter"
NOTE = "t2s.json"


def with_lora(loaded: Loaded, recipe: Recipe) -> Any:
    """The model with a fresh LoRA on all linear layers but the head, ready to be trained.

    The adapter's weights are float32 whatever the base's are: fp16 ones crash the gradient scaler (TRAPS 17).
    A 4-bit base gets gradient checkpointing with `use_reentrant=False`; on a CPU memory is not what is short,
    and recomputing would cost a third of the time.
    """
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    model = loaded.model
    if loaded.precision == "nf4":
        model = prepare_model_for_kbit_training(
            model,
            use_gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
        )
    config = LoraConfig(
        r=recipe.lora_r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config, autocast_adapter_dtype=True)


def save_adapter(model: Any, run_dir: Path, request: TrainRequest) -> Path:
    """Write the finished adapter beside the checkpoints, whole or not at all; returns its folder."""
    target, scratch = run_dir / FOLDER, run_dir / f".{FOLDER}.making"
    shutil.rmtree(scratch, ignore_errors=True)
    model.save_pretrained(scratch, save_embedding_layers=False)
    note = request.model_dump(mode="json")
    (scratch / NOTE).write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if target.exists():
        shutil.rmtree(target)
    scratch.rename(target)
    return target
