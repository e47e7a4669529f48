"""Train one adapter from a request; resumable from the last complete checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from t2s_tui.errors import JobStopped, UsageError
from t2s_tui.generation.device import Capability, capability, compute_precision, wants_nf4
from t2s_tui.generation.loading import load_model, load_tokenizer
from t2s_tui.generation.models import ModelKind, ModelRef, resolve_model
from t2s_tui.progress import Progress, stop_if_asked
from t2s_tui.prompts.templates import load_template
from t2s_tui.records import TrainingRun
from t2s_tui.training.checkpoints import any_left, last_complete, remove, remove_all
from t2s_tui.training.failures import in_words
from t2s_tui.training.plan import training_examples
from t2s_tui.training.request import TrainRequest
from t2s_tui.training.rows import Rows, chosen, encode_rows
from t2s_tui.workspace import Workspace, check_name

_REQUEST = "request.json"
_TELLING = 10  # optimizer steps whose mean loss is given as the first and the last


def train(workspace: Workspace, request: TrainRequest, progress: Progress) -> dict[str, Any]:
    """Train, and return the run's summary: loss, steps, tokens, seconds.

    Goes on from the last complete checkpoint of the same request. Raises UsageError or NotFound for a wrong
    request, ModelError, TrainingError, and JobStopped after a stop (with a checkpoint, once it trains).
    """
    ref, able = _checked(workspace, request)
    template = load_template(request.recipe.prompt, workspace)
    examples = chosen(training_examples(workspace, request), request.recipe)
    run = _claim(workspace, request, str(getattr(progress, "job_id", "")))
    if run.adapter_path is not None:
        return {"run": run.name, "adapter": run.adapter_path, **run.summary}
    progress.step(0, 0, f"loading {ref.short_name}")
    tokenizer = load_tokenizer(ref, workspace)

    def say(done: int) -> None:
        stop_if_asked(progress)
        progress.step(done, len(examples), "encoding")

    rows = encode_rows(tokenizer, template, examples, request.recipe.block_size, say)
    if rows.dropped or rows.cut:
        progress.event(
            "warning",
            text=f"{rows.cut} rows lost a part of their DDL and {rows.dropped} rows are left out: "
            f"they are longer than {request.recipe.block_size} tokens",
        )
    stop_if_asked(progress)
    run_dir = workspace.run_dir(run.name)
    with in_words(run_dir):
        adapter, summary = _fit(workspace, request, ref, able, rows, progress)
    with workspace.store() as store:
        store.runs.put(replace(run, adapter_path=str(adapter), summary=summary))
    remove_all(run_dir)
    return {"run": run.name, "adapter": str(adapter), **summary}


def _checked(workspace: Workspace, request: TrainRequest) -> tuple[ModelRef, Capability]:
    """What can be said to be wrong before anything is loaded."""
    check_name(request.run, "run")
    ref = resolve_model(request.model, workspace)
    if ref.kind is ModelKind.ENDPOINT:
        raise UsageError("An endpoint cannot be trained", "name a model whose weights can be loaded")
    able = capability()
    wants_nf4(request.recipe.quantization, able)
    compute_precision(request.recipe.precision, able)
    return ref, able


def _claim(workspace: Workspace, request: TrainRequest, job_id: str) -> TrainingRun:
    """The run's record: a new one, or that of the same request. Raises UsageError if the name is taken."""
    run_dir = workspace.run_dir(request.run)
    with workspace.store() as store:
        found = store.runs.find(request.run)
        fingerprint = store.datasets.get(request.dataset).fingerprint
        asked = {**request.model_dump(mode="json"), "dataset_fingerprint": fingerprint}
        started = found is not None and (found.adapter_path is not None or any_left(run_dir))
        if found is not None and started:
            if _read(run_dir / _REQUEST) != asked:
                raise UsageError(
                    f"There is a run {request.run!r} already, made with another recipe, model or dataset",
                    "choose another name",
                )
            if found.adapter_path is not None:
                return found
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / _REQUEST).write_text(
            json.dumps(asked, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        run = TrainingRun(
            name=request.run,
            dataset=request.dataset,
            split=request.split,
            model=request.model,
            recipe=request.recipe.model_dump(mode="json"),
            job_id=job_id,
            adapter_path=None,
            summary={},
            created_at=found.created_at if found is not None else time.time(),
        )
        store.runs.put(run)
        return run


def _fit(
    workspace: Workspace,
    request: TrainRequest,
    ref: ModelRef,
    able: Capability,
    rows: Rows,
    progress: Progress,
) -> tuple[Path, dict[str, Any]]:
    """Train and save; the adapter's folder and the figures. Raises JobStopped after a stop's checkpoint."""
    from transformers import set_seed

    from t2s_tui.training.adapter import save_adapter, with_lora
    from t2s_tui.training.build import build_trainer

    recipe = request.recipe
    run_dir = workspace.run_dir(request.run)
    checkpoint = _checkpoint(run_dir, progress)
    loaded = load_model(ref, workspace, quantization=recipe.quantization, for_training=True)
    try:
        set_seed(recipe.seed)
        model = with_lora(loaded, recipe)
        precision = compute_precision(recipe.precision, able)
        trainer, reporter = build_trainer(loaded, model, recipe, precision, rows, run_dir, progress)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if reporter.stopping:
            raise JobStopped
        adapter = save_adapter(model, run_dir, request)
        losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
        return adapter, {
            "loss": _mean(losses[-_TELLING:]),
            "first_loss": _mean(losses[:_TELLING]),
            "steps": int(trainer.state.global_step),
            "examples": len(rows.rows),
            "dropped_rows": rows.dropped,
            "cut_rows": rows.cut,
            "tokens": rows.tokens,
            "scored_tokens": rows.scored_tokens,
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
            "weights": loaded.precision,
            "compute": precision,
            "device": loaded.device,
            "seconds": round(trainer.seconds, 1),
        }
    finally:
        loaded.release()


def _checkpoint(run_dir: Path, progress: Progress) -> Path | None:
    """Where to go on from. Checkpoints that cannot be used are said and removed."""
    checkpoint, bad = last_complete(run_dir)
    for folder, why in bad:
        progress.event("warning", text=f"{folder.name} is not used: {why}")
        remove(folder)
    if checkpoint is not None:
        progress.event("note", text=f"going on from {checkpoint.name}")
    return checkpoint


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # no request that could be the same one


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 5)
