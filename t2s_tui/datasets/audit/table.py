"""Audit results on disk: `audit.arrow` beside the examples, one row an example in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from t2s_tui.datasets.arrow_file import MappedFile, record_batch, write_stream
from t2s_tui.datasets.audit.findings import AuditedRow, Finding
from t2s_tui.errors import DataError

FILE_NAME = "audit.arrow"
VERSION = "1"  # of the rules: results of another version are no longer current
_BATCH = 1000

SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("findings", pa.string(), nullable=False),  # a JSON list of {"kind", "where", "detail"}
        pa.field("kinds", pa.string(), nullable=False),  # separated by spaces
        pa.field("worst", pa.float64(), nullable=False),
        pa.field("hardness", pa.string(), nullable=False),
        pa.field("joins", pa.int64(), nullable=False),
        pa.field("nesting", pa.int64(), nullable=False),
        pa.field("aggregates", pa.int64(), nullable=False),
        pa.field("question_language", pa.string(), nullable=False),
        pa.field("ddl_language", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),  # -1: no tokenizer was given
    ]
)


class AuditTable:
    """The audit of one dataset, read from the map as it is asked for.

    `fingerprint` is that of the dataset when it was audited; `summary` is plain JSON (see `summary.py`).
    """

    def __init__(self, table: pa.Table) -> None:
        self.arrow = table
        metadata = table.schema.metadata or {}
        self.version: str = metadata[b"version"].decode()
        self.fingerprint: str = metadata[b"fingerprint"].decode()
        self.summary: Mapping[str, Any] = json.loads(metadata[b"summary"])

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, index: int) -> AuditedRow:
        """The row at `index` from 0, beside the example of that index. Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return self.rows(index, index + 1)[0]

    def __iter__(self) -> Iterator[AuditedRow]:
        for start in range(0, len(self), _BATCH):
            yield from self.rows(start, start + _BATCH)

    def rows(self, start: int, stop: int) -> list[AuditedRow]:
        """The rows from `start` up to and without `stop`, as many as there are."""
        names = [field.name for field in SCHEMA if field.name != "kinds"]
        part = self.arrow.slice(max(0, start), max(0, stop - max(0, start)))
        columns = [part[name].to_pylist() for name in names]
        rows = (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))
        return [AuditedRow(**{**row, "findings": _findings(row["findings"])}) for row in rows]

    def texts(self, column: str) -> Iterator[str]:
        """The values of a column of texts (`kinds`, `hardness` ...), row by row."""
        for chunk in self.arrow[column].chunks:
            yield from chunk.to_pylist()

    def is_of(self, fingerprint: str) -> bool:
        """Whether this is what these rules say of a dataset of that fingerprint."""
        return self.version == VERSION and self.fingerprint == fingerprint


def read_audit(folder: Path) -> AuditTable | None:
    """The audit in a dataset's folder, None where there is none. Raises DataError when it is damaged.

    It may be of the dataset as it was before a split: see `AuditTable.is_of`.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        return AuditTable(MappedFile(path).table)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(
            f"The audit in {path} cannot be read ({error})", "audit the dataset again, or delete the file"
        ) from error


def current_audit(folder: Path, fingerprint: str) -> AuditTable | None:
    """The audit in a dataset's folder if it is of the rows with this fingerprint. Raises DataError."""
    audit = read_audit(folder)
    return audit if audit is not None and audit.is_of(fingerprint) else None


def write_audit(
    folder: Path, rows: Iterable[AuditedRow], *, fingerprint: str, summary: Mapping[str, Any]
) -> None:
    """Write the audit into a dataset's folder, at once or not at all, a batch in memory at a time.

    Raises WorkspaceError when the disk refuses.
    """
    said = {
        "version": VERSION,
        "fingerprint": fingerprint,
        "summary": json.dumps(dict(summary), ensure_ascii=False),
    }
    schema = SCHEMA.with_metadata(said)
    write_stream(folder / FILE_NAME, schema, _batches(iter(rows), schema))


def findings_json(findings: Iterable[Finding]) -> str:
    """The findings as the table keeps them."""
    plain = [{"kind": f.kind, "where": f.where, "detail": f.detail} for f in findings]
    return json.dumps(plain, ensure_ascii=False) if plain else "[]"


def _findings(text: str) -> tuple[Finding, ...]:
    return () if text == "[]" else tuple(Finding(**each) for each in json.loads(text))


def _batches(rows: Iterator[AuditedRow], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while batch := list(islice(rows, _BATCH)):
        yield record_batch([[_value(row, name) for row in batch] for name in schema.names], schema)


def _value(row: AuditedRow, name: str) -> Any:
    return findings_json(row.findings) if name == "findings" else getattr(row, name)
