"""Adding datasets: what is taken in, what is dropped and said, what is refused."""

from __future__ import annotations

import csv
import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t2s_tui.datasets import databases
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.databases import fingerprint_of
from t2s_tui.datasets.source import RowProblem
from t2s_tui.errors import DataError, UsageError
from t2s_tui.workspace import Workspace
from tests.dataset_files import DDL, row, write
from tests.shared_data import shared

PLAIN = "CREATE TABLE clans (\n  clan_id INT,\n  name TEXT\n);"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def test_a_large_database_is_known_by_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    content = b"abcdefgh" * 1_000_000
    path.write_bytes(content)
    whole = fingerprint_of(path)
    monkeypatch.setattr(databases, "_WHOLE", 1 << 20)
    monkeypatch.setattr(databases, "_PIECE", 1 << 10)
    sampled = fingerprint_of(path)
    assert sampled == fingerprint_of(path) != whole
    for at in (0, 500, len(content) - 1):  # both ends are always looked at
        path.write_bytes(content[:at] + b"X" + content[at + 1 :])
        assert fingerprint_of(path) != sampled
    path.write_bytes(content[:-1])
    assert fingerprint_of(path) != sampled


def test_the_licence_is_the_folders_or_the_cards(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    bare = write(tmp_path / "bare" / "train.jsonl", [row()])
    (tmp_path / "bare" / "README.md").write_text("# license: none\n", encoding="utf-8")
    carded = write(tmp_path / "carded" / "train.jsonl", [row()])
    card = "---\nlanguage: ko\nlicense: cc-by-sa-4.0\n---\n# Words\nlicense: other\n"
    (tmp_path / "carded" / "README.md").write_text(card, encoding="utf-8")
    licensed = write(tmp_path / "licensed" / "train.jsonl", [row()])
    (tmp_path / "licensed" / "LICENSE").write_text("MIT License\n\nCopyright 우리\n", encoding="utf-8")
    said = {
        folder.parent.name: add_dataset(workspace, str(folder.parent)).dataset.license
        for folder in (bare, carded, licensed)
    }
    assert said == {"bare": "", "carded": "cc-by-sa-4.0", "licensed": "MIT License\n\nCopyright 우리"}
    assert add_dataset(workspace, str(licensed), name="file").dataset.license == ""
    assert add_dataset(workspace, "sample").dataset.license == "MIT"


def test_the_reference_evaluation_set_loads(workspace: Workspace) -> None:
    path = shared("ko_text2sql/test.csv")
    report = add_dataset(workspace, str(path))
    assert report.added
    assert report.problems == []
    assert (report.dataset.name, report.dataset.dialect) == ("ko_text2sql", "mysql")
    assert report.dataset.splits == {"test": 112}
    assert report.dataset.dropped == 0
    table = open_examples(workspace, "ko_text2sql")
    with path.open(newline="", encoding="utf-8") as file:
        source = list(csv.DictReader(file))
    assert [(e.db_id, e.ddl, e.question, e.gold) for e in table] == [
        (r["db_id"], r["context"], r["question"], r["answer"]) for r in source
    ]
    # Record by record the origin is the line on which it begins in the file.
    lines = path.read_text(encoding="utf-8").split("\n")
    for example in table:
        line = int(example.origin.removeprefix("test.csv:"))
        assert lines[line - 1].startswith(f'{example.db_id},"CREATE TABLE')
        assert all(unicodedata.is_normalized("NFC", text) for text in (example.question, example.ddl))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet"])
def test_each_kind_of_file_gives_the_same_examples(workspace: Workspace, tmp_path: Path, suffix: str) -> None:
    nfd = unicodedata.normalize("NFD", "길드마다 몇 명인지 알려줘")
    path = write(tmp_path / f"mine{suffix}", [row(1), row(2, nfd, context=PLAIN), row(2, "셋째")])
    report = add_dataset(workspace, str(path))
    assert report.dataset.name == "mine"
    assert report.dataset.splits == {"train": 3}
    table = open_examples(workspace, "mine")
    assert [e.db_id for e in table] == ["1", "2", "2"]
    assert table[1].question == "길드마다 몇 명인지 알려줘"
    # The second DDL bears no mark of its own: it is in the dialect of the others.
    assert [e.dialect for e in table] == ["mysql"] * 3
    assert [e.number for e in table] == [1, 2, 3]
    same = {e.id for e in table}
    again = add_dataset(Workspace.open(tmp_path / "other"), str(write(tmp_path / "x.jsonl", [row("1")])))
    assert open_examples(Workspace.open(tmp_path / "other"), again.dataset.name)[0].id in same


def test_rows_with_missing_values_are_dropped_counted_and_reported(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'db_id,context,question,answer\n1,"CREATE TABLE t\n(a INT);",,SELECT 1\n1,d,q,a\n2,,  ,x\n3,d,q\n',
        encoding="utf-8",
    )
    report = add_dataset(workspace, str(path))
    assert report.problems == [
        RowProblem(str(path), 2, "question", "is empty"),
        RowProblem(str(path), 5, "context", "is empty"),
        RowProblem(str(path), 5, "question", "is empty"),
        RowProblem(str(path), 6, "answer", "is missing"),
    ]
    assert report.dataset.dropped == 3
    assert report.dataset.splits == {"train": 1}
    assert open_examples(workspace, "a")[0].origin == "a.csv:4"


def test_nulls_nans_and_wrong_types_in_parquet_and_json(workspace: Workspace, tmp_path: Path) -> None:
    table = pa.table(
        {
            "db_id": pa.array([1.0, float("nan"), 3.0]),
            "context": [DDL] * 3,
            "question": ["q", "q", None],
            "answer": ["SELECT 1"] * 3,
        }
    )
    pq.write_table(table, tmp_path / "p.parquet")
    report = add_dataset(workspace, str(tmp_path / "p.parquet"))
    assert [(p.line, p.field, p.reason, p.unit) for p in report.problems] == [
        (2, "db_id", "is empty", "row"),
        (3, "question", "is empty", "row"),
    ]
    assert open_examples(workspace, "p")[0].db_id == "1"
    bad = [row(1), row(1, answer=["SELECT 1"]), row(True), row(1, "half \ud800 pair")]
    path = tmp_path / "j.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in bad), encoding="utf-8")
    report = add_dataset(workspace, str(path))
    assert [(p.line, p.field) for p in report.problems] == [(2, "answer"), (3, "db_id"), (4, "question")]
    assert report.dataset.size == 1


def test_strict_refuses_what_would_drop_a_row(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [row(1), row(1, "")])
    with pytest.raises(DataError, match=r"1 row that cannot be used .*a\.jsonl, line 2: question is empty"):
        add_dataset(workspace, str(path), strict=True)
    with workspace.store() as store:
        assert store.datasets.all() == []


def test_a_file_with_no_good_row_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row that can be used"):
        add_dataset(workspace, str(write(tmp_path / "a.csv", [row(1, "")])))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_missing_column_names_what_was_found_and_the_option(
    workspace: Workspace, tmp_path: Path, suffix: str
) -> None:
    renamed = {"db_id": 1, "context": DDL, "utterance": "q", "answer": "SELECT 1"}
    path = write(tmp_path / f"a{suffix}", [renamed])
    with pytest.raises(UsageError) as caught:
        add_dataset(workspace, str(path))
    assert str(caught.value) == (
        f"{path} has no column question (columns found: db_id, context, utterance, answer): "
        "say which column it is with --map question=COLUMN."
    )
    assert add_dataset(workspace, str(path), column_map={"question": "utterance"}).dataset.size == 1
    with pytest.raises(UsageError, match="has no column nosuch"):
        add_dataset(workspace, str(path), name="b", column_map={"question": "nosuch"})
    with pytest.raises(UsageError, match="no column 'frage' to map to"):
        add_dataset(workspace, str(path), name="b", column_map={"frage": "utterance"})


@pytest.mark.parametrize(
    ("stem", "split"), [("test", "test"), ("dev", "dev"), ("validation", "validation"), ("x", "train")]
)
def test_the_split_of_a_single_file(workspace: Workspace, tmp_path: Path, stem: str, split: str) -> None:
    path = write(tmp_path / "mine" / f"{stem}.csv", [row(1)])
    report = add_dataset(workspace, str(path))
    assert report.dataset.splits == {split: 1}
    assert report.dataset.name == ("x" if stem == "x" else "mine")


def test_a_split_column_goes_before_the_file_name(workspace: Workspace, tmp_path: Path) -> None:
    rows = [row(1, "a", split="train"), row(1, "b", split="eval"), row(1, "c", split="")]
    report = add_dataset(workspace, str(write(tmp_path / "m" / "test.csv", rows)))
    assert report.dataset.splits == {"train": 1, "eval": 1, "test": 1}


def test_a_folder_gives_a_split_for_each_file(workspace: Workspace, tmp_path: Path) -> None:
    write(tmp_path / "game" / "test.csv", [row(2, "c")])
    write(tmp_path / "game" / "train.csv", [row(1, "a"), row(1, "b")])
    (tmp_path / "game" / "README.md").write_text("words")
    report = add_dataset(workspace, str(tmp_path / "game"))
    assert (report.dataset.name, report.dataset.splits) == ("game", {"train": 2, "test": 1})
    table = open_examples(workspace, "game")
    assert table.split_names == ["train", "test"]
    assert [e.question for e in table.split("test")] == ["c"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no table"):
        add_dataset(workspace, str(tmp_path / "empty"))


def test_adding_the_same_again_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [row(1), row(2, "b")])
    first = add_dataset(workspace, str(path))
    file = workspace.dataset_dir("a") / "examples.arrow"
    before = (file.stat().st_ino, file.stat().st_mtime_ns)
    second = add_dataset(workspace, str(path))
    assert (first.added, second.added) == (True, False)
    assert second.dataset == first.dataset
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    assert sorted(p.name for p in (workspace.root / "datasets").iterdir()) == [".lock", "a"]


def test_other_content_under_a_name_is_refused_unless_replaced(workspace: Workspace, tmp_path: Path) -> None:
    add_dataset(workspace, str(write(tmp_path / "a.csv", [row(1)])))
    other = str(write(tmp_path / "b.csv", [row(1), row(1, "mehr")]))
    with pytest.raises(UsageError, match="with other content"):
        add_dataset(workspace, other, name="a")
    assert len(open_examples(workspace, "a")) == 1
    assert add_dataset(workspace, other, name="a", replace=True).added
    assert len(open_examples(workspace, "a")) == 2
    (workspace.dataset_dir("a") / "examples.arrow").write_bytes(b"broken")
    with pytest.raises(DataError, match="--replace"):
        add_dataset(workspace, other, name="a")
    add_dataset(workspace, other, name="a", replace=True)
    assert len(open_examples(workspace, "a")) == 2


def test_a_row_that_repeats_gets_an_id_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    add_dataset(workspace, str(write(tmp_path / "a.csv", [row(1), row(1), row(1), row(2)])))
    table = open_examples(workspace, "a")
    first = table[0].id
    assert [e.id for e in table][:3] == [first, f"{first}-2", f"{first}-3"]
    assert len(first) == 12
    found = table.find(f"{first}-2")
    assert found is not None
    assert found.number == 2


def test_dialects_are_recognised_given_or_refused(workspace: Workspace, tmp_path: Path) -> None:
    ddl = "CREATE TABLE t (id {});"
    rows = [
        row(1, context=ddl.format("INTEGER PRIMARY KEY AUTOINCREMENT")),
        row(2, context=ddl.format("SERIAL PRIMARY KEY")),
        row(3, context=ddl.format("INT AUTO_INCREMENT")),
        row(4, context=ddl.format("INT DEFAULT 'SERIAL' -- AUTOINCREMENT")),
        row(5, context=ddl.format("INT AUTO_INCREMENT")),
    ]
    path = write(tmp_path / "a.jsonl", rows)
    add_dataset(workspace, str(path))
    assert [e.dialect for e in open_examples(workspace, "a")] == [
        "sqlite",
        "postgres",
        "mysql",
        "mysql",
        "mysql",
    ]
    assert add_dataset(workspace, str(path), name="b", dialect="DuckDB").dataset.dialect == "duckdb"
    assert {e.dialect for e in open_examples(workspace, "b")} == {"duckdb"}
    with pytest.raises(UsageError, match="no SQL dialect 'klingon'"):
        add_dataset(workspace, str(path), name="c", dialect="klingon")
    plain = add_dataset(workspace, str(write(tmp_path / "d.csv", [row(1, context=PLAIN)])))
    assert plain.dataset.dialect == "sqlite"
    column = [row(1, dialect="postgres"), row(1, "b", dialect="klingon"), row(1, "c", dialect="")]
    report = add_dataset(workspace, str(write(tmp_path / "e.csv", column)))
    assert [e.dialect for e in open_examples(workspace, "e")] == ["postgres", "mysql"]
    assert [(p.line, p.field) for p in report.problems] == [(6, "dialect")]
