"""`t2s-tui train`: submit one training job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2s_tui.commands.follow import finish
from t2s_tui.commands.options import checked, common, free_name, opened, waiting
from t2s_tui.errors import UsageError


def add_parser(commands: Any) -> None:
    """Add `train`."""
    train = common(commands.add_parser("train", help="train a LoRA or QLoRA adapter"), _train)
    train.add_argument("--dataset", required=True)
    train.add_argument("--split", default="train")
    recipe = train.add_mutually_exclusive_group()
    recipe.add_argument("--preset", help="a recipe that ships with t2s-tui: book, demo (default book)")
    recipe.add_argument("--recipe", type=Path, metavar="FILE.toml", help="your own recipe")
    train.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change a field of it"
    )
    train.add_argument("--model", default="smollm2", help="Hub id, folder, .gguf, or smollm2 (default)")
    train.add_argument("--name", help="the run's name (default: dataset-preset)")
    waiting(train)


def _train(args: argparse.Namespace) -> int:
    from t2s_tui.generation.models import resolve_model
    from t2s_tui.jobs.launcher import submit
    from t2s_tui.training.recipes import Recipe, load_preset, load_recipe
    from t2s_tui.training.request import TrainRequest
    from t2s_tui.workspace import check_name

    workspace = opened(args)
    recipe: Recipe = load_recipe(args.recipe) if args.recipe else load_preset(args.preset or "book")
    if args.set:
        recipe = recipe.changed(_changes(args.set))
    with workspace.store() as store:
        dataset = store.datasets.get(args.dataset)
        taken = [run.name for run in store.runs.all()]
    if args.split not in dataset.splits:
        raise UsageError(
            f"{dataset.name} has no split {args.split!r}", f"it has {', '.join(dataset.splits)}: use --split"
        )
    resolve_model(args.model, workspace)  # an unknown model is said now, not in a job a minute later
    stem = f"{args.dataset}-{args.recipe.stem if args.recipe else args.preset or 'book'}"
    name = check_name(args.name, "run") if args.name else free_name(stem, taken)
    if args.name and args.name in taken:
        raise UsageError(f"A run {name!r} exists", "choose another --name, or resume its job")
    request = checked(
        TrainRequest, run=name, dataset=args.dataset, split=args.split, model=args.model, recipe=recipe
    )
    job = submit(workspace, "train", f"train {name}", request.model_dump(mode="json"))
    return finish(workspace, job, wait=args.wait, as_json=args.json, run=name)


def _changes(pairs: list[str]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set {pair!r} is not FIELD=VALUE", "write it as --set epochs=2")
        changes[field.strip()] = value.strip()
    return changes
