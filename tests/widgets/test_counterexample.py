"""Counterexamples as lines: what is marked, how far the verdict goes, and SQL that shows it again."""

from __future__ import annotations

import sqlite3
from typing import Any

from rich.cells import cell_len

from t2s_tui.records import Outcome
from tests.reviewed import JOINED, REFUTED
from widgets.counterexample import equivalence_lines, equivalence_note, replay_script


def drawn(evidence: dict[str, Any], width: int = 120, **options: Any) -> list[str]:
    return [line.plain.rstrip() for line in equivalence_lines(evidence, width, **options)]


def test_rows_that_matter_and_rows_that_differ_are_marked() -> None:
    lines = drawn(REFUTED)
    assert "players" in lines[0]
    assert "generated" in lines[0]
    assert any("▸ " in line and "- 클랜없음  0" in line for line in lines)
    assert sum("▸" in line for line in lines) == 1
    assert "  ✗ both      0 rows where gold has 1" in lines  # strict and realistic say the same


def test_on_a_narrow_screen_the_results_stand_below_and_nothing_is_wider_than_it() -> None:
    lines = drawn(REFUTED, 44, ascii_only=True)
    assert max(map(cell_len, lines)) <= 44
    assert "generated" not in lines[0]
    assert any("> " in line for line in lines)
    assert "▸" not in "".join(lines)


def test_the_note_says_how_it_was_refuted_or_how_hard_it_was_tried() -> None:
    assert (
        equivalence_note(Outcome.FAIL, REFUTED) == "refuted: data · 3 rows · database 3 of 40 · coverage 97%"
    )
    tried = {"class": "not-refuted", "databases": 40, "coverage": None}
    assert equivalence_note(Outcome.PASS, tried) == "not refuted · 40 databases"
    assert equivalence_note(Outcome.PASS, {"class": "proved"}) == "proved"
    assert equivalence_note(Outcome.UNKNOWN, {}) == "unknown"


def test_empty_tables_errors_and_readings_that_differ_are_said() -> None:
    evidence: dict[str, Any] = {
        "strict": {"outcome": "fail", "why": "another order"},
        "realistic": {"outcome": "pass", "why": "the order is not asked for"},
        "counterexample": {
            "tables": [{"name": "t\x1b[31m", "columns": ["a"], "rows": [], "marked": []}],
            "gold": {"columns": ["a"], "rows": []},
            "pred": {"error": "no such column: x"},
        },
    }
    text = "\n".join(drawn(evidence))
    assert "(empty)" in text
    assert "no such column: x" in text
    assert "✓ realistic the order is not asked for" in text
    assert "\x1b" not in text
    assert drawn({"faults": ["value"]}) == []


def test_the_copied_script_shows_the_difference_in_sqlite() -> None:
    script = replay_script(REFUTED, JOINED.format("LEFT"), JOINED.format("INNER"))
    assert script is not None
    build, _, queries = script.partition("-- gold\n")
    gold, _, generated = queries.partition("-- generated\n")
    with sqlite3.connect(":memory:") as database:
        database.executescript(build)
        rows = [sorted(database.execute(sql).fetchall()) for sql in (gold, generated)]
    assert rows == [[("b", 1), ("클랜없음", 0)], [("b", 1)]]
    assert replay_script({"class": "proved"}, "SELECT 1", "SELECT 1") is None
