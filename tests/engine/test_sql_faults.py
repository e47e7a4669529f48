"""The fault taxonomy: hand-written pairs of every kind, the leading fault, and published predictions."""

from __future__ import annotations

import json

import pytest

from t2s_tui.sql.faults import HELP, Fault, count_faults, faults_of, with_evidence
from tests.shared_data import shared

DDL = """CREATE TABLE players (id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  clan_id INTEGER REFERENCES clans (id), level INTEGER, city TEXT, joined DATE);
CREATE TABLE clans (id INTEGER PRIMARY KEY, title TEXT, founded INTEGER);
CREATE TABLE items (id INTEGER PRIMARY KEY, price REAL,
  player_id INTEGER NOT NULL REFERENCES players (id));"""

JOINED = "SELECT p.name FROM players p JOIN clans c ON p.clan_id = c.id WHERE c.title = 'a'"

#: (gold, generated, its faults)
CASES: list[tuple[str, str, list[str]]] = [
    ("SELECT name FROM players", "", ["empty"]),
    ("SELECT name FROM players", "SELECT name FROM players WHERE", ["syntax"]),
    ("SELECT name FROM players", "SELECT name FROM players WHERE city = 'a", ["syntax"]),
    ("SELECT name FROM players", "SELECT name FROM players; SELECT 1", ["run-on text"]),
    ("SELECT name FROM players", "SELECT name FROM gamers", ["unknown table", "wrong table"]),
    ("SELECT name FROM players", "SELECT nickname FROM players", ["unknown column", "projection"]),
    ("SELECT name FROM players", "SELECT p.title FROM players p", ["unknown column", "projection"]),
    ("SELECT id FROM players", "SELECT id FROM clans", ["wrong table"]),
    (
        "SELECT c.title, COUNT(p.id) FROM clans c LEFT JOIN players p ON p.clan_id = c.id GROUP BY c.id",
        "SELECT c.title, COUNT(p.id) FROM clans c JOIN players p ON p.clan_id = c.id GROUP BY c.id",
        ["join type"],
    ),
    (JOINED, JOINED.replace("p.clan_id", "p.id"), ["join condition"]),
    (
        "SELECT name FROM players WHERE level > 3",
        "SELECT p.name FROM players p JOIN clans c ON p.clan_id = c.id WHERE p.level > 3",
        ["redundant join"],
    ),
    (
        "SELECT p.name FROM players p JOIN items i ON i.player_id = p.id WHERE p.level > 3",
        "SELECT name FROM players WHERE level > 3",
        ["missing join"],
    ),
    ("SELECT name FROM players", "SELECT name, level FROM players", ["projection"]),
    ("SELECT name, level FROM players", "SELECT level, name FROM players", ["projection"]),
    ("SELECT name FROM players WHERE city = 'a'", "SELECT name FROM players WHERE city = 'b'", ["value"]),
    (
        "SELECT name FROM players WHERE city IN ('a', 'b')",
        "SELECT name FROM players WHERE city IN ('a', 'c')",
        ["value"],
    ),
    ("SELECT name FROM players WHERE level > 3", "SELECT name FROM players WHERE level >= 3", ["operator"]),
    (
        "SELECT name FROM players WHERE city = 'a'",
        "SELECT name FROM players WHERE city LIKE '%a%'",
        ["operator"],
    ),
    ("SELECT name FROM players WHERE city = 'a'", "SELECT name FROM players WHERE city <> 'a'", ["operator"]),
    (
        "SELECT name FROM players WHERE level > 3 OR city = 'a'",
        "SELECT name FROM players WHERE level > 4 OR city = 'a'",
        ["value"],
    ),
    (
        "SELECT name FROM players WHERE level > 3 AND city = 'a'",
        "SELECT name FROM players WHERE level > 3",
        ["filter missing"],
    ),
    (
        "SELECT name FROM players WHERE level > 3",
        "SELECT name FROM players WHERE level > 3 AND city IS NOT NULL",
        ["filter extra"],
    ),
    ("SELECT MAX(level) FROM players", "SELECT MIN(level) FROM players", ["aggregate"]),
    ("SELECT COUNT(level) FROM players", "SELECT COUNT(DISTINCT level) FROM players", ["aggregate"]),
    ("SELECT AVG(level) FROM players", "SELECT level FROM players", ["aggregate"]),
    ("SELECT MAX(level) FROM players", "SELECT MAX(clan_id) FROM players", ["aggregate", "projection"]),
    (
        "SELECT COUNT(*) FROM players GROUP BY city",
        "SELECT COUNT(*) FROM players GROUP BY level",
        ["grouping"],
    ),
    ("SELECT city, COUNT(*) FROM players GROUP BY city", "SELECT city, COUNT(*) FROM players", ["grouping"]),
    (
        "SELECT city FROM players GROUP BY city HAVING COUNT(*) > 2",
        "SELECT city FROM players GROUP BY city HAVING COUNT(*) > 3",
        ["having"],
    ),
    ("SELECT name FROM players ORDER BY level", "SELECT name FROM players ORDER BY level DESC", ["ordering"]),
    ("SELECT name FROM players ORDER BY level", "SELECT name FROM players", ["ordering"]),
    (
        "SELECT name FROM players ORDER BY level LIMIT 3",
        "SELECT name FROM players ORDER BY level LIMIT 5",
        ["limit"],
    ),
    ("SELECT DISTINCT city FROM players", "SELECT city FROM players", ["distinct"]),
    (
        "SELECT city FROM players UNION SELECT title FROM clans",
        "SELECT city FROM players UNION ALL SELECT title FROM clans",
        ["set operation"],
    ),
    (
        "SELECT city FROM players EXCEPT SELECT title FROM clans",
        "SELECT city FROM players",
        ["set operation"],
    ),
    (
        "SELECT name FROM players WHERE level = (SELECT MAX(level) FROM players)",
        "SELECT name FROM players WHERE level = (SELECT MIN(level) FROM players)",
        ["aggregate"],
    ),
    (
        "SELECT name FROM players WHERE NOT id IN (SELECT player_id FROM items)",
        "SELECT name FROM players WHERE NOT id IN (SELECT player_id FROM items WHERE price > 3)",
        ["filter extra"],
    ),
    (
        "SELECT name FROM players WHERE level > (SELECT AVG(level) FROM players)",
        "SELECT name FROM players WHERE level > 3",
        ["subquery"],
    ),
]


@pytest.mark.parametrize(("gold", "generated", "faults"), CASES)
def test_pairs_of_every_kind(gold: str, generated: str, faults: list[str]) -> None:
    assert [str(fault) for fault in faults_of(gold, generated, "sqlite", DDL)] == faults


def test_every_fault_has_a_case_and_a_line_of_help() -> None:
    seen = {fault for _, _, faults in CASES for fault in faults}
    assert seen == {str(fault) for fault in Fault if fault is not Fault.OTHER}
    assert set(HELP) == set(Fault)
    assert all(line and "\n" not in line for line in HELP.values())


def test_what_only_costs_a_join_does_not_lead() -> None:
    gold = "SELECT i.id FROM items i WHERE i.price > 3"
    generated = "SELECT i.id FROM items i JOIN players p ON p.id = i.player_id WHERE i.price > 5"
    assert faults_of(gold, generated, "sqlite", DDL) == (Fault.VALUE, Fault.REDUNDANT_JOIN)


def test_text_after_the_sql_is_a_fault_but_does_not_lead_where_the_sql_was_cut_out() -> None:
    raw = "```sql\nSELECT name FROM players WHERE level > 4;\n```\nThis query lists all players."
    gold, generated = "SELECT name FROM players WHERE level > 3", "SELECT name FROM players WHERE level > 4"
    assert faults_of(gold, generated, "sqlite", DDL, raw=raw) == (Fault.VALUE, Fault.RUN_ON)
    assert faults_of(gold, generated, "sqlite", DDL, raw=raw.split("\nThis")[0]) == (Fault.VALUE,)
    assert faults_of(gold, "", "sqlite", DDL, raw="I cannot answer that.") == (Fault.EMPTY,)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ("no such table: gamers", Fault.UNKNOWN_TABLE),
        ("no such column: p.nickname", Fault.UNKNOWN_COLUMN),
        ("ambiguous column name: id", Fault.UNKNOWN_COLUMN),
        ('near "FROM": syntax error', Fault.SYNTAX),
        ("misuse of aggregate: MAX()", Fault.AGGREGATE),
    ],
)
def test_the_engines_error_names_a_fault(error: str, fault: Fault) -> None:
    found = faults_of("SELECT name FROM players", "SELECT level FROM players", "sqlite", None, error=error)
    assert found[0] is fault


def test_the_class_of_a_refutation_decides_which_difference_leads() -> None:
    gold = "SELECT name FROM players WHERE level > 3 ORDER BY joined LIMIT 1"
    generated = "SELECT name FROM players WHERE level > 4 ORDER BY id LIMIT 1"
    assert faults_of(gold, generated, "sqlite", DDL)[0] is Fault.VALUE
    assert faults_of(gold, generated, "sqlite", DDL, refutation="tie")[0] is Fault.ORDERING


def test_evidence_that_comes_later_orders_the_faults_that_were_read_before() -> None:
    """What a list does with stored faults: no parsing, the same as with the evidence at hand at once."""
    gold = "SELECT name FROM players WHERE level > 3 ORDER BY joined LIMIT 1"
    generated = "SELECT name FROM players WHERE level > 4 ORDER BY id LIMIT 1"
    stored = [str(fault) for fault in faults_of(gold, generated, "sqlite", DDL)]
    for error in ("", "no such table: x", "no such column: y", "misuse of aggregate: MAX()"):
        for refutation in ("", "data", "null", "tie", "empty", "orphan"):
            at_once = faults_of(gold, generated, "sqlite", DDL, error=error, refutation=refutation)
            assert with_evidence(stored, error, refutation) == at_once
    assert with_evidence(["filter extra", "join type"], "", "null") == (Fault.JOIN_TYPE, Fault.FILTER_EXTRA)
    assert with_evidence(["other"], "no such column: y") == (Fault.UNKNOWN_COLUMN,)
    assert with_evidence([], "3 rows where gold has 4") == ()
    assert with_evidence(["a fault of another version", "value"]) == (Fault.VALUE,)


def test_what_has_no_name_is_other() -> None:
    assert faults_of("SELECT 1", "SELECT 1", "sqlite") == (Fault.OTHER,)


def test_counts_by_fault() -> None:
    faults = [["value", "limit"], ["value"], ["limit"], ["join type", "limit"], []]
    assert count_faults(faults) == {"value": 2, "join type": 1, "limit": 1}
    assert count_faults(faults, leading=False) == {"limit": 3, "value": 2, "join type": 1}
    assert list(count_faults([(Fault.LIMIT,), (Fault.SYNTAX,)])) == ["syntax", "limit"]


def test_published_predictions_that_failed_all_get_a_name() -> None:
    """CodeS-1B on Spider: hardly any fault is without a name, and what the engine refused is seen as such."""
    tables = {t["db_id"]: t for t in json.loads(shared("spider/tables.json").read_text("utf-8"))}
    rows = [
        json.loads(x) for x in shared("spider_predictions/codes_1b.jsonl").read_text("utf-8").splitlines()
    ]
    wrong = [row for row in rows if not row["ex"]][::4]
    ddls = {name: spider_ddl(tables[name]) for name in {row["db_id"] for row in wrong}}
    found = {
        row["i"]: faults_of(row["gold"], row["pred"], "sqlite", ddls[row["db_id"]], error=row["error"])
        for row in wrong
    }
    assert sum(Fault.OTHER in faults for faults in found.values()) <= len(wrong) // 50
    for row in wrong:
        if row["error"].startswith("no such column"):
            assert found[row["i"]][0] is Fault.UNKNOWN_COLUMN, row
    assert len({faults[0] for faults in found.values()}) >= 8


def spider_ddl(tables: dict[str, object]) -> str:
    """Bare tables with the columns that Spider's tables.json names."""
    names = list(tables["table_names_original"])  # type: ignore[call-overload]
    columns: dict[int, list[str]] = {}
    for of, name in tables["column_names_original"]:  # type: ignore[attr-defined]
        columns.setdefault(of, []).append(f'"{name}"')
    return ";\n".join(f'CREATE TABLE "{name}" ({", ".join(columns[i])})' for i, name in enumerate(names))
