"""The canonical form: what becomes equal, what stays different, and that the meaning stays."""

from __future__ import annotations

import json
import sqlite3
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.sql.dialects import Position
from t2s_tui.sql.normalize import Unparsed, normalize, pretty
from tests.shared_data import shared

DDL = """CREATE TABLE emp (id INTEGER PRIMARY KEY, name TEXT, dept_id INTEGER, salary REAL);
CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT, city TEXT);"""

SAME = [
    ("keyword case", "select name from emp", "SELECT name FROM emp"),
    ("identifier case", "SELECT Name FROM EMP", "SELECT name FROM emp"),
    ("identifier quotes", "SELECT `name` FROM [emp]", 'SELECT "name" FROM emp'),
    ("not equal", "SELECT name FROM emp WHERE id <> 1", "SELECT name FROM emp WHERE id != 1"),
    (
        "parentheses",
        "SELECT name FROM emp WHERE ((id = 1)) AND (salary > 2)",
        "SELECT name FROM emp WHERE id = 1 AND salary > 2",
    ),
    (
        "conjuncts",
        "SELECT name FROM emp WHERE salary > 2 AND id = 1",
        "SELECT name FROM emp WHERE id = 1 AND salary > 2",
    ),
    (
        "disjuncts",
        "SELECT name FROM emp WHERE id = 2 OR id = 1",
        "SELECT name FROM emp WHERE id = 1 OR (id = 2)",
    ),
    ("twice the same", "SELECT name FROM emp WHERE id = 1 AND id = 1", "SELECT name FROM emp WHERE id = 1"),
    ("operands", "SELECT name FROM emp WHERE 5 < salary", "SELECT name FROM emp WHERE salary > 5"),
    (
        "IN list",
        "SELECT name FROM emp WHERE id IN (3, 1, 2, 1)",
        "SELECT name FROM emp WHERE id IN (1, 2, 3)",
    ),
    (
        "inner",
        "SELECT e.name FROM emp e INNER JOIN dept d ON e.dept_id = d.id",
        "SELECT e.name FROM emp e JOIN dept d ON d.id = e.dept_id",
    ),
    (
        "outer",
        "SELECT e.name FROM emp e LEFT OUTER JOIN dept d ON e.dept_id = d.id",
        "SELECT e.name FROM emp e LEFT JOIN dept d ON e.dept_id = d.id",
    ),
    (
        "table alias",
        "SELECT T1.name FROM emp AS T1 JOIN dept AS T2 ON T1.dept_id = T2.id",
        "SELECT a.name FROM emp a JOIN dept b ON a.dept_id = b.id",
    ),
    ("qualifier", "SELECT emp.name FROM emp", "SELECT name FROM emp"),
    (
        "unqualified in a join",
        "SELECT city FROM emp JOIN dept ON emp.dept_id = dept.id",
        "SELECT d.city FROM emp e JOIN dept d ON e.dept_id = d.id",
    ),
    ("output alias", "SELECT COUNT(*) AS n FROM emp", "SELECT COUNT(*) FROM emp"),
    (
        "order by alias",
        "SELECT dept_id, COUNT(*) AS n FROM emp GROUP BY dept_id ORDER BY n DESC",
        "SELECT dept_id, COUNT(*) FROM emp GROUP BY dept_id ORDER BY COUNT(*) DESC",
    ),
    (
        "order by position",
        "SELECT name, salary FROM emp ORDER BY 2",
        "SELECT name, salary FROM emp ORDER BY salary ASC",
    ),
    ("star", "SELECT * FROM dept", "SELECT id, name, city FROM dept"),
    (
        "string in double quotes",
        'SELECT id FROM emp WHERE name = "Kim"',
        "SELECT id FROM emp WHERE name = 'Kim'",
    ),
    (
        "self join",
        "SELECT x.name FROM emp x JOIN emp y ON x.id = y.dept_id",
        "SELECT a.name FROM emp AS a JOIN emp AS b ON a.id = b.dept_id",
    ),
    (
        "alias in a subquery",
        "SELECT name FROM dept d WHERE EXISTS (SELECT 1 FROM emp e WHERE e.dept_id = d.id)",
        "SELECT x.name FROM dept x WHERE EXISTS (SELECT 1 FROM emp y WHERE y.dept_id = x.id)",
    ),
    (
        "derived table",
        "SELECT t.n FROM (SELECT COUNT(*) AS n FROM emp) t",
        "SELECT u.n FROM (SELECT COUNT(*) AS n FROM emp) AS u",
    ),
    ("semicolon", "SELECT name FROM emp;", "SELECT name FROM emp"),
    ("comment", "SELECT name -- who\nFROM emp", "SELECT name FROM emp"),
]

DIFFERENT = [
    ("SELECT name FROM emp", "SELECT id FROM emp"),
    ("SELECT name FROM emp", "SELECT DISTINCT name FROM emp"),
    ("SELECT name FROM emp WHERE name = 'Kim'", "SELECT name FROM emp WHERE name = 'kim'"),
    ("SELECT id, name FROM emp", "SELECT name, id FROM emp"),
    (
        "SELECT name FROM emp WHERE (id = 1 OR id = 2) AND salary > 1",
        "SELECT name FROM emp WHERE id = 1 OR id = 2 AND salary > 1",
    ),
    (
        "SELECT e.name FROM emp e LEFT JOIN dept d ON e.dept_id = d.id",
        "SELECT e.name FROM emp e JOIN dept d ON e.dept_id = d.id",
    ),
    (
        "SELECT x.name FROM emp x JOIN emp y ON x.id = y.dept_id",
        "SELECT y.name FROM emp x JOIN emp y ON x.id = y.dept_id",
    ),
    ("SELECT salary - (2 - 1) FROM emp", "SELECT salary - 2 - 1 FROM emp"),
    ("SELECT NOT (id = 1) FROM emp", "SELECT id = 1 FROM emp"),
    ("SELECT name FROM emp ORDER BY salary", "SELECT name FROM emp ORDER BY salary DESC"),
    ("SELECT name FROM emp LIMIT 3", "SELECT name FROM emp LIMIT 5"),
    ("SELECT name FROM emp WHERE salary < 5", "SELECT name FROM emp WHERE 5 < salary"),
    ("SELECT id FROM emp UNION SELECT id FROM dept", "SELECT id FROM emp UNION ALL SELECT id FROM dept"),
    ('SELECT id FROM emp WHERE name = "city"', 'SELECT id FROM emp WHERE name = "salary"'),
]


@pytest.mark.parametrize(("rule", "a", "b"), SAME, ids=[s[0] for s in SAME])
def test_the_same_query_written_differently(rule: str, a: str, b: str) -> None:
    form = normalize(a, "sqlite", DDL)
    assert isinstance(form, str)
    assert form == normalize(b, "sqlite", DDL)
    assert normalize(form, "sqlite", DDL) == form


@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_different_queries_stay_different(a: str, b: str) -> None:
    assert normalize(a, "sqlite", DDL) != normalize(b, "sqlite", DDL)


def test_mysql_with_its_ddl() -> None:
    ddl = "CREATE TABLE players (player_id INT PRIMARY KEY AUTO_INCREMENT, username VARCHAR(255) NOT NULL);"
    a = normalize('SELECT COUNT(*) AS 수 FROM players P WHERE P.username LIKE "%a%";', "mysql", ddl)
    assert a == normalize("select count(*) from players where username like '%a%'", "mysql", ddl)


def test_a_doubtful_string_is_left_alone_without_a_ddl() -> None:
    assert normalize('SELECT Region FROM country WHERE Name = "Angola"', "sqlite") == (
        'SELECT region FROM country WHERE "Angola" = name'
    )


def test_names_that_need_quotes_have_them() -> None:
    ddl = 'CREATE TABLE t ("%_change" INT, "two words" INT, plain INT);'
    assert normalize("SELECT * FROM t", "sqlite", ddl) == 'SELECT "%_change", "two words", plain FROM t'


def test_a_query_that_names_unknown_columns_still_has_a_form() -> None:
    form = normalize("SELECT nope FROM emp WHERE ((a = 1))", "sqlite", DDL)
    assert form == "SELECT nope FROM emp WHERE a = 1"


@pytest.mark.parametrize(
    ("sql", "line", "column"), [("SELECT 'abc", 1, 8), ("", 1, 1), ("SELECT a FROM t\nWHERE x = = 1", 2, 11)]
)
def test_what_does_not_parse_is_a_state(sql: str, line: int, column: int) -> None:
    for state in (normalize(sql, "sqlite", DDL), pretty(sql, "sqlite")):
        assert isinstance(state, Unparsed)
        assert state.position == Position(line, column)
        assert str(state).startswith(f"does not parse at line {line}, column {column}")


def test_pretty_is_one_clause_a_line() -> None:
    sql = (
        "with big as (select id from dept where city = 'x') select e.name, count(*) from emp e "
        "left join dept d on e.dept_id = d.id and d.city = 'y' "
        "where e.salary > 1 and e.id in (select id from big) "
        "group by e.name having count(*) > 1 order by 2 desc limit 3 offset 1"
    )
    assert pretty(sql, "sqlite") == (
        "WITH big AS (\n"
        "  SELECT id\n"
        "  FROM dept\n"
        "  WHERE city = 'x'\n"
        ")\n"
        "SELECT e.name, COUNT(*)\n"
        "FROM emp AS e\n"
        "LEFT JOIN dept AS d\n"
        "  ON e.dept_id = d.id\n"
        "  AND d.city = 'y'\n"
        "WHERE e.salary > 1\n"
        "  AND e.id IN (SELECT id FROM big)\n"
        "GROUP BY e.name\n"
        "HAVING COUNT(*) > 1\n"
        "ORDER BY 2 DESC\n"
        "LIMIT 3\n"
        "OFFSET 1"
    )


PRETTY = [
    "SELECT 1",
    "SELECT DISTINCT a FROM t UNION ALL SELECT b FROM u ORDER BY 1 LIMIT 2",
    "SELECT a FROM t, u WHERE t.x = u.x",
    "SELECT a FROM (SELECT a, b, c FROM some_table WHERE b > 1 AND c < 2 AND a LIKE '%long text%') AS q "
    "JOIN u USING (a)",
    "SELECT a, ROW_NUMBER() OVER (PARTITION BY b ORDER BY c) FROM t WINDOW w AS (ORDER BY a)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5), m AS (SELECT 2) "
    "SELECT * FROM n, m",
    "VALUES (1, 2)",
    "SELECT a FROM t CROSS JOIN u NATURAL JOIN v",
    "(SELECT a FROM t)",
]


@pytest.mark.parametrize("sql", PRETTY)
def test_pretty_loses_nothing(sql: str) -> None:
    text = pretty(sql, "sqlite")
    assert isinstance(text, str)
    assert pretty(text, "sqlite") == text
    assert normalize(text, "sqlite") == normalize(sql, "sqlite")


_values = st.one_of(st.none(), st.integers(-3, 3))
_names = st.sampled_from(["Kim", "kim", "Lee", "city", None])
_emps = st.lists(st.tuples(_names, _values, _values), max_size=6)
_depts = st.lists(st.tuples(_names, _names), max_size=4)
_MEANING = [query for _, *pair in SAME for query in pair] + [query for pair in DIFFERENT for query in pair]


@lru_cache
def _forms() -> list[tuple[str, str]]:
    return [(sql, str(normalize(sql, "sqlite", ddl))) for sql in _MEANING for ddl in (DDL, None)]


@settings(max_examples=30, deadline=None)
@given(_emps, _depts)
def test_no_rule_changes_a_result(emps: list[tuple[object, ...]], depts: list[tuple[object, ...]]) -> None:
    """Each query of this file and its canonical form, on random databases, row for row."""
    db = sqlite3.connect(":memory:")
    db.executescript(DDL)
    db.executemany("INSERT INTO emp (name, dept_id, salary) VALUES (?, ?, ?)", emps)
    db.executemany("INSERT INTO dept (name, city) VALUES (?, ?)", depts)
    for sql, form in _forms():
        before, after = db.execute(sql).fetchall(), db.execute(form).fetchall()
        assert sorted(map(repr, before)) == sorted(map(repr, after)), (sql, form)
    db.close()


def test_tricky_pairs_that_differ_never_become_equal() -> None:
    cases = [json.loads(x) for x in shared("equivalence/tricky_cases.jsonl").read_text("utf-8").splitlines()]
    equal = {
        c["id"]
        for c in cases
        if normalize(c["gold"], c["dialect"], c["ddl"]) == normalize(c["pred"], c["dialect"], c["ddl"])
    }
    assert not [c["id"] for c in cases if c["id"] in equal and not c["equivalent"]]
    assert {"order_position_vs_name", "literal_on_left", "backtick_bracket_quotes"} <= equal
