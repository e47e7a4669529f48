"""Adding sources: a set in the shape and size of AI Hub's NL2SQL, and what lies beside the checkout.

AI Hub's records may not be passed on, so a set of the published size (111,152 labels over 6,401 databases, in
the tree as downloaded) is made here. The real sets are added too, where they are, and their golds are run on
the database that each example points to: what came of that goes to stderr.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_REAL = ("ko_text2sql/test.csv", "ko_wikisql", "spider", "defog")
_DATABASES, _LABELS, _DOMAINS = 6_401, 111_152, 20
_MINUTE = 60.0
_GOLD_SECONDS = 10.0
_COLUMNS = (("PARK_NM", "공원명", "text"), ("AREA", "면적", "number"), ("OPEN_DE", "개원일", "time"))


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.open(Path(scratch) / "workspace")
        yield from _aihub(workspace, Path(scratch) / "aihub")
        for name in _REAL:
            if (_DATA / name).exists():
                yield _real(workspace, name)
            else:
                print(f"sources: no ../shared/data/{name} here: not measured", file=sys.stderr)


def _aihub(workspace: Workspace, folder: Path) -> Iterator[Figure]:
    write_aihub(folder)
    start = time.process_time(), time.perf_counter()
    report = add_dataset(workspace, str(folder), name="aihub")
    core, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    rows = report.dataset.size
    print(
        f"sources: AI Hub's shape: {rows:,} rows, {len(report.dataset.databases):,} databases, "
        f"{wall:.1f} s of wall time",
        file=sys.stderr,
    )
    start_bare = time.process_time()
    for path in folder.rglob("TEXT_NL2SQL_label_*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    bare = time.process_time() - start_bare
    yield Figure(f"AI Hub's shape, {rows:,} rows added, one core", "s", core, _MINUTE, "the minute asked for")
    yield Figure(
        f"AI Hub's shape, {rows:,} rows added, one core", "s", core, bare, "json.load of the labels alone"
    )


def _real(workspace: Workspace, name: str) -> Figure:
    start = time.perf_counter()
    report = add_dataset(workspace, str(_DATA / name), name=name.partition("/")[0])
    taken = time.perf_counter() - start
    start = time.perf_counter()
    said = run_golds(open_examples(workspace, report.dataset.name))
    running = time.perf_counter() - start
    words = ", ".join(f"{count:,} {what}" for what, count in sorted(said.items()))
    print(f"sources: {name}: {report.dataset.dropped} dropped; golds: {words}", file=sys.stderr)
    return Figure(
        f"{name}, {report.dataset.size:,} rows added", "s", taken, running, "running its golds bare"
    )


def run_golds(examples: Iterable[Example]) -> Counter[str]:
    """How many golds run, say something, fail or have no database, and other accepted golds run or fail.

    A result says something when its first row has a value, and is no count of 0.
    """
    said: Counter[str] = Counter()
    for example in examples:
        if example.database is None:
            said["without a database"] += 1
            continue
        with closing(sqlite3.connect(f"{Path(example.database).as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            rows = _rows(connection, example.gold)
            said["run" if rows is not None else "fail"] += 1
            said["say something"] += _says_something(example.gold, rows or [])
            for other in example.accepted:
                said["others run" if _rows(connection, other) is not None else "others fail"] += 1
    return said


def _says_something(gold: str, rows: list[Any]) -> bool:
    counted_none = gold.startswith("SELECT COUNT(") and rows[:1] == [(0,)]
    return any(value is not None for row in rows[:1] for value in row) and not counted_none


def _rows(connection: sqlite3.Connection, sql: str) -> list[Any] | None:
    """The first row of the query, None where it fails or takes longer than ten seconds."""
    end = time.monotonic() + _GOLD_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
    try:
        return connection.execute(sql).fetchmany(1)
    except sqlite3.Error:
        return None


def write_aihub(folder: Path, databases: int = _DATABASES, labels: int = _LABELS) -> None:
    """The Training/Validation tree with one database a db_id and one label file a domain."""
    for domain in range(_DOMAINS):
        part, source, label = ("Validation", "VS", "VL") if domain % 5 == 4 else ("Training", "TS", "TL")
        inner = f"1. 서울_열린데이터/{domain:02}. 분야"
        data = folder / part / "01.원천데이터" / source / inner
        said = folder / part / "02.라벨링데이터" / label / inner
        data.mkdir(parents=True)
        said.mkdir(parents=True)
        ids = {n: f"seouldata_d{domain}_{n}" for n in range(domain, databases, _DOMAINS)}
        for db_id in ids.values():
            _database(data / f"{db_id}.sqlite", db_id)
        names = list(ids.values())
        rows = [_label(names[(n // _DOMAINS) % len(names)], n) for n in range(domain, labels, _DOMAINS)]
        _write(data / f"seouldata_d{domain}_db_annotation.json", [_annotation(db_id) for db_id in names])
        _write(said / f"TEXT_NL2SQL_label_seouldata_d{domain}.json", rows)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    head = {"identifier": "TEXT_NL2SQL", "name": "n", "src_path": "s", "label_path": "l"}
    path.write_text(
        json.dumps({"Dataset": head, "data": rows}, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def _table(db_id: str) -> str:
    return f"T_{db_id.upper()}"


def _database(path: Path, db_id: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"CREATE TABLE {_table(db_id)} (PARK_NM TEXT, AREA REAL, OPEN_DE TEXT)")
        connection.execute(f"INSERT INTO {_table(db_id)} VALUES ('남산', 2000, '1968-09-10')")


def _annotation(db_id: str) -> dict[str, Any]:
    return {
        "source": "서울 열린데이터광장",
        "db_id": db_id,
        "table_names_original": [_table(db_id)],
        "table_names": ["공원 현황"],
        "column_names_original": [[-1, "*"], *([0, name] for name, _, _ in _COLUMNS)],
        "column_names": [[-1, "*"], *([0, korean] for _, korean, _ in _COLUMNS)],
        "column_types": ["text", *(kind for _, _, kind in _COLUMNS)],
        "foreign_keys": [],
        "primary_keys": [1],
    }


def _label(db_id: str, number: int) -> dict[str, Any]:
    return {
        "db_id": db_id,
        "utterance_id": f"Whn_{number}",
        "hardness": ("easy", "medium", "hard", "extra hard")[number % 4],
        "utterance_type": f"BR{number % 7:02}",
        "query": f"SELECT PARK_NM FROM {_table(db_id)} WHERE AREA > {number}",
        "utterance": f"면적이 {number} 넘는 공원의 이름은 무엇인가요?",
        "values": [{"token": str(number), "start": 4, "column_index": 2}],
        "cols": [{"token": "면적", "start": 0, "column_index": 2}],
    }
