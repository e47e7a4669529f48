"""Other people's SQL: what it may do, what it may not, and that it leaves nothing behind."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s_tui.evaluation import sandbox as module
from t2s_tui.evaluation.sandbox import (
    DatabaseUnreadable,
    DuckDBSandbox,
    QueryFailed,
    QueryRefused,
    QueryResult,
    QueryTimeout,
    Sandbox,
    run_query,
)
from t2s_tui.evaluation.sandbox_child import MEMORY_BYTES
from tests.shared_data import shared


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return build(tmp_path / "held" / "t.db")


def build(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"row {i}") for i in range(300)])
    db.close()
    return path


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its content."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_a_query_returns_its_rows(sandbox: Sandbox, database: Path) -> None:
    result = sandbox.run(database, "SELECT a, b, NULL, 1.5, x'00ff', '한글' AS 이름 FROM t WHERE a = 7")
    assert result.rows == ((7, "row 7", None, 1.5, b"\x00\xff", "한글"),)
    assert result.columns[-1] == "이름"
    assert not result.truncated
    assert ("t", "b") in result.reads
    assert run_query(database, "SELECT count(*) FROM t").rows == ((300,),)


def test_the_row_cap(sandbox: Sandbox, database: Path) -> None:
    result = sandbox.run(database, "SELECT a FROM t ORDER BY a", max_rows=10)
    assert [r[0] for r in result.rows] == list(range(10))
    assert result.truncated
    assert not sandbox.run(database, "SELECT a FROM t", max_rows=300).truncated


@pytest.mark.parametrize("tail", [";", "; -- which is all", ";\n/* it */ ", " -- it;"])
def test_what_follows_the_statement_may_be_a_comment(engine: Sandbox, database: Path, tail: str) -> None:
    assert engine.run(database, f"SELECT 1 AS a{tail}").rows == ((1,),)


def test_text_that_is_not_utf8_comes_through(sandbox: Sandbox, database: Path) -> None:
    assert sandbox.run(database, "SELECT CAST(x'41ff42' AS TEXT)").rows == (("A\\xffB",),)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def test_an_endless_query_is_interrupted_and_the_child_lives_on(sandbox: Sandbox, database: Path) -> None:
    sandbox.run(database, "SELECT 1")
    assert sandbox._process is not None
    before = sandbox._process.pid
    with pytest.raises(QueryTimeout, match=r"longer than 0\.3 s"):
        sandbox.run(database, ENDLESS, timeout=0.3)
    assert sandbox.run(database, "SELECT 1").rows == ((1,),)
    assert sandbox._process.pid == before


def test_what_the_progress_handler_cannot_end_is_killed(sandbox: Sandbox, database: Path) -> None:
    """One call of printf is one step of the virtual machine: only SIGKILL ends it."""
    sandbox.run(database, "SELECT 1")
    assert sandbox._process is not None
    before = sandbox._process.pid
    bomb = "SELECT length(printf('%.*c', 900000000, 'x'))"
    with pytest.raises((QueryTimeout, QueryFailed)):
        sandbox.run(database, bomb, timeout=0.2)
    assert sandbox.run(database, "SELECT 1").rows == ((1,),)
    if sandbox._process.pid != before:
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)


def test_several_at_once_are_each_answered_as_alone(engine: Sandbox, database: Path) -> None:
    queries = [
        "SELECT a FROM t WHERE a < 2 ORDER BY a",
        "DELETE FROM t",
        "SELECT nope FROM t",
    ]
    first, refused, failed = engine.run_all(database, queries)
    assert isinstance(first, QueryResult)
    assert first.rows == ((0,), (1,))
    assert isinstance(refused, QueryRefused)
    assert isinstance(failed, QueryFailed)
    gone = engine.run_all(database.with_name("gone.db"), queries)
    assert [type(found) for found in gone] == [DatabaseUnreadable, QueryRefused, *[DatabaseUnreadable]]


def test_one_of_several_that_has_the_child_killed_costs_the_others_nothing(
    sandbox: Sandbox, database: Path
) -> None:
    """The answers that came before are kept, or asked for again; only the guilty one has none."""
    bomb = "SELECT length(printf('%.*c', 900000000, 'x')), " + ", ".join(
        f"length(printf('%.*c', 90000000{i}, 'x'))" for i in range(9)
    )
    queries = ["SELECT 1", ENDLESS, "SELECT 2", bomb, "SELECT 3", "SELECT 4"]
    one, endless, two, killed, three, four = sandbox.run_all(database, queries, timeout=0.2)
    for number, found in enumerate((one, two, three, four), 1):
        assert isinstance(found, QueryResult)
        assert found.rows == ((number,),)
    assert isinstance(endless, QueryTimeout)
    assert isinstance(killed, QueryTimeout | QueryFailed)


def test_wide_rows_are_cut_at_the_room_there_is(sandbox: Sandbox, database: Path) -> None:
    """300 rows of 1 MB: about 32 MB of them come, no more, and the child does not run out of memory."""
    result = sandbox.run(database, "SELECT a, hex(zeroblob(500000)) FROM t ORDER BY a")
    assert result.truncated
    assert [row[0] for row in result.rows] == list(range(len(result.rows)))
    assert 25 <= len(result.rows) <= 32


def test_memory_is_limited(sandbox: Sandbox, database: Path) -> None:
    """Sorting 300 values of 7 MB wants 2.1 GB: the child has 1 GiB, and is fresh again afterwards."""
    sandbox.run(database, "SELECT 1")
    assert sandbox._process is not None
    limits = Path(f"/proc/{sandbox._process.pid}/limits")
    if limits.exists():
        assert re.search(rf"Max address space +{MEMORY_BYTES} ", limits.read_text())
    with pytest.raises((QueryFailed, QueryTimeout)):
        sandbox.run(database, "SELECT zeroblob(7000000) || b FROM t ORDER BY 1", timeout=5)
    assert sandbox.run(database, "SELECT 1").rows == ((1,),)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "INSERT INTO t VALUES (9, 9)",
        "UPDATE t SET a = 1",
        "DROP TABLE t",
        "CREATE TABLE u (a)",
        "CREATE TEMP TABLE u (a)",
        "ATTACH 'other.db' AS o",
        "PRAGMA writable_schema = ON",
        "VACUUM INTO './copy.db'",
        "SELECT * FROM pragma_table_info('t')",
        "SELECT load_extension('x')",
        "WITH x AS (SELECT 1) DELETE FROM t",
        "SELECT 1; DELETE FROM t",
        "EXPLAIN SELECT 1",
        "BEGIN EXCLUSIVE",
        "REPLACE INTO t VALUES (1, 1)",
        "REINDEX",
        "ANALYZE",
    ],
)
def test_what_writes_or_looks_elsewhere_is_refused(sandbox: Sandbox, database: Path, sql: str) -> None:
    before = state(database.parent)
    with pytest.raises(QueryRefused):
        sandbox.run(database, sql)
    assert state(database.parent) == before


def test_the_authorizer_holds_without_the_guard(
    sandbox: Sandbox, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall alone: what parses as harmless by mistake must still not write."""
    monkeypatch.setattr(module, "refuse_reason", lambda sql, dialect: None)
    before = state(database.parent)
    for sql in (
        "DELETE FROM t",
        "ATTACH '' AS o",
        "PRAGMA query_only = OFF",
        "CREATE TEMP TABLE u (a)",
        "VACUUM INTO './c.db'",
        "BEGIN",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
    ):
        with pytest.raises((QueryRefused, QueryFailed)):
            sandbox.run(database, sql)
    assert state(database.parent) == before


@pytest.mark.parametrize("engine", [Sandbox, DuckDBSandbox])
def test_the_unsafe_cases_are_contained(
    engine: type[Sandbox], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine() as sandbox:
        contained(sandbox, tmp_path, monkeypatch)


def contained(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = build(tmp_path / "held" / "t.db")
    monkeypatch.chdir(database.parent)
    before = state(tmp_path)
    lines = shared("equivalence/unsafe_cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    ends = {}
    for case in cases:
        try:
            ends[case["id"]] = sandbox.run(database, case["sql"], timeout=1.0).seconds
        except (QueryRefused, QueryFailed, QueryTimeout) as error:
            ends[case["id"]] = type(error).__name__
        assert sandbox.run(database, "SELECT COUNT(*) FROM t").rows == ((300,),)
    assert len(cases) == 13
    assert isinstance(ends["sqlite_sqlite_master_read"], float)
    # SQLite's LIKE meets this pattern without backtracking: it ends by itself, at once.
    ran = {name for name, end in ends.items() if isinstance(end, float)}
    assert ran <= {"sqlite_sqlite_master_read", "sqlite_like_redos"}
    assert all(seconds < 2 for seconds in ends.values() if isinstance(seconds, float))
    assert state(tmp_path) == before


_HOSTILE = (
    "SELECT DELETE FROM t WHERE a , ; ( ) * INSERT INTO VALUES 1 'x' DROP TABLE PRAGMA query_only = OFF "
    "ATTACH AS UPDATE SET WITH REPLACE load_extension -- /* */ UNION ALL"
)
_WORDS = st.sampled_from(_HOSTILE.split())


@pytest.fixture(scope="module", params=[Sandbox, DuckDBSandbox])
def engine(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with request.param() as made:
        yield made


@contextlib.contextmanager
def unguarded() -> Iterator[None]:
    """The first wall, the guard, lets everything through."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "refuse_reason", lambda sql, dialect: None)
        yield


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sql=st.lists(_WORDS, max_size=9).map(" ".join))
def test_no_mixture_of_words_changes_a_database(
    engine: Sandbox, tmp_path_factory: pytest.TempPathFactory, sql: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    database = folder / "t.db" if folder.exists() else build(folder / "t.db")
    before = state(folder)
    with unguarded(), contextlib.suppress(QueryRefused, QueryFailed, QueryTimeout):
        engine.run(database, sql, timeout=1.0, max_rows=10)
    assert state(folder) == before


def test_a_wal_database_gets_no_files_beside_it(sandbox: Sandbox, database: Path) -> None:
    db = sqlite3.connect(database)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    before = state(database.parent)
    assert sandbox.run(database, "SELECT COUNT(*) FROM t").rows == ((300,),)
    assert state(database.parent) == before


def test_a_folder_that_cannot_be_written_does(sandbox: Sandbox, database: Path) -> None:
    database.chmod(0o444)
    database.parent.chmod(0o555)
    try:
        assert sandbox.run(database, "SELECT COUNT(*) FROM t").rows == ((300,),)
    finally:
        database.parent.chmod(0o755)


def test_databases_that_are_none(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreadable, match="no database file"):
        sandbox.run(tmp_path / "absent.db", "SELECT 1")
    assert not (tmp_path / "absent.db").exists()
    text = tmp_path / "notes.db"
    text.write_text("this is no database, but it is long enough to be looked at as one" * 10)
    with pytest.raises(DatabaseUnreadable, match="is a SQLite file"):
        sandbox.run(text, "SELECT * FROM t")
    short = tmp_path / "short ?&%.db"
    build_in = build(tmp_path / "x" / "ok.db")
    short.write_bytes(build_in.read_bytes())
    assert sandbox.run(short, "SELECT COUNT(*) FROM t").rows == ((300,),)


def test_the_child_sees_no_keys(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-the-child")
    with Sandbox() as fresh:
        fresh.run(database, "SELECT 1")
        assert fresh._process is not None
        environment = Path(f"/proc/{fresh._process.pid}/environ")
        if not environment.exists():
            pytest.skip("this platform has no /proc")
        assert b"sk-not" not in environment.read_bytes()


def test_a_child_that_died_is_replaced(database: Path) -> None:
    with Sandbox() as fresh:
        fresh.run(database, "SELECT 1")
        assert fresh._process is not None
        os.kill(fresh._process.pid, signal.SIGKILL)
        fresh._process.wait()
        assert fresh.run(database, "SELECT 2").rows == ((2,),)


def test_errors_say_what_the_engine_said(sandbox: Sandbox, database: Path) -> None:
    with pytest.raises(QueryFailed, match="no such column: nope"):
        sandbox.run(database, "SELECT nope FROM t")
    with pytest.raises(QueryFailed):
        sandbox.run(database, "SELECT \ud800 FROM t")
    with pytest.raises(QueryFailed):
        sandbox.run(database, "SELECT 'a\0b'")


_OUTSIDE = (
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_text('{file}')",
    "COPY t TO '{file}.out'",
    "ATTACH '{file}' AS other",
    "INSTALL sqlite",
    "LOAD sqlite",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET memory_limit = '100GB'",
    "PRAGMA enable_profiling",
    "EXPORT DATABASE '{file}.d'",
    "SELECT * FROM sqlite_scan('{file}', 't')",
    "SELECT * FROM json",
    "DELETE FROM t",
    "WITH d AS (SELECT 1) DELETE FROM t",
    "INSERT INTO t VALUES (1, 'x')",
    "CREATE TABLE u AS SELECT * FROM t",
    "CREATE MACRO m(x) AS x",
    "SELECT 1; DELETE FROM t",
    "CALL duckdb_settings()",
    "BEGIN",
)


@pytest.mark.parametrize("sql", _OUTSIDE)
def test_duckdb_reaches_nothing_of_the_machine_even_without_the_guard(
    database: Path, duckdb_sandbox: Sandbox, sql: str
) -> None:
    before = state(database.parent)
    with unguarded(), pytest.raises((QueryRefused, QueryFailed)):
        duckdb_sandbox.run(database, sql.format(file=database))
    assert duckdb_sandbox.run(database, "SELECT count(*) FROM t").rows == ((300,),)
    assert state(database.parent) == before


@pytest.fixture(scope="module")
def duckdb_sandbox() -> Iterator[Sandbox]:
    with DuckDBSandbox() as made:
        yield made


def test_duckdb_has_the_tables_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as db:
        db.execute('CREATE TABLE "odd name" (a INTEGER, "b c" TEXT, d REAL, e BLOB, mixed, none TEXT)')
        db.execute(
            "INSERT INTO \"odd name\" VALUES (1, '한글', 1, x'00ff', 1, NULL), "
            "(NULL, 'x', 2.5, NULL, 'y', NULL)"
        )
    db.close()
    with DuckDBSandbox() as sandbox:
        result = sandbox.run(path, 'SELECT * FROM "odd name" ORDER BY a')
        assert result.rows == ((1, "한글", 1.0, b"\x00\xff", "1", None), (None, "x", 2.5, None, "y", None))
        assert sandbox.run(
            path, "SELECT count(*) FILTER (a > 0), 1.50::DECIMAL(9, 2), DATE '2024-01-31' FROM \"odd name\""
        ).rows == ((1, 1.5, "2024-01-31"),)


def test_a_database_that_changes_is_opened_again(sandbox: Sandbox, database: Path) -> None:
    assert sandbox.run(database, "SELECT COUNT(*) FROM t").rows == ((300,),)
    with sqlite3.connect(database) as db:
        db.execute("DELETE FROM t WHERE a > 9")
    db.close()
    assert sandbox.run(database, "SELECT COUNT(*) FROM t").rows == ((10,),)


def test_the_authorizer_sees_a_query_each_time_it_runs(sandbox: Sandbox, database: Path) -> None:
    for _ in range(2):
        assert sandbox.run(database, "SELECT a FROM t").reads == {("t", "a")}


def test_the_copy_of_a_large_table_is_not_the_querys_time(tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"row {i}") for i in range(200_000)))
    db.close()
    with DuckDBSandbox() as sandbox:
        assert sandbox.run(path, "SELECT count(*), max(b) FROM t", timeout=0.2).rows == (
            (200_000, "row 99999"),
        )


def test_duckdb_says_what_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "not.db"
    path.write_text("this is no database at all, however long the text may be " * 9)
    with DuckDBSandbox() as sandbox, pytest.raises(DatabaseUnreadable):
        sandbox.run(path, "SELECT 1")
