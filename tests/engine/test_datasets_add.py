"""Adding datasets: what is taken in, what is dropped and said, what is refused."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t2s_tui import samples
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.source import RowProblem
from t2s_tui.errors import DataError, UsageError, WorkspaceError
from t2s_tui.workspace import Workspace
from tests.dataset_files import DDL, row, write
from tests.shared_data import shared

PLAIN = "CREATE TABLE clans (\n  clan_id INT,\n  name TEXT\n);"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


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


def _database(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE players (player_id INTEGER PRIMARY KEY, name TEXT)")
    connection.close()
    return path


def test_databases_of_a_folder_are_found_by_name(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "db"
    wanted = [
        _database(folder / "1" / "1.sqlite"),
        _database(folder / "2.sqlite"),
        _database(folder / "3.db"),
    ]
    _database(tmp_path / "secret.sqlite")
    path = write(tmp_path / "a.csv", [row(n) for n in (1, 2, 3, 4, "../secret")])
    report = add_dataset(workspace, str(path), databases=folder)
    assert [e.database for e in open_examples(workspace, "a")] == [*map(str, wanted), None, None]
    assert len(report.notes) == 1
    assert "2 of the db_ids (4, ../secret)" in report.notes[0]
    with pytest.raises(DataError, match="There is no folder"):
        add_dataset(workspace, str(path), databases=tmp_path / "nowhere")


def test_a_database_column_is_seen_from_the_file(workspace: Workspace, tmp_path: Path) -> None:
    database = _database(tmp_path / "in" / "dbs" / "x.db")
    rows = [
        row(1, database="dbs/x.db"),
        row(2, database=str(database)),
        row(3, database="dbs/no.db"),
        row(4, database=""),
    ]
    report = add_dataset(workspace, str(write(tmp_path / "in" / "a.jsonl", rows)))
    assert [e.database for e in open_examples(workspace, "a")] == [str(database), str(database), None]
    assert [(p.line, p.field) for p in report.problems] == [(3, "database")]


@pytest.mark.parametrize("content", [b"", b"this is no database at all, only some words in a file " * 20])
def test_an_unreadable_database_is_one_sentence_and_nothing_is_lost(
    workspace: Workspace, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "1.sqlite").write_bytes(content)
    path = write(tmp_path / "a.csv", [row(1)])
    add_dataset(workspace, str(path))
    with pytest.raises(DataError, match=r"The database .*1\.sqlite (cannot be read as SQLite|has no tables)"):
        add_dataset(workspace, str(path), databases=tmp_path, replace=True)
    assert open_examples(workspace, "a")[0].database is None
    assert sorted(p.name for p in (workspace.root / "datasets").iterdir()) == [".lock", "a"]


def test_databases_that_moved_are_taken_in_without_replace(workspace: Workspace, tmp_path: Path) -> None:
    old, new = _database(tmp_path / "old" / "1.sqlite"), _database(tmp_path / "new" / "1.sqlite")
    path = str(write(tmp_path / "a.csv", [row(1)]))
    assert add_dataset(workspace, path, databases=old.parent).added
    assert not add_dataset(workspace, path, databases=old.parent).added
    assert add_dataset(workspace, path, databases=new.parent).added
    assert open_examples(workspace, "a")[0].database == str(new)


@pytest.mark.parametrize("source", ["sample", "sample-ko"])
def test_the_sample_set(workspace: Workspace, source: str) -> None:
    report = add_dataset(workspace, source)
    assert report.added
    assert report.problems == []
    assert (report.dataset.name, report.dataset.format, report.dataset.dialect) == (source, "sample", "mysql")
    assert report.dataset.splits["eval"] == 112
    table = open_examples(workspace, source)
    assert {e.db_id for e in table.split("eval")} == {"game"}
    assert "game" not in {e.db_id for e in table.split("train")}
    assert all(e.database == str(samples.database_path(e.db_id).resolve()) for e in table)
    hangul = [any("가" <= c <= "힣" for c in e.question) for e in table]
    assert all(hangul) if source == "sample-ko" else not all(hangul)
    assert not add_dataset(workspace, source).added


@pytest.mark.parametrize(
    ("source", "format", "words"),
    [
        ("nowhere.csv", None, "no file or folder"),
        ("no such thing", None, "no file, folder, sample data or Hub dataset"),
        ("sample", "parquet-ish", "no source format"),
        ("sample-fr", "sample", "no sample data"),
    ],
)
def test_an_unknown_source_is_one_sentence(
    workspace: Workspace, source: str, format: str | None, words: str
) -> None:
    with pytest.raises((DataError, UsageError), match=words):
        add_dataset(workspace, source, format=format)


def test_the_hub_format_reads_what_the_library_loads(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real `datasets.load_dataset`, on a folder in the layout of a Hub repository."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    write(tmp_path / "repo" / "data" / "train-00000-of-00001.parquet", [row(1), row(2, None)])  # type: ignore[arg-type]
    write(tmp_path / "repo" / "data" / "test-00000-of-00001.parquet", [row(3)])
    report = add_dataset(workspace, str(tmp_path / "repo"), format="hub")
    assert report.dataset.splits == {"train": 1, "test": 1}
    assert [(p.line, p.field, p.unit) for p in report.problems] == [(2, "question", "row")]
    table = add_dataset(workspace, str(tmp_path / "repo"), name="as-table")
    assert table.dataset.splits == {"train": 1, "test": 1}


def test_a_hub_id_that_cannot_be_loaded_is_one_sentence(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError) as caught:
        add_dataset(workspace, "someone/no-such-set")
    assert str(caught.value).startswith("The Hub dataset 'someone/no-such-set' cannot be loaded")
    assert "\n" not in str(caught.value)


def test_a_disk_that_refuses_leaves_the_dataset_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    """A real write error: the kernel lets this child write no file over 64 KB."""
    add_dataset(workspace, str(write(tmp_path / "a.csv", [row(1)])))
    big = write(tmp_path / "big.csv", [row(n, f"{n} " + "긴 질문 " * 50) for n in range(2000)])
    code = (
        "import resource, sys\n"
        "from t2s_tui.datasets.add import add_dataset\nfrom t2s_tui.workspace import Workspace\n"
        "from t2s_tui.errors import WorkspaceError\n"
        "workspace = Workspace.open(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n    add_dataset(workspace, sys.argv[2], name='a', replace=True)\n"
        "except WorkspaceError as error:\n    print(error)\n"
    )
    call = [sys.executable, "-c", code, str(workspace.root), str(big)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.count("\n") == 1
    assert "could not be written" in done.stdout
    assert len(open_examples(workspace, "a")) == 1
    assert sorted(p.name for p in (workspace.root / "datasets").iterdir()) == [".lock", "a"]


def test_reading_and_adding_import_nothing_heavy(workspace: Workspace, tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [row(1)])
    code = (
        "import sys\n"
        "from t2s_tui.datasets.add import add_dataset\nfrom t2s_tui.datasets.catalogue import open_examples\n"
        "from t2s_tui.datasets.splits import split_by_database\nfrom t2s_tui.datasets.filter import matches\n"
        "import t2s_tui.prompts.templates, t2s_tui.prompts.encode\n"
        "from t2s_tui.workspace import Workspace\n"
        "workspace = Workspace.open(sys.argv[1])\n"
        "add_dataset(workspace, 'sample')\nadd_dataset(workspace, sys.argv[2])\n"
        "split_by_database(workspace, 'sample', ['game'])\n"
        "table = open_examples(workspace, 'sample')\n"
        "assert table.split('eval') and table.find(table[3].id) == table[3]\n"
        "assert matches(table[0], table[0].id)\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'openai', 'textual'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    call = [sys.executable, "-c", code, str(workspace.root), str(path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_a_failed_add_is_a_workspace_error_where_nothing_can_be_written(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    (workspace.root / "datasets").rmdir()
    (workspace.root / "datasets").write_text("a file where a folder should be")
    with pytest.raises(WorkspaceError, match="could not be written"):
        add_dataset(workspace, str(write(tmp_path / "a.csv", [row(1)])))
