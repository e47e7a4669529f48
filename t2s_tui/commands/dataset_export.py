"""`t2s-tui datasets export`: the rows as a file that other tools read."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say
from t2s_tui.commands.waiting_line import waiting_line
from t2s_tui.datasets.export import FORMS, form_of
from t2s_tui.errors import UsageError
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace


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
    form = form_of(args.to, args.form)
    with waiting_line(f"export {args.name}"):
        examples = chosen_rows(opened(args), args.name, args.split, args.filter)
        rows, notes = _write(form, args, examples)
    for note in notes:
        say(note)
    if args.json:
        emit({"file": str(args.to), "form": form, "rows": rows, "notes": notes})
    else:
        say(f"Wrote {rows} rows to {args.to}.")
    return 0


def chosen_rows(workspace: Workspace, name: str, split: str | None, query: str) -> Iterable[Example]:
    """The rows of a split that a filter leaves, read as they are taken. Raises NotFound or UsageError."""
    from t2s_tui.datasets.catalogue import open_examples

    with workspace.store() as store:
        dataset = store.datasets.get(name)
    if split is not None and split not in dataset.splits:
        raise UsageError(f"{name} has no split {split!r}", f"it has {', '.join(dataset.splits)}")
    table = open_examples(workspace, name)
    if not query.strip():
        return table.split(split) if split is not None else table
    from t2s_tui.datasets.audit.table import current_audit
    from t2s_tui.datasets.filter import Rows, filtered_rows

    audit = current_audit(workspace.dataset_dir(name), dataset.fingerprint)
    rows = Rows(table.arrow, audit.arrow if audit is not None else None)
    found = table.at(filtered_rows(rows, query))
    table.release()
    return found if split is None else _of_split(found, split)


def _of_split(examples: Iterable[Example], split: str) -> Iterator[Example]:
    return (example for example in examples if example.split == split)


def _write(form: str, args: argparse.Namespace, examples: Iterable[Example]) -> tuple[int, list[str]]:
    """(rows, sentences about what could not be written)."""
    from t2s_tui.datasets import export

    if form == "csv":
        return export.write_csv(args.to, examples), []
    if form == "jsonl":
        return export.write_jsonl(args.to, examples), []
    if form == "parquet":
        return export.write_parquet(args.to, examples), []
    if form == "spider":
        return _write_spider(args.to, examples)
    from t2s_tui.prompts.templates import load_template, render_messages, render_text

    template = load_template(args.prompt, opened(args))
    if form == "messages":
        return export.write_messages(
            args.to, examples, lambda e: render_messages(template, e.ddl, e.question)
        ), []
    return export.write_csv(args.to, examples, lambda e: render_text(template, e.ddl, e.question, e.gold)), []


def _write_spider(folder: Path, examples: Iterable[Example]) -> tuple[int, list[str]]:
    from t2s_tui.datasets.export_spider import write_spider

    made = write_spider(folder, examples)
    lacking = made.without_schema
    if not lacking:
        return made.rows, []
    shown = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
    return made.rows, [f"tables.json lacks {len(lacking)} databases whose DDL declares no table: {shown}."]
