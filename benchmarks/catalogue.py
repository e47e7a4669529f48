"""A million rows through the catalogue, each step in a process of its own: seconds, and memory at its most.

Beside it pandas, which loads the same CSV whole. The audit is of 100,000 rows on two processes, with every
gold run on its database. No gold is the text of another one, and every third is built like no other one (of
the 7,535 golds of Spider's shared part 2,535 are). `a core's work` is half of what its processes used: what
is left of the wall on two cores that nobody else uses. Then an audit of the same rows that was stopped half
way goes on. `T2S_BENCH_ROWS` sets another number of rows.

`python -m benchmarks.catalogue STEP FOLDER ROWS` is what the measuring process starts.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure
from t2s_tui.datasets.export import write_csv
from t2s_tui.records import Example

ROWS = int(os.environ.get("T2S_BENCH_ROWS", "1000000"))
AUDITED = max(1000, ROWS // 10)
LIMIT_MB = 500.0
LIMIT_AUDIT_SECONDS = 120.0
_DATABASES = 50
#: Columns that are built differently: a list of them says a number.
_BUILT = ("level", "ABS(level)", "level + 1", "LENGTH(name)", "-level", "CASE WHEN level > 1 THEN 1 END")
_THINGS = (("players", "플레이어"), ("clans", "클랜"), ("items", "아이템"))
_COLUMNS = (("level", "레벨"), ("score", "점수"), ("rank", "순위"), ("power", "전투력"))


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as name:
        folder = Path(name)
        for which in range(_DATABASES):
            _make_database(folder / "databases" / f"db{which}.sqlite")
        write_csv(folder / "big.csv", _examples(ROWS))
        write_csv(folder / "small.csv", map(_unlike, _examples(AUDITED)))
        theirs = {step: _run(step, folder) for step in ("pandas-load", "pandas-filter")}
        figures = []
        for step, against in (
            ("add", "pandas-load"),
            ("filter", "pandas-filter"),
            ("split", ""),
            ("export", ""),
        ):
            seconds, megabytes, _ = _run(step, folder)
            named = f"{step} {ROWS:,} rows"
            beside = theirs[against or "pandas-load"]
            words = "pandas.read_csv" if against != "pandas-filter" else "pandas.read_csv and a mask"
            figures.append(Figure(named, "s", seconds, beside[0], words))
            figures.append(Figure(f"{named}: memory", "MB", megabytes, LIMIT_MB, "the limit"))
            figures.append(Figure(f"{named}: memory", "MB", megabytes, beside[1], words))
        _run("add-small", folder)
        seconds, megabytes, cpu = _run("audit", folder)
        figures.append(Figure(f"audit {AUDITED:,} rows", "s", seconds, LIMIT_AUDIT_SECONDS, "the limit"))
        # What is left of the wall when nobody else works on the two cores.
        named = f"audit {AUDITED:,} rows: a core's work"
        figures.append(Figure(named, "s", cpu / 2, LIMIT_AUDIT_SECONDS, "the limit"))
        figures.append(Figure(f"audit {AUDITED:,} rows: memory", "MB", megabytes, LIMIT_MB, "the limit"))
        _run("audit-half", folder)
        rest, _, _ = _run("audit", folder)
        figures.append(Figure("the same, stopped half way, goes on", "s", rest, seconds, "the whole audit"))
        return figures


def _run(step: str, folder: Path) -> tuple[float, float, float]:
    """(seconds, megabytes at the most, seconds of processor) of one step's process and its children."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.catalogue", step, str(folder)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    seconds, megabytes, cpu = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(megabytes), float(cpu)


# -- what is done in the other process ----------------------------------------------------------------------


def _add(folder: Path) -> None:
    from t2s_tui.datasets.add import add_dataset
    from t2s_tui.workspace import Workspace

    add_dataset(Workspace.open(folder / "workspace"), str(folder / "big.csv"), databases=folder / "databases")


def _add_small(folder: Path) -> None:
    from t2s_tui.datasets.add import add_dataset
    from t2s_tui.workspace import Workspace

    add_dataset(
        Workspace.open(folder / "workspace"), str(folder / "small.csv"), databases=folder / "databases"
    )


def _filter(folder: Path) -> None:
    from t2s_tui.datasets.catalogue import open_examples
    from t2s_tui.datasets.filter import RowFilter, Rows
    from t2s_tui.workspace import Workspace

    table = open_examples(Workspace.open(folder / "workspace"), "big")
    found = 0
    for scanned in RowFilter("db:db7 점수").scan(Rows(table.arrow)):
        found += len(scanned.rows)
        table.release()
    assert found


def _split(folder: Path) -> None:
    from t2s_tui.datasets.splits import split_by_ratio
    from t2s_tui.workspace import Workspace

    split_by_ratio(Workspace.open(folder / "workspace"), "big", {"train": 0.8, "dev": 0.1, "test": 0.1})


def _export(folder: Path) -> None:
    from t2s_tui.datasets.catalogue import open_examples
    from t2s_tui.datasets.export import write_jsonl
    from t2s_tui.workspace import Workspace

    write_jsonl(folder / "out.jsonl", open_examples(Workspace.open(folder / "workspace"), "big"))


def _audit(folder: Path) -> None:
    from t2s_tui.jobs.handlers import audit
    from t2s_tui.progress import Quiet
    from t2s_tui.workspace import Workspace

    workspace = Workspace.open(folder / "workspace")
    summary = audit(workspace, {"dataset": "small"}, Quiet())
    print(json.dumps(summary["findings"]), file=sys.stderr)


def _audit_half(folder: Path) -> None:
    from t2s_tui.errors import JobStopped
    from t2s_tui.jobs.handlers import audit
    from t2s_tui.progress import Quiet
    from t2s_tui.workspace import Workspace

    with suppress(JobStopped):  # at every step a stretch of 200 rows is done
        audit(Workspace.open(folder / "workspace"), {"dataset": "small"}, Quiet(AUDITED // 400))


def _pandas_load(folder: Path) -> None:
    import pandas as pd

    pd.read_csv(folder / "big.csv")


def _pandas_filter(folder: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(folder / "big.csv")
    assert len(frame[(frame["db_id"] == "db7") & frame["question"].str.contains("점수")])


STEPS: dict[str, Callable[[Path], None]] = {
    "add": _add,
    "add-small": _add_small,
    "filter": _filter,
    "split": _split,
    "export": _export,
    "audit": _audit,
    "audit-half": _audit_half,
    "pandas-load": _pandas_load,
    "pandas-filter": _pandas_filter,
}


def _peak_mb() -> float:
    """The highest resident memory of this process and of the largest of its children."""
    status = Path("/proc/self/status")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if status.exists():  # ru_maxrss remembers who started this process: VmHWM does not
        own = int(
            next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]
        )
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _cpu() -> float:
    """Seconds of processor of this process and of all that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


# -- what it is done with -----------------------------------------------------------------------------------


def _examples(rows: int) -> Iterator[Example]:
    pick = random.Random(42)
    ddl = _ddl()
    for number in range(1, rows + 1):
        which = pick.randrange(_DATABASES)
        (table, thing), (column, value) = pick.choice(_THINGS), pick.choice(_COLUMNS)
        limit, top = pick.randrange(10_000), pick.randrange(1, 100)
        question, gold = pick.choice(
            (
                (f"{value}가 {limit}보다 큰 {thing}의 이름을 {top}개만 보여줘",
                 f"SELECT name FROM {table} WHERE {column} > {limit} LIMIT {top}"),
                (f"{thing} 중에서 {value} 상위 {top}위까지 누구야? {limit}번은 빼고",
                 f"SELECT name FROM {table} WHERE id <> {limit} ORDER BY {column} DESC LIMIT {top}"),
                (f"{limit}번 {thing}와 같은 {value}를 가진 {thing}는 모두 몇이나 되는지 세어줘",
                 f"SELECT COUNT(*) FROM {table} WHERE {column} = "
                 f"(SELECT {column} FROM {table} WHERE id = {limit})"),
                (f"{value}별로 {thing}가 {top}보다 많은 경우와 그 수를 알려줘, {limit} 이하만",
                 f"SELECT {column}, COUNT(*) FROM {table} WHERE {column} <= {limit} GROUP BY {column} "
                 f"HAVING COUNT(*) > {top}"),
            )
        )  # fmt: skip
        yield Example(
            id="", number=number, split="train", db_id=f"db{which}", question=question, ddl=ddl, gold=gold,
            dialect="sqlite", database=None, origin="",
        )  # fmt: skip


def _unlike(example: Example) -> Example:
    """The same with names of its own, which no other row has, and every third with columns like no other."""
    gold = re.sub(r"FROM (\w+)", rf"FROM \1 AS t{example.number}", example.gold)
    left, also = divmod(example.number, 3)
    columns = []
    while not also and left:
        left, which = divmod(left, len(_BUILT))
        columns.append(_BUILT[which])
    return replace(example, gold=gold.replace("SELECT ", f"SELECT {', '.join([*columns, ''])}", 1))


def _ddl() -> str:
    columns = ",\n".join(f"  {column} INTEGER" for column, _ in _COLUMNS)
    return "\n".join(
        f"CREATE TABLE {table} (\n  id INTEGER PRIMARY KEY,\n  name TEXT NOT NULL,\n{columns}\n);"
        for table, _ in _THINGS
    )


def _make_database(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pick = random.Random(path.name)
    base = sqlite3.connect(path)
    base.executescript(_ddl())
    for table, _ in _THINGS:
        rows = [(n, f"이름{n}", *(pick.randrange(10_000) for _ in _COLUMNS)) for n in range(200)]
        base.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", rows)
    base.commit()
    base.close()


if __name__ == "__main__":
    started = time.perf_counter()
    STEPS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps([round(time.perf_counter() - started, 2), round(_peak_mb(), 1), round(_cpu(), 1)]))
