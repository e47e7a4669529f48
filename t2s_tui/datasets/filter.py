"""Which rows a filter leaves: compiled to Arrow compute over the memory-mapped columns, a stretch at a time.

No row becomes a Python object, and nothing is read whole: a filter over 1,000,000 rows gives its first rows
after the first stretch, and whoever reads the scan stops it by reading no further. The language of the
filter is `filter_terms.py`'s.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from t2s_tui.datasets.arrow import indexes_of, int_scalar, string_array
from t2s_tui.datasets.filter_terms import (
    FIELDS,
    WORD_COLUMNS,
    FilterField,
    Term,
    needs_audit,
    needs_marks,
    parse_query,
)
from t2s_tui.errors import UsageError
from t2s_tui.records import Example

STRETCH = 16_000  # rows compared at once: a few milliseconds
_FIRST_STRETCH = 1_000  # the first are few, then twice as many: a page that is there at once is shown at once
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal
}  # fmt: skip
_PYTHON: dict[str, Callable[[int, int], bool]] = {
    "=": int.__eq__, "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """The columns of a dataset's examples, and those of its audit in the same order where it has one.

    `marked` are the numbers (int64) of rows that a person marked, None where marks are not known.
    """

    examples: pa.Table
    audit: pa.Table | None = None
    marked: pa.Array | None = None

    def __len__(self) -> int:
        return int(self.examples.num_rows)

    def stretch(self, start: int, length: int) -> Rows:
        """A part of the rows, nothing copied."""
        audit = self.audit.slice(start, length) if self.audit is not None else None
        return Rows(self.examples.slice(start, length), audit, self.marked)

    def column(self, name: str) -> pa.ChunkedArray:
        """A column, the audit's own word before the source's where both have one (hardness)."""
        if self.audit is not None and name in self.audit.column_names:
            return self.audit[name]
        return self.examples[name]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A stretch that was looked at: the row indexes it gave, and how many rows have been seen by now."""

    rows: array[int]
    seen: int


class RowFilter:
    """A filter that was read and found right. Raises UsageError when it is not."""

    def __init__(self, query: str) -> None:
        self.terms = parse_query(query)

    def check(self, rows: Rows) -> None:
        """Raises UsageError when a field of the filter needs an audit that these rows do not have."""
        lacking = needs_audit(self.terms)
        if lacking and rows.audit is None:
            raise UsageError(
                f"{', '.join(f'{name}:' for name in lacking)} needs an audit of this dataset",
                "press A, or run `t2s-tui datasets audit NAME`",
            )
        if rows.marked is None and needs_marks(self.terms):
            raise UsageError("is:marked needs marks", "mark rows with x in the Datasets room")

    def scan(self, rows: Rows, stretch: int = STRETCH) -> Iterator[Scanned]:
        """The rows it leaves, in order, at most a stretch at a time. Raises UsageError as `check` does."""
        self.check(rows)
        start, size = 0, min(stretch, _FIRST_STRETCH)
        while start < len(rows):
            part = rows.stretch(start, size)
            yield Scanned(_indexes(self.mask(part), start), start + len(part))
            start, size = start + size, min(stretch, 2 * size)

    def mask(self, rows: Rows) -> Any:
        """True for each row that it leaves, an Arrow array or one value for all."""
        masks = []
        for term in sorted(self.terms, key=_cost):
            found = _plainly(term, rows)
            masks.append(pc.invert(found) if term.negated else found)
            if not pc.any(masks[-1]).as_py():
                return masks[-1]
        return reduce(pc.and_, masks) if masks else pc.is_valid(rows.examples["id"])

    def holds(self, example: Example) -> bool:
        """The same of one example in hand. Raises UsageError for a field that needs an audit."""
        if lacking := needs_audit(self.terms):
            raise UsageError(f"{lacking[0]}: needs an audit", "filter in the Datasets room")
        if needs_marks(self.terms):
            raise UsageError("is:marked needs marks", "filter in the Datasets room")
        return all(_of_example(term, example) != term.negated for term in self.terms)


def matches(example: Example, query: str) -> bool:
    """Whether the filter leaves this example. Raises UsageError when the filter is wrong."""
    return _read(query).holds(example)


@lru_cache(maxsize=16)
def _read(query: str) -> RowFilter:
    return RowFilter(query)


def filtered_rows(rows: Rows, query: str) -> array[int]:
    """The indexes of all rows that the filter leaves. Raises UsageError when it is wrong."""
    found = array("I")
    for scanned in RowFilter(query).scan(rows):
        found.extend(scanned.rows)
    return found


def _indexes(mask: Any, start: int) -> array[int]:
    return indexes_of(pc.add(pc.indices_nonzero(mask), int_scalar(start)))


def _cost(term: Term) -> int:
    """Numbers and whole values first, long texts last: what leaves nothing ends the stretch."""
    field = FIELDS.get(term.field)
    if field is None:
        return 2
    costs = {"number": 0, "marked": 0, "exact": 1, "finding": 1, "contains": 2}
    return costs[field.kind] + (field.column == "ddl")


def _plainly(term: Term, rows: Rows) -> Any:
    field = FIELDS.get(term.field)
    if field is None:
        return _contains([rows.column(name) for name in _there(rows, WORD_COLUMNS)], term.values)
    column = rows.column(field.column)
    if field.kind == "marked":
        return pc.is_in(column, value_set=rows.marked)
    if field.kind == "number":
        compare = _COMPARE[term.compare]
        return reduce(pc.or_, (compare(column, int_scalar(int(value))) for value in term.values))
    if field.kind == "contains" and field.column != "ddl":
        return _contains([column], term.values)
    return _by_value(column, partial(_holds, field, term.values))


def _there(rows: Rows, names: Sequence[str]) -> list[str]:
    # A catalogue of an older version lacks the later columns.
    return [name for name in names if name in rows.examples.column_names]


def _contains(columns: Sequence[Any], values: Sequence[str]) -> Any:
    return reduce(pc.or_, (_has_word(column, value) for column in columns for value in values))


def _has_word(column: Any, word: str) -> Any:
    """Looking for both cases costs several times as much, and Hangul has none."""
    return pc.match_substring(column, word, ignore_case=word.lower() != word.upper())


def _by_value(column: Any, holds: Callable[[str], bool]) -> Any:
    """True where the value holds. Each value is looked at once: databases, splits and DDLs are few."""
    good = [value for value in column.unique().to_pylist() if value is not None and holds(value)]
    return pc.is_in(column, value_set=string_array(good))


def _holds(field: FilterField, values: Sequence[str], text: str) -> bool:
    """Of one text: the whole value, words in it, or the beginning of a finding, in any case."""
    if field.kind == "contains":
        return any(_has(text, wanted) for wanted in values)
    if field.kind == "finding":
        begins = tuple(value.casefold() for value in values)
        kinds = text.casefold().split()
        return bool(kinds) if "any" in begins else any(kind.startswith(begins) for kind in kinds)
    return text.casefold() in [value.casefold() for value in values]


def _of_example(term: Term, example: Example) -> bool:
    field = FIELDS.get(term.field)
    if field is None:
        return any(_has(getattr(example, name), value) for name in WORD_COLUMNS for value in term.values)
    value = getattr(example, field.column)
    if field.kind == "number":
        return any(_PYTHON[term.compare](value, int(wanted)) for wanted in term.values)
    text = " ".join(f"{key} {word}" for key, word in value.items()) if field.column == "extra" else value
    return _holds(field, term.values, text)


def _has(text: str, word: str) -> bool:
    return re.search(re.escape(word), text, re.IGNORECASE) is not None
