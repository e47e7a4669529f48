"""The diff of gold and generated."""

from __future__ import annotations

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.sql.diff import Clause, DiffLine, compare, diff_lines, diff_sql, diff_text, side_by_side
from tests.random_queries import QueryMaker
from tests.random_rows import bag, random_database, rows_of
from tests.shared_data import shared

DDL = "CREATE TABLE p (id INT, name TEXT); CREATE TABLE c (id INT, p_id INT);"


def marked(line: DiffLine) -> list[str]:
    return [text for text, changed in line.spans if changed]


def test_no_difference_is_left_after_normalising() -> None:
    lines = diff_sql(
        "SELECT x.name FROM p x WHERE 1 < x.id", "select NAME from p where (id > 1)", "sqlite", DDL
    )
    assert [line.text for line in lines] == ["SELECT name", "FROM p", "WHERE id > 1"]
    assert {line.sign for line in lines} == {" "}


def test_a_changed_join_marks_its_words_only() -> None:
    gold = "SELECT p.name, COUNT(c.id) FROM p LEFT JOIN c ON c.p_id = p.id GROUP BY p.name"
    generated = "SELECT p.name, COUNT(c.id) FROM p JOIN c ON c.p_id = p.id GROUP BY p.name"
    lines = diff_sql(gold, generated, "sqlite", DDL)
    assert [(line.sign, line.text) for line in lines] == [
        (" ", "SELECT p.name, COUNT(c.id)"),
        (" ", "FROM p"),
        ("-", "LEFT JOIN c"),
        ("+", "JOIN c"),
        (" ", "  ON c.p_id = p.id"),
        (" ", "GROUP BY p.name"),
    ]
    assert [m.strip() for m in marked(lines[2])] == ["LEFT"]
    assert marked(lines[3]) == []


def test_a_changed_value_marks_the_value_only() -> None:
    lines = diff_sql(
        "SELECT id FROM p WHERE name = '전사'", "SELECT id FROM p WHERE name = '마법사'", "sqlite", DDL
    )
    changed = [line for line in lines if line.sign != " "]
    assert [marked(line) for line in changed] == [["'전사'"], ["'마법사'"]]


def test_an_added_clause_is_one_line() -> None:
    lines = diff_sql("SELECT id FROM p", "SELECT id FROM p WHERE id > 1 LIMIT 2", "sqlite", DDL)
    assert [(line.sign, line.text) for line in lines] == [
        (" ", "SELECT id"),
        (" ", "FROM p"),
        ("+", "WHERE id > 1"),
        ("+", "LIMIT 2"),
    ]


def test_what_does_not_parse_is_compared_as_written() -> None:
    lines = diff_sql("SELECT id FROM p", "SELECT id FROM p WHERE name = 'open", "sqlite", DDL)
    assert [line.sign for line in lines] == ["-", "+"]
    assert "".join(marked(lines[1])).strip() == "WHERE name = 'open"
    assert diff_sql("SELECT", "", "sqlite") == [DiffLine("-", (("SELECT", True),))]


_lines = st.lists(st.text(alphabet="ab =1'", max_size=8), max_size=6)


@given(_lines, _lines)
def test_each_side_can_be_read_off_the_diff(left: list[str], right: list[str]) -> None:
    found = diff_lines(left, right)
    assert [line.text for line in found if line.sign in " -"] == left
    assert [line.text for line in found if line.sign in " +"] == right


@given(_lines, _lines)
def test_side_by_side_each_column_is_a_side(left: list[str], right: list[str]) -> None:
    rows = side_by_side(diff_lines(left, right))
    assert [gold.text for gold, _ in rows if gold is not None] == left
    assert [generated.text for _, generated in rows if generated is not None] == right
    assert (None, None) not in rows


def test_equal_lines_are_marked_nowhere() -> None:
    assert all(not marked(line) for line in diff_lines(["a", "b"], ["a", "b"]))


KEYED = """CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER NOT NULL REFERENCES p (id), n INTEGER);"""


def signs(gold: str, generated: str, ddl: str = KEYED) -> list[str]:
    """The lines that differ, with their sign."""
    lines = compare(gold, generated, "sqlite", ddl).lines
    return [f"{line.sign} {line.text}" for line in lines if line.sign != " "]


def test_conjuncts_are_matched_as_sets() -> None:
    gold = "SELECT id FROM p WHERE name = 'a' AND city = 'b' AND id > 1"
    generated = "SELECT id FROM p WHERE id > 1 AND city = 'c' AND name = 'a'"
    assert signs(gold, generated) == ["-   AND city = 'b'", "+   AND city = 'c'"]


def test_sources_are_matched_by_name_and_joins_stand_in_golds_order() -> None:
    gold = "SELECT c.n FROM p JOIN c ON c.p_id = p.id WHERE p.name = 'a'"
    generated = "SELECT c.n FROM c JOIN p ON c.p_id = p.id WHERE p.city = 'a'"
    assert signs(gold, generated) == ["- WHERE p.name = 'a'", "+ WHERE p.city = 'a'"]


def test_every_clause_is_named() -> None:
    gold = (
        "WITH q AS (SELECT id FROM p WHERE id > 1) SELECT p.city, COUNT(*) FROM p JOIN q ON q.id = p.id "
        "WHERE p.name = 'a' GROUP BY p.city HAVING COUNT(*) > 1 ORDER BY p.city LIMIT 1"
    )
    generated = (
        "WITH q AS (SELECT id FROM p WHERE id > 2) "
        "SELECT p.city, MAX(p.id) FROM p LEFT JOIN q ON q.id > p.id "
        "WHERE p.name = 'b' GROUP BY p.name HAVING COUNT(*) > 2 ORDER BY p.name LIMIT 2"
    )
    changed = {change.clause for change in compare(gold, generated, "sqlite", KEYED).changed}
    assert changed >= set(Clause) - {Clause.FROM, Clause.CTE, Clause.SET, Clause.OTHER}
    union = compare(
        "SELECT id FROM p UNION SELECT n FROM c", "SELECT id FROM p EXCEPT SELECT n FROM c", "sqlite"
    )
    assert [change.clause for change in union.changed] == [Clause.SET]


def test_a_set_operation_on_one_side_stands_beside_the_operand_that_is_like_the_other() -> None:
    assert signs(
        "SELECT id FROM p EXCEPT SELECT p_id FROM c WHERE n = 1", "SELECT id FROM p WHERE id > 3"
    ) == [
        "+ WHERE p.id > 3",
        "- EXCEPT",
        "- SELECT c.p_id",
        "- FROM c",
        "- WHERE c.n = 1",
    ]


def test_what_is_the_same_under_an_assumption_says_which() -> None:
    gold = "SELECT n FROM c"
    diff = compare(gold, "SELECT c.n FROM c JOIN p ON p.id = c.p_id", "sqlite", KEYED)
    assert diff.same == "realistic"
    assert diff.assumptions == ("foreign keys hold: what they name is there",)
    assert diff_text(diff) == "  the same if foreign keys hold: what they name is there\n  SELECT n\n  FROM c"
    assert [str(change.clause) for change in diff.changed] == ["JOIN", "ON"]
    nullable = KEYED.replace("p_id INTEGER NOT NULL", "p_id INTEGER")
    assert compare(gold, "SELECT c.n FROM c JOIN p ON p.id = c.p_id", "sqlite", nullable).same == ""


def test_order_counts_where_gold_orders() -> None:
    assert compare("SELECT id FROM p", "SELECT id FROM p ORDER BY name", "sqlite", KEYED).same == "proof"
    assert compare("SELECT id FROM p ORDER BY name", "SELECT id FROM p", "sqlite", KEYED).same == ""
    assert compare("SELECT id FROM p", "SELECT id FROM p ORDER BY name", "sqlite", KEYED, True).same == ""
    assert compare("SELECT id FROM p", "SELECT id FROM p ORDER BY id LIMIT 1", "sqlite", KEYED).same == ""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_each_query_can_be_read_off_the_diff(seed: int) -> None:
    """Gold's lines and generated's lines are two queries that mean what gold and generated mean."""
    schema = {"p": ("id", "name", "city"), "c": ("id", "p_id", "n")}
    maker = QueryMaker(schema, random.Random(seed))
    gold, generated = maker.query(), maker.query()
    diff = compare(gold, generated, "sqlite", KEYED, True)
    for sql, own in ((gold, " -"), (generated, " +")) if not diff.same else ():
        text = "\n".join(line.text for line in diff.lines if line.sign in own)
        for number in range(2):
            db = random_database(KEYED, random.Random(seed + number), [0, 1, 2])
            assert bag(rows_of(db, text)) == bag(rows_of(db, sql)), text
            db.close()


def test_no_assumption_makes_tricky_pairs_equal_that_are_not() -> None:
    lines = shared("equivalence/tricky_cases.jsonl").read_text("utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    same = {c["id"]: compare(c["gold"], c["pred"], c["dialect"], c["ddl"]).same for c in cases}
    assert not [c["id"] for c in cases if same[c["id"]] and not c["equivalent"]]
    assert sum(bool(same[c["id"]]) for c in cases if c["equivalent"]) >= 20
    assert same["join_redundant_parent_notnull_fk"] == "realistic"
