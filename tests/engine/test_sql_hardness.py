"""Spider's hardness, what queries are made of, and names that a DDL lacks."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import Any

import pytest

from t2s_tui.sql.dialects import parse
from t2s_tui.sql.features import features
from t2s_tui.sql.hardness import Components, components, hardness
from t2s_tui.sql.masked import masked
from t2s_tui.sql.schema import schema_mapping
from t2s_tui.sql.unknown_names import UnknownNames, unknown_names
from tests.shared_data import shared


@pytest.mark.parametrize(
    ("sql", "level"),
    [
        ("SELECT name FROM t", "easy"),
        ("SELECT name FROM t WHERE age > 3", "easy"),
        ("SELECT name, age FROM t WHERE age > 3 AND name = 'a'", "medium"),
        ("SELECT T2.name, COUNT(*) FROM a AS T1 JOIN b AS T2 ON T1.i = T2.i GROUP BY T1.i", "medium"),
        ("SELECT name FROM t WHERE age > (SELECT AVG(age) FROM t)", "hard"),
        ("SELECT name FROM t WHERE a LIKE 'x' OR b = 2 ORDER BY c", "extra"),
        ("SELECT a FROM t WHERE b = 1 UNION SELECT a FROM u", "hard"),
        ("SELECT a FROM t UNION SELECT b FROM u UNION SELECT c FROM v", "hard"),
        ("WITH c AS (SELECT 1) SELECT a, b FROM c", "extra"),
    ],
)
def test_hardness_by_the_published_rules(sql: str, level: str) -> None:
    assert hardness(parse(sql, "sqlite")) == level


def test_a_long_chain_of_conditions_is_no_recursion() -> None:
    chain = " OR ".join(f"a = {n}" for n in range(700))
    tree = parse(f"SELECT a FROM t WHERE {chain}", "sqlite")
    assert components(tree) == Components(plain=700, nested=0, others=1)
    assert features(tree).used == ("where", "or")


def test_what_is_no_query_has_no_hardness() -> None:
    assert hardness(parse("DELETE FROM t", "sqlite")) == ""


def test_the_counts_are_those_of_spiders_own_structures() -> None:
    """Spider keeps each query as the structure that its evaluation.py counts: 535 of 535 must agree."""
    rows = json.loads(shared("spider/dev_part.json").read_text("utf-8"))
    found = [components(parse(row["query"], "sqlite")) for row in rows]
    assert [(row["query"], Components(*_published(row["sql"]))) for row in rows] == [
        (row["query"], counts) for row, counts in zip(rows, found, strict=True)
    ]
    assert Counter(counts.level for counts in found if counts) == {
        "easy": 122, "medium": 218, "hard": 95, "extra": 100
    }  # fmt: skip


def _published(sql: dict[str, Any]) -> tuple[int, int, int]:
    """`count_component1`, `count_component2` and `count_others` of evaluation.py, in our words."""
    parts = [sql["from"]["conds"], sql["where"], sql["having"]]
    conditions = [condition for part in parts for condition in part[::2]]
    plain = sum(bool(sql[name]) for name in ("where", "groupBy", "orderBy")) + (sql["limit"] is not None)
    plain += len(sql["from"]["table_units"]) - 1 + sum(part[1::2].count("or") for part in parts)
    plain += sum(condition[1] == 9 for condition in conditions)
    nested = sum(isinstance(value, dict) for condition in conditions for value in condition[3:5])
    nested += sum(sql[name] is not None for name in ("intersect", "union", "except"))
    order = [unit for value in (sql["orderBy"] or [None, []])[1] for unit in value[1:3] if unit]
    units = [*sql["select"][1], *sql["where"][::2], *sql["groupBy"], *order, *sql["having"]]
    many = [sum(unit[0] != 0 for unit in units), *(len(sql[n]) for n in ("where", "groupBy"))]
    return plain, nested, sum(count > 1 for count in many) + (len(sql["select"][1]) > 1)


@pytest.mark.parametrize(
    ("sql", "joins", "nesting", "aggregates", "used"),
    [
        ("SELECT a FROM t", 0, 0, 0, ()),
        ("SELECT COUNT(*), MAX(a) FROM t, u WHERE t.i = u.i", 1, 0, 2, ("where",)),
        ("SELECT a FROM t LEFT JOIN t AS s ON 1", 1, 0, 0, ("outer join", "self join")),
        ("SELECT a FROM t WHERE b IN (SELECT b FROM u WHERE c > (SELECT AVG(c) FROM u))", 0, 2, 1,
         ("where", "subquery", "in")),
        ("SELECT a FROM t UNION SELECT b FROM u", 0, 0, 0, ("set operation",)),
        ("WITH q AS (SELECT 1 AS a) SELECT a FROM q", 0, 1, 0, ("subquery", "with")),
        ("SELECT DISTINCT a FROM t WHERE b IS NULL OR c LIKE 'x' LIMIT 3", 0, 0, 0,
         ("where", "limit", "distinct", "like", "null test", "or")),
    ],
)  # fmt: skip
def test_features(sql: str, joins: int, nesting: int, aggregates: int, used: tuple[str, ...]) -> None:
    found = features(parse(sql, "sqlite"))
    assert (found.joins, found.nesting, found.aggregates) == (joins, nesting, aggregates)
    assert found.used == used


DDL = "CREATE TABLE players (id INT, 이름 TEXT, clan_id INT); CREATE TABLE clans (id INT, name TEXT);"


@pytest.mark.parametrize(
    ("sql", "tables", "columns"),
    [
        ("SELECT 이름 FROM Players", (), ()),
        ("SELECT p.NAME FROM players p JOIN clans c ON c.id = p.clan_id", (), ("p.NAME",)),
        ("SELECT name FROM clan", ("clan",), ()),
        ("SELECT level FROM players WHERE rank > 3", (), ("rank",)),
        ("SELECT score AS s FROM players ORDER BY s", (), ("score",)),
        ("WITH top AS (SELECT id AS best FROM players) SELECT best FROM top", (), ()),
        ("SELECT q.n FROM (SELECT COUNT(*) AS n FROM clans) AS q", (), ()),
        ("SELECT id FROM players WHERE EXISTS (SELECT 1 FROM clans WHERE id = clan_id)", (), ()),
        ('SELECT id FROM players WHERE 이름 = "홍길동"', (), ()),
        ("SELECT COUNT(*), rowid, players.* FROM players", (), ()),
        ("SELECT name FROM sqlite_master", (), ()),
        ("SELECT a.id FROM players a WHERE a.id IN (SELECT a.name FROM clans a)", (), ()),
        ("SELECT value FROM players, json_each(이름)", (), ()),
    ],
)
def test_names_that_the_ddl_lacks(sql: str, tables: tuple[str, ...], columns: tuple[str, ...]) -> None:
    schema = schema_mapping(DDL, "sqlite")
    assert schema is not None
    assert unknown_names(parse(sql, "sqlite"), schema, "sqlite") == UnknownNames(tables, columns)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a1 FROM t2 WHERE b = 'it''s' AND c > 3.5", "SELECT a1 FROM t2 WHERE b = 'x' AND c > 1"),
        ('SELECT "2019", `1`, [3] FROM t LIMIT 10', 'SELECT "2019", `1`, [3] FROM t LIMIT 1'),
        (r"SELECT 'it\'s 3'", r"SELECT 'it\'s 3'"),
        ("SELECT 5 -- don't", "SELECT 5 -- don't"),
        ("SELECT 'open FROM t WHERE a = 7", "SELECT 'open FROM t WHERE a = 1"),
    ],
)
def test_masking_literals(sql: str, expected: str) -> None:
    assert masked(sql) == expected


def test_literals_change_nothing_that_is_read_off_a_masked_statement() -> None:
    rows = json.loads(shared("spider/dev_part.json").read_text("utf-8"))
    golds = [row["query"] for row in rows]
    with shared("ko_text2sql/test.csv").open(encoding="utf-8-sig", newline="") as file:
        golds += [row["answer"] for row in csv.DictReader(file)]
    for gold in golds:
        whole, hidden = parse(gold, "mysql"), parse(masked(gold), "mysql")
        assert (features(whole), hardness(whole)) == (features(hidden), hardness(hidden)), gold


def test_spiders_golds_name_what_is_there() -> None:
    """A third of dev and a tenth of train: no column or table is missed where there is one."""
    schemas: dict[str, dict[str, set[str]]] = {}
    for db in json.loads(shared("spider/tables.json").read_text("utf-8")):
        names = [name.lower() for name in db["table_names_original"]]
        tables: dict[str, set[str]] = {name: set() for name in names}
        for at, column in db["column_names_original"]:
            if at >= 0:
                tables[names[at]].add(column.lower())
        schemas[db["db_id"]] = tables
    rows = json.loads(shared("spider/dev_part.json").read_text("utf-8"))[::3]
    rows += json.loads(shared("spider/train_spider_lite.json").read_text("utf-8"))[::10]
    found = [unknown_names(parse(row["query"], "sqlite"), schemas[row["db_id"]], "sqlite") for row in rows]
    assert [f for f in found if f.tables or f.columns] == []
    with_a_typo = rows[0]["query"].replace("singer", "singers")
    assert unknown_names(parse(with_a_typo, "sqlite"), schemas["concert_singer"], "sqlite").tables == (
        "singers",
    )
