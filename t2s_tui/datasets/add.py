"""Add a dataset to the catalogue: read, check, write, all or nothing."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from t2s_tui.datasets.archives import archive_stem, is_archive, unpacked
from t2s_tui.datasets.catalogue import FILE_NAME, ExampleTable, Written, read_examples, write_examples
from t2s_tui.datasets.databases import DatabaseFinder
from t2s_tui.datasets.license import license_of
from t2s_tui.datasets.locks import catalogue_lock
from t2s_tui.datasets.registry import format_of
from t2s_tui.datasets.rows import RowChecker, RowRules
from t2s_tui.datasets.source import OPTIONAL, REQUIRED, OpenSource, ReadOptions, RowProblem, SourceFormat
from t2s_tui.errors import DataError, UsageError
from t2s_tui.records import Dataset
from t2s_tui.workspace import Workspace, check_name


@dataclass(frozen=True, slots=True)
class AddReport:
    """What came of an add.

    `problems` says file, line, field and reason of every value that made a row unusable (a row may have
    several; `dataset.dropped` counts rows). `added` is False when the catalogue had exactly this already.
    `notes` are sentences for a person about rows that were kept.
    """

    dataset: Dataset
    problems: list[RowProblem]
    added: bool
    notes: tuple[str, ...] = ()


def add_dataset(
    workspace: Workspace,
    source: str,
    *,
    format: str | None = None,
    name: str | None = None,
    dialect: str | None = None,
    databases: Path | None = None,
    column_map: Mapping[str, str] | None = None,
    strict: bool = False,
    replace: bool = False,
) -> AddReport:
    """Add the examples of `source` under `name` (default: named after the source).

    Adding the same thing again changes nothing. Raises UsageError when the call is wrong or the name
    holds other content and `replace` is not set, DataError when the source, a column or a database cannot
    be used or (`strict`) any row cannot, WorkspaceError when the disk refuses. Nothing is changed then.
    """
    room = workspace.sources_dir
    options = ReadOptions(_checked_map(column_map or {}), room, databases)
    source_format, opened = _opened(source, format, options)
    name = check_name(name, "dataset") if name is not None else _as_name(opened.name)
    finder = DatabaseFinder(databases)
    checker = RowChecker(RowRules(_checked_dialect(dialect), known_dialects(), finder))
    with _staging(workspace) as staging:
        written = write_examples(staging, checker.examples(opened.rows))
        _refuse_unusable(opened.label, written, checker, strict)
        made = Dataset(
            name=name,
            source=opened.label,
            format=source_format.name,
            dialect=checker.dialect,
            fingerprint=written.fingerprint,
            splits=written.splits,
            dropped=checker.dropped,
            created_at=time.time(),
            license=opened.license,
            databases=finder.fingerprints(),
        )
        dataset, added = _commit(workspace, staging, made, replace=replace)
    return AddReport(dataset, checker.problems, added, _notes(finder))


def _opened(source: str, format: str | None, options: ReadOptions) -> tuple[SourceFormat, OpenSource]:
    """The format of the source and what it opened, with its folder's licence where it states none itself.

    An archive is unpacked first and keeps its own name.
    """
    path = Path(source).expanduser()
    inside = unpacked(path, options.room) if options.room is not None and is_archive(path) else None
    place = source if inside is None else str(inside)
    known = format_of(place, format)
    opened = known.open(place, options)
    opened = replace(opened, license=opened.license or license_of(inside or path))
    if inside is None:
        return known, opened
    return known, replace(opened, name=archive_stem(path), label=str(path.resolve()))


def known_dialects() -> frozenset[str]:
    """The dialects that a dataset may be in."""
    from t2s_tui.sql.dialects import DIALECTS

    return frozenset(DIALECTS)


def _checked_map(column_map: Mapping[str, str]) -> Mapping[str, str]:
    ours = (*REQUIRED, *OPTIONAL)
    for key in column_map:
        if key not in ours:
            raise UsageError(f"There is no column {key!r} to map to", f"map one of {', '.join(ours)}")
    return column_map


def _checked_dialect(dialect: str | None) -> str | None:
    if dialect is None:
        return None
    if dialect.lower() not in known_dialects():
        raise UsageError(
            f"There is no SQL dialect {dialect!r}", f"use one of {', '.join(sorted(known_dialects()))}"
        )
    return dialect.lower()


def _as_name(text: str) -> str:
    """A name made of what a source is called."""
    usable = re.sub(r"[^\w.\-]+", "-", text).strip("-.")[:100]
    return check_name(usable or "dataset", "dataset")


def _refuse_unusable(label: str, written: Written, checker: RowChecker, strict: bool) -> None:
    first = f" (the first: {checker.problems[0]})" if checker.problems else ""
    if strict and checker.dropped:
        rows = "1 row" if checker.dropped == 1 else f"{checker.dropped} rows"
        raise DataError(
            f"{label} has {rows} that cannot be used{first}", "repair them, or add without --strict"
        )
    if not written.splits:
        raise DataError(f"{label} has no row that can be used{first}", "check the file and its columns")


def _commit(workspace: Workspace, staging: Path, made: Dataset, *, replace: bool) -> tuple[Dataset, bool]:
    """Move the staged examples into place unless they are there; (the dataset as it is now, was it added)."""
    folder = workspace.dataset_dir(made.name)
    with catalogue_lock(workspace), workspace.store() as store:
        existing = store.datasets.find(made.name)
        if existing is not None and not replace:
            there = read_examples(folder)
            if _same(existing, there, made, staging):
                return existing, False
            if existing.fingerprint != made.fingerprint:
                raise UsageError(
                    f"There is a dataset {made.name!r} with other content "
                    f"({existing.size} rows of {existing.source})",
                    "choose another --name, or overwrite it with --replace",
                )
        folder.mkdir(parents=True, exist_ok=True)
        (staging / FILE_NAME).replace(folder / FILE_NAME)
        store.datasets.put(made)
    return made, True


def _same(existing: Dataset, there: ExampleTable, made: Dataset, staging: Path) -> bool:
    """Whether the catalogue has what was staged: the rows, perhaps split by hand since, and their databases.

    The same rows whose databases lie elsewhere now are taken in again, since no name is lost by that.
    """
    if there.added_fingerprint == made.fingerprint:
        return True
    same_rows = existing.fingerprint == made.fingerprint
    return same_rows and there.same_databases(read_examples(staging))


def _notes(finder: DatabaseFinder) -> tuple[str, ...]:
    lacking = finder.without_database
    if not lacking:
        return ()
    shown = ", ".join(lacking[:5]) + (", ..." if len(lacking) > 5 else "")
    return (f"No database was found for {len(lacking)} of the db_ids ({shown}); their rows have none.",)


@contextmanager
def _staging(workspace: Workspace) -> Iterator[Path]:
    """A folder beside the datasets, so that a rename moves the file; gone afterwards."""
    folder = workspace.root / "datasets" / f".adding-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
