"""The Datasets room over 1,000,000 rows on a real pty, beside the goals, Textual's DataTable and pandas.

Of a key two figures are taken, each the 95th percentile of 60 presses, a third of a second apart or more as a
reader presses them. `a key moves the cursor`: until the list (the left half) is painted with the cursor on
the next row. `a key shows its row`: until the last byte, so with the whole detail of that row. Some keys
scroll the list.

Of a filter: from enter until the count of its first page is on the screen, with the rows under it. A filter
that finds little says what it has so far. Of a cancel: from esc, while the filter works, until all rows are
back.

DataTable gets 100,000 rows (and 10,000 for the keys): a million would take it minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.big_dataset import NAME, make_workspace
from benchmarks.figures import Figure
from benchmarks.terminal import Terminal

ROWS = int(os.environ.get("T2S_BENCH_ROWS", "1000000"))
GOALS = {"open": 1.2, "key": 0.040, "filter": 0.300}
_DOWN, _ENTER, _ESCAPE = "\x1b[B", "\r", "\x1b"
_PRESSES = 60
_LIST = 60  # columns of the screen that are the list's
_COUNT = re.compile(rf"(\d[\d,]*) of {ROWS:,}")
#: Query -> whether pandas is asked the same. The last four find little or nothing, or look at a long column.
_FILTERS = {
    "가수별": True,
    "sql:clan_7": True,
    "split:eval hard:extra": True,
    "로그인": False,
    "ddl:singer_199": False,
    "nowhere": False,
    "없는낱말": False,
}
_CANCELLED = "ddl:nowhere"

_TABLE = """
import sys, time
import pyarrow as pa
from textual.app import App
from textual.widgets import DataTable, Static
rows = pa.ipc.open_stream(pa.memory_map(sys.argv[1])).read_all().slice(0, int(sys.argv[2]))
class A(App):
    BINDINGS = [("f", "fill", "")]
    def compose(self):
        yield Static("ready-to-go"); yield DataTable(cursor_type="row")
    def action_fill(self):
        t = self.query_one(DataTable); t.add_columns("#", "split", "db", "question"); t.focus()
        columns = [rows[c].to_pylist() for c in ("number", "split", "db_id", "question")]
        t.add_rows(zip(*columns))
A().run()
"""
_PANDAS = """
import sys, time
import pandas, pyarrow as pa
start = time.perf_counter()
names = ["number", "split", "db_id", "question", "gold", "hardness"]
table = pa.ipc.open_stream(pa.memory_map(sys.argv[1])).read_all().select(names).to_pandas()
print(time.perf_counter() - start)
def having(column, word):
    return table[column].str.contains(word, case=False, regex=False)
for find in (
    lambda: table[having("question", "가수별") | having("gold", "가수별")],
    lambda: table[having("gold", "clan_7")],
    lambda: table[(table.split == "eval") & (table.hardness == "extra")],
):
    start = time.perf_counter()
    find().head(60)
    print(time.perf_counter() - start)
"""


def measure() -> list[Figure]:
    print(f"datasets_screen: the load of this machine is {os.getloadavg()[0]:.1f}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "workspace", ROWS)
        file = str(workspace.dataset_dir(NAME) / "examples.arrow")
        pandas = _pandas(file)
        ours = [sys.executable, "-m", "t2s_tui", "--workspace", str(workspace.root)]
        with Terminal(ours) as bench:
            _go_to_datasets(bench)
            _forget(file)
            bench.type(_ENTER)
            cold = bench.wait("db_")
            bench.settle()
        with Terminal(ours) as bench:
            _go_to_datasets(bench)
            bench.type(_ENTER)
            opened = bench.wait("db_")
            bench.settle()
            cursor, detail = _keys(bench)
            filters = {query: _filter(bench, query) for query in _FILTERS}
            cancelled = _cancel(bench)
        shown = _data_table(file, min(ROWS, 100_000), lambda table: (0.0, 0.0))[0]
        their_cursor, _ = _data_table(file, 10_000, _keys)[1]
    asked = [query for query, theirs in _FILTERS.items() if theirs]
    return [
        _goal(f"open {ROWS:,} rows", opened, "open"),
        _goal(f"open {ROWS:,} rows that are on the disk only", cold, "open"),
        _beside(f"open {ROWS:,} rows", opened, shown, "DataTable with 100,000 rows"),
        _beside(f"open {ROWS:,} rows", opened, pandas[0], "pandas loads six of the columns"),
        _goal("a key moves the cursor, p95", cursor, "key"),
        _beside("a key moves the cursor, p95", cursor, their_cursor, "DataTable with 10,000 rows"),
        _goal("a key shows its row, p95", detail, "key"),
        *(_goal(f"first page of {query}", seconds, "filter") for query, seconds in filters.items()),
        *(
            _beside(f"first page of {query}", filters[query], seconds, "pandas, already in memory")
            for query, seconds in zip(asked, pandas[1:], strict=True)
        ),
        _goal(f"esc out of {_CANCELLED}", cancelled, "filter"),
    ]


def _go_to_datasets(bench: Terminal) -> None:
    bench.wait("Home")
    bench.settle()
    bench.type("2")
    bench.wait("health")
    bench.settle()


def _forget(file: str) -> None:
    """Let the kernel drop the file from memory, as after a night."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def _goal(what: str, seconds: float, goal: str) -> Figure:
    return Figure(what, "ms", 1000 * seconds, 1000 * GOALS[goal], "the goal")


def _beside(what: str, seconds: float, theirs: float, whose: str) -> Figure:
    return Figure(what, "ms", 1000 * seconds, 1000 * theirs, whose)


def _keys(bench: Terminal) -> tuple[float, float]:
    """95th percentiles of the seconds until the list is painted, and until the last byte."""
    presses = [bench.press(_DOWN, _LIST) for _ in range(_PRESSES)]
    first, last = (sorted(column)[int(0.95 * _PRESSES)] for column in zip(*presses, strict=True))
    return first, last


def _type_filter(bench: Terminal, query: str) -> None:
    bench.type("/")
    bench.settle()
    for keys in ("\x15", query):  # ctrl+u: what stood there goes
        bench.type(keys)
        bench.settle()


def _filter(bench: Terminal, query: str) -> float:
    """Seconds from enter in the filter line to its first page."""
    _type_filter(bench, query)
    before = _COUNT.findall(bench.text)
    bench.type(_ENTER)
    seconds = bench.until(lambda text: _COUNT.findall(text) not in ([], before))
    bench.until(lambda text: "esc stops" not in text)
    bench.settle()
    return seconds


def _cancel(bench: Terminal) -> float:
    """Seconds from esc, while a filter works, until what was there before it is there again."""
    bench.type(_ESCAPE)  # no filter
    bench.settle()
    _type_filter(bench, _CANCELLED)
    bench.type(_ENTER)
    bench.wait("esc stops")
    bench.type(_ESCAPE)
    return bench.until(lambda text: "esc stops" not in text and f"{ROWS:,}" in text)


def _data_table(
    file: str, rows: int, then: Callable[[Terminal], tuple[float, float]]
) -> tuple[float, tuple[float, float]]:
    """Seconds that a DataTable needs to show the rows, and what `then` finds on it."""
    with Terminal([sys.executable, "-c", _TABLE, file, str(rows)]) as table:
        table.wait("ready-to-go")
        table.settle()
        table.type("f")
        seconds = table.wait("db_")
        table.settle()
        return seconds, then(table)


def _pandas(file: str) -> list[float]:
    """Seconds to load, then to find the rows of each filter that it is asked for."""
    done = subprocess.run([sys.executable, "-c", _PANDAS, file], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]
