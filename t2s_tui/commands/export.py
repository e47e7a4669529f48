"""`t2s-tui export`: predictions with their verdicts as a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say
from t2s_tui.commands.tables import write_table
from t2s_tui.records import Verdict


def add_parser(commands: Any) -> None:
    """Add `export`."""
    export = common(commands.add_parser("export", help="predictions and verdicts as a file"), _export)
    export.add_argument("predictions")
    export.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help=".csv .jsonl .parquet .md .html"
    )


def _human(verdict: Verdict | None) -> dict[str, str | None]:
    """A person's word beside the metrics', with its note; the columns are always there."""
    note = str(verdict.evidence.get("note", "")) if verdict else None
    return {"human": str(verdict.outcome) if verdict else None, "human_note": note}


def _export(args: argparse.Namespace) -> int:
    from t2s_tui.datasets.catalogue import open_examples

    workspace = opened(args)
    with workspace.store() as store:
        made = store.predictions.get_set(args.predictions)
        predictions = store.predictions.of(made.name)
        verdicts = store.verdicts.of(made.name)
    metrics = sorted({metric for given in verdicts.values() for metric in given} - {"human"})
    rows = []
    for example in open_examples(workspace, made.dataset).split(made.split):
        prediction = predictions.get(example.id)
        if prediction is None:
            continue
        given = verdicts.get(example.id, {})
        rows.append(
            {
                "id": example.id,
                "number": example.number,
                "db_id": example.db_id,
                "question": example.question,
                "ddl": example.ddl,
                "gold": example.gold,
                "generated": prediction.sql,
                **{metric: str(given[metric].outcome) if metric in given else None for metric in metrics},
                **{f"{metric}_why": given[metric].why if metric in given else None for metric in metrics},
                **_human(given.get("human")),
                "raw": prediction.raw,
            }
        )
    write_table(args.to, rows)
    if args.json:
        emit({"file": str(args.to), "rows": len(rows)})
    else:
        say(f"Wrote {len(rows)} predictions to {args.to}.")
    return 0
