"""Cleaned versions, and exports that come back as they went."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.clean import Cleaning, clean_dataset, next_version, read_dropped
from t2s_tui.datasets.export import form_of, write_csv, write_jsonl, write_messages, write_parquet
from t2s_tui.datasets.export_request import chosen_rows
from t2s_tui.datasets.export_spider import write_spider
from t2s_tui.datasets.marks import read_marks, write_marks
from t2s_tui.datasets.splits import split_by_database, split_by_ratio
from t2s_tui.errors import JobStopped, NotFound, T2SError, UsageError
from t2s_tui.progress import Quiet
from t2s_tui.prompts.templates import load_template, render_messages, render_text
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.shared_data import shared


def asked(number: int) -> str:
    """A question that is like no other one."""
    return hashlib.sha256(str(number).encode()).hexdigest()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Rows 41-50 ask again what rows 1-10 do, the tests 51-60 what rows 11-20 do."""
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [
        row("1", asked(n % 40), answer=f"SELECT name FROM players WHERE player_id = {n}", split=split)
        for n, split in enumerate(["train"] * 50 + ["test"] * 10)
    ]
    rows[3] |= {
        "hardness": "extra",
        "evidence": "'남' 은 male",
        "accepted": ["SELECT 1"],
        "extra": {"말": "x"},
    }
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)))
    return workspace


def audit(workspace: Workspace, name: str = "a") -> dict[str, Any]:
    return audit_dataset(workspace, AuditRequest(dataset=name, processes=0), Quiet())["findings"]


def contents(examples: Sequence[Example]) -> list[tuple[object, ...]]:
    """Everything in each row but its place."""
    return [
        (e.id, e.split, e.db_id, e.question, e.ddl, e.gold, e.dialect, e.database, e.origin, e.accepted,
         e.hardness, e.evidence, dict(e.extra))
        for e in examples
    ]  # fmt: skip


def test_dropping_by_finding_keeps_the_tests_and_says_what_went(workspace: Workspace) -> None:
    assert audit(workspace) == {"leak-question": 20, "duplicate": 10, "leak-database": 60}
    made = clean_dataset(workspace, "a", Cleaning(findings=["leak-question", "duplicate"]))
    assert made.dataset.name == "a-2"
    assert made.rows == 20
    assert made.reasons == {"leak-question": 10, "duplicate": 10}
    assert made.dataset.splits == {"train": 30, "test": 10}
    with workspace.store() as store:
        assert store.datasets.get("a-2") == made.dataset
        parent = store.datasets.get("a")
    assert made.dataset.history == (
        {
            "step": "clean",
            "of": "a",
            "fingerprint": parent.fingerprint,
            "rows": 60,
            "kept": 40,
            "dropped": {"leak-question": 10, "duplicate": 10},
        },
    )
    dropped = list(read_dropped(workspace.dataset_dir("a-2")))
    assert [(each["number"], each["why"]) for each in dropped] == [
        *((n, ["leak-question"]) for n in range(11, 21)),
        *((n, ["duplicate"]) for n in range(41, 51)),
    ]
    assert audit(workspace, "a-2") == {"leak-database": 40}
    assert len(open_examples(workspace, "a")) == 60


def test_dropping_by_filter_and_by_hand(workspace: Workspace) -> None:
    table = open_examples(workspace, "a")
    cleaning = Cleaning(query="split:test", ids=[table[0].id, table[55].id], numbers=[1, 7])
    made = clean_dataset(workspace, "a", cleaning, into="mine")
    assert made.rows == 12
    assert made.reasons == {"filter split:test": 10, "by hand": 4}
    whys = {each["number"]: each["why"] for each in read_dropped(workspace.dataset_dir("mine"))}
    assert (whys[7], whys[56]) == (["by hand"], ["filter split:test", "by hand"])
    again = clean_dataset(workspace, "mine", Cleaning(numbers=[1]))
    assert again.dataset.name == "mine-2"
    assert [step["of"] for step in again.dataset.history] == ["a", "mine"]


def test_what_was_marked_is_dropped_exported_and_kept_by_a_split(
    workspace: Workspace,
) -> None:
    folder = workspace.dataset_dir("a")
    with workspace.store() as store:
        write_marks(folder, store.datasets.get("a").fingerprint, {0, 58})
    assert [e.number for e in chosen_rows(workspace, "a", None, "is:marked")] == [1, 59]
    assert [e.number for e in chosen_rows(workspace, "a", "test", "is:marked")] == [59]
    made = clean_dataset(workspace, "a", Cleaning(marked=True))
    assert made.reasons == {"by hand": 2}
    assert clean_dataset(workspace, "a", Cleaning(query="is:marked")).reasons == {"filter is:marked": 2}
    stopped = Quiet(stop_after=0)
    with pytest.raises(JobStopped):
        clean_dataset(workspace, "a", Cleaning(marked=True), into="half", progress=stopped)
    assert not workspace.dataset_dir("half").exists()
    weights = {"train": 3.0, "test": 1.0}
    with pytest.raises(JobStopped):
        split_by_ratio(workspace, "a", weights, allow_leak=True, progress=stopped)
    split = split_by_ratio(workspace, "a", weights, allow_leak=True)
    assert read_marks(folder, split.fingerprint) == {0, 58}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 60), min_size=1, max_size=59))
def test_what_is_kept_is_kept_byte_for_byte(workspace: Workspace, numbers: set[int]) -> None:
    made = clean_dataset(workspace, "a", Cleaning(numbers=sorted(numbers)))
    before = open_examples(workspace, "a")
    after = open_examples(workspace, made.dataset.name)
    kept = [example for example in before if example.number not in numbers]
    assert contents(list(after)) == contents(kept)
    assert [example.number for example in after] == list(range(1, len(kept) + 1))


@pytest.mark.parametrize(
    ("cleaning", "words"),
    [
        (Cleaning(), "No row of 'a' would be dropped"),
        (Cleaning(query="nowhere"), "No row of 'a' would be dropped"),
        (Cleaning(query="db:1"), "Every row of 'a' would be dropped"),
        (Cleaning(findings=["duplicate"]), "no audit of 'a' as it is now"),
        (Cleaning(findings=["ugly"]), "no finding 'ugly'"),
        (Cleaning(numbers=[61]), "has no row 61"),
        (Cleaning(ids=["abc"]), "has no row abc"),
        (Cleaning(query="color:red"), "color"),
    ],
)
def test_a_cleaning_that_makes_no_sense(workspace: Workspace, cleaning: Cleaning, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        clean_dataset(workspace, "a", cleaning)
    assert sorted(p.name for p in workspace.root.joinpath("datasets").iterdir()) == [".lock", "a"]


def test_an_audit_of_other_rows_drops_nothing(workspace: Workspace, tmp_path: Path) -> None:
    rows = [row(n % 2, asked(n % 3)) for n in range(12)]
    add_dataset(workspace, str(write(tmp_path / "b.jsonl", rows)))
    audit(workspace, "b")
    split_by_database(workspace, "b", ["1"])
    with pytest.raises(UsageError, match="no audit of 'b' as it is now"):
        clean_dataset(workspace, "b", Cleaning(findings=["duplicate"]))
    with pytest.raises(UsageError, match="There is a dataset 'b'"):
        clean_dataset(workspace, "a", Cleaning(numbers=[1]), into="b")
    with pytest.raises(NotFound):
        clean_dataset(workspace, "c", Cleaning(numbers=[1]))


def test_versions_are_counted_on() -> None:
    assert next_version("a", ["a"]) == "a-2"
    assert next_version("a", ["a", "a-2"]) == "a-3"
    assert next_version("a-2", ["a-2", "a-3"]) == "a-4"


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv"])
def test_an_export_comes_back_as_it_went(workspace: Workspace, tmp_path: Path, ending: str) -> None:
    writers = {"jsonl": write_jsonl, "parquet": write_parquet, "csv": write_csv}
    path = tmp_path / f"out.{ending}"
    table = open_examples(workspace, "a")
    assert writers[ending](path, table) == 60
    back = add_dataset(workspace, str(path), name=f"back-{ending}")
    assert not back.problems
    with workspace.store() as store:
        assert back.dataset.fingerprint == store.datasets.get("a").fingerprint
    fourth = open_examples(workspace, back.dataset.name)[3]
    assert (fourth.id, fourth.hardness, fourth.evidence) == (table[3].id, "extra", "'남' 은 male")
    if ending != "csv":  # which has no column for these
        assert (fourth.accepted, fourth.extra) == (("SELECT 1",), {"말": "x"})


def test_the_text_column_is_the_books(workspace: Workspace, tmp_path: Path) -> None:
    template = load_template("book")
    path = tmp_path / "train.csv"
    table = open_examples(workspace, "a")
    write_csv(path, table.split("train"), lambda e: render_text(template, e.ddl, e.question, e.gold))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    first = table[0]
    assert rows[0]["text"] == render_text(template, first.ddl, first.question) + first.gold
    assert rows[0]["text"].endswith(first.gold)
    assert first.ddl in rows[0]["text"]


def test_chat_messages(workspace: Workspace, tmp_path: Path) -> None:
    template = load_template("chat")
    path = tmp_path / "chat.jsonl"
    table = open_examples(workspace, "a")
    write_messages(path, table, lambda e: render_messages(template, e.ddl, e.question))
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == 60
    assert all(list(line) == ["messages"] for line in lines)
    assert lines[0]["messages"][-1] == {"role": "assistant", "content": table[0].gold}
    assert table[0].question in lines[0]["messages"][-2]["content"]


def test_the_layout_of_spider(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    ddl = (
        "CREATE TABLE clans (id INT PRIMARY KEY, founded_on DATE);"
        "CREATE TABLE players (id INT PRIMARY KEY, clan_id INT REFERENCES clans(id), "
        "이름 TEXT, is_up BOOLEAN)"
    )
    base = sqlite3.connect(tmp_path / "game.sqlite")
    base.executescript(ddl)
    base.close()
    rows = [
        row(
            "game",
            "몇?",
            context=ddl,
            answer="SELECT COUNT(*) FROM clans",
            split="train",
            database="game.sqlite",
        ),
        row(
            "game",
            "누구?",
            context=ddl,
            answer="SELECT 이름 FROM players",
            split="dev",
            database="game.sqlite",
        ),
        row("odd", "무엇?", context="-- no table", answer="SELECT 1", split="extra"),
    ]
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)), dialect="mysql")
    folder = tmp_path / "out"
    made = write_spider(folder, open_examples(workspace, "a"))
    assert (made.rows, made.databases, made.without_schema) == (3, 1, ("odd",))
    (game,) = json.loads((folder / "tables.json").read_text("utf-8"))
    assert game == {
        "db_id": "game",
        "table_names_original": ["clans", "players"],
        "table_names": ["clans", "players"],
        "column_names_original": [
            [-1, "*"], [0, "id"], [0, "founded_on"], [1, "id"], [1, "clan_id"], [1, "이름"], [1, "is_up"]
        ],
        "column_names": [
            [-1, "*"], [0, "id"], [0, "founded on"], [1, "id"], [1, "clan id"], [1, "이름"], [1, "is up"]
        ],
        "column_types": ["text", "number", "time", "number", "number", "text", "boolean"],
        "primary_keys": [1, 3],
        "foreign_keys": [[4, 1]],
    }  # fmt: skip
    assert json.loads((folder / "train_spider.json").read_text("utf-8")) == [
        {"db_id": "game", "question": "몇?", "query": "SELECT COUNT(*) FROM clans"}
    ]
    assert len(json.loads((folder / "dev.json").read_text("utf-8"))) == 1
    assert len(json.loads((folder / "extra.json").read_text("utf-8"))) == 1
    copied = folder / "database" / "game" / "game.sqlite"
    assert copied.read_bytes() == (tmp_path / "game.sqlite").read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        write_spider(folder, open_examples(workspace, "a"))


def test_spiders_own_tables_come_back(tmp_path: Path) -> None:
    """Names, types and keys of the shared databases, from their own DDL into tables.json."""
    workspace = Workspace.open(tmp_path / "workspace")
    wanted = {db["db_id"]: db for db in json.loads(shared("spider/tables.json").read_text("utf-8"))}
    names = ("concert_singer", "pets_1", "car_1")
    rows = []
    for name in names:
        path = shared(f"spider/database/{name}/{name}.sqlite")
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        made = [sql for (sql,) in base.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")]
        base.close()
        rows.append(row(name, "how many?", context=";\n".join(made), answer="SELECT 1", split="dev"))
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)), dialect="sqlite")
    write_spider(tmp_path / "out", open_examples(workspace, "a"))
    for made_db in json.loads((tmp_path / "out" / "tables.json").read_text("utf-8")):
        given_db = wanted[made_db["db_id"]]
        for key in ("table_names_original", "column_names_original"):
            assert json.dumps(made_db[key]).lower() == json.dumps(given_db[key]).lower()
        assert made_db["primary_keys"] == given_db["primary_keys"]
        assert sorted(made_db["foreign_keys"]) == sorted(given_db["foreign_keys"])


def test_a_form_is_asked_for_or_seen() -> None:
    assert form_of(Path("a.CSV")) == "csv"
    assert form_of(Path("a.csv"), "text-csv") == "text-csv"
    with pytest.raises(UsageError, match="ends with none of"):
        form_of(Path("a.xlsx"))
    with pytest.raises(UsageError, match="no form 'xml'"):
        form_of(Path("a.csv"), "xml")


def test_an_export_that_fails_leaves_what_was_there(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("mine\n")

    def failing():  # type: ignore[no-untyped-def]
        yield open_examples(workspace, "a")[0]
        raise KeyError("gone")

    with pytest.raises(KeyError):
        write_jsonl(path, failing())
    assert path.read_text() == "mine\n"
    assert [p.name for p in tmp_path.glob("*out*")] == ["out.jsonl"]
    with pytest.raises(T2SError, match="cannot be written"):
        write_jsonl(tmp_path / "no" / "folder.jsonl", [])
