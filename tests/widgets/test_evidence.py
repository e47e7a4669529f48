"""Result tables: what is marked, and that nothing is marked that is not known."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from widgets.evidence import Result, evidence_lines, marks, result_of


def result(*rows: tuple[Any, ...], count: int | None = None, truncated: bool = False) -> dict[str, Any]:
    columns = [f"c{i}" for i in range(len(rows[0]) if rows else 1)]
    whole = len(rows) if count is None else count
    return {"columns": columns, "rows": [list(r) for r in rows], "count": whole, "truncated": truncated}


def both(gold: dict[str, Any], generated: dict[str, Any], width: int = 80, **options: Any) -> list[str]:
    lines = evidence_lines({"gold": gold, "generated": generated}, width, **options)
    return [line.plain.rstrip() for line in lines]


def signs(gold: dict[str, Any], generated: dict[str, Any], **options: Any) -> tuple[str, str]:
    left, right = result_of(gold), result_of(generated)
    assert isinstance(left, Result)
    assert isinstance(right, Result)
    found = marks(left, right, **options)
    return "".join(found[0]), "".join(found[1])


def test_rows_of_one_side_only_are_marked_as_often_as_they_are_too_many() -> None:
    assert signs(result((1,), (1,), (2,)), result((1,), (3,))) == (" --", " +")


def test_values_are_equal_when_execution_accuracy_says_so() -> None:
    assert signs(result((1,), (None,)), result((1.0,), (None,))) == ("  ", "  ")
    assert signs(result((1,)), result(("1",))) == ("-", "+")


def test_another_order_is_marked_only_where_order_counts() -> None:
    gold, generated = result((1,), (2,), (3,)), result((2,), (1,), (3,))
    assert signs(gold, generated) == ("   ", "   ")
    assert signs(gold, generated, ordered=True) == ("↕↕ ", "↕↕ ")
    assert "^  1" in "\n".join(both(gold, generated, ordered=True, ascii_only=True))


def test_what_a_mode_passes_is_not_marked_and_a_weak_pass_says_why() -> None:
    gold, generated = result((1, "a")), result(("a", 1))
    assert any(line.startswith("- ") for line in both(gold, generated))
    evidence = {"gold": gold, "generated": generated, "weak": True, "weak_because": ["one row only"]}
    lines = [line.plain for line in evidence_lines(evidence, 80, same=True)]
    assert not any(line.startswith(("- ", "+ ")) for line in lines)
    assert any("a weak pass: one row only" in line for line in lines)


def test_nothing_is_marked_against_a_result_that_is_not_known_whole() -> None:
    assert signs(result((1,)), result((2,), count=50)) == (" ", "+")
    assert signs(result((1,)), result((2,), truncated=True)) == (" ", "+")


def test_of_a_long_result_the_rows_that_differ_are_shown() -> None:
    gold = result(*((i,) for i in range(20)))
    lines = both(gold, result(*((i,) for i in range(19))), cap=4)
    assert any(line.startswith("- 19") for line in lines)
    assert any("… 16 more rows" in line for line in lines)


def test_columns_align_by_cells_and_text_that_reads_like_a_number_is_quoted() -> None:
    lines = both(result(("백호", 7), ("Ember", 1650)), result(("7", 7)))
    gold = [line.split("   generated")[0] for line in lines]
    assert "'7'" in lines[2]
    ends = {cell_len(line[: line.index("7") + 1]) for line in gold[2:3]}
    assert ends == {cell_len(gold[3][: gold[3].index("1650") + 4])}


def test_tables_that_do_not_fit_side_by_side_stand_one_below_the_other() -> None:
    rows = (("a" * 20, "b" * 20),)
    assert "generated" in both(result(*rows), result(*rows), width=120)[0]
    narrow = both(result(*rows), result(*rows), width=60)
    assert "generated" not in narrow[0]
    assert any("generated" in line for line in narrow)
    assert max(cell_len(line) for line in narrow) <= 60


def test_an_error_stands_where_the_rows_would_be_and_control_characters_are_dots() -> None:
    lines = both(result(("\x1b[31m",)), {"error": "no such column: \x1b[2Jx"})
    assert any("did not run" in line for line in lines)
    assert "\x1b" not in "\n".join(lines)


def test_other_metrics_evidence_is_no_table() -> None:
    assert evidence_lines({"gold": "SELECT 1", "generated": "SELECT 2"}, 80) == []
