"""The rows of a dataset in another order: Arrow sorts indexes, no row is read."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from t2s_tui.datasets.arrow import index_array, indexes_of, string_array
from t2s_tui.datasets.filter import Rows
from t2s_tui.errors import UsageError


@dataclass(frozen=True, slots=True)
class Order:
    """By which column, and which end first. Equal rows keep the order of the dataset."""

    key: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a list can be sorted by: `descending` is the end that people want first."""

    column: str
    title: str
    descending: bool = False
    audited: bool = False


SORT_KEYS: Mapping[str, SortKey] = {
    key.column: key
    for key in (
        SortKey("number", "order of the source"),
        SortKey("worst", "worst first", descending=True, audited=True),
        SortKey("db_id", "database"),
        SortKey("split", "split"),
        SortKey("question", "question"),
        SortKey("gold", "gold SQL"),
        SortKey("hardness", "hardness"),
        SortKey("joins", "joins", descending=True, audited=True),
        SortKey("nesting", "nesting", descending=True, audited=True),
        SortKey("aggregates", "aggregates", descending=True, audited=True),
        SortKey("tokens", "tokens", descending=True, audited=True),
    )
}
_HARDNESS = string_array(("", "easy", "medium", "hard", "extra"))
_BLANK = string_array((" ",))[0]


def ordered(rows: Rows, order: Order, found: array[int] | None = None) -> array[int]:
    """The indexes `found` (None: of all rows) sorted. Raises UsageError for a key that needs an audit."""
    key = SORT_KEYS[order.key]
    if key.audited and rows.audit is None:
        raise UsageError(f"The rows have no {key.title} before an audit", "press A to audit the dataset")
    if order.key == "number" and not order.descending:
        return found if found is not None else array("I", range(len(rows)))
    column = rows.column(key.column)
    places = None if found is None else index_array(found)
    if places is not None:
        column = column.take(places)
    if order.key == "hardness":
        column = _ranks(column)
    by = pc.sort_indices(column, sort_keys=[("", "descending" if order.descending else "ascending")])
    return indexes_of(by if places is None else places.take(by))


def _ranks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spider's words in their own order; another source's words come after them, by the alphabet."""
    known = pc.index_in(column, value_set=_HARDNESS)
    return pc.binary_join_element_wise(
        pc.cast(known, pa.string()), column, _BLANK, null_handling="replace", null_replacement="9"
    )
