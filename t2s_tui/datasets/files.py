"""Tables on disk, read lazily: CSV, JSON lines, a JSON list, Parquet. Each row comes with its true place."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from t2s_tui.datasets.json_stream import items
from t2s_tui.datasets.source import RowProblem, Unit
from t2s_tui.errors import DataError

Place = tuple[int, dict[str, Any]]
_PEEK_ROWS = 100  # a JSON source has no header: the keys of its first rows are its columns
_PARQUET_BATCH = 1000


@dataclass(frozen=True, slots=True)
class FileRows:
    """A file's columns, its rows as (place from 1, values), and what a place counts."""

    columns: list[str]
    rows: Iterator[Place | RowProblem]
    unit: Unit


def read_table(path: Path) -> FileRows:
    """Open a table by its extension. Raises DataError when it cannot be read."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            f"{path} is no table that t2s-tui reads", f"give it one of the extensions {', '.join(READERS)}"
        )
    try:
        return reader(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error})", "check the path and its permissions"
        ) from error


def _text(path: Path, newline: str) -> TextIO:
    """The file as UTF-8 text with or without BOM; the caller closes it."""
    with path.open("rb") as raw:
        start = raw.read(4)
    encoding = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return path.open(encoding=encoding, newline=newline)


def _not_utf8(path: Path, line: int, error: UnicodeError) -> DataError:
    return DataError(
        f"{path} is not UTF-8 text (near line {line}: {getattr(error, 'reason', error)})",
        f"convert it first, for Korean Excel files with `iconv -f cp949 -t utf-8 {path.name}`",
    )


def _read_csv(path: Path) -> FileRows:
    lines = _csv_lines(path)
    first = next(lines, None)
    if first is None or isinstance(first, RowProblem):
        raise DataError(f"{path} has no header line", "put the column names into its first line")
    header = [name.strip() for name in first[1]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has the column {twice[0]!r} twice", "rename one of them")
    return FileRows(header, _csv_rows(path, header, lines), "line")


def _csv_rows(
    path: Path, header: list[str], lines: Iterator[tuple[int, list[str]] | RowProblem]
) -> Iterator[Place | RowProblem]:
    for item in lines:
        if isinstance(item, RowProblem):
            yield item
            continue
        line, cells = item
        if len(cells) > len(header):
            reason = f"there are {len(cells)} fields where the header has {len(header)}"
            yield RowProblem(str(path), line, "", reason)
        else:
            yield line, dict(zip(header, cells, strict=False))


def _csv_lines(path: Path) -> Iterator[tuple[int, list[str]] | RowProblem]:
    """(line on which the record begins, its cells); blank lines are skipped."""
    # A DDL can be longer than csv's 128 KB; the limit is the process's, and the largest C long is portable.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with _text(path, newline="") as file:
        # strict: without it a quote that never ends swallows the rest of the file in silence.
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        while True:
            begins = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except UnicodeError as error:
                raise _not_utf8(path, begins, error) from error
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise DataError(
                        f"{path} has a quoted field that begins on line {begins} and never ends",
                        "close its quote, and double the quotes inside of it",
                    ) from error
                yield RowProblem(str(path), begins, "", f"the line is no CSV ({error})")
                continue
            if cells:
                yield begins, cells


def _read_json_lines(path: Path) -> FileRows:
    return _with_columns(path, _json_lines(path))


def _json_lines(path: Path) -> Iterator[Place | RowProblem]:
    line = 0
    # newline="\n": a JSON string may hold U+2028 and the like, which end no line here.
    with _text(path, newline="\n") as file:
        try:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield _json_row(path, line, text)
        except UnicodeError as error:
            raise _not_utf8(path, line + 1, error) from error


def _json_row(path: Path, line: int, text: str) -> Place | RowProblem:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return RowProblem(str(path), line, "", f"the line is no JSON ({error})")
    if not isinstance(value, dict):
        return RowProblem(str(path), line, "", "the line is no JSON object")
    return line, value


def _read_json(path: Path) -> FileRows:
    """A JSON list of objects, or JSON lines under the name `.json`."""
    try:
        with _text(path, newline="") as file:
            start = next((char for char in iter(lambda: file.read(1), "") if not char.isspace()), "")
    except UnicodeError as error:
        raise _not_utf8(path, 1, error) from error
    if start == "{":
        return _read_json_lines(path)
    if start != "[":
        raise DataError(f"{path} is no JSON list of objects", "give a list, or one object a line as .jsonl")
    return _with_columns(path, read_json_list(path))


def read_json_list(path: Path, key: str | None = None) -> Iterator[Place | RowProblem]:
    """The objects of a JSON list (of the list at `key` of an object), each with the line where it begins."""
    line = 1
    with _text(path, newline="") as file:
        try:
            for line, value in items(file, path, key):
                if isinstance(value, dict):
                    yield line, value
                else:
                    yield RowProblem(str(path), line, "", "the item is no JSON object")
        except UnicodeError as error:
            raise _not_utf8(path, line, error) from error


def _with_columns(path: Path, rows: Iterator[Place | RowProblem]) -> FileRows:
    """Columns are the keys of the first rows; a key that is missing later is a missing value."""
    head = list(islice(rows, _PEEK_ROWS))
    columns: dict[str, None] = {}
    for item in head:
        if not isinstance(item, RowProblem):
            columns.update(dict.fromkeys(item[1]))
    if not columns:
        why = f" ({head[0]})" if head else ""
        raise DataError(f"{path} holds no rows{why}", "check that it is the right file")
    return FileRows(list(columns), chain(head, rows), "line")


def _read_parquet(path: Path) -> FileRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, memory_map=True)
    except pa.ArrowException as error:
        raise DataError(
            f"{path} is no readable Parquet file ({error})", "make or download it again"
        ) from error

    def rows() -> Iterator[Place | RowProblem]:
        row = 0
        try:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH):
                for values in batch.to_pylist():
                    row += 1
                    yield row, values
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} is damaged after row {row} ({error})", "make or download it again"
            ) from error
        finally:
            file.close()

    return FileRows(list(file.schema_arrow.names), rows(), "row")


READERS: dict[str, Callable[[Path], FileRows]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json,
    ".parquet": _read_parquet,
}
