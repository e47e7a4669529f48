"""Tables are read with true places, whatever is inside of the fields."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t2s_tui.datasets.files import FileRows, read_table
from t2s_tui.datasets.source import RowProblem
from t2s_tui.errors import DataError


def _places(table: FileRows) -> list[tuple[int, dict[str, object]]]:
    rows = list(table.rows)
    assert not [row for row in rows if isinstance(row, RowProblem)]
    return [row for row in rows if not isinstance(row, RowProblem)]


def _write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_line_is_where_the_record_begins_after_multi_line_fields(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", 'a,b\n1,"x\ny\n\nz"\n\n2,q\n3,"r\ns"\n4,t\n')
    assert _places(read_table(path)) == [
        (2, {"a": "1", "b": "x\ny\n\nz"}),
        (7, {"a": "2", "b": "q"}),
        (8, {"a": "3", "b": "r\ns"}),
        (10, {"a": "4", "b": "t"}),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path, encoding: str) -> None:
    for name, text in (("a.csv", "a,b\n1,가\n"), ("a.jsonl", '{"a": "1", "b": "가"}\n')):
        table = read_table(_write(tmp_path / name, text, encoding))
        assert table.columns == ["a", "b"]
        assert [values for _, values in _places(table)] == [{"a": "1", "b": "가"}]


def test_a_field_may_be_larger_than_csv_allows_by_default(tmp_path: Path) -> None:
    large = "CREATE TABLE t (\n" + "  c INT,\n" * 50_000 + ");"
    table = read_table(_write(tmp_path / "a.csv", f'a,b\n1,"{large}"\n2,x\n'))
    rows = _places(table)
    assert rows[0] == (2, {"a": "1", "b": large})
    assert rows[1][0] == 2 + large.count("\n") + 1


def test_windows_line_ends_and_tabs(tmp_path: Path) -> None:
    assert _places(read_table(_write(tmp_path / "a.tsv", 'a\tb\r\n1\t"x\r\ny"\r\n2\tz\r\n'))) == [
        (2, {"a": "1", "b": "x\r\ny"}),
        (4, {"a": "2", "b": "z"}),
    ]


def test_a_row_with_too_many_fields_is_a_problem_and_the_next_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "a,b\n1,2,3\n4,5\n")
    problem, good = list(read_table(path).rows)
    assert problem == RowProblem(str(path), 2, "", "there are 3 fields where the header has 2")
    assert good == (3, {"a": "4", "b": "5"})


def test_text_after_a_quote_is_a_problem_of_its_line(tmp_path: Path) -> None:
    problem, good = list(read_table(_write(tmp_path / "a.csv", 'a,b\n1,"x"y\n4,5\n')).rows)
    assert isinstance(problem, RowProblem)
    assert (problem.line, good) == (2, (3, {"a": "4", "b": "5"}))


def test_a_quote_that_never_ends_is_refused_and_not_swallowed(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", 'a,b\n1,2\n3,"open\n4,5\n6,7\n')
    with pytest.raises(DataError, match="begins on line 3 and never ends"):
        list(read_table(path).rows)


def test_korean_excel_encoding_is_named_with_its_cure(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "a,b\n1,한국어\n", "cp949")
    with pytest.raises(DataError, match="not UTF-8") as caught:
        list(read_table(path).rows)
    assert "iconv -f cp949" in str(caught.value)


def test_json_lines_report_their_line(tmp_path: Path) -> None:
    text = '{"a": 1}\n\n{"a": \n["a"]\n{"a": "x\u2028y"}\n'
    table = read_table(_write(tmp_path / "a.jsonl", text))
    rows = list(table.rows)
    assert rows[0] == (1, {"a": 1})
    assert [(row.line, row.field) for row in rows if isinstance(row, RowProblem)] == [(3, ""), (4, "")]
    assert rows[-1] == (5, {"a": "x\u2028y"})


def test_json_list_reports_the_line_on_which_each_object_begins(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    path = _write(tmp_path / "a.json", json.dumps(rows, indent=1))
    assert _places(read_table(path)) == [(2, rows[0]), (6, rows[1]), (10, rows[2])]


def test_json_lines_under_the_name_json(tmp_path: Path) -> None:
    assert _places(read_table(_write(tmp_path / "a.json", '{"a": 1}\n{"a": 2}\n'))) == [
        (1, {"a": 1}),
        (2, {"a": 2}),
    ]


@pytest.mark.parametrize("text", ['[{"a": 1} {"a": 2}]', '[{"a": 1},', '"text"', "", "[]", '[{"a": 1}'])
def test_a_json_file_that_is_no_list_of_objects_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / "a.json", text)
    with pytest.raises(DataError) as caught:
        list(read_table(path).rows)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parquet_reports_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": list(range(2500)), "b": ["가"] * 2500}), path)
    table = read_table(path)
    rows = _places(table)
    assert table.unit == "row"
    assert rows[0] == (1, {"a": 0, "b": "가"})
    assert rows[-1] == (2500, {"a": 2499, "b": "가"})


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl", "a.xlsx", "absent.csv"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str) -> None:
    if name != "absent.csv":
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError) as caught:
        list(read_table(tmp_path / name).rows)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.next_step
