"""`t2s-tui datasets add | list | show`; the other actions have files of their own."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from t2s_tui.commands.audit import add_audit
from t2s_tui.commands.clean import add_clean
from t2s_tui.commands.dataset_export import add_export
from t2s_tui.commands.dataset_words import as_json, history_in_words, license_in_words, splits_in_words
from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, out, say, table
from t2s_tui.commands.splits import add_split
from t2s_tui.errors import UsageError
from t2s_tui.text import ago

_SHOWN_PROBLEMS = 10


def add_parser(commands: Any) -> None:
    """Add `datasets` and what it can do."""
    group = commands.add_parser("datasets", help="add, audit, split, clean and export datasets")
    actions = group.add_subparsers(dest="action", required=True, metavar="ACTION")

    add = common(actions.add_parser("add", help="take a source into the catalogue"), _add)
    add.add_argument(
        "source", help="'sample', 'sample-ko', a CSV, JSONL or Parquet file, a folder, or a Hub id"
    )
    add.add_argument("--format", help="what the source is, when it cannot be seen")
    add.add_argument("--name", help="the dataset's name here (default: from the source)")
    add.add_argument("--dialect", help="the SQL dialect (default: seen from the DDL)")
    add.add_argument("--databases", type=Path, metavar="DIR", help="SQLite files: DIR/<db_id>/<db_id>.sqlite")
    add.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="question=utterance")
    add.add_argument("--strict", action="store_true", help="fail on the first bad row instead of dropping it")
    add.add_argument("--replace", action="store_true", help="take the place of a dataset of this name")

    common(actions.add_parser("list", help="the datasets there are"), _list)

    show = common(actions.add_parser("show", help="one dataset, or its rows"), _show)
    show.add_argument("name")
    show.add_argument("--split")
    show.add_argument("--rows", type=int, default=3, help="how many rows to show (default 3)")
    show.add_argument("--filter", default="", help="words that a row must contain; db:NAME, split:NAME")

    add_audit(actions)

    add_split(actions)
    add_clean(actions)
    add_export(actions)


def _add(args: argparse.Namespace) -> int:
    from t2s_tui.datasets.add import add_dataset

    report = add_dataset(
        opened(args),
        args.source,
        format=args.format,
        name=args.name,
        dialect=args.dialect,
        databases=args.databases,
        column_map=_column_map(args.map),
        strict=args.strict,
        replace=args.replace,
    )
    for problem in report.problems[:_SHOWN_PROBLEMS]:
        say(str(problem))
    if len(report.problems) > _SHOWN_PROBLEMS:
        say(f"... and {len(report.problems) - _SHOWN_PROBLEMS} more rows with problems")
    for note in report.notes:
        say(note)
    dataset = report.dataset
    if args.json:
        problems = [asdict(p) for p in report.problems]
        emit({**as_json(dataset), "added": report.added, "problems": problems, "notes": list(report.notes)})
        return 0
    verb = "Added" if report.added else "Already there:"
    rows = "row" if dataset.dropped == 1 else "rows"
    dropped = f", {dataset.dropped} {rows} dropped" if dataset.dropped else ""
    say(f"{verb} {dataset.name}: {splits_in_words(dataset)} ({dataset.dialect}){dropped}.")
    return 0


def _column_map(pairs: list[str]) -> dict[str, str] | None:
    mapped: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise UsageError(f"--map {pair!r} is not FIELD=COLUMN", "write it as --map question=utterance")
        mapped[field.strip()] = column.strip()
    return mapped or None


def _list(args: argparse.Namespace) -> int:
    import time

    with opened(args).store() as store:
        datasets = store.datasets.all()
    if args.json:
        for dataset in datasets:
            emit(as_json(dataset))
        return 0
    if not datasets:
        say("No datasets yet. Take the sample with `t2s-tui datasets add sample`.")
        return 0
    now = time.time()
    rows = [
        (d.name, d.size, splits_in_words(d), d.dialect, d.format, ago(d.created_at, now)) for d in datasets
    ]
    table(("name", "rows", "splits", "dialect", "format", "added"), rows, right=(1,))
    return 0


def _show(args: argparse.Namespace) -> int:
    from t2s_tui.datasets.export_request import chosen_rows

    workspace = opened(args)
    with workspace.store() as store:
        dataset = store.datasets.get(args.name)
    found = list(islice(chosen_rows(workspace, args.name, args.split, args.filter), args.rows))
    if args.json:
        emit(as_json(dataset))
        for example in found:
            emit(asdict(example))
        return 0
    dropped = f"   dropped {dataset.dropped}" if dataset.dropped else ""
    out.print(
        f"{dataset.name}   {splits_in_words(dataset)}   {dataset.dialect}   from {dataset.source}{dropped}"
    )
    out.print(f"fingerprint {dataset.fingerprint}   licence {license_in_words(dataset)}")
    if dataset.databases:
        out.print(f"{len(dataset.databases)} databases")
    for line in history_in_words(dataset):
        out.print(line)
    for example in found:
        out.print(f"\n#{example.number}  {example.split}  {example.db_id}  {example.origin}")
        out.print(example.question, example.ddl, example.gold, sep="\n")
    return 0
