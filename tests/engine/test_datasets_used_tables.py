"""Which tables and columns of a DDL a query uses."""

from __future__ import annotations

import pytest

from t2s_tui.datasets.used_tables import table_texts
from t2s_tui.sql.dialects import parse

DDL = """CREATE TABLE clans (
  id INT PRIMARY KEY, -- 번호, 즉 id
  name VARCHAR(10) NOT NULL,
  leader INT,
  FOREIGN KEY (leader) REFERENCES players(id)
);
CREATE TABLE "players" ("id" int, `User Name` text DEFAULT 'a,b;c', lvl decimal(5,2), primary key (id));
CREATE TABLE IF NOT EXISTS 기록 (at DATE);
CREATE INDEX x ON players(id);"""


def used(sql: str, ddl: str = DDL) -> dict[str, list[str]]:
    """Table -> the first words of its lines that are marked, for the tables that are used."""
    texts = table_texts(ddl, parse(sql, "mysql"))
    return {t.name: [t.lines[at].strip() for at in sorted(t.used_lines)] for t in texts if t.used}


def test_statements_are_cut_into_lines_and_counted() -> None:
    clans, players, log, index = table_texts(DDL, None)
    assert clans.lines[1] == "  id INT PRIMARY KEY, -- 번호, 즉 id"
    assert players.lines == (
        'CREATE TABLE "players" (',
        '  "id" int,',
        "  `User Name` text DEFAULT 'a,b;c',",
        "  lvl decimal(5,2),",
        "  primary key (id)",
        ");",
    )
    assert [(t.name, t.columns) for t in (clans, players, log, index)] == [
        ("clans", 3),
        ("players", 3),
        ("기록", 1),
        ("", 0),
    ]
    assert not any(t.used or t.used_lines for t in (clans, players, log, index))


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (
            "SELECT p.`User Name` FROM players p JOIN clans ON leader = p.id",
            {"clans": ["leader INT,"], "players": ['"id" int,', "`User Name` text DEFAULT 'a,b;c',"]},
        ),
        ("SELECT COUNT(*) FROM CLANS", {"clans": []}),
        ("SELECT * FROM 기록", {"기록": ["at DATE"]}),
        (
            "WITH players AS (SELECT name FROM clans) SELECT name FROM players",
            {"clans": ["name VARCHAR(10) NOT NULL,"]},
        ),
        (
            "SELECT c.* FROM clans c, 기록",
            {
                "clans": ["id INT PRIMARY KEY, -- 번호, 즉 id", "name VARCHAR(10) NOT NULL,", "leader INT,"],
                "기록": [],
            },
        ),
        ("SELECT a FROM elsewhere", {}),
    ],
)
def test_used_columns_are_marked(sql: str, found: dict[str, list[str]]) -> None:
    assert used(sql) == found


def test_a_ddl_that_does_not_parse_is_read_all_the_same() -> None:
    odd = "CREATE TABLE t (a INT,, b WHAT EVER (((, c TEXT"
    assert [t.name for t in table_texts(odd, parse("SELECT a FROM t", "sqlite"))] == ["t"]
    assert table_texts("", None) == []
    assert table_texts("just words", None)[0].lines == ("just words",)
