"""The catalogue on disk, splits, shuffle and filter."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import example_id, open_examples, read_examples, write_examples
from t2s_tui.datasets.filter import matches
from t2s_tui.datasets.splits import SEED, shuffled, split_by_database
from t2s_tui.errors import NotFound, UsageError
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write


def example(number: int, split: str = "train", database: str | None = None) -> Example:
    return Example(
        id=f"{number:012x}",
        number=number,
        split=split,
        db_id=str(number % 3),
        question=f"질문 {number}",
        ddl="CREATE TABLE t (a INT);",
        gold=f"SELECT {number};",
        dialect="sqlite",
        database=database,
        origin=f"a.csv:{number + 1}",
        accepted=("SELECT 0;",) * (number % 2),
        hardness="easy" if number % 3 else "",
        evidence="'남' is male" * (number % 2),
        extra={"utterance": "질문"} if number % 4 else {},
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = [example(n, "train" if n % 5 else "eval", f"/db/{n}" if n % 2 else None) for n in range(1, 2503)]
    written = write_examples(tmp_path, iter(rows))
    table = read_examples(tmp_path)
    assert len(table) == 2502
    assert list(table) == rows
    assert table.rows(998, 1002) == rows[998:1002]
    assert table.rows(2500, 9999) == rows[2500:]
    assert table.rows(5, 5) == []
    assert table[-1] == rows[-1]
    held_out = [r for r in rows if r.split == "eval"]
    found = table.split("eval")
    assert list(found) == held_out
    assert len(found) == 500
    assert [found[0], found[499], found[-1]] == [held_out[0], held_out[499], held_out[-1]]
    assert found[100:300:7] == held_out[100:300:7]
    assert list(table.split("nowhere")) == []
    assert table.split_names == ["train", "eval"]
    assert written.splits == {"train": 2002, "eval": 500}
    assert table.find(rows[1500].id) == rows[1500]
    assert all(table.find(r.id) == r for r in rows[::97])
    assert table.find("nope") is None
    assert table.find("") is None
    assert table.find("z") is None
    for wrong in (2502, -2503):
        with pytest.raises(IndexError):
            table[wrong]


def test_the_datasets_library_reads_the_same_file(tmp_path: Path) -> None:
    import datasets

    rows = [example(n, database=None if n % 2 else "/x") for n in range(1, 1204)]
    write_examples(tmp_path, rows)
    read = datasets.Dataset.from_file(str(tmp_path / "examples.arrow"))
    found = [
        r | {"accepted": tuple(json.loads(r["accepted"])), "extra": json.loads(r["extra"])} for r in read
    ]
    assert [Example(**r) for r in found] == rows


def test_a_catalogue_without_the_later_columns_opens(tmp_path: Path) -> None:
    rows = [example(n) for n in range(1, 9)]
    write_examples(tmp_path / "new", rows)
    (tmp_path / "old").mkdir()
    with pa.memory_map(str(tmp_path / "new" / "examples.arrow")) as source:
        older = pa.ipc.open_stream(source).read_all()
        older = older.drop_columns(["accepted", "hardness", "evidence", "extra"])
        sink = pa.OSFile(str(tmp_path / "old" / "examples.arrow"), "wb")
        with sink, pa.ipc.new_stream(sink, older.schema) as stream:
            stream.write_table(older)
    plain = [replace(r, accepted=(), hardness="", evidence="", extra={}) for r in rows]
    assert list(read_examples(tmp_path / "old")) == plain


def test_a_table_outlives_the_file_it_was_read_from(tmp_path: Path) -> None:
    rows = [example(n) for n in range(1, 3000)]
    write_examples(tmp_path, rows)
    table = read_examples(tmp_path)
    write_examples(tmp_path, [example(1)])
    assert list(table) == rows
    assert len(read_examples(tmp_path)) == 1


def test_a_source_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    write_examples(tmp_path, [example(1)])

    def failing() -> Iterator[Example]:
        yield from (example(n) for n in range(1, 1500))
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_examples(tmp_path, failing())
    assert len(read_examples(tmp_path)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["examples.arrow"]


def test_rows_are_written_as_they_come(tmp_path: Path) -> None:
    """No more than two batches are ever ahead of the disk."""
    partial = tmp_path / "out"
    sizes: list[int] = []

    def watched() -> Iterator[Example]:
        for n in range(1, 6001):
            if n % 1000 == 1:
                sizes.append(sum(p.stat().st_size for p in partial.glob(".examples.arrow.*")))
            yield example(n)

    write_examples(partial, watched())
    assert sizes == sorted(set(sizes))
    assert sizes[-1] > 4 * 50_000


def test_the_fingerprint_is_of_content_and_order_not_of_places(tmp_path: Path) -> None:
    rows = [example(n) for n in range(1, 20)]
    base = write_examples(tmp_path / "a", rows).fingerprint
    moved = [replace(r, origin="b.csv:1", database="/elsewhere") for r in rows]
    assert write_examples(tmp_path / "b", moved).fingerprint == base
    assert write_examples(tmp_path / "c", rows[::-1]).fingerprint != base
    assert write_examples(tmp_path / "d", [replace(rows[0], gold="x"), *rows[1:]]).fingerprint != base
    assert write_examples(tmp_path / "e", [replace(rows[0], split="eval"), *rows[1:]]).fingerprint != base


def test_an_id_depends_on_each_part_and_on_where_it_ends() -> None:
    ids = {example_id("a", "b", "c", "d"), example_id("ab", "", "c", "d"), example_id("a", "bc", "", "d")}
    assert len(ids) == 3
    assert example_id("1", "CREATE TABLE t (a INT);", "몇 개?", "SELECT 1;") == "4b7fa2ae3ab5"


def test_the_shuffle_is_that_of_the_reference() -> None:
    """`DataFrame.sample(frac=1, random_state=42)`, as the book's notebook shuffles."""
    import pandas as pd

    rows = list(range(1000))
    assert shuffled(rows) == pd.Series(rows).sample(frac=1, random_state=SEED).tolist()
    assert SEED == 42
    assert shuffled(rows, 7) != shuffled(rows)
    assert shuffled(list("abcdefgh")) == list("bfahcedg")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(db_id, f"q{n}") for n, db_id in enumerate([1, 2, 1, 10, 3, 1])]
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)))
    return workspace


def test_a_split_holds_out_whole_databases(workspace: Workspace, tmp_path: Path) -> None:
    before = {e.id: (e.number, e.question) for e in open_examples(workspace, "a")}
    made = split_by_database(workspace, "a", [1])  # type: ignore[list-item]  # an int, as files have it
    table = open_examples(workspace, "a")
    assert made.splits == {"eval": 3, "train": 3}
    assert {e.db_id for e in table.split("eval")} == {"1"}
    assert {e.db_id for e in table.split("train")} == {"2", "10", "3"}
    assert {e.id: (e.number, e.question) for e in table} == before
    with workspace.store() as store:
        assert store.datasets.get("a") == made
    # The file that was added is still known, and another split starts from all rows.
    assert not add_dataset(workspace, str(tmp_path / "a.jsonl")).added
    again = split_by_database(workspace, "a", ["10", "3"], evaluation="dev")
    assert again.splits == {"train": 4, "dev": 2}
    assert not add_dataset(workspace, str(tmp_path / "a.jsonl")).added
    restored = add_dataset(workspace, str(tmp_path / "a.jsonl"), replace=True)
    assert restored.dataset.splits == {"train": 6}


@pytest.mark.parametrize(
    ("holdout", "words"),
    [
        (["7"], r"has no database 7 \(it has: 1, 2, 10, 3\)"),
        ([], "No database is held out"),
        (["1", "2", "3", "10"], "leaves no row to train on"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(workspace: Workspace, holdout: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        split_by_database(workspace, "a", holdout)
    assert open_examples(workspace, "a").split_names == ["train"]


def test_unknown_names(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no dataset 'b'"):
        split_by_database(workspace, "b", ["1"])
    with pytest.raises(NotFound, match="no dataset 'b'"):
        open_examples(workspace, "b")
    with pytest.raises(UsageError, match="Both splits"):
        split_by_database(workspace, "a", ["1"], train="x", evaluation="x")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("select LOGIN", True),
        ("select logout", False),
        ("로그인", True),
        (unicodedata.normalize("NFD", "로그인"), True),
        ("db:1", True),
        ("db:10", False),
        ("db:1 split:EVAL 마지막", True),
        ("split:train", False),
        ("straße", True),
        ("t2s:x", False),
    ],
)
def test_filter(query: str, found: bool) -> None:
    given = replace(example(1, "eval"), question="마지막 로그인 Straße", gold="SELECT last_login FROM t")
    assert matches(given, query) is found
