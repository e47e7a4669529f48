"""Where commands write: answers to stdout, words and progress to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from t2s_tui.text import one_line

#: Words for people. Never markup: names and paths come from outside.
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
#: Without a terminal there is no width to fit: tables then keep every cell on one line.
out = Console(highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else 400)


def say(text: str) -> None:
    """A line for a person, on stderr."""
    err.print(text)


def emit(record: Mapping[str, Any]) -> None:
    """One JSON object on one line of stdout."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """A plain table on stdout; columns whose numbers are in `right` are aligned right."""
    drawn = Table(box=None, pad_edge=False, expand=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        drawn.add_column(escape(column), justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(one_line(str(cell))) for cell in row))
    out.print(drawn)


def percent(share: float | None) -> str:
    """`36.6%`, or a dash where there is nothing to divide."""
    return "–" if share is None else f"{share * 100:.1f}%"


def text(words: str) -> None:
    """Lines of text on stdout as they are, but for control characters, which may have come from outside."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "·" for c in words)
    sys.stdout.write(f"{shown}\n")
    sys.stdout.flush()
