"""What hangs on the order in which rows are read is no difference, and what does not hang on it stays one."""

from __future__ import annotations

import pytest

from t2s_tui.evaluation.equivalence.cut import cut_of
from t2s_tui.evaluation.equivalence.engines import SqliteEngine
from t2s_tui.evaluation.equivalence.order import loose, shaky
from t2s_tui.evaluation.equivalence.schema import tables_of
from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import parse

SHOP = """
CREATE TABLE users (user_id INTEGER PRIMARY KEY, age INTEGER, city TEXT);
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (user_id),
  total INTEGER, status TEXT);
"""
_JOINED = "users p JOIN orders c ON c.user_id = p.user_id"
#: The same join, but SQLite reads the tables in the order in which they stand.
_TURNED = "users p CROSS JOIN orders c ON c.user_id = p.user_id"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "SELECT user_id, status FROM orders GROUP BY user_id",
            f"SELECT p.user_id, c.status FROM {_TURNED} GROUP BY p.user_id",
        ),
        (
            f"SELECT p.city FROM {_JOINED} GROUP BY c.status",
            f"SELECT p.city FROM {_TURNED} GROUP BY c.status",
        ),
        (
            f"SELECT p.city, MAX(c.total) FROM {_JOINED} WHERE c.total > 6 GROUP BY c.status",
            f"SELECT p.city, MAX(c.total) FROM {_TURNED} WHERE c.total >= 7 GROUP BY c.status",
        ),
        (
            f"SELECT p.city, GROUP_CONCAT(c.status) FROM {_JOINED} WHERE c.total > 6 GROUP BY p.city",
            f"SELECT p.city, GROUP_CONCAT(c.status) FROM {_TURNED} WHERE c.total >= 7 GROUP BY p.city",
        ),
        (
            "SELECT age FROM users WHERE user_id = (SELECT user_id FROM orders ORDER BY total LIMIT 1)",
            f"SELECT age FROM users WHERE user_id = (SELECT p.user_id FROM {_TURNED} ORDER BY total LIMIT 1)",
        ),
        (
            f"SELECT c.status FROM {_JOINED} WHERE c.total > 6 GROUP BY p.city ORDER BY p.age DESC LIMIT 3",
            f"SELECT c.status FROM {_TURNED} WHERE c.total >= 7 GROUP BY p.city ORDER BY p.age DESC LIMIT 3",
        ),
    ],
)
def test_no_order_of_reading_is_a_difference(one: str, other: str) -> None:
    for gold, generated in ((one, other), (other, one)):
        judged = judge_pair(Pair(gold, generated, "sqlite", SHOP))
        assert judged.outcome is Outcome.PASS, judged


@pytest.mark.parametrize(
    ("gold", "generated"),
    [
        (
            f"SELECT p.city FROM {_JOINED} GROUP BY p.user_id HAVING COUNT(*) > 1",
            f"SELECT p.city FROM {_JOINED} GROUP BY p.city HAVING COUNT(*) > 1",
        ),
        (
            f"SELECT p.city FROM {_JOINED} GROUP BY p.user_id ORDER BY COUNT(*) DESC LIMIT 1",
            f"SELECT p.city FROM {_JOINED} GROUP BY p.user_id ORDER BY SUM(c.total) DESC LIMIT 1",
        ),
        (
            "SELECT city FROM users WHERE age = (SELECT age FROM users ORDER BY age DESC LIMIT 1)",
            "SELECT city FROM users WHERE age = (SELECT age FROM users ORDER BY age LIMIT 1)",
        ),
    ],
)
def test_what_every_order_brings_is_one(gold: str, generated: str) -> None:
    """A bare column of the group's own row, the largest of all: SQLite has no choice there."""
    assert judge_pair(Pair(gold, generated, "sqlite", SHOP)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("sql", "may", "more"),
    [
        ("SELECT city FROM users WHERE age > 3", False, False),
        ("SELECT city FROM users ORDER BY age LIMIT 1", True, False),
        ("SELECT DISTINCT city FROM users ORDER BY age LIMIT 1", True, True),
        ("SELECT city FROM users LIMIT 1", True, True),
        ("SELECT city, COUNT(*) FROM users GROUP BY age", True, True),
        ("SELECT age, COUNT(*) FROM users GROUP BY age", False, False),
        ("SELECT city FROM users WHERE age = (SELECT total FROM orders)", False, True),
        ("SELECT city FROM users WHERE age = (SELECT MAX(total) FROM orders)", False, False),
        ("SELECT city FROM users WHERE age IN (SELECT total FROM orders)", False, False),
        ("SELECT a FROM (SELECT age AS a FROM users) AS q", False, False),
    ],
)
def test_what_may_hang_on_the_order_of_reading(sql: str, may: bool, more: bool) -> None:
    """And what of it a cut does not know."""
    tree = parse(sql, "sqlite")
    assert (shaky(tree), loose(tree, cut_of(tree, "sqlite"))) == (may, more)


def test_rows_are_read_in_other_orders() -> None:
    engine = SqliteEngine(tables_of(SHOP, "sqlite", "sqlite"))
    engine.load({"users": [(n, n, "a") for n in range(1, 5)], "orders": []})
    read = [tuple(row[0] for row in result.rows) for result in engine.readings("SELECT user_id FROM users")]
    assert read[0] == (4, 3, 2, 1)
    assert len(set(read)) > 5
    assert all(sorted(order) == [1, 2, 3, 4] for order in read)
    engine.close()
