"""No rule changes a result: queries of many shapes and their canonical forms on random databases."""

from __future__ import annotations

import csv
import io
import random
import sqlite3
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.sql.canonical.context import context_of
from t2s_tui.sql.canonical.registry import RULES
from t2s_tui.sql.dialects import generate, parse_all, translate
from t2s_tui.sql.normalize import Level, normalize
from t2s_tui.sql.to_sqlite import rewrite_for_sqlite
from tests.random_queries import QueryMaker
from tests.random_rows import bag, constants_in, random_database, rows_of
from tests.restyled import restyled
from tests.shared_data import shared

DDL = """
CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT UNIQUE, city TEXT, boss INT);
CREATE TABLE emp (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dept_id INTEGER REFERENCES dept (id),
  salary INT, grade TEXT, UNIQUE (name, grade));
CREATE TABLE task (code TEXT PRIMARY KEY, emp_id INTEGER NOT NULL REFERENCES emp (id), hours REAL, state TEXT,
  dept_id INT REFERENCES dept (id));
CREATE TABLE tag (task TEXT, label INT, weight, PRIMARY KEY (task, label),
  FOREIGN KEY (task) REFERENCES task);
CREATE TABLE loose (a INT, b INT, c TEXT);
CREATE VIEW seen AS SELECT a, b FROM loose;
CREATE UNIQUE INDEX by_b ON loose (b);
"""

_FILE = Path(__file__).resolve().parents[1] / "fixtures" / "canonical_queries.sql"
QUERIES = _FILE.read_text("utf-8").splitlines()


_CONSTANTS = constants_in(*QUERIES)


def check(forms: list[tuple[str, str]], seed: int, *, references: bool = False) -> None:
    """Each query and its form on the database of that seed: the same bag of rows.

    With `references` the assumptions of the realistic level hold there; 1 and '1' are then alike.
    """
    db = random_database(DDL, random.Random(seed), _CONSTANTS, references=references)
    try:
        for sql, form in forms:
            before = bag(rows_of(db, sql))
            try:
                after = bag(rows_of(db, form))
            except sqlite3.Error as error:
                raise AssertionError(f"{error}: {form}") from error
            if references:
                before, after = ([row.replace("'", "") for row in side] for side in (before, after))
            assert sorted(before) == sorted(after), f"{sql}\n{form}"
    finally:
        db.close()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_form_changes_a_result(seed: int) -> None:
    check(_forms("shown"), seed)
    check(_forms("proof"), seed)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_no_form_changes_a_result_on_many_databases(seed: int) -> None:
    check(_forms("shown"), seed)
    check(_forms("proof"), seed)
    check(_forms("realistic"), seed, references=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_realistic_form_changes_a_result_where_its_assumptions_hold(seed: int) -> None:
    check(_forms("realistic"), seed, references=True)


def check_random(seed: int, level: Level) -> None:
    """A random query and its form on a few random databases."""
    schema = {table: facts.columns for table, facts in context_of("sqlite", DDL).facts.items()}
    sql = QueryMaker(schema, random.Random(seed)).query()
    form = str(normalize(sql, "sqlite", DDL, level))
    for number in range(4):
        check([(sql, form)], seed + number)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_no_form_of_a_random_query_changes_its_result(seed: int) -> None:
    check_random(seed, "proof")


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9))
def test_no_form_of_many_random_queries_changes_its_result(seed: int) -> None:
    check_random(seed, "shown")
    check_random(seed, "proof")


#: What every rule may count on: columns know their table, and tables have names of their own.
_GROUND = ("strings in double quotes", "lower case", "columns with their table", "table aliases")
NAMES = tuple(dict.fromkeys(rule.name for rule in RULES))


def random_query(seed: int) -> tuple[str, str]:
    """A random query and the same one as another hand would write it."""
    schema = {table: facts.columns for table, facts in context_of("sqlite", DDL).facts.items()}
    rng = random.Random(seed)
    sql = QueryMaker(schema, rng).query()
    return sql, restyled(sql, [*schema, *(c for columns in schema.values() for c in columns)], rng)


def check_one_rule(rule: str, seed: int) -> None:
    """With no other rule than the ground, and with all others but this one: the same rows."""
    sql, other = random_query(seed)
    alone = [name for name in NAMES if name not in (*_GROUND, rule)]
    forms = [
        (sql, str(normalize(text, "sqlite", DDL, "proof", without=without)))
        for text in (sql, other)
        for without in (alone, [rule])
        if not (rule == _GROUND[0] and without == [rule])  # a string may then be read as a name
    ]
    for number in range(3):
        check([(sql, other), *forms], seed + number)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 10**9))
def test_no_rule_by_itself_changes_the_result_of_a_query_however_it_is_written(rule: str, seed: int) -> None:
    check_one_rule(rule, seed)


@pytest.mark.slow
@pytest.mark.parametrize("rule", NAMES)
def test_no_rule_by_itself_changes_the_results_of_many_queries(rule: str) -> None:
    for seed in range(40):
        check_one_rule(rule, seed)


@lru_cache
def _forms(level: Level) -> list[tuple[str, str]]:
    return [(sql, str(normalize(sql, "sqlite", DDL, level))) for sql in QUERIES]


#: rule -> pairs of queries whose forms are equal with the rule and differ without it.
CASES: dict[str, list[tuple[str, str]]] = {
    "strings in double quotes": [
        ('SELECT id FROM emp WHERE name = "a"', "SELECT id FROM emp WHERE name = 'a'")
    ],
    # Where the DDL has the columns, sqlglot's own qualifying does it, too: a view's are not known.
    "lower case": [("SELECT A FROM Seen WHERE B = 1", "SELECT a FROM seen WHERE b = 1")],
    "plain join words": [
        (
            "SELECT d.id FROM dept d LEFT OUTER JOIN emp e ON e.dept_id = d.id",
            "SELECT d.id FROM dept d LEFT JOIN emp e ON e.dept_id = d.id",
        )
    ],
    "plain order words": [("SELECT name FROM emp ORDER BY id ASC", "SELECT name FROM emp ORDER BY id")],
    "columns with their table": [("SELECT * FROM dept", "SELECT id, name, city, boss FROM dept")],
    "order by alias": [
        (
            "SELECT COUNT(*) AS n FROM emp GROUP BY dept_id ORDER BY n",
            "SELECT COUNT(*) FROM emp GROUP BY dept_id ORDER BY COUNT(*)",
        )
    ],
    "output aliases": [("SELECT COUNT(*) AS n FROM emp", "SELECT COUNT(*) FROM emp")],
    "table aliases": [
        (
            "SELECT x.id FROM emp x WHERE EXISTS (SELECT 1 FROM task u WHERE u.emp_id < x.id)",
            "SELECT emp.id FROM emp WHERE EXISTS (SELECT 1 FROM task WHERE task.emp_id < emp.id)",
        )
    ],
    "plain values": [
        ("SELECT IIF(id > 1, 2, 3) FROM emp", "SELECT CASE WHEN id > 1 THEN 2 ELSE 3 END FROM emp"),
        ("SELECT id FROM emp ORDER BY id LIMIT 2 OFFSET 0", "SELECT id FROM emp ORDER BY id LIMIT 2"),
        ("SELECT MAX(DISTINCT salary) FROM emp", "SELECT MAX(salary) FROM emp"),
    ],
    "between": [
        (
            "SELECT id FROM emp WHERE salary BETWEEN 1 AND 2",
            "SELECT id FROM emp WHERE salary >= 1 AND salary <= 2",
        )
    ],
    "not": [
        ("SELECT id FROM emp WHERE NOT salary > 1", "SELECT id FROM emp WHERE salary <= 1"),
        (
            "SELECT id FROM emp WHERE NOT (salary > 1 AND id = 1)",
            "SELECT id FROM emp WHERE salary <= 1 OR id <> 1",
        ),
    ],
    "constants": [
        ("SELECT id FROM emp WHERE salary = '1'", "SELECT id FROM emp WHERE salary = 1"),
        ("SELECT id FROM emp WHERE grade > 1", "SELECT id FROM emp WHERE grade > '1'"),
    ],
    "in and or": [
        ("SELECT id FROM emp WHERE salary = 1 OR salary = 2", "SELECT id FROM emp WHERE salary IN (2, 1)"),
        ("SELECT id FROM emp WHERE salary IN (1)", "SELECT id FROM emp WHERE salary = 1"),
        ("SELECT a FROM loose WHERE a <> 1 AND a != 2", "SELECT a FROM loose WHERE a NOT IN (1, 2)"),
    ],
    "thresholds": [
        (
            "SELECT city FROM dept GROUP BY city HAVING COUNT(*) BETWEEN 2 AND 3",
            "SELECT city FROM dept GROUP BY city HAVING COUNT(*) > 1 AND COUNT(*) < 4",
        ),
        (
            "SELECT city FROM dept GROUP BY city HAVING COUNT(*) >= 2",
            "SELECT city FROM dept GROUP BY city HAVING COUNT(*) > 1",
        ),
    ],
    "casts": [("SELECT CAST(id AS INTEGER) FROM emp", "SELECT id FROM emp")],
    "duplicates in sets": [
        (
            "SELECT DISTINCT grade FROM emp UNION SELECT state FROM task",
            "SELECT grade FROM emp UNION SELECT state FROM task",
        )
    ],
    "exists": [
        (
            "SELECT id FROM emp e WHERE EXISTS (SELECT code FROM task t WHERE t.emp_id > e.id)",
            "SELECT id FROM emp e WHERE EXISTS (SELECT NULL FROM task t WHERE t.emp_id > e.id)",
        )
    ],
    "order that says nothing": [
        ("SELECT MAX(salary) FROM emp ORDER BY 1", "SELECT MAX(salary) FROM emp"),
        ("SELECT id FROM emp ORDER BY salary, id, salary DESC", "SELECT id FROM emp ORDER BY salary, id"),
    ],
    "right joins": [
        (
            "SELECT d.id, e.id FROM emp e RIGHT JOIN dept d ON e.dept_id = d.id",
            "SELECT d.id, e.id FROM dept d LEFT JOIN emp e ON e.dept_id = d.id",
        )
    ],
    "left joins that filter": [
        (
            "SELECT d.id FROM dept d LEFT JOIN emp e ON e.dept_id = d.id WHERE e.salary > 1",
            "SELECT d.id FROM dept d JOIN emp e ON e.dept_id = d.id WHERE e.salary > 1",
        )
    ],
    "except and intersect": [
        (
            "SELECT id FROM emp EXCEPT SELECT emp_id FROM task",
            "SELECT id FROM emp WHERE id NOT IN (SELECT emp_id FROM task)",
        )
    ],
    "union as or": [
        (
            "SELECT grade FROM emp WHERE id = 1 UNION SELECT grade FROM emp WHERE salary = 2",
            "SELECT DISTINCT grade FROM emp WHERE id = 1 OR salary = 2",
        )
    ],
    "ctes": [("WITH q AS (SELECT id FROM emp) SELECT id FROM q", "SELECT id FROM emp")],
    "derived tables": [("SELECT q.n FROM (SELECT name AS n FROM emp) q", "SELECT name FROM emp")],
    "exists as in": [
        (
            "SELECT id FROM emp e WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.emp_id = e.id)",
            "SELECT id FROM emp WHERE id NOT IN (SELECT emp_id FROM task)",
        )
    ],
    "in as join": [
        (
            "SELECT name FROM emp WHERE dept_id IN (SELECT id FROM dept WHERE city = 'a')",
            "SELECT e.name FROM emp e JOIN dept d ON d.id = e.dept_id WHERE d.city = 'a'",
        )
    ],
    "rows with themselves": [
        ("SELECT x.name, y.salary FROM emp x JOIN emp y ON x.id = y.id", "SELECT name, salary FROM emp")
    ],
    "joins that add nothing": [
        ("SELECT e.name FROM emp e LEFT JOIN dept d ON d.id = e.dept_id", "SELECT name FROM emp")
    ],
    "always true": [("SELECT id FROM emp WHERE 1 = 1 AND salary = 2", "SELECT id FROM emp WHERE salary = 2")],
    "not null": [
        ("SELECT id FROM emp WHERE name IS NOT NULL", "SELECT id FROM emp"),
        ("SELECT id FROM emp WHERE salary > 1 AND salary IS NOT NULL", "SELECT id FROM emp WHERE salary > 1"),
    ],
    "having": [
        (
            "SELECT city, COUNT(*) FROM dept GROUP BY city HAVING city = 'a'",
            "SELECT city, COUNT(*) FROM dept WHERE city = 'a' GROUP BY city",
        )
    ],
    "group": [
        (
            "SELECT d.name, COUNT(*) FROM dept d JOIN emp e ON e.dept_id = d.id GROUP BY d.id, d.name",
            "SELECT d.name, COUNT(*) FROM dept d JOIN emp e ON e.dept_id = d.id GROUP BY e.dept_id",
        )
    ],
    "group as distinct": [("SELECT city FROM dept GROUP BY city", "SELECT DISTINCT city FROM dept")],
    "distinct": [("SELECT DISTINCT id, city FROM dept", "SELECT id, city FROM dept")],
    "counts": [
        ("SELECT COUNT(name) FROM emp", "SELECT COUNT(*) FROM emp"),
        ("SELECT COUNT(DISTINCT id) FROM emp", "SELECT COUNT(*) FROM emp"),
    ],
    "order of sets": [
        (
            "SELECT grade FROM emp UNION SELECT state FROM task",
            "SELECT state FROM task UNION SELECT grade FROM emp",
        )
    ],
    "lone qualifiers": [("SELECT seen.a FROM seen", "SELECT a FROM seen")],
    "quotes": [('SELECT "name" FROM [emp]', "SELECT name FROM emp")],
    "parentheses": [("SELECT id FROM emp WHERE ((salary) > (1))", "SELECT id FROM emp WHERE salary > 1")],
    "operands": [("SELECT id FROM emp WHERE 1 < salary", "SELECT id FROM emp WHERE salary > 1")],
    "lists": [("SELECT id FROM emp WHERE id IN (2, 1, 2)", "SELECT id FROM emp WHERE id IN (1, 2)")],
    "conjuncts": [
        ("SELECT id FROM emp WHERE id = 1 AND salary = 2", "SELECT id FROM emp WHERE salary = 2 AND id = 1")
    ],
    "joins": [
        (
            "SELECT e.id FROM emp e JOIN dept d ON e.dept_id = d.id AND d.city = 'a'",
            "SELECT e.id FROM dept d, emp e WHERE e.dept_id = d.id AND d.city = 'a'",
        ),
        (
            "SELECT d.id FROM emp e JOIN dept d ON e.dept_id = d.id",
            "SELECT e.dept_id FROM emp e JOIN dept d ON e.dept_id = d.id",
        ),
        (
            "SELECT x.name, y.name FROM emp y JOIN emp x ON x.dept_id = y.dept_id WHERE x.salary > y.salary",
            "SELECT x.name, y.name FROM emp x JOIN emp y ON x.dept_id = y.dept_id WHERE x.salary > y.salary",
        ),
    ],
}


def test_every_rule_has_cases() -> None:
    assert {rule.name for rule in RULES} == set(CASES)


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_makes_equal_and_can_be_switched_off(rule: str) -> None:
    """Equal with the rule, different without it, and the same rows in each case."""
    for a, b in CASES[rule]:
        with_rule = [str(normalize(sql, "sqlite", DDL)) for sql in (a, b)]
        without = [str(normalize(sql, "sqlite", DDL, without=[rule])) for sql in (a, b)]
        assert with_rule[0] == with_rule[1]
        assert without[0] != without[1]
        # A name is read wrongly where the first of all rules has not told it from a string.
        queries = (a, b, *with_rule, *(without if rule != "strings in double quotes" else ()))
        for seed in range(6):
            check([(a, form) for form in queries], seed)


def test_forms_of_published_mysql_golds_give_their_rows() -> None:
    """The 112 golds of ko_text2sql and their forms, both translated to SQLite, on random rows."""
    text = shared("ko_text2sql/test.csv").read_text("utf-8")
    golds: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if "LIMIT" not in row["answer"]:
            golds.setdefault(row["context"], []).append(row["answer"])
    compared = 0
    for ddl, queries in golds.items():
        tables = ";\n".join(generate(rewrite_for_sqlite(t), "sqlite") for t in parse_all(ddl, "mysql"))
        db = random_database(tables, random.Random(1), constants_in(*queries))
        for gold in queries:
            form = str(normalize(gold, "mysql", ddl))
            with suppress(sqlite3.Error):  # a function that only MySQL has
                before = bag(rows_of(db, translate(gold, "mysql", "sqlite")))
                assert bag(rows_of(db, translate(form, "mysql", "sqlite"))) == before, form
                compared += 1
        db.close()
    assert compared >= 90
