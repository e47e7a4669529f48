"""What a source format hands over: raw rows with their place, and problems with theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from t2s_tui.errors import UsageError

Unit = Literal["line", "row"]

#: Columns that a row must have (the layout of ko_text2sql), and those that it may have.
REQUIRED = ("db_id", "context", "question", "answer")
OPTIONAL = ("split", "dialect", "database", "hardness", "evidence", "accepted", "extra")

_SPLIT_STEM = re.compile(r"(train|test|dev|validation|valid|eval)(?:-\d+-of-\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was dropped. `line` counts from 1: a line of a text file, a row of Parquet (`unit`)."""

    file: str
    line: int
    field: str
    reason: str
    unit: Unit = "line"

    def __str__(self) -> str:
        what = f"{self.field} {self.reason}" if self.field else self.reason
        return f"{self.file}, {self.unit} {self.line}: {what}"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the source has it, under our column names.

    `split` is the split of its file, for rows without one of their own. `folder` is where a relative
    `database` path begins.
    """

    values: Mapping[str, Any]
    file: str
    line: int
    split: str
    unit: Unit = "line"
    folder: Path | None = None


#: What a source yields: usable or not yet known to be, and what could not even be read.
RawItem = RawRow | RowProblem


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read: `column_map` is our column -> the column of the source.

    `room` is a folder for files that a format makes (unpacked archives, databases built from tables), None
    where it must make none. `databases` is the folder with databases that the call named.
    """

    column_map: Mapping[str, str] = field(default_factory=dict)
    room: Path | None = None
    databases: Path | None = None


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A source that was found readable.

    `rows` is read once, lazily; `label` is what a person sees; `license` is the source's, where it is known.
    """

    name: str
    label: str
    rows: Iterator[RawItem]
    license: str = ""


@runtime_checkable
class SourceFormat(Protocol):
    """One way to write examples down. To add one: a module in `formats/` and a line in the registry."""

    name: str
    summary: str

    def recognises(self, source: str) -> bool:
        """Whether `source` looks like this format: by names, and by the first row where names do not tell."""

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        """Raises DataError or UsageError when the source cannot be read at all."""


def split_of_stem(stem: str) -> str | None:
    """The split that a file's stem names (`train`, `test-00000-of-00002`), None when it names none."""
    match = _SPLIT_STEM.fullmatch(stem)
    return match.group(1).lower() if match else None


def split_of_prefix(stem: str) -> str | None:
    """The split that a file's stem begins with (`train_spider`, `dev_part`), None when there is none."""
    match = re.match(r"(?:mini_)?(train|test|dev|validation|valid|eval)(?![a-z])", stem, re.IGNORECASE)
    return match.group(1).lower() if match else None


def mapped(values: Mapping[str, Any], column_map: Mapping[str, str]) -> dict[str, Any]:
    """The row under our column names; columns that are not ours are left behind."""
    found = {}
    for ours in (*REQUIRED, *OPTIONAL):
        theirs = column_map.get(ours, ours)
        if theirs in values:
            found[ours] = values[theirs]
    return found


def check_columns(where: str, columns: list[str], column_map: Mapping[str, str]) -> None:
    """Raises UsageError in one sentence that names what is missing, what was found and the mapping option."""
    wanted = {ours: column_map.get(ours, ours) for ours in REQUIRED}
    if column_map and "db_id" not in column_map:
        del wanted["db_id"]  # rows get one of their DDL
    wanted.update({ours: theirs for ours, theirs in column_map.items() if ours in OPTIONAL})
    missing = [theirs for theirs in wanted.values() if theirs not in columns]
    if not missing:
        return
    noun = "column" if len(missing) == 1 else "columns"
    ours = next(key for key, theirs in wanted.items() if theirs == missing[0])
    found = ", ".join(columns) or "none"
    raise UsageError(
        f"{where} has no {noun} {', '.join(missing)} (columns found: {found})",
        f"say which column it is with --map {ours}=COLUMN",
    )
