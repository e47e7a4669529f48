"""A table that no format knows: its columns, its first rows, a guess, and what is wrong with a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_tui.datasets.preview import check_mapping, guess_columns, preview_table
from tests.dataset_files import write


@pytest.mark.parametrize(
    ("columns", "guess"),
    [
        (
            ["DB-ID", "DDL", "utterance", "SQL"],
            {"db_id": "DB-ID", "context": "DDL", "question": "utterance", "answer": "SQL"},
        ),
        (
            ["database", "schema", "질문", "정답"],
            {"db_id": "database", "context": "schema", "question": "질문", "answer": "정답"},
        ),
        (["question", "query"], {"question": "question", "answer": "query"}),
        (["prompt", "completion", "phase"], {"question": "prompt", "answer": "completion", "split": "phase"}),
        (["a", "b"], {}),
    ],
)
def test_columns_are_guessed_by_what_others_call_them(columns: list[str], guess: dict[str, str]) -> None:
    assert guess_columns(columns) == guess


def test_what_is_wrong_with_a_choice() -> None:
    chosen = {"db_id": "a", "context": "b", "question": "c", "answer": "d"}
    assert check_mapping(chosen, "abcd") == {}
    assert check_mapping({**chosen, "answer": "x"}, "abcd") == {"answer": "there is no column x"}
    assert check_mapping({**chosen, "split": "a"}, "abcd") == {
        "db_id": "a is split as well",
        "split": "a is db_id as well",
    }
    assert check_mapping({**chosen, "db_id": ""}, "abcd") == {}
    assert check_mapping({"db_id": "a"}, "abcd").keys() == {"context", "question", "answer"}


def test_the_first_rows_of_a_file_or_of_a_folder(tmp_path: Path) -> None:
    rows = [{"utterance": f"질문 {at}", "code": "SELECT 1"} for at in range(9)]
    for given in (write(tmp_path / "x.csv", rows), write(tmp_path / "y" / "x.parquet", rows).parent):
        preview = preview_table(str(given))
        assert preview is not None
        assert [row["utterance"] for row in preview.rows] == ["질문 0", "질문 1", "질문 2"]
        assert preview.lacking == ["db_id", "context", "question", "answer"]
    assert preview_table(str(tmp_path / "nothing.csv")) is None
    (tmp_path / "bad.json").write_text("{")
    assert preview_table(str(tmp_path / "bad.json")) is None
