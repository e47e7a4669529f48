"""The Datasets room over 1,000,000 rows on a real pty, with Textual's DataTable and pandas beside it.

DataTable gets 100,000 rows (and 10,000 for the keys): a million would take it minutes. `key to paint` is from
the key to the first bytes of what it changed, the cursor; `to the last byte` has the detail of the row too.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.big_dataset import NAME, make_workspace
from benchmarks.figures import Figure
from benchmarks.terminal import Terminal

ROWS = 1_000_000
_DOWN, _ENTER = "\x1b[B", "\r"
_PRESSES = 40
_COUNT = re.compile(rf"(\d[\d,]*) of {ROWS:,}")
_FILTERS = ("가수별", "sql:clan_7", "split:eval hard:extra")

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
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder) / "workspace", ROWS)
        file = str(workspace.dataset_dir(NAME) / "examples.arrow")
        pandas = _pandas(file)
        ours = [sys.executable, "-m", "t2s_tui", "--workspace", str(workspace.root)]
        with Terminal(ours) as bench:
            bench.wait("Home")
            bench.settle()
            bench.type("2")
            bench.wait("health")
            bench.settle()
            bench.type(_ENTER)
            opened = bench.wait("db_")
            bench.settle()
            first, last = _keys(bench)
            filters = [_filter(bench, query) for query in _FILTERS]
        shown = _data_table(file, 100_000, lambda table: 0.0)[0]
        their_first, their_last = _data_table(file, 10_000, _keys)[1]
    figures = [
        Figure(f"open {ROWS:,} rows", "s", opened, shown, "DataTable with 100,000 rows"),
        Figure(f"open {ROWS:,} rows", "s", opened, pandas[0], "pandas loads six of the columns"),
        Figure("key to paint, p95", "ms", 1000 * first, 1000 * their_first, "DataTable with 10,000 rows"),
        Figure("key to the last byte, p95", "ms", 1000 * last, 1000 * their_last, "DataTable, no detail"),
    ]
    for query, seconds, theirs in zip(_FILTERS, filters, pandas[1:], strict=True):
        figures.append(Figure(f"first page of {query}", "s", seconds, theirs, "pandas, already in memory"))
    return figures


def _keys(bench: Terminal) -> tuple[float, float]:
    """95th percentiles of the seconds to the first and to the last byte after a key."""
    presses = [bench.press(_DOWN) for _ in range(_PRESSES)]
    first, last = (sorted(column)[int(0.95 * _PRESSES)] for column in zip(*presses, strict=True))
    return first, last


def _filter(bench: Terminal, query: str) -> float:
    """Seconds from enter in the filter line to its first page."""
    bench.type("/")
    bench.settle()
    for keys in ("\x15", query):  # ctrl+u: what stood there goes
        bench.type(keys)
        bench.settle()
    before = _COUNT.findall(bench.text)
    bench.type(_ENTER)
    seconds = bench.until(lambda text: _COUNT.findall(text) not in ([], before))
    bench.settle()
    return seconds


def _data_table(
    file: str, rows: int, then: Callable[[Terminal], object]
) -> tuple[float, tuple[float, float]]:
    """Seconds that a DataTable needs to show the rows, and what `then` finds on it."""
    with Terminal([sys.executable, "-c", _TABLE, file, str(rows)]) as table:
        table.wait("ready-to-go")
        table.settle()
        table.type("f")
        seconds = table.wait("db_")
        table.settle()
        found = then(table)
    return seconds, found if isinstance(found, tuple) else (0.0, 0.0)


def _pandas(file: str) -> list[float]:
    """Seconds to load, then to find the rows of each filter."""
    done = subprocess.run([sys.executable, "-c", _PANDAS, file], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]
