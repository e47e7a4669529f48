"""The store: migrations in order, older and newer files, full disks, several writers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from t2s_tui.errors import NotFound, WorkspaceError
from t2s_tui.records import Dataset, Outcome, Prediction, PredictionSet, TrainingRun, Verdict
from t2s_tui.store import Store, schema


def dataset(name: str = "game", created_at: float = 1.0) -> Dataset:
    return Dataset(name, "/a.csv", "table", "mysql", "f" * 16, {"train": 3, "eval": 1}, 2, created_at)


def prediction_set(name: str = "base", total: int = 2) -> PredictionSet:
    return PredictionSet(
        name, "game", "eval", "smollm2", None, "book", {"max_new_tokens": 256}, total, "", 1.0
    )


def prediction(example_id: str = "a", set_name: str = "base") -> Prediction:
    return Prediction(set_name, example_id, "SELECT 1; ### 봇", "SELECT 1", 10, 5, "eos", 0.5)


def test_every_record_comes_back_as_it_was_put(tmp_path: Path) -> None:
    run = TrainingRun("t", "game", "train", "m", {"lr": 2e-4}, "t-1", None, {"loss": 0.5}, 2.0)
    verdict = Verdict("base", "a", "execution", Outcome.PASS, "같은 결과", {"rows": [[1, None, "가"]]}, "2")
    with Store(tmp_path / "s.sqlite") as store:
        store.datasets.put(dataset())
        store.runs.put(run)
        store.predictions.put_set(prediction_set())
        store.predictions.add([prediction("a"), prediction("b")])
        store.verdicts.add([verdict])
    with Store(tmp_path / "s.sqlite") as store:
        assert store.datasets.get("game") == dataset()
        assert store.runs.get("t") == run
        assert store.predictions.get_set("base") == prediction_set()
        assert store.predictions.of("base") == {"a": prediction("a"), "b": prediction("b")}
        assert store.predictions.count("base") == 2
        assert store.verdicts.of("base") == {"a": {"execution": verdict}}
        assert store.verdicts.of("base", "judge") == {}
        assert store.verdicts.outcomes("base") == {"a": {"execution": Outcome.PASS}}


def test_a_changed_set_keeps_its_predictions_and_a_removed_one_takes_them_along(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.predictions.put_set(prediction_set())
        store.predictions.add([prediction()])
        store.verdicts.add([Verdict("base", "a", "exact", Outcome.FAIL, "")])
        store.predictions.put_set(prediction_set(total=9))
        assert store.predictions.count("base") == 1
        store.verdicts.forget("base", ["a"])
        assert store.verdicts.of("base") == {}
        store.verdicts.add([Verdict("base", "a", "exact", Outcome.FAIL, "")])
        store.predictions.remove_set("base")
        assert store.predictions.of("base") == {}
        assert store.verdicts.of("base") == {}


def test_unknown_names_are_answered_with_those_there_are(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        with pytest.raises(NotFound, match="none yet"):
            store.datasets.get("x")
        store.datasets.put(dataset("b", 2.0))
        store.datasets.put(dataset("a", 3.0))
        with pytest.raises(NotFound, match="there is: b, a"):
            store.datasets.get("x")
        for get in (store.runs.get, store.predictions.get_set):
            with pytest.raises(NotFound):
                get("x")


def test_the_connection_is_in_wal_with_foreign_keys(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        assert store.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert store.connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        with pytest.raises(sqlite3.IntegrityError):
            store.predictions.add([prediction(set_name="nobody")])
        # Refused as a whole: the transaction is over and the next one works.
        store.predictions.put_set(prediction_set())


LATER = (
    "CREATE TABLE notes (example_id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
    "ALTER TABLE notes ADD COLUMN colour TEXT; INSERT INTO notes VALUES ('a', 'kept', 'red')",
    "UPDATE notes SET colour = colour || 'der'",
)


def test_an_older_file_is_migrated_in_order_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.datasets.put(dataset())
        assert schema.version_of(store.connection) == schema.VERSION
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + LATER)
    monkeypatch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
    for _ in range(2):  # the second opening runs none of them again
        with Store(path) as store:
            assert store.datasets.get("game") == dataset()
            assert schema.version_of(store.connection) == schema.VERSION
            assert store.connection.execute("SELECT colour FROM notes").fetchone()[0] == "redder"


def test_a_workspace_of_the_first_version_opens(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(schema.MIGRATIONS[0] + "PRAGMA user_version = 1;")
    connection.execute(
        "INSERT INTO datasets VALUES ('game', '/a.csv', 'table', 'mysql', ?, ?, 2, 1.0)",
        ("f" * 16, '{"train": 3, "eval": 1}'),
    )
    connection.commit()
    connection.close()
    with Store(path) as store:
        assert store.datasets.all() == [dataset()]
        cleaned = replace(
            dataset("game-2"),
            license="CC BY-SA 4.0",
            history=({"step": "clean", "왜": ["a"]},),
            databases={"/게임.sqlite": "f" * 16},
        )
        store.datasets.put(cleaned)
        assert store.datasets.get("game-2") == cleaned


def test_a_migration_that_fails_leaves_the_last_good_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path):
        pass
    before = schema.VERSION
    broken = (LATER[0], "CREATE TABLE half (a); INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + broken)
    monkeypatch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
    with pytest.raises(WorkspaceError, match="nowhere"):
        Store(path)
    connection = sqlite3.connect(path)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert schema.version_of(connection) == before + 1
    assert "notes" in tables
    assert "half" not in tables
    connection.close()


def test_a_newer_file_is_refused_with_one_sentence_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(WorkspaceError) as caught:
        Store(path)
    assert str(caught.value) == (
        f"The workspace {tmp_path} was made by a newer t2s-tui (schema {schema.VERSION + 1}, this one knows "
        f"{schema.VERSION}): upgrade t2s-tui, or choose another folder with --workspace."
    )
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at " * 100)
    with pytest.raises(WorkspaceError, match="not a database"):
        Store(path)


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    """SQLite's own "database or disk is full", from a limit on its pages."""
    with Store(tmp_path / "s.sqlite") as store:
        store.predictions.put_set(prediction_set())
        store.predictions.add([prediction("kept")])
        pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(WorkspaceError, match="database or disk is full"):
            store.predictions.add([prediction(f"{n:06}") for n in range(5000)])
        assert list(store.predictions.of("base")) == ["kept"]
        store.connection.execute("PRAGMA max_page_count = 1000000")
        store.predictions.add([prediction("more")])
        assert store.predictions.count("base") == 2


_WRITER = """
import sys
from pathlib import Path
from t2s_tui.records import Prediction
from t2s_tui.store import Store
who = sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for n in range(150):
    with Store(Path(sys.argv[1])) as store:
        ids = [f"{who}-{n}-{k}" for k in range(4)]
        store.predictions.add([Prediction("base", i, "r", "s", 1, 1, "eos", 0.1) for i in ids])
"""


def test_two_processes_write_at_once_and_both_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path) as store:
        store.predictions.put_set(prediction_set())
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(path), who],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for who in ("a", "b")
        ]  # fmt: skip
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        # A third one, here, in between.
        for n in range(50):
            store.predictions.add([prediction(f"here-{n}")])
        for worker in workers:
            _, errors = worker.communicate(timeout=120)
            assert (worker.returncode, errors) == (0, "")
        assert store.predictions.count("base") == 2 * 150 * 4 + 50
        assert store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_two_processes_make_the_same_new_store(tmp_path: Path) -> None:
    """Both find an empty file and both want to migrate it: one waits for the other."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom t2s_tui.store import Store\n"
        "print('ready', flush=True)\nsys.stdin.readline()\n"
        "for n in range(30):\n    Store(Path(sys.argv[1]) / f'{n}.sqlite').connection.close()\n"
    )
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert (worker.returncode, errors) == (0, "")
    for n in range(30):
        with Store(tmp_path / f"{n}.sqlite") as store:
            assert schema.version_of(store.connection) == schema.VERSION
