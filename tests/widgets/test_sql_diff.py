"""The diff as lines: signs, marks, the views, and what does not parse."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from widgets.sql_diff import BESIDE, DiffMode, assumption_lines, pair_lines, read_pair, view_of

DDL = "CREATE TABLE players (id INT, name VARCHAR(20), clan_id INT); CREATE TABLE clans (id INT, title TEXT);"
GOLD = "SELECT p.name FROM players p LEFT JOIN clans c ON c.id = p.clan_id WHERE p.id = 1"


def drawn(generated: str, mode: DiffMode = DiffMode.NORMALISED, width: int = 90) -> list[Text]:
    return pair_lines(read_pair(GOLD, generated, "mysql", DDL), mode, width)


def marked(line: Text) -> str:
    """The text that is bold in a line."""
    return "".join(
        line.plain[span.start : span.end] for span in line.spans if getattr(span.style, "bold", False)
    )


def test_lines_that_differ_carry_a_sign_and_only_what_changed_is_marked() -> None:
    lines = drawn(GOLD.replace("p.id = 1", "p.id = 2"))
    minus = [line for line in lines if line.plain.startswith("- ")]
    plus = [line for line in lines if line.plain.startswith("+ ")]
    assert [marked(line) for line in minus] == ["1"]
    assert [marked(line) for line in plus] == ["2"]
    assert all(line.plain.startswith("  ") for line in lines if line not in minus + plus)


def test_what_only_looks_different_is_no_difference() -> None:
    pair = read_pair(GOLD, "select `players`.name from players left join clans as x "
                           "on players.clan_id = x.id where (1 = players.id)", "mysql", DDL)  # fmt: skip
    assert pair.same


def test_side_by_side_needs_room() -> None:
    pair = read_pair(GOLD, GOLD + " LIMIT 3", "mysql", DDL)
    assert view_of(pair, DiffMode.BESIDE, BESIDE) is DiffMode.BESIDE
    assert view_of(pair, DiffMode.BESIDE, BESIDE - 1) is DiffMode.NORMALISED
    lines = [line.plain for line in pair_lines(pair, DiffMode.BESIDE, 90)]
    last = next(line for line in lines if "LIMIT" in line)
    left, right = last.split("│")
    assert not left.strip()
    assert right.strip().startswith("+ LIMIT")


def test_what_does_not_parse_is_shown_as_written_with_its_place_marked() -> None:
    sql = "SELECT name FROM players WHERE name = 'x"
    pair = read_pair(GOLD, sql, "mysql", DDL)
    assert pair.generated_unparsed is not None
    lines = pair_lines(pair, DiffMode.NORMALISED, 90)
    text = "\n".join(line.plain for line in lines)
    assert str(pair.generated_unparsed) in text
    last = next(line for line in lines if "'x" in line.plain)
    pointed = [last.plain[s.start : s.end] for s in last.spans if "reverse" in str(s.style)]
    assert len(pointed) == 1
    assert "empty" in "\n".join(line.plain for line in drawn(""))


def test_no_line_is_wider_than_the_pane() -> None:
    long = "SELECT " + ", ".join(f"'한글 값 {i}' AS 이름{i}" for i in range(30)) + " FROM players"
    for mode in DiffMode:
        for width in (40, 78, 120):
            assert max(cell_len(line.plain) for line in drawn(long, mode, width)) <= width


def test_what_the_sameness_rests_on_is_said_in_full() -> None:
    ddl = """CREATE TABLE players (id INT PRIMARY KEY, clan_id INT NOT NULL REFERENCES clans (id));
    CREATE TABLE clans (id INT PRIMARY KEY);"""
    joined = "SELECT p.id FROM players p JOIN clans c ON c.id = p.clan_id"
    pair = read_pair("SELECT id FROM players", joined, "mysql", ddl)
    assert pair.same
    words = " ".join(line.plain[3:].strip() for line in assumption_lines(pair, 30))
    assert words == "foreign keys hold: what they name is there"
    assert max(cell_len(line.plain) for line in assumption_lines(pair, 30)) <= 30
    assert not assumption_lines(read_pair(joined, joined, "mysql", ddl), 30)
