"""What the databases hold that tell queries apart: groups of a size, keys of several columns, what joins."""

from __future__ import annotations

from datetime import date

import pytest

from t2s_tui.evaluation.equivalence.engines import SqliteEngine
from t2s_tui.evaluation.equivalence.moments import fix_present
from t2s_tui.evaluation.equivalence.schema import tables_of
from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import parse

POWERS = """
CREATE TABLE hero (id INTEGER PRIMARY KEY, nm TEXT, score TEXT);
CREATE TABLE pow (id INTEGER PRIMARY KEY, nm TEXT NOT NULL);
CREATE TABLE hpow (hero_id INTEGER NOT NULL REFERENCES hero (id), pow_id INTEGER NOT NULL REFERENCES pow (id),
  PRIMARY KEY (hero_id, pow_id));
CREATE TABLE line (o_no TEXT NOT NULL, seq INTEGER NOT NULL, qty INTEGER, PRIMARY KEY (o_no, seq));
"""


def refuted(gold: str, generated: str, ddl: str = POWERS) -> Judged:
    verdict = judge_pair(Pair(gold, generated, "sqlite", ddl))
    assert verdict.outcome is Outcome.FAIL, verdict
    return verdict


@pytest.mark.parametrize(
    ("gold", "generated"),
    [
        (
            "SELECT h.nm FROM hero h JOIN hpow x ON x.hero_id = h.id GROUP BY h.id HAVING COUNT(*) > {}",
            "SELECT h.nm FROM hero h JOIN hpow x ON x.hero_id = h.id GROUP BY h.id HAVING COUNT(*) >= {}",
        ),
        (
            "SELECT o_no FROM line GROUP BY o_no HAVING COUNT(*) > {}",
            "SELECT o_no FROM line GROUP BY o_no HAVING COUNT(*) >= {}",
        ),
        (
            "SELECT pow_id FROM hpow GROUP BY pow_id HAVING COUNT(hero_id) < {}",
            "SELECT pow_id FROM hpow GROUP BY pow_id HAVING COUNT(hero_id) <= {}",
        ),
    ],
)
@pytest.mark.parametrize("threshold", [2, 5, 15])
def test_groups_of_rows_whose_key_has_several_columns(gold: str, generated: str, threshold: int) -> None:
    """A group of exactly so many rows: they may be alike in one column of the key, not in all."""
    verdict = refuted(gold.format(threshold), generated.format(threshold))
    assert verdict.evidence["class"] == "data"


def test_texts_that_are_added_up_hold_numbers() -> None:
    refuted("SELECT AVG(score) FROM hero", "SELECT SUM(score) FROM hero")
    refuted("SELECT SUM(score * 2) FROM hero", "SELECT SUM(score * 3) FROM hero")


def test_groups_that_show_the_same_tell_distinct() -> None:
    gold = "SELECT h.nm FROM hero h JOIN hpow x ON x.hero_id = h.id GROUP BY h.id HAVING COUNT(*) >= 3"
    assert refuted(gold, gold.replace("SELECT", "SELECT DISTINCT")).evidence["class"] == "data"


def test_a_text_that_points_at_a_number_does_not_keep_rows() -> None:
    """SQLite joins '25' with 25, so a row that says the one points at the row that says the other."""
    ddl = """
    CREATE TABLE singer (id NUMBER PRIMARY KEY, name TEXT);
    CREATE TABLE sang (concert NUMBER, singer TEXT REFERENCES singer (id), PRIMARY KEY (concert, singer));
    """
    verdict = refuted(
        "SELECT s.name, COUNT(*) FROM sang x JOIN singer s ON x.singer = s.id GROUP BY s.id",
        "SELECT s.name, COUNT(*) FROM sang x JOIN singer s ON x.singer = s.id GROUP BY s.name",
        ddl,
    )
    tables = {table["name"]: table for table in verdict.evidence["counterexample"]["tables"]}
    assert sum(len(table["rows"]) for table in tables.values()) == 4
    assert all(isinstance(row[0], (int, float)) for row in tables["singer"]["rows"])


def test_a_text_where_only_a_number_may_stand_costs_its_row_and_no_more() -> None:
    """SQLite refuses a text as INTEGER PRIMARY KEY with an error, also where it is told to pass over."""
    tables = tables_of("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);", "sqlite", "sqlite")
    engine = SqliteEngine(tables)
    assert engine.load({"t": [(None, 1), (7, 2), ("a", 3), ("8", 4), (7, 5)]}) == {
        "t": [(1, 1), (7, 2), (8, 4)]
    }
    assert engine.load({"t": [(2, 1)]}) == {"t": [(2, 1)]}
    engine.close()


def test_columns_on_two_sides_of_an_or_have_nothing_in_common() -> None:
    """The one was once taken to point at the other, and an INTEGER column was given its texts."""
    ddl = """
    CREATE TABLE p (cd TEXT NOT NULL PRIMARY KEY, n INTEGER, t TEXT UNIQUE);
    CREATE TABLE v (r INTEGER PRIMARY KEY, f TEXT REFERENCES p (cd));
    """
    gold = "SELECT cd FROM p WHERE IIF(t = 'Seoul', 1, 0) = 0 AND n * 2 <= 30 EXCEPT SELECT f FROM v"
    generated = (
        "SELECT cd FROM p WHERE NOT (NOT (t IS NOT 'Seoul') OR NOT (NOT n > 15))"
        " AND NOT EXISTS (SELECT 1 FROM v WHERE f = cd)"
    )
    for seed in (42, 477):
        verdict = judge_pair(Pair(gold, generated, "sqlite", ddl), seed)
        assert verdict.outcome is Outcome.PASS, verdict


NOW = "CREATE TABLE t (id INTEGER PRIMARY KEY, born DATE, n INTEGER, state TEXT);"


def test_the_present_moment_is_one_for_both_queries() -> None:
    """The second query runs later than the first: what they read from the clock is no difference."""
    gold = "SELECT id, JULIANDAY('now') - JULIANDAY(born), CURRENT_TIMESTAMP FROM t WHERE n > 3"
    generated = "SELECT id, JULIANDAY('NOW') - JULIANDAY(born), DATETIME('now') FROM t WHERE n >= 4"
    verdict = judge_pair(Pair(gold, generated, "sqlite", NOW))
    assert verdict.outcome is Outcome.PASS, verdict
    shown = refuted(gold, generated.replace(">= 4", ">= 5"), NOW).evidence["ran"]
    assert "now" not in shown["gold"].lower()
    assert "current" not in shown["gold"].lower()


def test_the_present_moment_of_a_day() -> None:
    tree = parse(
        "SELECT STRFTIME('%Y', 'now'), DATE('now', '-1 year'), CURRENT_DATE, CURRENT_TIME,"
        " COALESCE(state, 'now') FROM t WHERE state = 'now'",
        "sqlite",
    )
    assert fix_present([tree], date(2020, 1, 2))
    assert tree.sql("sqlite") == (
        "SELECT STRFTIME('%Y', '2020-01-02 12:34:56'), DATE('2020-01-02 12:34:56', '-1 year'), '2020-01-02',"
        " '12:34:56', COALESCE(state, 'now') FROM t WHERE state = 'now'"
    )
    assert not fix_present([tree], date(2021, 1, 2))
