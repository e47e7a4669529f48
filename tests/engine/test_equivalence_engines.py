"""What hangs on the engine that runs a dialect: how it divides, and what it cannot read."""

from __future__ import annotations

import pytest

from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Outcome

DDL = "CREATE TABLE items (item_id INT PRIMARY KEY, name TEXT NOT NULL, price INT, level INT NOT NULL);"
#: DuckDB's own, so that this pair is not SQLite's.
HERE = "STRING_TO_ARRAY(name, 'a') IS NOT NULL"


@pytest.mark.parametrize(
    ("levels", "outcome"), [("IN (6, 7)", Outcome.PASS), ("= 6", Outcome.FAIL), ("IN (5, 6)", Outcome.FAIL)]
)
def test_integers_divide_as_in_the_dialect(levels: str, outcome: Outcome) -> None:
    gold = f"SELECT name FROM items WHERE level / 2 = 3 AND {HERE}"
    verdict = judge_pair(
        Pair(gold, f"SELECT name FROM items WHERE level {levels} AND {HERE}", "postgres", DDL)
    )
    assert verdict.outcome is outcome, verdict.why
    assert verdict.evidence["engine"].startswith("duckdb")


def test_what_only_a_farther_engine_cannot_read_is_not_wrong() -> None:
    """DuckDB has no QUOTE, and SQLite no brackets around the parts of a UNION: the second is PostgreSQL's."""
    union = "(SELECT name FROM items WHERE level < 3) UNION (SELECT name FROM items WHERE level > 3)"
    verdict = judge_pair(Pair("SELECT name FROM items WHERE QUOTE(name) = 'x'", union, "postgres", DDL))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "quote" in verdict.why.lower(), "the nearest engine's reason"
