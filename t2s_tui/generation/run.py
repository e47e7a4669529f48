"""Make a prediction set: every example of a split, answered by one model. Resumable: what is there stays."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import JobStopped, ModelError, UsageError
from t2s_tui.generation.decode import Decoded, generate_batches
from t2s_tui.generation.endpoint import EndpointSettings, answer_all
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import ModelKind, ModelRef, resolve_model
from t2s_tui.generation.request import GenerateRequest
from t2s_tui.progress import Progress
from t2s_tui.prompts.encode import encode_prompt
from t2s_tui.prompts.templates import PromptTemplate, load_template, render_messages
from t2s_tui.records import Dataset, Example, Prediction, PredictionSet, TrainingRun
from t2s_tui.sql.statements import first_statement
from t2s_tui.store import Store
from t2s_tui.workspace import Workspace, check_name


def generate(workspace: Workspace, request: GenerateRequest, progress: Progress) -> dict[str, Any]:
    """Answer the examples that have no prediction yet; returns the figures of this run.

    Raises UsageError when the name belongs to predictions of another request, NotFound for an unknown
    dataset, run or prompt, ModelError when the model cannot answer, JobStopped on a stop (all answers
    that were complete by then are kept).
    """
    check_name(request.name, "prediction set")
    ref = resolve_model(request.model, workspace)
    template = load_template(request.prompt, workspace)
    with workspace.store() as store:
        dataset = store.datasets.get(request.dataset)
        run = _adapter_run(store, request, ref)
        examples = _examples(workspace, dataset, request)
        made = _prediction_set(request, dataset, len(examples), str(getattr(progress, "job_id", "")))
        _claim(store, made)
        answered = store.predictions.of(made.name)
        todo = [example for example in examples if example.id not in answered]
        keeper = _Keeper(store, made, len(answered), progress)
        if not todo:
            pass
        elif ref.kind is ModelKind.ENDPOINT:
            _from_endpoint(ref, request, template, todo, keeper, progress)
        else:
            _locally(workspace, ref, run, request, template, todo, keeper, progress)
        progress.step(made.total, made.total, "done")
        return {"predictions": made.name, "total": made.total, **keeper.figures()}


class _Keeper:
    """Saves answers as they come and says how far it is."""

    def __init__(self, store: Store, made: PredictionSet, before: int, progress: Progress) -> None:
        self._store = store
        self._made = made
        self._progress = progress
        self._started = time.perf_counter()
        self.before = before
        self.new = 0
        self.tokens = 0
        self.stopped: dict[str, int] = {}

    def save(self, examples: list[Example], answers: list[Decoded]) -> None:
        """Save the answers to `examples`; their indices point into it."""
        self._store.predictions.add(
            Prediction(
                self._made.name,
                examples[a.index].id,
                a.text,
                first_statement(a.text),
                a.prompt_tokens,
                a.new_tokens,
                a.stopped,
                a.seconds,
            )
            for a in answers
        )
        self.new += len(answers)
        self.tokens += sum(a.new_tokens for a in answers)
        for answer in answers:
            self.stopped[answer.stopped] = self.stopped.get(answer.stopped, 0) + 1
        self.say("answers")

    def say(self, label: str, **figures: Any) -> None:
        """How far it is; `rows_per_second` and the ETA are this process's own."""
        seconds = time.perf_counter() - self._started
        done = self.before + self.new
        if self.new and seconds > 0:
            left = (self._made.total - done) * seconds / self.new
            figures = {**figures, "rows_per_second": self.new / seconds, "eta_seconds": left}
        self._progress.step(done, self._made.total, label, **figures)

    def figures(self) -> dict[str, Any]:
        seconds = time.perf_counter() - self._started
        return {
            "answered": self.new,
            "kept": self.before,
            "new_tokens": self.tokens,
            "stopped": self.stopped,
            "seconds": round(seconds, 2),
        }


def _locally(
    workspace: Workspace,
    ref: ModelRef,
    run: TrainingRun | None,
    request: GenerateRequest,
    template: PromptTemplate,
    todo: list[Example],
    keeper: _Keeper,
    progress: Progress,
) -> None:
    keeper.say(f"loading {ref.short_name}" + (f" + {run.name}" if run else ""))
    loaded = load_model(ref, workspace, adapter=_adapter_folder(run))
    try:
        prompts = [encode_prompt(loaded.tokenizer, template, e.ddl, e.question) for e in todo]
        keeper.say("answers")
        for answers in generate_batches(
            loaded,
            prompts,
            max_new_tokens=request.max_new_tokens,
            batch_size=request.batch_size,
            should_stop=progress.stop_requested,
        ):
            empty = sum(1 for a in answers if a.new_tokens == 0 and a.stopped == "length")
            if empty:
                progress.event("warning", text=f"{empty} prompts are longer than the model can read")
            keeper.save(todo, answers)
    finally:
        loaded.release()
    if keeper.new < len(todo):
        raise JobStopped


def _from_endpoint(
    ref: ModelRef,
    request: GenerateRequest,
    template: PromptTemplate,
    todo: list[Example],
    keeper: _Keeper,
    progress: Progress,
) -> None:
    settings = EndpointSettings(api_key_env=request.api_key_env)
    if request.batch_size:
        settings = EndpointSettings(api_key_env=request.api_key_env, concurrency=request.batch_size)
    keeper.say(f"asking {ref.model}")
    finished = answer_all(
        ref,
        [render_messages(template, e.ddl, e.question) for e in todo],
        max_new_tokens=request.max_new_tokens,
        settings=settings,
        on_answer=lambda answer: keeper.save(todo, [answer]),
        should_stop=progress.stop_requested,
    )
    if not finished:
        raise JobStopped


def _examples(workspace: Workspace, dataset: Dataset, request: GenerateRequest) -> list[Example]:
    if request.split not in dataset.splits:
        raise UsageError(
            f"{dataset.name} has no split {request.split!r}", f"it has {', '.join(dataset.splits)}"
        )
    examples = open_examples(workspace, dataset.name).split(request.split)
    return list(islice(examples, request.limit))


def _adapter_run(store: Store, request: GenerateRequest, ref: ModelRef) -> TrainingRun | None:
    """The training run whose adapter is asked for. Raises UsageError when there is none for this model."""
    if request.adapter is None:
        return None
    run = store.runs.get(request.adapter)
    if ref.kind is ModelKind.ENDPOINT:
        raise UsageError("An endpoint takes no adapter", "leave the adapter out, or name a local model")
    if run.adapter_path is None:
        raise UsageError(f"The run {run.name} has no finished adapter", "wait for its job, or resume it")
    if run.model != request.model:
        raise UsageError(
            f"The adapter {run.name} was trained on {run.model}, not on {request.model}",
            f"use it with --model {run.model}",
        )
    return run


def _adapter_folder(run: TrainingRun | None) -> Any:
    from pathlib import Path

    if run is None or run.adapter_path is None:
        return None
    folder = Path(run.adapter_path)
    if not (folder / "adapter_config.json").exists():
        raise ModelError(f"The adapter of {run.name} is no longer at {folder}", "train it again")
    return folder


def _prediction_set(request: GenerateRequest, dataset: Dataset, total: int, job_id: str) -> PredictionSet:
    decoding = {
        "method": "greedy",
        "max_new_tokens": request.max_new_tokens,
        "limit": request.limit,
        "dataset_fingerprint": dataset.fingerprint,
    }
    return PredictionSet(
        name=request.name,
        dataset=dataset.name,
        split=request.split,
        model=request.model,
        adapter=request.adapter,
        prompt=request.prompt,
        decoding=decoding,
        total=total,
        job_id=job_id,
        created_at=time.time(),
    )


def _claim(store: Store, made: PredictionSet) -> None:
    """Write the set's record, or go on with the one of that name if it was made by the same request."""
    found = store.predictions.find_set(made.name)
    if found is not None:
        for what in ("dataset", "split", "model", "adapter", "prompt", "decoding", "total"):
            before, now = getattr(found, what), getattr(made, what)
            if before != now:
                raise UsageError(
                    f"There are predictions {made.name!r} already, made with {what} {_plain(before, now)}",
                    "choose another name",
                )
    store.predictions.put_set(made)


def _plain(before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        key = next((k for k in {**before, **now} if before.get(k) != now.get(k)), "")
        return f"{key} {before.get(key)!r} and not {now.get(key)!r}"
    return f"{before!r} and not {now!r}"
