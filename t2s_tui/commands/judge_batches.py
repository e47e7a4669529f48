"""`t2s-tui judge batches`: the batches that were handed in, and what a person can do about one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say, table
from t2s_tui.text import ago

if TYPE_CHECKING:
    from t2s_tui.evaluation.judge.batch.ledger import Batch


def add_parser(actions: Any) -> None:
    """Add `batches` to the actions of `judge`."""
    batches = common(actions.add_parser("batches", help="the batches that were handed in"), _batches)
    what = batches.add_mutually_exclusive_group()
    what.add_argument("--cancel", metavar="ID", help="ask the endpoint to end it; what it answered is kept")
    what.add_argument("--forget", metavar="ID", help="wait for it no more: its requests may be asked again")
    batches.add_argument("--judge-key-env", default="OPENAI_API_KEY", help="the variable that holds the key")
    batches.add_argument("--judge-key-command", metavar="CMD", help="a command that prints the key")


def _batches(args: argparse.Namespace) -> int:
    from t2s_tui.evaluation.judge.batch import manage
    from t2s_tui.evaluation.judge.journal import FILE

    path = opened(args).root / FILE
    if args.cancel:
        seen = manage.cancel(
            path, args.cancel, key_env=args.judge_key_env, key_command=args.judge_key_command
        )
        say(f"{seen.id} is {seen.status}. The run that waits for it takes what it answered.")
    elif args.forget:
        batch = manage.forget(path, args.forget)
        say(f"{batch.batch or batch.id} is forgotten: its {batch.total} requests may be asked again.")
    else:
        _list(manage.batches(path), as_json=args.json)
    return 0


def _list(found: Sequence[Batch], *, as_json: bool) -> None:
    if as_json:
        for batch in found:
            emit(
                {
                    "id": batch.id,
                    "batch": batch.batch,
                    "endpoint": batch.endpoint,
                    "model": batch.model,
                    "state": batch.state,
                    "status": batch.status,
                    "completed": batch.completed,
                    "failed": batch.failed,
                    "total": batch.total,
                    "created_at": batch.created_at,
                }
            )
        return
    now = time.time()
    rows = [
        (
            batch.batch or batch.id,
            batch.model,
            batch.state.replace("_", " "),
            batch.status,
            batch.completed,
            batch.total,
            ago(batch.created_at, now),
        )
        for batch in found
    ]
    table(("batch", "model", "here", "there", "completed", "of", "handed in"), rows, right=(4, 5, 6))
