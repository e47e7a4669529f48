"""`t2s-tui models list`: what can answer here."""

from __future__ import annotations

import argparse
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, table


def add_parser(commands: Any) -> None:
    """Add `models` and what it can do."""
    group = commands.add_parser("models", help="models and adapters that are here")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")
    common(actions.add_parser("list", help="local models and trained adapters"), _list)


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
