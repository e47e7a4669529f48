"""A dataset as files that other tools read: CSV, JSON lines, Parquet, chat messages. A row at a time.

What a prompt is made of lies in a room beside this one, so whoever exports a form with prompts says how an
example becomes one. Spider's layout is `export_spider.py`'s.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from t2s_tui.errors import T2SError, UsageError
from t2s_tui.records import Example

#: Form -> the ending that asks for it, and its words.
FORMS: Mapping[str, tuple[str, str]] = {
    "csv": (".csv", "one row a line"),
    "text-csv": ("", "CSV with a column `text`: the prompt with its answer, as the book trains"),
    "jsonl": (".jsonl", "one JSON object a line, nothing left out"),
    "parquet": (".parquet", "the same in columns"),
    "messages": ("", "JSON lines with chat `messages`, as fine-tuning services take them"),
    "spider": ("", "a folder in the layout of Spider 1.0"),
}
_BATCH = 1000

Render = Callable[[Example], str]
Messages = Callable[[Example], list[dict[str, str]]]


def form_of(path: Path, form: str | None = None) -> str:
    """The form that is asked for, else the one of the file's ending. Raises UsageError."""
    if form is not None:
        if form not in FORMS:
            raise UsageError(f"There is no form {form!r}", f"use one of {', '.join(FORMS)}")
        return form
    for name, (ending, _) in FORMS.items():
        if ending and path.suffix.lower() == ending:
            return name
    endings = ", ".join(ending for ending, _ in FORMS.values() if ending)
    raise UsageError(f"{path.name} ends with none of {endings}", f"say --as {', '.join(FORMS)}")


def write_csv(path: Path, examples: Iterable[Example], render: Render | None = None) -> int:
    """Columns of `ko_text2sql` and ours; `render` adds `text`. Returns the number of rows.

    Other accepted golds and a source's extra fields have no column here. A BOM leads the file, because the
    people who open CSV in a spreadsheet read Korean there.
    """
    with _new_text(path, encoding="utf-8-sig", newline="") as file:
        return write_csv_rows(file, examples, render)


def write_csv_rows(file: TextIO, examples: Iterable[Example], render: Render | None = None) -> int:
    """The same into an open file."""
    names = ["id", "split", "db_id", "context", "question", "answer", "dialect", "hardness", "evidence"]
    writer = csv.DictWriter(file, [*names, "text"] if render else names)
    writer.writeheader()
    rows = 0
    for example in examples:
        rows += 1
        values = {name: value for name, value in as_row(example).items() if name in names}
        writer.writerow(values | {"text": render(example)} if render else values)
    return rows


def write_jsonl(path: Path, examples: Iterable[Example]) -> int:
    """One object a row, with everything that adding it again needs. Returns the number of rows."""
    return _write_lines(path, (_full(example) for example in examples))


def write_messages(path: Path, examples: Iterable[Example], messages: Messages) -> int:
    """`{"messages": [...]}` a row, the last one the assistant's gold SQL. Returns the number of rows."""
    return _write_lines(
        path,
        (
            {"messages": [*messages(example), {"role": "assistant", "content": example.gold}]}
            for example in examples
        ),
    )


def write_parquet(path: Path, examples: Iterable[Example]) -> int:
    """The columns of the JSON lines, `accepted` as a list. Returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("id", "split", "db_id", "context", "question", "answer", "dialect", "hardness", "evidence")
    schema = pa.schema(
        [
            *(pa.field(name, pa.string()) for name in texts),
            pa.field("accepted", pa.list_(pa.string())),
            pa.field("database", pa.string()),
            pa.field("extra", pa.map_(pa.string(), pa.string())),
            pa.field("origin", pa.string()),
        ]
    )
    rows = 0
    left = iter(examples)
    with new_file(path) as draft, pq.ParquetWriter(draft, schema) as writer:
        while batch := [as_row(example) for example in islice(left, _BATCH)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            rows += len(batch)
    return rows


def as_row(example: Example) -> dict[str, Any]:
    """The example under the column names of `ko_text2sql`, everything in it."""
    return {
        "id": example.id,
        "split": example.split,
        "db_id": example.db_id,
        "context": example.ddl,
        "question": example.question,
        "answer": example.gold,
        "dialect": example.dialect,
        "hardness": example.hardness,
        "evidence": example.evidence,
        "accepted": list(example.accepted),
        "database": example.database,
        "extra": dict(example.extra),
        "origin": example.origin,
    }


def _full(example: Example) -> dict[str, Any]:
    return {name: value for name, value in as_row(example).items() if value or name in ("id", "split")}


def _write_lines(path: Path, records: Iterator[Mapping[str, Any]]) -> int:
    rows = 0
    with _new_text(path, encoding="utf-8") as file:
        for record in records:
            rows += 1
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return rows


@contextmanager
def _new_text(path: Path, *, encoding: str, newline: str | None = None) -> Iterator[TextIO]:
    with new_file(path) as draft, draft.open("w", encoding=encoding, newline=newline) as file:
        yield file


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file beside `path` to be written, which takes its place at the end and is gone after a failure.

    Raises T2SError when the disk refuses.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise T2SError(
            f"{path} cannot be written ({error.strerror or error})", "choose another place with --to"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
