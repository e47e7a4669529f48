"""`t2s-tui datasets export`: the rows as a file that other tools read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say
from t2s_tui.commands.waiting_line import waiting_line
from t2s_tui.datasets.export import FORMS


def add_export(actions: Any) -> None:
    """Add `datasets export`."""
    export = common(actions.add_parser("export", help="write the rows to a file"), _export)
    export.add_argument("name")
    export.add_argument("--to", type=Path, required=True, metavar="FILE", help="a file, for spider a folder")
    forms = "; ".join(f"{form}: {words}" for form, (_, words) in FORMS.items())
    export.add_argument("--as", dest="form", metavar="FORM", help=f"{forms} (default: by the ending)")
    export.add_argument("--split")
    export.add_argument("--filter", default="", metavar="QUERY", help="only the rows that the filter leaves")
    export.add_argument("--prompt", default="book", help="with text-csv and messages: the template")


def _export(args: argparse.Namespace) -> int:
    from t2s_tui.jobs.handlers import export
    from t2s_tui.progress import Quiet

    asked = {
        "dataset": args.name,
        "to": args.to,
        "form": args.form,
        "split": args.split,
        "query": args.filter,
        "prompt": args.prompt,
    }
    with waiting_line(f"export {args.name}"):
        made = export(opened(args), asked, Quiet())
    for note in made["notes"]:
        say(note)
    if args.json:
        emit(made)
    else:
        say(f"Wrote {made['rows']} rows to {args.to}.")
    return 0
