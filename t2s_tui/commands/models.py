"""`t2s-tui models list | merge`: what can answer here, and an adapter made part of its base."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, err, say, table


def add_parser(commands: Any) -> None:
    """Add `models` and what it can do."""
    group = commands.add_parser("models", help="models and adapters that are here")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    common(actions.add_parser("list", help="local models and trained adapters"), _list)
    merge = common(actions.add_parser("merge", help="write an adapter and its base as one model"), _merge)
    merge.add_argument("adapter", metavar="RUN", help="a finished training run")
    merge.add_argument("--name", help="the model's name (default: the run's)")


def _list(args: argparse.Namespace) -> int:
    from t2s_tui.generation.models import list_models

    workspace = opened(args)
    with workspace.store() as store:
        runs = store.runs.all()
    models = [{"model": m.spec, "kind": str(m.kind), "adapter": None} for m in list_models(workspace)]
    models += [
        {"model": run.model, "kind": "adapter", "adapter": run.name}
        for run in runs
        if run.adapter_path is not None
    ]
    if args.json:
        for model in models:
            emit(model)
        return 0
    table(("model", "kind", "adapter"), [(m["model"], m["kind"], m["adapter"] or "") for m in models])
    return 0


def _merge(args: argparse.Namespace) -> int:
    from t2s_tui.training.merge import merge

    with err.status(f"merging {args.adapter}") if err.is_terminal else nullcontext():
        folder = merge(opened(args), args.adapter, args.name)
    if args.json:
        emit({"model": folder.name, "folder": str(folder)})
    else:
        say(f"Merged into {folder}. Use it with --model {folder.name}.")
    return 0
