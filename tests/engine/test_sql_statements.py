"""Cutting the first statement out of what a model wrote."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.sql.statements import first_statement, statement_complete
from tests.shared_data import shared

CASES = [
    ("SELECT 1", "SELECT 1"),
    ("SELECT 1;", "SELECT 1"),
    ("  SELECT 1 ;\nSELECT 2;", "SELECT 1"),
    ("SELECT 1;\n\n### SQL 봇:\nSELECT 1;", "SELECT 1"),
    ("SELECT 1\n\n### SQL 봇:\nSELECT 2", "SELECT 1"),
    ("SELECT ';' FROM t; SELECT 2", "SELECT ';' FROM t"),
    ("SELECT 'it''s; ok' FROM t; x", "SELECT 'it''s; ok' FROM t"),
    ("SELECT 'it\\'s; ok' FROM t; x", "SELECT 'it\\'s; ok' FROM t"),
    ("SELECT 'C:\\'; SELECT 2", "SELECT 'C:\\'"),
    ('SELECT "a;b" FROM t; x', 'SELECT "a;b" FROM t'),
    ("SELECT `a;b` FROM t; x", "SELECT `a;b` FROM t"),
    ("SELECT 1 -- no; not here\nFROM t; x", "SELECT 1 -- no; not here\nFROM t"),
    ("SELECT /* ; */ 1; x", "SELECT /* ; */ 1"),
    ("SELECT '### not a heading' FROM t; x", "SELECT '### not a heading' FROM t"),
    ("SELECT 'never closed\n### SQL 봇:\nSELECT 1", "SELECT 'never closed"),
    ("```sql\nSELECT 1;\n```", "SELECT 1"),
    ("```\nSELECT 1\n```\nIt counts.", "SELECT 1"),
    ("Here is the query:\n```sql\nSELECT a\nFROM t\n```", "SELECT a\nFROM t"),
    ("SELECT 1\n```\nand so on", "SELECT 1"),
    ("### SQL:\nSELECT 1;", "SELECT 1"),
    (";;SELECT 1;", "SELECT 1"),
    ("SELECT name FROM t WHERE s = '전사';", "SELECT name FROM t WHERE s = '전사'"),
    ("", ""),
    ("### SQL 봇:", ""),
    ("   \n", ""),
]


@pytest.mark.parametrize(("raw", "expected"), CASES)
def test_first_statement(raw: str, expected: str) -> None:
    assert first_statement(raw) == expected


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT 1\n##", False),
        ("SELECT 1\n###", True),
        ("SELECT ';", False),
        ("SELECT ';'", False),
        ("SELECT ';';", True),
        ("SELECT 1 -- ;", False),
        ("SELECT 1 /* ;", False),
        ("```sql\nSELECT 1\n", False),
        ("```sql\nSELECT 1\n```", True),
        ("### SQL:\n", False),
        (";", False),
        ("", False),
    ],
)
def test_statement_complete(text: str, complete: bool) -> None:
    assert statement_complete(text) is complete


_PIECES = st.sampled_from(
    ["SELECT a", "'x;y'", '"n"', "`q`", "-- c;\n", "/* ; */", "###", "\n", ";", "```", "'", " "]
)


@given(st.lists(_PIECES, max_size=12).map("".join), st.text(max_size=20))
def test_what_is_complete_stays_as_it_is(text: str, more: str) -> None:
    if statement_complete(text):
        assert first_statement(text + more) == first_statement(text)


@given(st.text(alphabet="SELECT a;'\"`\n#-*/\\한글", max_size=40))
def test_cutting_twice_changes_nothing(raw: str) -> None:
    once = first_statement(raw)
    assert not statement_complete(once) or not once
    assert first_statement(once) == once


def test_the_reference_cuts_the_same_statements() -> None:
    """The reference cut at the heading only: where its text holds several statements, ours is the first."""
    rows = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    several = 0
    for row in rows:
        ours, theirs = first_statement(row["gen_sql_raw"]), row["gen_sql_first"].strip().rstrip("; \n")
        if ours != theirs:
            assert theirs.startswith(ours + ";")
            several += 1
    assert len(rows) == 112
    assert several == 3
