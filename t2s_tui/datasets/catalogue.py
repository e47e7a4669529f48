"""Examples on disk: one memory-mapped Arrow IPC stream file a dataset.

`datasets.Dataset.from_file(folder / "examples.arrow")` reads the same file.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any, overload

import pyarrow as pa

from t2s_tui.datasets.arrow_file import MappedFile, record_batch, write_stream
from t2s_tui.errors import DataError
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace

FILE_NAME = "examples.arrow"
BATCH = 1000
_RELEASE_EVERY = 16  # batches: about 10 MB of the map

_FIELDS = (
    pa.field("id", pa.string(), nullable=False),
    pa.field("number", pa.int64(), nullable=False),
    pa.field("split", pa.string(), nullable=False),
    pa.field("db_id", pa.string(), nullable=False),
    pa.field("question", pa.string(), nullable=False),
    pa.field("ddl", pa.string(), nullable=False),
    pa.field("gold", pa.string(), nullable=False),
    pa.field("dialect", pa.string(), nullable=False),
    pa.field("database", pa.string(), nullable=True),
    pa.field("origin", pa.string(), nullable=False),
    pa.field("accepted", pa.string(), nullable=False),  # a JSON list
    pa.field("hardness", pa.string(), nullable=False),
    pa.field("evidence", pa.string(), nullable=False),
    pa.field("extra", pa.string(), nullable=False),  # a JSON object
)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows a split (in order of appearance), and the hash of the content.

    The hash covers split, db_id, question, DDL, gold and dialect of every row in order. It does not
    cover where the rows and their databases lie, so that a moved source is the same dataset.
    """

    splits: dict[str, int]
    fingerprint: str


class ExampleRows(Sequence[Example]):
    """Some rows of a dataset, read from the map as they are asked for: four bytes a row."""

    def __init__(self, table: ExampleTable, indexes: array[int]) -> None:
        self._table = table
        self._indexes = indexes  # rising

    def __len__(self) -> int:
        return len(self._indexes)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self._table[at] for at in self._indexes[index]]
        return self._table[self._indexes[index]]

    def __iter__(self) -> Iterator[Example]:
        for batch, of_batch in groupby(self._indexes, key=lambda at: at // BATCH):
            start = batch * BATCH
            rows = self._table.rows(start, start + BATCH)
            yield from (rows[at - start] for at in of_batch)
            if batch % _RELEASE_EVERY == _RELEASE_EVERY - 1:
                self._table.release()


class ExampleTable:
    """The examples of one dataset, read from the map as they are asked for.

    Going through all rows keeps a few megabytes in memory, however many there are.
    """

    def __init__(self, table: pa.Table, release: Callable[[], None] = lambda: None) -> None:
        self._table = table
        self._split_codes: tuple[list[str], array[int]] | None = None
        self._by_id: pa.Array | None = None
        #: Gives the pages of the map back that were looked at. Rows can be read on.
        self.release = release

    @property
    def arrow(self) -> pa.Table:
        """The columns themselves, memory-mapped: what filters and sorts over all rows look at."""
        return self._table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __getitem__(self, index: int) -> Example:
        """The example at `index` from 0; a negative one counts from the end. Raises IndexError."""
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"example {index} of {len(self)}")
        return self.rows(at, at + 1)[0]

    def __iter__(self) -> Iterator[Example]:
        for start in range(0, len(self), BATCH):
            yield from self.rows(start, start + BATCH)
            if start // BATCH % _RELEASE_EVERY == _RELEASE_EVERY - 1:
                self.release()

    def rows(self, start: int, stop: int) -> list[Example]:
        """The examples from `start` up to and without `stop`, as many as there are."""
        start, stop = max(0, start), min(len(self), stop)
        return _examples(self._table.slice(start, stop - start)) if start < stop else []

    def split(self, name: str) -> ExampleRows:
        """All examples of one split, in the order of the dataset; empty when there is no such split."""
        names, codes = self._splits()
        code = names.index(name) if name in names else -1
        return self.at(array("I", (at for at, of in enumerate(codes) if of == code)))

    def at(self, indexes: array[int]) -> ExampleRows:
        """The examples at these rising indexes from 0 (`array("I")`)."""
        return ExampleRows(self, indexes)

    def find(self, example_id: str) -> Example | None:
        """The example of that id, None without one."""
        ids = self._table["id"]
        if self._by_id is None:
            import pyarrow.compute as pc

            self._by_id = pc.sort_indices(ids)
        order = self._by_id
        at = bisect_left(range(len(order)), example_id, key=lambda place: ids[order[place].as_py()].as_py())
        if at == len(order):
            return None
        found = order[at].as_py()
        return self[found] if ids[found].as_py() == example_id else None

    @property
    def split_names(self) -> list[str]:
        """In order of first appearance."""
        return list(self._splits()[0])

    def _splits(self) -> tuple[list[str], array[int]]:
        if self._split_codes is None:
            self._split_codes = self.codes("split")
        return self._split_codes

    def texts(self, column: str) -> Iterator[str]:
        """The values of a column of texts, row by row."""
        for chunk in self._table[column].chunks:
            yield from chunk.to_pylist()

    def codes(self, column: str) -> tuple[list[str], array[int]]:
        """The values of a column of texts, each once, and for each row the place of its own among them."""
        places: dict[str, int] = {}
        found = array("i", (places.setdefault(value, len(places)) for value in self.texts(column)))
        return list(places), found

    def same_databases(self, other: ExampleTable) -> bool:
        """Whether the rows of both have the same database paths in the same order."""
        return bool(self._table["database"].equals(other._table["database"]))

    @property
    def added_fingerprint(self) -> str | None:
        """The fingerprint the dataset had when it was added, None if it was not changed since."""
        found = (self._table.schema.metadata or {}).get(b"t2s.added")
        return found.decode() if found else None


def open_examples(workspace: Workspace, name: str) -> ExampleTable:
    """The examples of the dataset `name`. Raises NotFound, or DataError when its file is damaged."""
    with workspace.store() as store:
        store.datasets.get(name)
    return read_examples(workspace.dataset_dir(name))


def read_examples(folder: Path) -> ExampleTable:
    """The examples in `folder`. Raises DataError when they cannot be read."""
    path = folder / FILE_NAME
    try:
        mapped = MappedFile(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"The examples in {path} cannot be read ({error})",
            "add the dataset again with `t2s-tui datasets add SOURCE --replace`",
        ) from error
    return ExampleTable(mapped.table, mapped.release)


def write_examples(
    folder: Path, examples: Iterable[Example], metadata: Mapping[str, str] | None = None
) -> Written:
    """Write the examples into `folder`, at once or not at all, a batch in memory at a time.

    `number` is given anew, from 1. Raises WorkspaceError when the disk refuses; whatever the iterable
    raises leaves the old file as it was.
    """
    splits: Counter[str] = Counter()
    content = hashlib.sha256()
    numbered = _numbered(examples)
    schema = pa.schema(_FIELDS, metadata=dict(metadata) if metadata else None)

    def batches() -> Iterator[pa.RecordBatch]:
        while batch := list(islice(numbered, BATCH)):
            splits.update(example.split for example in batch)
            for example in batch:
                content.update(_content(example))
            yield _batch(batch, schema)

    write_stream(folder / FILE_NAME, schema, batches())
    return Written(dict(splits), content.hexdigest()[:16])


def example_id(db_id: str, ddl: str, question: str, gold: str) -> str:
    """12 hex digits of the content's SHA-256: the same row has the same id in every workspace."""
    return hashlib.sha256("\x1f".join((db_id, ddl, question, gold)).encode()).hexdigest()[:12]


class IdMaker:
    """Ids that are unique in a dataset: the second row of the same content gets `-2`, the third `-3`."""

    def __init__(self) -> None:
        self._seen: set[int] = set()  # numbers take a third of the memory of their texts
        self._again: Counter[str] = Counter()

    def make(self, db_id: str, ddl: str, question: str, gold: str) -> str:
        base = example_id(db_id, ddl, question, gold)
        number = int(base, 16)
        if number not in self._seen:
            self._seen.add(number)
            return base
        self._again[base] += 1
        return f"{base}-{self._again[base] + 1}"


def _numbered(examples: Iterable[Example]) -> Iterator[Example]:
    for number, example in enumerate(examples, start=1):
        yield example if example.number == number else replace(example, number=number)


def _content(example: Example) -> bytes:
    parts = (
        example.split, example.db_id, example.question, example.ddl, example.gold, example.dialect
    )  # fmt: skip
    return json.dumps(parts, ensure_ascii=False).encode() + b"\n"


def _batch(examples: list[Example], schema: pa.Schema) -> pa.RecordBatch:
    return record_batch([[_value(example, name) for example in examples] for name in schema.names], schema)


def _value(example: Example, name: str) -> Any:
    value = getattr(example, name)
    return json.dumps(value, ensure_ascii=False) if name in ("accepted", "extra") else value


def _examples(table: pa.Table) -> list[Example]:
    # A catalogue of an older version lacks the later columns: its examples have their defaults.
    names = [field.name for field in _FIELDS if field.name in table.column_names]
    columns = [_read(name, table[name].to_pylist()) for name in names]
    return [Example(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]


def _read(name: str, values: list[Any]) -> list[Any]:
    if name == "accepted":
        return [() if value == "[]" else tuple(json.loads(value)) for value in values]
    return [{} if value == "{}" else json.loads(value) for value in values] if name == "extra" else values
