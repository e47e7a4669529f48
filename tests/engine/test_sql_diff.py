"""The diff of gold and generated."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.sql.diff import DiffLine, diff_lines, diff_sql

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


def test_equal_lines_are_marked_nowhere() -> None:
    assert all(not marked(line) for line in diff_lines(["a", "b"], ["a", "b"]))
