"""Sources and what comes with them: databases, the sample, the Hub, disks that refuse, imports."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from t2s_tui import samples
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import DataError, UsageError, WorkspaceError
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write

PLAIN = "CREATE TABLE clans (\n  clan_id INT,\n  name TEXT\n);"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


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


def test_the_hubs_configurations(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository with two, as its card says: one is asked for, and each of its splits is kept."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    repository = tmp_path / "repo"
    write(repository / "origin" / "train.jsonl", [row(1)])
    write(repository / "clean" / "train.jsonl", [row(1), row(2)])
    write(repository / "clean" / "test.jsonl", [row(3)])
    (repository / "README.md").write_text(
        "---\nconfigs:\n- config_name: origin\n  data_dir: origin\n"
        "- config_name: clean\n  data_dir: clean\n---\n"
    )
    with pytest.raises(UsageError, match=r"several configurations: origin, clean: .*repo:origin"):
        add_dataset(workspace, str(repository), format="hub")
    report = add_dataset(workspace, f"{repository}:clean", format="hub")
    assert (report.dataset.name, report.dataset.splits) == ("repo", {"train": 2, "test": 1})


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
