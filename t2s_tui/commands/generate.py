"""`t2s-tui generate`: submit one job that answers a split of a dataset."""

from __future__ import annotations

import argparse
from typing import Any

from t2s_tui.commands.follow import finish
from t2s_tui.commands.options import checked, common, free_name, opened, waiting
from t2s_tui.errors import UsageError
from t2s_tui.records import Dataset

_EVALUATION_SPLITS = ("eval", "test", "validation", "dev")


def add_parser(commands: Any) -> None:
    """Add `generate`."""
    generate = common(commands.add_parser("generate", help="let a model answer a dataset"), _generate)
    generate.add_argument("--dataset", required=True)
    generate.add_argument("--split", help="default: the evaluation split")
    generate.add_argument(
        "--model", required=True, help="Hub id, folder, .gguf, smollm2, or http://HOST:PORT/v1#MODEL"
    )
    generate.add_argument("--adapter", metavar="RUN", help="the adapter of a training run")
    generate.add_argument("--prompt", help="a template (default: the adapter's own, else book)")
    generate.add_argument("--name", help="the prediction set's name (default: dataset-split-model)")
    generate.add_argument("--max-new-tokens", type=int, default=256)
    generate.add_argument("--batch-size", type=int, help="default: chosen for the device")
    generate.add_argument("--limit", type=int, help="answer only so many rows")
    generate.add_argument(
        "--api-key-env", default="OPENAI_API_KEY", help="variable that holds an endpoint's key"
    )
    waiting(generate)


def _generate(args: argparse.Namespace) -> int:
    from t2s_tui.generation.models import resolve_model
    from t2s_tui.generation.request import GenerateRequest
    from t2s_tui.jobs.launcher import submit
    from t2s_tui.prompts.templates import load_template
    from t2s_tui.workspace import check_name

    workspace = opened(args)
    with workspace.store() as store:
        dataset = store.datasets.get(args.dataset)
        run = store.runs.get(args.adapter) if args.adapter else None
        taken = [s.name for s in store.predictions.sets()]
    if run is not None and run.adapter_path is None:
        raise UsageError(f"The run {run.name} has no finished adapter", "wait for its job, or resume it")
    reference = resolve_model(args.model, workspace)
    prompt = args.prompt or (str(run.recipe.get("prompt", "book")) if run else "book")
    load_template(prompt, workspace)
    split = split_of(dataset, args.split)
    stem = f"{args.dataset}-{split}-{args.adapter or reference.short_name}"
    name = check_name(args.name, "prediction set") if args.name else free_name(stem, taken)
    request = checked(
        GenerateRequest,
        name=name,
        dataset=args.dataset,
        split=split,
        model=args.model,
        adapter=args.adapter,
        prompt=prompt,
        max_new_tokens=args.max_new_tokens,
        batch_size=args.batch_size,
        limit=args.limit,
        api_key_env=args.api_key_env,
    )
    job = submit(workspace, "generate", f"generate {name}", request.model_dump(mode="json"))
    return finish(workspace, job, wait=args.wait, as_json=args.json, predictions=name)


def split_of(dataset: Dataset, asked: str | None) -> str:
    """The split that was asked for, else the one to evaluate on. Raises UsageError."""
    if asked is not None:
        if asked not in dataset.splits:
            raise UsageError(
                f"{dataset.name} has no split {asked!r}", f"it has {', '.join(dataset.splits)}: use --split"
            )
        return asked
    for name in _EVALUATION_SPLITS:
        if name in dataset.splits:
            return name
    return next(iter(dataset.splits))
