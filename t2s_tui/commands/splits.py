"""`t2s-tui datasets split`: hold databases out, deal rows out by ratio, or follow a list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2s_tui.commands.dataset_words import as_json, splits_in_words
from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say
from t2s_tui.commands.waiting_line import waiting_line
from t2s_tui.errors import UsageError
from t2s_tui.records import Dataset
from t2s_tui.workspace import Workspace


def add_split(actions: Any) -> None:
    """Add `datasets split`."""
    split = common(actions.add_parser("split", help="deal the rows out to splits"), _split)
    split.add_argument("name")
    how = split.add_mutually_exclusive_group(required=True)
    how.add_argument("--holdout", metavar="DBS", help="db_ids for the split eval, separated by commas")
    how.add_argument("--ratio", metavar="SHARES", help="train=0.8,dev=0.1,test=0.1: whole databases")
    how.add_argument(
        "--list", type=Path, metavar="FILE", help="a line is `ID SPLIT` or `db:DB_ID SPLIT`", dest="listed"
    )
    split.add_argument("--rest", metavar="SPLIT", help="with --list: the split of what it does not name")
    split.add_argument("--seed", type=int, default=42, help="with --ratio (default 42)")
    split.add_argument("--allow-leak", action="store_true", help="let a database be in several splits")


def _split(args: argparse.Namespace) -> int:
    with waiting_line(f"split {args.name}"):
        dataset = _made(opened(args), args)
    if args.json:
        emit(as_json(dataset))
    else:
        say(f"{dataset.name}: {splits_in_words(dataset)}.")
    return 0


def _made(workspace: Workspace, args: argparse.Namespace) -> Dataset:
    from t2s_tui.datasets.split_request import SplitRequest, read_names, read_weights, split_dataset

    if args.rest is not None and args.listed is None:
        raise UsageError("--rest is what a list does not name", "give the list with --list")
    request = SplitRequest(
        dataset=args.name,
        by="holdout" if args.holdout is not None else "list" if args.listed is not None else "ratio",
        holdout=read_names(args.holdout or ""),
        weights=read_weights(args.ratio) if args.ratio is not None else {},
        listed=args.listed,
        rest=args.rest,
        seed=args.seed,
        allow_leak=args.allow_leak,
    )
    return split_dataset(workspace, request)
