"""`t2s-tui models list | merge | push`: what can answer here; an adapter merged, or published."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, err, say, table
from t2s_tui.commands.scores import score_row
from t2s_tui.workspace import Workspace


def add_parser(commands: Any) -> None:
    """Add `models` and what it can do."""
    group = commands.add_parser("models", help="models and adapters that are here")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    common(actions.add_parser("list", help="local models and trained adapters"), _list)
    merge = common(actions.add_parser("merge", help="write an adapter and its base as one model"), _merge)
    merge.add_argument("adapter", metavar="RUN", help="a finished training run")
    merge.add_argument("--name", help="the model's name (default: the run's)")
    push = common(actions.add_parser("push", help="upload an adapter to the Hub, with a card"), _push)
    push.add_argument("adapter", metavar="RUN", help="a finished training run")
    push.add_argument("--to", required=True, metavar="OWNER/NAME", help="the repository; made where missing")
    push.add_argument("--base", metavar="OWNER/NAME", help="the Hub id of a base model that is a folder here")
    push.add_argument("--public", action="store_true", help="anyone may see a repository that this makes")


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


def _push(args: argparse.Namespace) -> int:
    from t2s_tui.training.publish import push

    workspace = opened(args)
    scores = _scores_with(workspace, args.adapter)
    with err.status(f"uploading {args.adapter}") if err.is_terminal else nullcontext():
        made = push(workspace, args.adapter, args.to, base=args.base, private=not args.public, scores=scores)
    if args.json:
        emit({"adapter": args.adapter, "repo": made.repo, "url": made.url, "files": made.files})
    else:
        say(f"{args.adapter} is at {made.url} ({made.files} files).")
    return 0


def _scores_with(workspace: Workspace, adapter: str) -> list[tuple[str, ...]]:
    """The scores of every prediction set that this adapter made, as the card has them."""
    from t2s_tui.evaluation.statistics import scores_of

    with workspace.store() as store:
        names = [made.name for made in store.predictions.sets() if made.adapter == adapter]
        return [(name, *map(str, score_row(score)[:5])) for name in names for score in scores_of(store, name)]
