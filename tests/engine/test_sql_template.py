"""Statements with their names hidden say what they say with their names."""

from __future__ import annotations

import json

import pytest

from t2s_tui.datasets.audit import statements
from t2s_tui.datasets.audit.statements import Statement, read_statement
from t2s_tui.sql.dialects import SqlSyntaxError
from t2s_tui.sql.template import template
from tests.shared_data import shared

DDL = (
    "CREATE TABLE players (id INT, name TEXT, date DATE, first TEXT, count INT, level INT);\n"
    "CREATE TABLE 클랜 (이름 TEXT, leader INT);"
)
NAMES = frozenset("players id name date first count level 클랜 이름 leader".split())  # noqa: SIM905


def test_names_become_places() -> None:
    assert template("SELECT T1.name FROM players AS T1 WHERE t1.ID = 1", NAMES, "sqlite") == (
        "SELECT zq_0.zq_1 FROM zq_2 AS zq_0 WHERE zq_0.zq_3 = 1",
        {"zq_0": "T1", "zq_1": "name", "zq_2": "players", "zq_3": "ID"},
    )
    assert template("SELECT 이름 FROM 클랜", NAMES, "mysql")[0] == "SELECT zq_0 FROM zq_1"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT date FROM t",  # a word of the language
        "SELECT a FROM t ORDER BY a NULLS FIRST",  # a column of that name is declared
        "SELECT level FROM t CONNECT BY level < 1",
        "SELECT COUNT(*) FROM t",
        'SELECT "name" FROM t',  # quoted: it stays, and so it does elsewhere
        'SELECT "name", name FROM t',
        "SELECT a FROM t WHERE b = 'x' AND zq_1 = 1",
        "SELECT a FROM t -- name",
    ],
)
def test_what_may_be_more_than_a_name_stays(sql: str) -> None:
    assert template(sql, NAMES, "sqlite") == (sql, {})


def read(sql: str, dialect: str = "sqlite", ddl: str = DDL) -> Statement | str:
    try:
        return read_statement(sql, ddl, dialect)
    except SqlSyntaxError as error:
        return str(error)


GOLDS = [
    "SELECT name FROM players WHERE level > 3",
    "SELECT p.name, k.이름 FROM players AS p JOIN 클랜 AS k ON k.leader = p.id",
    "SELECT a.name FROM players a JOIN players b ON a.id = b.id",
    "SELECT p.nick FROM players AS p",  # no such column
    "SELECT name FROM nowhere AS n WHERE n.name = 'a'",  # no such table
    "SELECT name AS 이름 FROM players ORDER BY 이름",
    "WITH top AS (SELECT id FROM players) SELECT id FROM top WHERE id IN (SELECT leader FROM 클랜)",
    "SELECT name FROM players GROUP BY name HAVING COUNT(*) > 1 ORDER BY COUNT(*) DESC NULLS FIRST",
    "SELECT count FROM players AS count",
    "SELECT name FROM",
    "SELECT CAST(level AS REAL) AS level FROM players",
]


@pytest.mark.parametrize("dialect", ["sqlite", "mysql", "postgres"])
@pytest.mark.parametrize("sql", GOLDS)
def test_a_statement_says_the_same_with_its_names_hidden(
    sql: str, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = read(sql, dialect)
    forget()
    monkeypatch.setattr(statements, "template", lambda sql, names, dialect: (sql, {}))
    assert hidden == read(sql, dialect)
    forget()


def forget() -> None:
    statements._statement.cache_clear()
    statements._built.cache_clear()


def test_the_golds_of_spider_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = {db["db_id"]: _ddl(db) for db in json.loads(shared("spider/tables.json").read_text("utf-8"))}
    rows = json.loads(shared("spider/dev_part.json").read_text("utf-8"))
    forget()
    hidden = [read(row["query"], ddl=schemas[row["db_id"]]) for row in rows]
    assert statements._built.cache_info().misses < len(rows) / 2
    forget()
    monkeypatch.setattr(statements, "template", lambda sql, names, dialect: (sql, {}))
    assert hidden == [read(row["query"], ddl=schemas[row["db_id"]]) for row in rows]
    forget()


def _ddl(db: dict[str, list[list[object]]]) -> str:
    tables = []
    for at, name in enumerate(db["table_names_original"]):
        columns = [f'  "{column}" TEXT' for of, column in db["column_names_original"] if of == at]
        tables.append(f'CREATE TABLE "{name}" (\n' + ",\n".join(columns) + "\n);")
    return "\n".join(tables)
