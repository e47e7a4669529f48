"""Writing rows to a file: CSV, JSONL, Parquet, Markdown, HTML. Atomically."""

from __future__ import annotations

import csv
import html
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t2s_tui.errors import T2SError, UsageError

Rows = Sequence[Mapping[str, Any]]


def _csv(path: Path, rows: Rows) -> None:
    # A BOM, because the people who open CSV in a spreadsheet read Korean there.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def _jsonl(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(dict(row), ensure_ascii=False, default=str) + "\n")


def _parquet(path: Path, rows: Rows) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), path)


def _markdown(path: Path, rows: Rows) -> None:
    def cell(value: Any) -> str:
        return str("" if value is None else value).replace("|", "\\|").replace("\n", "<br>")

    columns = list(rows[0]) if rows else []
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(cell(row[c]) for c in columns) + " |" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _html(path: Path, rows: Rows) -> None:
    columns = list(rows[0]) if rows else []
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str('' if row[c] is None else row[c]))}</td>" for c in columns)
        + "</tr>"
        for row in rows
    )
    style = "td{white-space:pre-wrap;vertical-align:top;border-top:1px solid #ccc;padding:4px 8px}"
    path.write_text(
        f"<!doctype html><meta charset='utf-8'><style>{style}</style>\n"
        f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n",
        encoding="utf-8",
    )


_WRITERS: Mapping[str, Callable[[Path, Rows], None]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".md": _markdown,
    ".html": _html,
}


def write_table(path: Path, rows: Rows) -> None:
    """Write the rows in the format that the file's name ends with, all or nothing.

    Raises UsageError for another ending, T2SError when the file cannot be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        raise UsageError(
            f"{path.name} ends with none of {', '.join(_WRITERS)}", "name the file for the format you want"
        )
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(draft, rows)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise T2SError(
            f"{path} cannot be written ({error.strerror or error})", "choose another place with --to"
        ) from error
