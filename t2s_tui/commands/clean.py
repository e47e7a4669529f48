"""`t2s-tui datasets clean`: a new version without the rows that are named."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2s_tui.commands.audit import kinds
from t2s_tui.commands.dataset_words import as_json, splits_in_words
from t2s_tui.commands.options import common, opened
from t2s_tui.commands.output import emit, say
from t2s_tui.commands.waiting_line import waiting_line
from t2s_tui.errors import DataError


def add_clean(actions: Any) -> None:
    """Add `datasets clean`."""
    clean = common(actions.add_parser("clean", help="make a version without some rows"), _clean)
    clean.add_argument("name")
    clean.add_argument("--drop", metavar="KINDS", help="findings of the audit: leak-question,gold-fails")
    clean.add_argument("--filter", default="", metavar="QUERY", help="rows that the filter leaves go")
    clean.add_argument("--rows", default="", metavar="IDS", help="ids, or numbers as #12, with commas")
    clean.add_argument("--list", type=Path, metavar="FILE", dest="listed", help="ids or #numbers, one a line")
    clean.add_argument("--name", dest="into", metavar="NAME", help="the version's name (default: NAME-2 ...)")


def _clean(args: argparse.Namespace) -> int:
    from t2s_tui.datasets.clean import Cleaning, clean_dataset

    rows = [part.strip() for part in args.rows.split(",") if part.strip()]
    rows += _listed(args.listed) if args.listed is not None else []
    numbers = [int(row[1:]) for row in rows if row.startswith("#") and row[1:].isdecimal()]
    ids = [row for row in rows if not (row.startswith("#") and row[1:].isdecimal())]
    cleaning = Cleaning(kinds(args.drop), args.filter, ids, numbers)
    with waiting_line(f"clean {args.name}"):
        cleaned = clean_dataset(opened(args), args.name, cleaning, into=args.into)
    if args.json:
        emit({**as_json(cleaned.dataset), "rows_dropped": cleaned.rows, "reasons": cleaned.reasons})
        return 0
    for reason, count in cleaned.reasons.items():
        say(f"{reason}: {count:,}")
    dropped = "1 row" if cleaned.rows == 1 else f"{cleaned.rows:,} rows"
    say(f"{cleaned.dataset.name}: {splits_in_words(cleaned.dataset)}, without {dropped} of {args.name}.")
    return 0


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"The list {path} cannot be read ({error})", "give a UTF-8 text file") from error
    return [line.strip() for line in lines if line.strip()]
