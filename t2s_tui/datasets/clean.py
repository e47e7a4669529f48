"""A new version of a dataset without some of its rows, which remembers what was dropped and why.

The version is a dataset of its own beside the one it was made from; `dropped.jsonl` in its folder names every
row that is not in it any more, and its history says of what it was made and how many rows each reason took.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from t2s_tui.datasets.audit.findings import KINDS, LEAKS, AuditedRow
from t2s_tui.datasets.audit.table import AuditTable, current_audit
from t2s_tui.datasets.catalogue import ExampleTable, read_examples, write_examples
from t2s_tui.datasets.filter import RowFilter, Rows
from t2s_tui.datasets.locks import catalogue_lock
from t2s_tui.datasets.marks import marked_numbers, read_marks
from t2s_tui.errors import UsageError
from t2s_tui.progress import Progress, Quiet, counted
from t2s_tui.records import Dataset, Example
from t2s_tui.workspace import Workspace, check_name

#: Index from 0 -> why the row goes.
Reasons = dict[int, tuple[str, ...]]

DROPPED = "dropped.jsonl"
BY_HAND = "by hand"
_VERSION = re.compile(r"(.*)-(\d+)")
#: Of two rows that leak into each other, the one in the split named first goes: tests stay what they are.
_GO_FIRST = (("train", "training"), ("dev", "validation", "valid", "val", "eval"))


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What is dropped: rows with these findings, rows that a filter leaves, rows named by id or number.

    With `marked` the rows that are marked in the workbench go, by hand as well.
    """

    findings: Sequence[str] = ()
    query: str = ""
    ids: Sequence[str] = ()
    numbers: Sequence[int] = ()
    marked: bool = False


class CleanRequest(BaseModel):
    """A version of `dataset` without some of its rows, under the name `into`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    into: str
    findings: tuple[str, ...] = ()
    query: str = ""
    ids: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    marked: bool = False

    @property
    def cleaning(self) -> Cleaning:
        """What is dropped."""
        return Cleaning(self.findings, self.query, self.ids, self.numbers, self.marked)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The new dataset, and how many rows each reason took; a row may have several."""

    dataset: Dataset
    rows: int
    reasons: dict[str, int]


def clean_dataset(
    workspace: Workspace,
    name: str,
    cleaning: Cleaning,
    *,
    into: str | None = None,
    progress: Progress | None = None,
) -> Cleaned:
    """Make a version of a dataset without the rows that are named: `name-2` unless `into` says else.

    Of two rows that leak only the one in the training split is dropped. JobStopped through `progress` leaves
    no new dataset. Raises UsageError when nothing is
    named or found, when nothing would be left, when there is a dataset of that name, or when findings are
    named and there is no audit of the dataset as it is now.
    """
    with catalogue_lock(workspace), workspace.store() as store:
        dataset = store.datasets.get(name)
        taken = {known.name for known in store.datasets.all()}
        into = check_name(into, "dataset") if into is not None else next_version(name, taken)
        if into in taken:
            raise UsageError(f"There is a dataset {into!r}", "choose another name for the cleaned one")
        table = read_examples(workspace.dataset_dir(name))
        reasons = _reasons(workspace, dataset, table, cleaning)
        _check(name, table, reasons)
        folder = workspace.dataset_dir(into)
        try:
            left = len(table) - len(reasons)
            rows = counted(_kept(table, reasons), left, "write the rows", progress or Quiet())
            written = write_examples(folder, rows)
            _write_dropped(folder / DROPPED, table, reasons)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # the name was free: nothing of anyone's is in it
            raise
        counts = Counter(reason for all_of_one in reasons.values() for reason in all_of_one)
        step = {
            "step": "clean",
            "of": name,
            "fingerprint": dataset.fingerprint,
            "rows": dataset.size,
            "kept": dataset.size - len(reasons),
            "dropped": dict(counts.most_common()),
        }
        made = replace(
            dataset,
            name=into,
            fingerprint=written.fingerprint,
            splits=written.splits,
            created_at=time.time(),
            history=(*dataset.history, step),
        )
        store.datasets.put(made)
    return Cleaned(made, len(reasons), dict(counts.most_common()))


def next_version(name: str, taken: Iterable[str]) -> str:
    """`name-2`, or the first number after the name's own that is free."""
    known = set(taken)
    match = _VERSION.fullmatch(name)
    stem, number = (match[1], int(match[2])) if match else (name, 1)
    while f"{stem}-{number + 1}" in known:
        number += 1
    return f"{stem}-{number + 1}"


def read_dropped(folder: Path) -> Iterator[dict[str, object]]:
    """What was dropped to make this version: `id, number, split, question, why` of each row, in order."""
    path = folder / DROPPED
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _reasons(workspace: Workspace, dataset: Dataset, table: ExampleTable, cleaning: Cleaning) -> Reasons:
    """Everything that goes."""
    found: Reasons = {}
    row_filter = RowFilter(cleaning.query)
    folder = workspace.dataset_dir(dataset.name)
    audit = current_audit(folder, dataset.fingerprint)
    if cleaning.findings:
        for at, why in _by_finding(dataset, table, audit, cleaning.findings):
            found[at] = _and(found.get(at, ()), why)
    if cleaning.query.strip():
        marked = marked_numbers(folder, dataset.fingerprint)
        rows = Rows(table.arrow, audit.arrow if audit is not None else None, marked)
        for scanned in row_filter.scan(rows):
            for at in scanned.rows:
                found[at] = _and(found.get(at, ()), f"filter {cleaning.query}")
            table.release()
    for at in _by_hand(dataset, table, cleaning, folder):
        found[at] = _and(found.get(at, ()), BY_HAND)
    return found


@lru_cache(maxsize=1024)
def _and(reasons: tuple[str, ...], another: str) -> tuple[str, ...]:
    """Rows with the same reasons share one object."""
    return (*reasons, another)


def _by_finding(
    dataset: Dataset, table: ExampleTable, audit: AuditTable | None, wanted: Sequence[str]
) -> Iterator[tuple[int, str]]:
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise UsageError(f"There is no finding {unknown[0]!r}", f"use {', '.join(KINDS)}")
    if audit is None:
        raise UsageError(
            f"There is no audit of {dataset.name!r} as it is now",
            f"make one with `t2s-tui datasets audit {dataset.name}`",
        )
    names, codes = table.codes("split")
    for at, kinds in enumerate(audit.texts("kinds")):
        found = [kind for kind in wanted if kind in kinds.split()]
        leaks = [kind for kind in found if kind in LEAKS]
        kept = _stays(audit[at], names[codes[at]], names) if leaks else ()
        yield from ((at, kind) for kind in found if kind not in kept)


def _stays(row: AuditedRow, split: str, names: Sequence[str]) -> set[str]:
    """The leaks of a row for which the row on the other side goes."""
    others = {f.kind: f.where.rpartition(" ")[0] for f in row.findings if f.kind in LEAKS}
    return {kind for kind, other in others.items() if _standing(split, names) > _standing(other, names)}


def _standing(split: str, names: Sequence[str]) -> tuple[int, int]:
    of_kind = next((at for at, known in enumerate(_GO_FIRST) if split.lower() in known), len(_GO_FIRST))
    return of_kind, names.index(split)


def _by_hand(dataset: Dataset, table: ExampleTable, cleaning: Cleaning, folder: Path) -> Iterator[int]:
    numbers = set(cleaning.numbers)
    if cleaning.marked:
        numbers |= {at + 1 for at in read_marks(folder, dataset.fingerprint)}
    for number in sorted(numbers):
        if not 1 <= number <= len(table):
            raise UsageError(f"{dataset.name!r} has no row {number}", f"it has {len(table):,} rows")
        yield number - 1
    if not cleaning.ids:
        return
    wanted = set(cleaning.ids)
    for at, example_id in enumerate(table.texts("id")):
        if example_id in wanted:
            wanted.discard(example_id)
            yield at
    if wanted:
        raise UsageError(
            f"{dataset.name!r} has no row {sorted(wanted)[0]}", "look its id up with `datasets show`"
        )


def _check(name: str, table: ExampleTable, reasons: Reasons) -> None:
    if not reasons:
        raise UsageError(
            f"No row of {name!r} would be dropped", "name findings, a filter or rows that it has"
        )
    if len(reasons) == len(table):
        raise UsageError(f"Every row of {name!r} would be dropped", "name less")


def _kept(table: ExampleTable, reasons: Reasons) -> Iterator[Example]:
    return (example for at, example in enumerate(table) if at not in reasons)


def _write_dropped(path: Path, table: ExampleTable, reasons: Reasons) -> None:
    with path.open("w", encoding="utf-8") as file:
        for at, example in zip(sorted(reasons), table.at(array("I", sorted(reasons))), strict=True):
            row = {
                "id": example.id,
                "number": example.number,
                "split": example.split,
                "question": example.question,
                "why": reasons[at],
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
