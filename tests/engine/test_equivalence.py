"""Equivalence without a database: verdicts, their evidence replayed, classes, readings, hostile queries."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.evaluation.equivalence import Equivalence
from t2s_tui.evaluation.equivalence.implied import computed, implied
from t2s_tui.evaluation.equivalence.mutants import mutants_of
from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import parse
from tests.shared_data import shared

PASS, FAIL, UNKNOWN, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR
SHOP = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, city TEXT, joined DATE);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (user_id), total INTEGER,
  paid_on DATE
);
"""
GAME = """
CREATE TABLE players (player_id INT PRIMARY KEY AUTO_INCREMENT, username VARCHAR(255) UNIQUE NOT NULL,
  last_login DATETIME);
CREATE TABLE characters (character_id INT PRIMARY KEY AUTO_INCREMENT, player_id INT, level INT,
  FOREIGN KEY (player_id) REFERENCES players (player_id));
"""


def judged(gold: str, generated: str, ddl: str = SHOP, dialect: str = "sqlite", **more: Any) -> Judged:
    return judge_pair(Pair(gold, generated, dialect, ddl, **more))


def replayed(verdict: Judged) -> sqlite3.Connection:
    """A fresh sqlite3 with the counterexample's statements run on it."""
    example = verdict.evidence["counterexample"]
    connection = sqlite3.connect(":memory:")
    for statement in (*example["ddl"], *example["inserts"]):
        connection.execute(statement)
    return connection


@pytest.mark.parametrize(
    ("gold", "generated", "kind", "realistic"),
    [
        ("SELECT name FROM users WHERE city = 'Seoul'", "SELECT name FROM users WHERE city <> 'Seoul'",
         "data", FAIL),
        ("SELECT COUNT(*) FROM orders WHERE total > 100", "SELECT COUNT(*) FROM orders WHERE total >= 100",
         "data", FAIL),
        ("SELECT u.name FROM users u LEFT JOIN orders o ON o.user_id = u.user_id",
         "SELECT u.name FROM users u JOIN orders o ON o.user_id = u.user_id", "data", FAIL),
        ("SELECT user_id FROM orders GROUP BY user_id HAVING COUNT(*) > 3",
         "SELECT user_id FROM orders GROUP BY user_id HAVING COUNT(*) > 4", "data", FAIL),
        ("SELECT name FROM users ORDER BY name LIMIT 100", "SELECT name FROM users ORDER BY name LIMIT 99",
         "data", FAIL),
        ("SELECT name FROM users WHERE joined > '2024-02-28'",
         "SELECT name FROM users WHERE joined > '2024-03-01'", "data", FAIL),
        ("SELECT COUNT(*) FROM users", "SELECT COUNT(city) FROM users", "null", PASS),
        ("SELECT SUM(total) FROM orders", "SELECT COALESCE(SUM(total), 0) FROM orders", "empty", PASS),
        ("SELECT MAX(order_id) FROM orders", "SELECT order_id FROM orders ORDER BY order_id DESC LIMIT 1",
         "empty", PASS),
    ],
)  # fmt: skip
def test_a_refutation_shows_rows_that_replay(
    gold: str, generated: str, kind: str, realistic: Outcome
) -> None:
    verdict = judged(gold, generated)
    assert verdict.outcome is FAIL, verdict
    evidence = verdict.evidence
    assert (evidence["class"], evidence["strict"]["outcome"]) == (kind, "fail")
    assert evidence["realistic"]["outcome"] == str(realistic)
    connection = replayed(verdict)
    ran = evidence.get("ran", {"gold": gold, "generated": generated})
    for side, sql in (("gold", ran["gold"]), ("pred", ran["generated"])):
        rows = [list(row) for row in connection.execute(sql)]
        assert Counter(map(str, rows)) == Counter(map(str, evidence["counterexample"][side]["rows"]))
    assert sum(len(t["rows"]) for t in evidence["counterexample"]["tables"]) <= 8
    assert json.loads(json.dumps(dict(evidence))) == dict(evidence)


@pytest.mark.parametrize(
    ("gold", "generated"),
    [
        ("SELECT name FROM users WHERE 5 < user_id", "select u.name from users as u where u.user_id > 5"),
        ("SELECT COUNT(*) FROM orders", "SELECT COUNT(*) FROM orders o JOIN users USING (user_id)"),
        ("SELECT name FROM users WHERE user_id IN (SELECT user_id FROM orders)",
         "SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.user_id)"),
        ("SELECT user_id FROM users EXCEPT SELECT user_id FROM orders",
         "SELECT user_id FROM users WHERE user_id NOT IN (SELECT user_id FROM orders)"),
        ("SELECT AVG(total) FROM orders", "SELECT SUM(total) * 1.0 / COUNT(total) FROM orders"),
        ("SELECT MAX(joined) FROM users", "SELECT MAX(DISTINCT joined) FROM users"),
    ],
)  # fmt: skip
def test_what_means_the_same_is_not_refuted(gold: str, generated: str) -> None:
    verdict = judged(gold, generated)
    assert verdict.outcome is PASS, verdict
    assert verdict.evidence["class"] in ("proved", "not-refuted")


def test_a_pass_says_how_much_was_tried() -> None:
    verdict = judged(
        "SELECT name FROM users WHERE user_id IN (SELECT user_id FROM orders WHERE total > 10)",
        "SELECT name FROM users u WHERE EXISTS "
        "(SELECT 1 FROM orders o WHERE o.user_id = u.user_id AND o.total >= 11 AND o.total = o.total)",
    )
    assert verdict.outcome is PASS
    evidence = verdict.evidence
    assert evidence["class"] == "not-refuted"
    assert evidence["databases"] == 40
    assert evidence["coverage"] > 0.8
    assert evidence["mutants"]["killed"] <= evidence["mutants"]["made"]


def test_the_same_seed_gives_the_same_verdict() -> None:
    pair = Pair("SELECT city FROM users", "SELECT DISTINCT city FROM users", "sqlite", SHOP)
    first, second, other = judge_pair(pair, 7), judge_pair(pair, 7), judge_pair(pair, 8)
    assert first == second
    assert other.outcome is first.outcome


def test_the_same_seed_gives_the_same_databases_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python hashes texts anew in each process: nothing that is drawn may follow the order of a set."""
    ddl = (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, y INTEGER, z TEXT);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id), u TEXT, v INTEGER, w TEXT);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, b_id INTEGER REFERENCES b (id), p TEXT, q INTEGER);"
    )
    gold = (
        "SELECT DISTINCT a.x, a.y, a.z FROM a JOIN b ON b.a_id = a.id JOIN c ON c.b_id = b.id "
        "WHERE b.u = 'red' AND c.q > 3"
    )
    pair = Pair(gold, gold.replace("DISTINCT ", ""), "sqlite", ddl)
    shown = []
    for salt in "0123":
        monkeypatch.setenv("PYTHONHASHSEED", salt)
        with Equivalence(workers=1) as equivalence:
            shown.append(equivalence.judge(pair).evidence)
    assert shown[0]["class"] == "data"
    assert all(evidence == shown[0] for evidence in shown[1:])


def test_mysql_is_translated_and_large_limits_are_shrunk_alike() -> None:
    gold = (
        "SELECT p.username FROM players p WHERE YEAR(p.last_login) = 2023 ORDER BY p.last_login DESC LIMIT 50"
    )
    wrong = gold.replace("2023", "2024")
    verdict = judged(gold, wrong, GAME, "mysql")
    assert (verdict.outcome, verdict.evidence["limits"]) == (FAIL, {"50": 4})
    replayed(verdict)
    same = judged(gold, gold.replace("= 2023", "> 2022 AND YEAR(p.last_login) < 2024"), GAME, "mysql")
    assert same.outcome is PASS, same


def test_dialects_that_sqlite_cannot_run_are_run_by_duckdb() -> None:
    ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, c VARCHAR);"
    gold = "SELECT id FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY id) = 1"
    inner = "SELECT id, ROW_NUMBER() OVER (PARTITION BY a ORDER BY id) AS r FROM t"
    assert judged(gold, f"SELECT id FROM ({inner}) WHERE r = 1", ddl, "duckdb").outcome is PASS
    wrong = judged(gold, f"SELECT id FROM ({inner}) WHERE r <= 2", ddl, "duckdb")
    assert wrong.outcome is FAIL
    assert wrong.evidence["engine"].startswith("duckdb")


def test_several_golds_are_right() -> None:
    pair = Pair(
        "SELECT name FROM users", "SELECT city FROM users", ddl=SHOP, accepted=("SELECT u.city FROM users u",)
    )
    assert judge_pair(pair).outcome is PASS


@pytest.mark.parametrize(
    ("generated", "ddl", "outcome", "word"),
    [
        ("", SHOP, ERROR, "no SQL"),
        ("SELECT nope FROM users", SHOP, ERROR, "no such column: nope"),
        ("SELECT (", SHOP, ERROR, "does not run"),
        ("DELETE FROM users", SHOP, ERROR, "refused"),
        ("SELECT name FROM users; DROP TABLE users", SHOP, ERROR, "refused"),
        ("SELECT name FROM users", None, UNKNOWN, "no DDL"),
        ("SELECT name FROM users", "CREATE TABEL (", UNKNOWN, "DDL"),
    ],
)
def test_what_cannot_be_judged_says_why(generated: str, ddl: str | None, outcome: Outcome, word: str) -> None:
    verdict = judge_pair(Pair("SELECT city FROM users", generated, "sqlite", ddl))
    assert (verdict.outcome, word in verdict.why) == (outcome, True), verdict


# -- the workers ------------------------------------------------------------------------------


def test_many_pairs_come_back_in_order() -> None:
    numbers = [str(n) for n in range(40)]
    pairs = [Pair("SELECT user_id FROM users", f"SELECT {n} FROM users", "sqlite", SHOP) for n in numbers]
    pairs[13] = Pair("SELECT name FROM users", "SELECT u.name FROM users u", "sqlite", SHOP)
    with Equivalence(workers=2) as equivalence:
        found = list(equivalence.judge_many(iter(pairs)))
    assert [v.outcome for v in found] == [PASS if at == 13 else FAIL for at in range(40)]


def _endless() -> Iterator[str]:
    yield "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
    yield "SELECT COUNT(*) FROM " + ", ".join(f"users u{n}" for n in range(30))
    yield "SELECT LENGTH(HEX(RANDOMBLOB(900000000))) FROM users"
    yield "SELECT load_extension('x') FROM users"


@pytest.mark.parametrize("generated", list(_endless()))
def test_hostile_queries_are_contained(generated: str) -> None:
    with Equivalence(workers=1, timeout=15) as equivalence:
        verdict = equivalence.judge(Pair("SELECT name FROM users", generated, "sqlite", SHOP))
        assert verdict.outcome is not PASS
        after = equivalence.judge(
            Pair("SELECT name FROM users", "SELECT u.name FROM users u", "sqlite", SHOP)
        )
        assert after.outcome is PASS


def test_a_worker_that_hangs_is_killed_and_another_goes_on() -> None:
    with Equivalence(workers=1, timeout=0.001) as equivalence:
        verdict = equivalence.judge(Pair("SELECT name FROM users", "SELECT city FROM users", "sqlite", SHOP))
        assert (verdict.outcome, "no verdict within" in verdict.why) == (UNKNOWN, True)
        equivalence._timeout = 60
        again = equivalence.judge(Pair("SELECT name FROM users", "SELECT city FROM users", "sqlite", SHOP))
        assert again.outcome is FAIL


# -- labelled pairs ---------------------------------------------------------------------------


def test_the_tricky_pairs() -> None:
    rows = [json.loads(line) for line in shared("equivalence/tricky_cases.jsonl").read_text().splitlines()]
    pairs = [Pair(r["gold"], r["pred"], r["dialect"], r["ddl"], ordered=r["strict_order"]) for r in rows]
    with Equivalence() as equivalence:
        found = list(equivalence.judge_many(pairs))
    wrong = [
        (row["id"], verdict.outcome)
        for row, verdict in zip(rows, found, strict=True)
        if (verdict.outcome is PASS) is not row["equivalent"]
    ]
    assert wrong == []


LISTED = """
CREATE TABLE clans (clan_id INT PRIMARY KEY AUTO_INCREMENT, clan_name VARCHAR(255) NOT NULL);
CREATE TABLE characters (character_id INT PRIMARY KEY AUTO_INCREMENT, player_id INT NOT NULL, clan_id INT,
  power INT NOT NULL, CONSTRAINT owned FOREIGN KEY (player_id) REFERENCES players (player_id),
  guild_id INT REFERENCES guilds (guild_id), FOREIGN KEY (clan_id) REFERENCES clans (clan_id));
"""


def test_a_key_to_a_table_that_is_not_listed_keeps_no_rows_out() -> None:
    """A DDL of the question's tables only points at others: `characters` was empty on every database."""
    join = "FROM characters c JOIN clans k ON c.clan_id = k.clan_id"
    gold = f"SELECT AVG(c.power) {join} WHERE k.clan_name = '푸른 매'"
    for wrong in ("SELECT SUM(power) FROM characters WHERE clan_id = '푸른 매'", gold.replace("AVG", "MAX")):
        verdict = judged(gold, wrong, LISTED, "mysql")
        assert (verdict.outcome, verdict.evidence["strict"]["outcome"]) == (FAIL, "fail"), verdict.why
        connection = replayed(verdict)
        connection.execute("PRAGMA foreign_keys = ON")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("dialect", ["mysql", "sqlite", "postgres"])
def test_what_does_not_parse_is_an_error_with_its_position(dialect: str) -> None:
    wrong = "SELECT clan_id FROM clans WHERE clan_id IN (SELECT clan_id FROM clans WHERE"
    verdict = judged("SELECT clan_id FROM clans", wrong, "CREATE TABLE clans (clan_id INT)", dialect)
    assert verdict.outcome is ERROR
    unread = judged("SELECT FROM WHERE (", wrong, "CREATE TABLE clans (clan_id INT)", dialect)
    assert unread.outcome is UNKNOWN
    assert "gold" in unread.why


JOINED = "CREATE TABLE players (player_id INT PRIMARY KEY, name TEXT, joined DATETIME, born DATE)"


@pytest.mark.parametrize(
    ("gold", "generated", "dialect", "outcome"),
    [
        # A day beside a DATETIME is midnight in MySQL: as texts the two are never equal.
        ("joined >= '2021-10-01'", "joined > '2021-10-01'", "mysql", FAIL),
        ("joined >= '2021-10-01'", "joined >= '2021-10-01 00:00:00'", "mysql", PASS),
        ("'2021-10-01' <= joined", "joined BETWEEN '2021-10-01' AND '9999-12-31 23:59:59'", "mysql", PASS),
        ("born > '2023-01-01 00:00:00'", "born > '2023-01-01'", "mysql", PASS),
        ("born > '2023-01-01 00:00:00'", "born >= '2023-01-01'", "mysql", FAIL),
        # SQLite keeps a day in a DATETIME column as it is.
        ("joined >= '2021-10-01'", "joined > '2021-10-01'", "sqlite", FAIL),
    ],
)
def test_a_day_is_compared_with_a_moment_as_the_dialect_does(
    gold: str, generated: str, dialect: str, outcome: Outcome
) -> None:
    query = "SELECT player_id FROM players WHERE "
    assert judged(query + gold, query + generated, JOINED, dialect).outcome is outcome


def test_a_number_larger_than_any_integer_is_no_row() -> None:
    verdict = judged(
        "SELECT player_id FROM players WHERE player_id > 5",
        f"SELECT player_id FROM players WHERE player_id > 1{'0' * 280}",
        JOINED,
        "mysql",
    )
    assert verdict.outcome is FAIL, verdict.why


STOCK = """
CREATE TABLE items (item_id INT PRIMARY KEY, name TEXT NOT NULL, rarity TEXT, price INT, level INT NOT NULL);
"""


@pytest.mark.parametrize(
    ("gold", "generated"),
    [
        # Rows that a query asks NULL of are planted, and as often as a threshold wants.
        ("SELECT name FROM items WHERE price IS NULL", "SELECT DISTINCT name FROM items WHERE price IS NULL"),
        ("SELECT name, price FROM items WHERE rarity IS NULL", "SELECT name, price FROM items"),
        (
            "SELECT rarity, COUNT(*) FROM items WHERE rarity IS NOT NULL GROUP BY rarity HAVING COUNT(*) > 5",
            "SELECT rarity, COUNT(*) FROM items GROUP BY rarity HAVING COUNT(*) > 5",
        ),
        # A key above a bound: as many values as there are rows to plant.
        (
            "SELECT name FROM items WHERE item_id > 150 AND level < 3",
            "SELECT name FROM items WHERE item_id > 150",
        ),
        (
            "SELECT name FROM items WHERE item_id > 150 AND level < 3",
            "SELECT name FROM items WHERE item_id > 150 AND level <= 3",
        ),
        # The last row of a page lies behind its offset.
        (
            "SELECT name FROM items ORDER BY price LIMIT 5 OFFSET 3",
            "SELECT name FROM items ORDER BY price LIMIT 6 OFFSET 3",
        ),
        # A group of many rows that say the same beside one of fewer that do not.
        (
            "SELECT rarity FROM items GROUP BY rarity ORDER BY COUNT(DISTINCT name) LIMIT 1",
            "SELECT rarity FROM items GROUP BY rarity ORDER BY COUNT(name) LIMIT 1",
        ),
        # A text that is long enough for the piece of it that is shown.
        ("SELECT SUBSTR(name, 9, 2) FROM items", "SELECT SUBSTR(name, 8, 2) FROM items"),
    ],
)
def test_rows_are_planted_for_what_the_query_asks(gold: str, generated: str) -> None:
    verdict = judged(gold, generated, STOCK)
    assert verdict.outcome is FAIL, verdict.why


@pytest.mark.parametrize("name", ["$f0", "EXPR$0"])
def test_names_with_a_dollar_sign_run(name: str) -> None:
    gold = "SELECT price FROM items WHERE level > 3 AND STRING_TO_ARRAY(name, 'a') IS NOT NULL"
    inner = f"SELECT price AS {name}, level FROM items WHERE STRING_TO_ARRAY(name, 'a') IS NOT NULL"
    for bound, outcome in ((3, PASS), (4, FAIL)):
        generated = f"SELECT t.{name} FROM ({inner}) AS t WHERE t.level > {bound}"
        verdict = judged(gold, generated, STOCK, "postgres")
        assert verdict.outcome is outcome, verdict.why


def test_a_mutant_of_a_date_is_a_date() -> None:
    tree = parse("SELECT name FROM t WHERE born > '2019-12-31' AND seen < '2020-02-28 10:00:00'", "sqlite")
    texts = [sql for kind, sql in mutants_of(tree, "sqlite") if kind == "literal"]
    assert any("'2020-01-01'" in sql for sql in texts)
    assert any("'2020-02-29 10:00:00'" in sql for sql in texts)


@pytest.mark.slow
def test_queries_as_models_get_them_wrong_and_the_same_in_other_words() -> None:
    """A part of the benchmark's pairs: what is missed or refuted falsely is a fault."""
    folder = Path(__file__).parents[2] / "benchmarks" / "pairs"
    schemas = json.loads((folder / "schemas.json").read_text("utf-8"))
    rows = [json.loads(line) for line in (folder / "pairs.jsonl").read_text("utf-8").splitlines()]
    rows = [row for at, row in enumerate(rows) if row["equivalent"] or at % 4 == 0]
    with Equivalence() as engine:
        found = list(
            engine.judge_many(Pair(r["gold"], r["pred"], "sqlite", schemas[r["schema"]]) for r in rows)
        )
    wrong = [
        (row["id"], judged.why)
        for row, judged in zip(rows, found, strict=True)
        if (judged.outcome is PASS) is not row["equivalent"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("expression", "value", "wanted"),
    [
        ("SUM(x) / 1000.0", "500", 500_000),
        ("100 * x + 5", "205", 2),
        ("ABS(x - 3)", "10", 13),
        ("x", "DATE('2020-01-01', '-5 years')", "2015-01-01"),
        ("LENGTH(x)", "3", "xxx"),
        ("x", "2 * 21", 42),
        ("2026 - STRFTIME('%Y', x)", "40", 1986),
        ("STRFTIME('%Y', x) - STRFTIME('%Y', y)", "20", "2000"),
        ("JULIANDAY(x) - JULIANDAY(y)", "14", "2020-01-01"),
    ],
)
def test_what_a_comparison_implies(expression: str, value: str, wanted: object) -> None:
    comparison = parse(f"SELECT 1 FROM t WHERE {expression} > {value}", "sqlite").args["where"].this
    said = [computed(literal) for literal in implied(comparison.this, comparison.expression)]
    assert wanted in said


def test_the_worker_sees_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-to-be-seen")
    with Equivalence(workers=1) as engine:
        engine.judge(Pair("SELECT name FROM users", "SELECT city FROM users", "sqlite", SHOP))
        seen = [
            path.read_bytes()
            for path in Path("/proc").glob("[0-9]*/environ")
            if b"equivalence.worker" in (path.parent / "cmdline").read_bytes()
            and path.parent.stat().st_uid == os.getuid()
            and _parent(path.parent) == os.getpid()
        ]
    assert seen
    assert all(b"sk-not-to-be-seen" not in environment for environment in seen)


def _parent(process: Path) -> int:
    return int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
