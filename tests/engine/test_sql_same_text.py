"""One key for one query however it is spaced and cased, and never for two queries."""

from __future__ import annotations

import random
import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.sql.same_text import text_key
from tests.random_queries import QueryMaker

SCHEMA = {"dept": ["id", "name", "city"], "emp": ["id", "name", "dept_id", "salary"]}
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|[<>=!]+|[(),]|[^\s(),<>=!'\"]+")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("SELECT name ,  age FROM t;", "select NAME, age\nfrom T", True),
        ("SELECT COUNT( * ) FROM t", "SELECT count(*) FROM t ; ", True),
        ("SELECT a FROM t WHERE a>=1", "SELECT a FROM t WHERE a >= 1", True),
        ("SELECT a FROM t WHERE b = 'X'", "SELECT a FROM t WHERE b = 'x'", False),
        ("SELECT a FROM t WHERE b = 'x  y'", "SELECT a FROM t WHERE b = 'x y'", False),
        ('SELECT "A b" FROM t', 'SELECT "a b" FROM t', False),
        ("SELECT [a  b] FROM t", "SELECT [a b] FROM t", False),
        ("SELECT a FROM t WHERE a < > 1", "SELECT a FROM t WHERE a <> 1", False),
        ("SELECT a - -1 FROM t", "SELECT a --1 FROM t", False),
        ("SELECT 1 .5", "SELECT 1.5", False),
        ("SELECT a FROM t -- 'x\nWHERE a = 1", "SELECT a FROM t -- 'x WHERE a = 1", False),
        ("SELECT 'it''s',  1", "SELECT 'it''s', 1", True),
        ("SELECT x'41' FROM t", "SELECT x '41' FROM t", False),
        ('SELECT "a""b" FROM t', 'SELECT "a" "b" FROM t', False),
        ("SELECT a FROM t WHERE b='x'AND c=1", "SELECT a FROM t WHERE b = 'x' and c = 1", True),
        ("SELECT É FROM t", "SELECT é FROM t", False),
        ("SELECT $$A$$", "SELECT $$a$$", False),
    ],
)
def test_keys(a: str, b: str, same: bool) -> None:
    assert (text_key(a) == text_key(b)) is same


@given(st.integers(0, 10**9))
def test_any_spacing_and_case_has_the_key_and_the_rows(seed: int) -> None:
    rng = random.Random(seed)
    sql = QueryMaker(SCHEMA, rng).query()
    other = respaced(sql, rng)
    assert text_key(other) == text_key(sql)
    with closing(database()) as db:
        assert sorted(map(repr, db.execute(other))) == sorted(map(repr, db.execute(sql)))


def respaced(sql: str, rng: random.Random) -> str:
    """The same tokens with other white space between them and words in other letters."""
    text = ""
    for token in _TOKEN.findall(sql):
        word = token if token[0] in "'\"" else "".join(rng.choice((c.lower(), c.upper())) for c in token)
        glued = token in ("(", ")", ",") or set(token) <= set("<>=!") or text[-1:] in ("", "(", ",")
        text += rng.choice(("" if glued else " ", " ", "\n", "\t  ")) + word
    return text


def database() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.executescript(
        """CREATE TABLE dept (id INTEGER, name TEXT, city TEXT);
        CREATE TABLE emp (id INTEGER, name TEXT, dept_id INTEGER, salary INTEGER);
        INSERT INTO dept VALUES (1, 'a', 'b'), (2, 'b', NULL), (3, 'A', 'a');
        INSERT INTO emp VALUES (1, 'a', 1, 2), (2, 'B', 1, 1), (3, NULL, 3, 0);"""
    )
    return db
