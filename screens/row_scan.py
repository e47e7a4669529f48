"""Filtering and sorting off the screen: the work of a thread, and what it posts."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.message import Message

from t2s_tui.datasets.filter import RowFilter, Rows
from t2s_tui.datasets.ordering import Order, ordered
from t2s_tui.errors import T2SError

FIRST_PAGE = 60  # rows found before they are shown: no screen has more
REPORT = 0.2  # seconds between two looks at a filter that still works, the first whatever it has found
PAINT = 0.03  # seconds that the screen has for the first page before the scan takes a core again
RELEASE = 64_000  # rows after which their memory is given back: some 100 MB when their DDL was read
SOURCE_ORDER = Order("number")


@dataclass
class RowsFound(Message):
    """What a filter has found so far: `rows` from its beginning up to `count`; `seen` rows were looked at."""

    run: int
    rows: array[int]
    count: int
    seen: int
    done: bool
    cursor: int | None = None


@dataclass
class RowsRefused(Message):
    """The filter or the order failed in the middle."""

    run: int
    error: Exception


@dataclass(frozen=True, slots=True)
class Scan:
    """One filter with one order over the rows. `here` is the row that the cursor was on, -1 for none.

    `release` gives the memory of what was read back.
    """

    run: int
    rows: Rows
    row_filter: RowFilter
    order: Order
    here: int
    release: Callable[[], None]

    def work(self, post: Callable[[Message], object], wanted: Callable[[], bool]) -> None:
        """Post the first page as soon as it is there, then all; stop when it is not wanted any more."""
        found, told, reported, released = array("I"), time.monotonic(), False, 0
        in_order = self.order == SOURCE_ORDER
        try:
            for scanned in self.row_filter.scan(self.rows) if self.row_filter.terms else ():
                if not wanted():
                    return
                found.extend(scanned.rows)
                if scanned.seen - released >= RELEASE:
                    released = scanned.seen
                    self.release()
                full = not reported and len(found) >= FIRST_PAGE
                enough = full or time.monotonic() - told > REPORT
                if in_order and enough and scanned.seen < len(self.rows):
                    first, reported = not reported, True
                    post(RowsFound(self.run, found, len(found), scanned.seen, False))
                    if first:
                        time.sleep(PAINT)
                    told = time.monotonic()
            found = ordered(self.rows, self.order, found if self.row_filter.terms else None)
            self.release()
        except T2SError as error:
            post(RowsRefused(self.run, error))
            return
        # Who has seen the first page may have moved on it: the cursor stays. Else it stays on its row.
        cursor = None if reported else place_of(found, self.here, sorted_rows=in_order)
        post(RowsFound(self.run, found, len(found), len(self.rows), True, cursor))


def place_of(found: Sequence[int], index: int, *, sorted_rows: bool) -> int:
    """Where row `index` is in the list: itself, else (in the order of the dataset) the next, or the first."""
    if index < 0 or not found:
        return 0
    if sorted_rows:
        return min(bisect_left(found, index), len(found) - 1)
    try:
        return found.index(index)
    except ValueError:
        return 0
