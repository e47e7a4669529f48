"""Parsing with positions, MySQL to SQLite, schemas, the guard and highlighting."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.errors import UsageError
from t2s_tui.sql.dialects import Position, SqlSyntaxError, check_dialect, parse, translate
from t2s_tui.sql.guard import refuse_reason
from t2s_tui.sql.highlight import CLASSES, tokens
from t2s_tui.sql.schema import Column, ForeignKey, schema_mapping, tables_in
from tests.shared_data import shared


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT 'abc FROM t", 1, 8),
        ("SELECT a FROM t WHERE", 1, 17),
        ("SELECT a\nFROM t WHERE x = = 2", 2, 18),
        ("SELEC a FROM t", 1, 9),
        ("hello world", 1, 1),
        ("", 1, 1),
        ("SELECT 1; SELECT 2", 1, 1),
        ("SELECT * FROM a WHERE x IN (" + "SELECT x FROM b WHERE x IN (" * 600, 1, 1),
        # Compiled sqlglot takes this until the C stack ends, and with it the process.
        ("SELECT * FROM " + "(SELECT * FROM " * 20_000 + "t" + ")" * 20_000, 1, 1),
        ("사용자 이름을 알려주세요.", 1, 9),
    ],
)
def test_what_does_not_parse_says_where(sql: str, line: int, column: int) -> None:
    with pytest.raises(SqlSyntaxError) as raised:
        parse(sql, "mysql")
    assert raised.value.position == Position(line, column)
    assert "<Token" not in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    many = ", ".join(["(1, 2)"] * 2_000)
    assert parse(f"INSERT INTO t VALUES {many}", "sqlite")


@given(st.text(alphabet="SELECT FROM t WHERE(),.'\"`;-*/=1a한", max_size=60))
def test_parsing_fails_in_one_way_only(sql: str) -> None:
    """Any other exception than SqlSyntaxError fails this test."""
    for dialect in ("sqlite", "mysql"):
        with contextlib.suppress(SqlSyntaxError):
            parse(sql, dialect)


def test_an_unknown_dialect_is_named_with_those_there_are() -> None:
    assert check_dialect("PostgreSQL") == "postgres"
    with pytest.raises(UsageError, match=r"klingon.*sqlite"):
        check_dialect("klingon")


@pytest.mark.parametrize(
    ("mysql", "expected"),
    [
        ("YEAR('2024-02-29')", 2024),
        ("MONTH('2024-02-29')", 2),
        ("DAY('2024-02-29')", 29),
        ("HOUR('2024-02-29 13:05:06')", 13),
        ("MINUTE('2024-02-29 13:05:06')", 5),
        ("QUARTER('2024-02-29')", 1),
        ("QUARTER('2024-12-01')", 4),
        ("DAYOFWEEK('2024-03-03')", 1),
        ("WEEKDAY('2024-03-03')", 6),
        ("LEFT('abcdef', 3)", "abc"),
        ("RIGHT('abcdef', 2)", "ef"),
        ("DATEDIFF('2024-03-01 00:30:00', '2024-02-28 23:59:00')", 2),
        ("TIMESTAMPDIFF(YEAR, '2000-06-15', '2024-06-14')", 23),
        ("TIMESTAMPDIFF(YEAR, '2000-06-15', '2024-06-15')", 24),
        ("TIMESTAMPDIFF(YEAR, '2024-06-14', '2000-06-15')", -23),
        ("TIMESTAMPDIFF(DAY, '2024-02-01', '2024-03-01')", 29),
        ("DATE_SUB('2024-03-01', INTERVAL 1 DAY)", "2024-02-29"),
        ("DATE_ADD('2024-03-01', INTERVAL 2 WEEK)", "2024-03-15"),
        ("DATE_ADD('2024-03-01 10:00:00', INTERVAL 3 HOUR)", "2024-03-01 13:00:00"),
        ("'2024-03-01' - INTERVAL 1 MONTH", "2024-02-01"),
        ("CONCAT('a', 'b')", "ab"),
        ("7 / 2", 3.5),
        ("IF(1 > 2, 'x', 'y')", "y"),
        ("DATE_FORMAT('2024-02-29', '%Y-%m')", "2024-02"),
        ("NOW() > '2020-01-01'", 1),
        ("DATE_SUB(NOW(), INTERVAL 7 DAY) < NOW()", 1),
        ('"text"', "text"),
    ],
)
def test_mysql_means_the_same_on_sqlite(mysql: str, expected: object) -> None:
    with sqlite3.connect(":memory:") as db:
        assert db.execute(translate(f"SELECT {mysql}", "mysql", "sqlite")).fetchone()[0] == expected


def test_the_same_dialect_is_left_alone() -> None:
    assert translate("select  1 -- as it is", "sqlite", "sqlite") == "select  1 -- as it is"


def test_ko_text2sql_runs_on_sqlite_after_translation() -> None:
    with shared("ko_text2sql/test.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    failed = []
    for row in rows:
        with sqlite3.connect(":memory:") as db:
            db.executescript(";".join(_each(row["context"])))
            try:
                db.execute(translate(row["answer"], "mysql", "sqlite"))
            except sqlite3.Error as error:
                failed.append(str(error))
    assert len(rows) == 112
    # Two golds ask for a table that their own DDL does not have.
    assert failed == ["no such table: characters"] * 2


def _each(ddl: str) -> list[str]:
    from t2s_tui.sql.dialects import generate, parse_all

    return [generate(tree, "sqlite") for tree in parse_all(ddl, "mysql")]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("DELETE FROM t", "DELETE"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "DELETE"),
        ("INSERT INTO t SELECT 1", "INSERT"),
        ("-- SELECT\nDROP TABLE t", "DROP"),
        ("/* hi */ PRAGMA writable_schema=ON", "PRAGMA"),
        ("ATTACH 'x' AS y", "ATTACH"),
        ("VACUUM INTO 'x'", "VACUUM"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("SELECT 1; DROP TABLE t", "2 statements"),
        ("SELECT load_extension('x')", "load_extension"),
        ("SELECT a INTO b FROM t", "INTO"),
        ("", "no SQL"),
        ("-- only a comment", "no SQL"),
    ],
)
def test_what_is_refused(sql: str, word: str) -> None:
    reason = refuse_reason(sql, "sqlite")
    assert reason is not None
    assert word in reason


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "(SELECT 1)",
        "-- why\nSELECT 1;",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "VALUES (1)",
        "SELECT 'DELETE FROM t'",
        "SELECT 'load_extension(1)'",
        "SELECT broken FROM",
    ],
)
def test_what_may_go_to_the_sandbox(sql: str) -> None:
    assert refuse_reason(sql, "sqlite") is None


def test_tables_in_a_mysql_ddl() -> None:
    ddl = """CREATE TABLE players (player_id INT PRIMARY KEY AUTO_INCREMENT, 이름 VARCHAR(255) NOT NULL);
    CREATE TABLE characters (character_id INT, player_id INT, clan_id INT REFERENCES clans(id),
      PRIMARY KEY (character_id), FOREIGN KEY (player_id) REFERENCES players(player_id));"""
    players, characters = tables_in(ddl, "mysql")
    assert players.name == "players"
    assert players.columns == (
        Column("player_id", "INT", primary_key=True, nullable=False, declared="INT"),
        Column("이름", "VARCHAR(255)", nullable=False, declared="VARCHAR", not_null=True),
    )
    assert characters.columns[0].primary_key
    assert characters.foreign_keys == (
        ForeignKey(("player_id",), "players", ("player_id",)),
        ForeignKey(("clan_id",), "clans", ("id",)),
    )
    assert schema_mapping(ddl, "mysql") is not None
    assert schema_mapping("CREATE TABLE ((", "mysql") is None
    assert schema_mapping(None, "mysql") is None


@given(st.text(max_size=60))
def test_highlighting_loses_no_character(text: str) -> None:
    found = tokens(text)
    assert "".join(t for t, _ in found) == text
    assert {c for _, c in found} <= set(CLASSES)


def test_highlighting_classes() -> None:
    assert [(t, c) for t, c in tokens("SELECT a FROM t WHERE b = 'x' AND c > 3 -- why") if c != "plain"] == [
        ("SELECT", "keyword"),
        ("a", "name"),
        ("FROM", "keyword"),
        ("t", "name"),
        ("WHERE", "keyword"),
        ("b", "name"),
        ("=", "operator"),
        ("'x'", "string"),
        ("AND", "keyword"),
        ("c", "name"),
        (">", "operator"),
        ("3", "number"),
        ("-- why", "comment"),
    ]


def test_unsafe_cases_that_write_are_refused_before_they_run() -> None:
    lines = shared("equivalence/unsafe_cases.jsonl").read_text("utf-8").splitlines()
    cases = {c["id"]: c for c in map(json.loads, lines)}
    refused = {k for k, c in cases.items() if refuse_reason(c["sql"], c["dialect"])}
    assert refused == {
        "duckdb_set_back",
        "duckdb_copy_to",
        "sqlite_delete",
        "sqlite_insert",
        "sqlite_vacuum_into",
        "sqlite_pragma_write",
        "sqlite_pragma_case",
    }
