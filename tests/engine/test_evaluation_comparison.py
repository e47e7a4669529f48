"""The modes in which two results are compared, and the faults of other evaluators that they do not repeat."""

from __future__ import annotations

import random
import sqlite3
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.column_match import match_columns
from t2s_tui.evaluation.comparison import NAMES, Mode, differs, mode_named, weaknesses
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome
from t2s_tui.sql.distinct import without_distinct

Rows = list[tuple[object, ...]]
ALL = set(NAMES)


@pytest.mark.parametrize(
    ("gold", "generated", "ordered", "same_in"),
    [
        ([(1, 2)], [(1, 2)], True, ALL),
        ([(1, None)], [(1.0, None)], True, ALL),
        ([(1,), (2,)], [(2,), (1,)], False, ALL - {"ordered"}),
        ([(1,), (2,)], [(2,), (1,)], True, {"bird-set"}),
        ([(1,), (1,), (2,)], [(1,), (2,)], False, {"bird-set"}),
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False, {"bird-set"}),
        ([(1, "a"), (2, "b")], [("a", 1), ("b", 2)], False, {"test-suite", "superset"}),
        ([(1, "a"), (2, "b")], [("b", 1), ("a", 2)], False, set()),
        ([("a",), ("b",)], [(1, "a"), (2, "b")], False, {"superset"}),
        ([("a",), ("b",)], [(1, "b"), (2, "a")], True, set()),
        ([(0.5,)], [(0.5000001,)], False, {"tolerant"}),
        ([(0.5,)], [(0.51,)], False, set()),
        ([("1",)], [(1,)], False, set()),
        ([], [], False, ALL),
        ([], [(1,)], False, set()),
    ],
)
def test_what_is_the_same_in_which_mode(
    gold: Rows, generated: Rows, ordered: bool, same_in: set[str]
) -> None:
    def result(rows: Rows) -> tuple[list[str], Rows]:
        return [f"c{i}" for i in range(len(rows[0]) if rows else 1)], rows

    found = {
        m for m in NAMES if differs(mode_named(m), result(gold), result(generated), ordered=ordered) is None
    }
    assert found == same_in


def test_modes_have_names_versions_and_tolerances() -> None:
    assert [mode_named(name).name for name in NAMES] == list(NAMES)
    assert mode_named(" Tolerant(0.01, 0.5) ") == Mode("tolerant", 0.01, 0.5)
    assert mode_named(mode_named("tolerant(0.01, 0.5)").label) == Mode("tolerant", 0.01, 0.5)
    assert len({mode_named(name).version for name in NAMES}) == len(NAMES)
    for bad in ("strictly", "tolerant(x, 1)", "tolerant(-1, 0)", "tolerant(nan, 0)", ""):
        with pytest.raises(UsageError):
            mode_named(bad)


small = st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3).map(tuple), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None)
@given(left=small, right=small, order=st.permutations(range(3)), ordered=st.booleans(), same=st.booleans())
def test_columns_are_matched_exactly_where_a_permutation_matches_them(
    left: Rows, right: Rows, order: list[int], ordered: bool, same: bool
) -> None:
    if same:
        right = [tuple(row[i] for i in order) for row in left]
    right = (right * len(left))[: len(left)]

    def key(rows: Rows) -> Rows:
        return rows if ordered else sorted(rows, key=repr)

    tried = any(key(left) == key([tuple(row[i] for i in p) for row in right]) for p in permutations(range(3)))
    found = match_columns(left, right, ordered=ordered)
    assert (found is not None) == tried
    if found is not None:
        assert key(left) == key([tuple(row[i] for i in found) for row in right])


@pytest.mark.parametrize("ordered", [True, False])
def test_twelve_columns_that_look_alike_do_not_hang_it(ordered: bool) -> None:
    rng = random.Random(7)
    columns = [rng.sample(range(40), 40) for _ in range(12)]
    rows = list(zip(*columns, strict=True))
    moved = [tuple(row[i] for i in (11, 3, 5, 0, 1, 2, 10, 9, 8, 7, 6, 4)) for row in rows]
    assert match_columns(rows, moved, ordered=ordered) is not None
    rng.shuffle(columns[4])
    other = list(zip(*columns, strict=True))
    assert match_columns(rows, other, ordered=ordered) is None
    same = [(1,) * 12] * 40
    assert match_columns(same, same, ordered=ordered) is not None


def test_close_rows_are_assigned_as_a_whole() -> None:
    """The nearest partner of one row is the only partner of another: assigned one by one it would fail."""
    gold, generated = [(0.0, 0.0), (1.0, 1.0)], [(0.9, 0.9), (1.9, 0.5)]
    found = differs(Mode("tolerant", 0.0, 1.0), (["a", "b"], gold), (["a", "b"], generated), ordered=False)
    assert found is None
    assert differs(Mode("tolerant", 0.0, 0.5), (["a", "b"], gold), (["a", "b"], generated), ordered=False)


@pytest.mark.parametrize(
    ("sql", "without"),
    [
        ("SELECT DISTINCT a FROM t", "SELECT  a FROM t"),
        ("SELECT count(distinct a) FROM t", "SELECT count( a) FROM t"),
        ("SELECT 'distinct' FROM t", "SELECT 'distinct' FROM t"),
        ("SELECT a FROM t WHERE a IS NOT DISTINCT FROM b", "SELECT a FROM t WHERE a IS NOT DISTINCT FROM b"),
        ("SELECT DISTINCT 'never closed", "SELECT DISTINCT 'never closed"),
    ],
)
def test_distinct_is_taken_out_by_tokens(sql: str, without: str) -> None:
    assert without_distinct(sql, "sqlite") == without


def test_an_equal_result_that_says_little() -> None:
    def weak(gold: Rows, *, ordered: bool = False, distinct: bool = False, limited: bool = False) -> str:
        result = (["a"], gold)
        return "; ".join(weaknesses(result, result, ordered=ordered, distinct=distinct, limited=limited))

    assert weak([]) == "gold returns no rows"
    assert weak([(None,)]) == "gold returns nothing but NULL"
    assert "one row" in weak([(7,)], limited=True)
    assert "one row" in weak([(7,)], ordered=True)
    assert weak([(0,)]) == "one row that says 0"
    assert "no ties" in weak([(1,), (2,)], distinct=True)
    assert weak([(1,), (2,)]) == weak([(7,)]) == ""
    left, right = (["a"], [(1,), (1,), (2,)]), (["a"], [(1,), (2,), (2,), (2,)])
    assert weaknesses(left, right, ordered=False, distinct=False, limited=False) == ["the duplicates differ"]
    moved = (["a", "b"], [(1, 2), (1, 2)]), (["b", "a"], [(2, 1), (2, 1)])
    assert weaknesses(*moved, ordered=False, distinct=False, limited=False) == []


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "game.db"
    with sqlite3.connect(path) as db:
        db.executescript(
            "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'order by'), (2, 'z');"
        )
    db.close()
    return path


@pytest.mark.parametrize("mode", NAMES)
def test_faults_of_other_evaluators_are_in_no_mode(mode: str, database: Path) -> None:
    with Execution(mode=mode_named(mode), timeout=1.0) as execution:

        def judge(gold: str, generated: str, accepted: tuple[str, ...] = ()) -> Judged:
            return execution.judge(Pair(gold, generated, database=database, accepted=accepted))

        gold = "SELECT a FROM t"
        assert judge(gold, "DELETE FROM t").outcome is Outcome.FAIL
        assert judge(gold, gold).outcome is Outcome.PASS  # nothing was deleted
        endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT n FROM r WHERE n > 1"
        assert "longer than 1 s" in judge(gold, endless).why
        backwards = "SELECT a FROM t WHERE b <> 'q' ORDER BY a DESC"
        literal = "SELECT a FROM t WHERE b <> 'q order by q'"
        inside = "SELECT a FROM (SELECT a FROM t ORDER BY a)"
        for unordered in (literal, inside):
            expected = Outcome.FAIL if mode == "ordered" else Outcome.PASS
            assert judge(unordered, backwards).outcome is expected
        assert judge("SELECT 1", "SELECT 1.0").outcome is Outcome.PASS
        fewer = judge("SELECT a FROM t", "SELECT DISTINCT a FROM t").outcome
        assert fewer is (Outcome.PASS if mode in ("bird-set", "test-suite") else Outcome.FAIL)
        other = judge("SELECT 1", "SELECT b FROM t", accepted=("SELECT 2", "SELECT b FROM t"))
        assert other.outcome is Outcome.PASS
        assert other.evidence["accepted"] == "SELECT b FROM t"
        assert other.evidence["mode"] == mode_named(mode).label
        broken_gold = judge("SELECT nothing FROM t", gold, accepted=(gold,))
        assert broken_gold.outcome is Outcome.PASS
