"""The audit: what it finds in rows that were spoilt on purpose, and in real ones."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.audit.parts import Parts
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.datasets.audit.table import AuditTable, read_audit
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.splits import split_by_database
from t2s_tui.errors import DataError, JobStopped, NotFound
from t2s_tui.evaluation.golds import SandboxedGolds
from t2s_tui.progress import Quiet
from t2s_tui.prompts.encode import encode_example
from t2s_tui.prompts.templates import load_template
from t2s_tui.records import Example
from t2s_tui.training.token_counts import PromptTokens
from t2s_tui.workspace import Workspace
from tests.dataset_files import write
from tests.model_support import tiny_model
from tests.shared_data import shared

__all__ = ["tiny_model"]

DDL = "CREATE TABLE players (\n  id INTEGER PRIMARY KEY,\n  name TEXT,\n  level INT -- 레벨\n);"


def row(question: str, gold: str, db_id: str = "game", split: str = "train", **more: Any) -> dict[str, Any]:
    return {"db_id": db_id, "context": DDL, "question": question, "answer": gold, "split": split, **more}


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    folder = tmp_path / "databases"
    folder.mkdir()
    for name in ("game", "other"):
        connection = sqlite3.connect(folder / f"{name}.sqlite")
        connection.executescript(DDL)
        connection.executemany(
            "INSERT INTO players VALUES (?, ?, ?)", [(n, f"이름{n}", n) for n in range(50)]
        )
        connection.commit()
        connection.close()
    return folder


def audited(
    tmp_path: Path, rows: Sequence[dict[str, Any]], databases: Path | None = None, **asked: Any
) -> AuditTable:
    workspace = Workspace.open(tmp_path / "workspace")
    source = write(tmp_path / "given.jsonl", list(rows))
    add_dataset(workspace, str(source), databases=databases, dialect=asked.pop("dialect", "sqlite"))
    request = AuditRequest(dataset="given", **{"processes": 0, **asked})
    audit_dataset(workspace, request, Quiet(), run_golds=partial(SandboxedGolds, request.max_rows))
    table = read_audit(workspace.dataset_dir("given"))
    assert table is not None
    return table


def kinds(table: AuditTable) -> list[str]:
    return [row.kinds for row in table]


def test_golds_that_do_not_run_return_nothing_or_too_much(tmp_path: Path, databases: Path) -> None:
    table = audited(
        tmp_path,
        [
            row("이름을 알려줘", "SELECT name FROM players LIMIT 3"),
            row("레벨은?", "SELECT level FROM players WHERE level > 99"),
            row("모두 보여줘", "SELECT * FROM players"),
            row("직업은?", "SELECT job FROM players"),
            row("고쳐줘", "SELECT name FORM players WHERE"),
            row("어디?", "SELECT name FROM guilds"),
            row("몇 명?", "SELECT COUNT(*) FROM players", db_id="nowhere"),
            row("지워줘", "DELETE FROM players"),
        ],
        databases,
        max_rows=20,
    )
    assert kinds(table) == [
        "",
        "gold-empty",
        "gold-large",
        "unknown-column gold-fails",
        "gold-syntax gold-fails",
        "unknown-table gold-fails",
        "",
        "gold-syntax gold-fails",
    ]
    assert table.summary["golds"] == {"fails": 4, "rows": 1, "empty": 1, "large": 1, "no database": 1}
    assert table.summary["findings"] == {
        "gold-syntax": 2, "gold-fails": 4, "unknown-table": 1, "unknown-column": 1, "gold-empty": 1,
        "gold-large": 1,
    }  # fmt: skip
    assert table.summary["with_findings"] == 6
    syntax = table[4].findings[0]
    assert syntax.where == "gold line 1, column 18"
    assert syntax.detail.startswith("sqlite: ")
    assert table[2].findings[0].detail == "it returns more than 20 rows"
    assert "no such column: job" in table[3].findings[1].detail
    # What breaks training comes first.
    worst = sorted(range(len(table)), key=lambda at: -table[at].worst)
    assert set(worst[:4]) == {3, 4, 5, 7}
    assert worst[4:6] == [1, 2]


def test_databases_that_are_not_what_they_were(tmp_path: Path, databases: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(f"{db}?", "SELECT 1", db_id=db) for db in ("game", "other")]
    dataset = add_dataset(
        workspace, str(write(tmp_path / "given.jsonl", rows)), databases=databases, dialect="sqlite"
    ).dataset
    paths = [str(databases / f"{name}.sqlite") for name in ("game", "other")]
    assert list(dataset.databases) == paths
    request = AuditRequest(dataset="given", processes=0)
    assert audit_dataset(workspace, request, Quiet())["changed_databases"] == []
    connection = sqlite3.connect(paths[0])
    connection.execute("UPDATE players SET level = 7 WHERE id = 3")
    connection.commit()
    connection.close()
    Path(paths[1]).unlink()
    assert audit_dataset(workspace, request, Quiet())["changed_databases"] == paths


def test_golds_that_say_nothing(tmp_path: Path, databases: Path) -> None:
    none = "FROM players WHERE level > 99"
    rows = [
        row(f"{n}?", f"SELECT {what} {none}")
        for n, what in enumerate(("COUNT(*)", "MAX(level)", "MIN(name), 0"))
    ]
    rows.append(row("영", "SELECT MIN(level) FROM players"))  # 0, and not a count
    table = audited(tmp_path, rows, databases)
    assert [[f.detail for f in each.findings] for each in table] == [
        ["it counts 0 rows"],
        ["it returns nothing but NULL"],
        [],
        [],
    ]


def test_korean_wikisql(tmp_path: Path) -> None:
    """Of 1004 and 144 golds all run, 975 and 142 return something."""
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, str(shared("ko_wikisql")), name="wiki")
    request = AuditRequest(dataset="wiki", processes=0)
    summary = audit_dataset(workspace, request, Quiet(), run_golds=partial(SandboxedGolds, request.max_rows))
    assert summary["golds"] == {"rows": 975 + 142, "empty": 31}
    assert summary["question_language"] == {"ko": 1147, "en": 1}
    table = read_audit(workspace.dataset_dir("wiki"))
    assert table is not None
    empty = Counter(
        e.split
        for e, found in zip(open_examples(workspace, "wiki"), table, strict=True)
        if "gold-empty" in found.kinds
    )
    assert empty == {"train": 1004 - 975, "dev": 144 - 142}


def test_accepted_golds_are_run_too(tmp_path: Path, databases: Path) -> None:
    accepted = ["SELECT name FROM players LIMIT 2", "SELECT nick FROM players"]
    table = audited(tmp_path, [row("이름?", "SELECT name FROM players", accepted=accepted)], databases)
    assert [(f.kind, f.where) for f in table[0].findings] == [
        ("unknown-column", "accepted 2"),
        ("gold-fails", "accepted 2"),
    ]


def test_a_ddl_that_does_not_parse(tmp_path: Path) -> None:
    rows = [
        row("하나", "SELECT a FROM t"),
        row("둘", "SELECT a FROM t", context="CREATE TABLE t (a INT"),
        row("셋", "SELECT a FROM t", context="-- nothing"),
        # What sqlglot does not see declared is not missed.
        row(
            "넷", "SELECT b FROM v", context="CREATE TABLE t (a INT); CREATE TABLE v AS SELECT a AS b FROM t"
        ),
    ]
    table = audited(tmp_path, rows)
    assert kinds(table) == ["unknown-table", "ddl-syntax", "ddl-syntax", ""]
    assert table[1].findings[0].where.startswith("ddl line 1, column ")


def test_leaks_between_splits_and_duplicates_within(tmp_path: Path) -> None:
    counting = "SELECT COUNT(*) FROM players WHERE level > 10"
    written_otherwise = "select count( * ) from players as p where p.level>10;"
    rows = [
        row("레벨이 10보다 높은 플레이어는 몇 명인가요?", counting),
        row("레벨이 10보다 높은 플레이어는 몇 명인가요", counting),  # 2: duplicate of 1
        row("레벨이 10보다 높은 플레이어는 몇 명 인가?", "SELECT 1"),  # 3: nearly
        row("가장 높은 레벨은 얼마야?", "SELECT MAX(level) FROM players"),
        row("레벨이 10보다 높은 플레이어는 몇 명인가요?", "SELECT 2", db_id="other", split="test"),  # 5
        row("완전히 다른 질문입니다", written_otherwise, db_id="third", split="test"),  # 6: gold of 1
        row("모든 이름을 알파벳순으로 나열해 줘", "SELECT name FROM players ORDER BY 1", split="dev"),  # 7
    ]
    table = audited(tmp_path, rows)
    found = [{f.kind: (f.where, f.detail) for f in each.findings} for each in table]
    assert found[1]["duplicate"] == ("train 1", "the same question")
    assert found[2]["near-duplicate"][0] == "train 1"
    assert "with another gold" in found[2]["near-duplicate"][1]
    assert found[0]["leak-question"] == ("test 5", "the same question, on another database")
    assert found[4]["leak-question"][0] == "train 1"
    assert found[2]["leak-question"][0] == "test 5"
    assert found[0]["leak-gold"] == ("test 6", "the same gold SQL")
    assert found[5]["leak-gold"] == ("train 1", "the same gold SQL")
    assert found[0]["leak-database"] == ("dev 7", "the database game is there too")
    assert found[6]["leak-database"] == ("train 1", "the database game is there too")
    assert set(found[3]) == {"leak-database"}
    assert set(found[4]) == {"leak-question"}
    assert set(found[5]) == {"leak-gold"}
    assert table.summary["findings"]["leak-gold"] == 3
    assert sum(bool(each) for each in found) == table.summary["with_findings"]


def test_nothing_leaks_where_there_is_one_split(tmp_path: Path) -> None:
    table = audited(
        tmp_path, [row("이름?", "SELECT name FROM players"), row("수?", "SELECT name FROM players")]
    )
    assert kinds(table) == ["", ""]


def test_languages_lengths_and_features(tmp_path: Path) -> None:
    rows = [
        row(f"레벨이 {n}인 플레이어를 찾아서 보여줘", f"SELECT name FROM players WHERE level={n}")
        for n in range(40)
    ]
    rows.append(row("List the names of all the players", "SELECT name FROM players"))
    joins = " JOIN ".join(f"players AS p{n}" for n in range(9))
    rows.append(row("여러 번 이어줘", f"SELECT p0.name FROM {joins}", hardness="easy"))
    table = audited(tmp_path, rows)
    assert table.summary["question_language"] == {"ko": 41, "en": 1}
    assert table.summary["ddl_language"] == {"en": 42}  # a comment of two syllables makes no Korean DDL
    assert [at for at, each in enumerate(table) if "language" in each.kinds] == [40]
    assert table[41].hardness == "easy"  # the source's word
    assert table[0].hardness == "easy"
    assert (table[41].joins, table[41].nesting, table[41].aggregates) == (8, 0, 0)
    assert table.summary["joins"] == {"0": 41, "8": 1}
    assert table.summary["features"]["where"] == 40
    assert table.summary["unusual"][0] == {
        "number": 42,
        "why": "the gold is 185 characters long, the median is 39",
    }


class _Characters:
    """A counter that needs no model: a token a character."""

    def count(self, examples: Sequence[Example]) -> list[int]:
        return [len(e.question) + len(e.gold) for e in examples]


def test_token_lengths_and_rows_that_would_be_cut(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row("가" * n, "SELECT 1") for n in (1, 2, 30)]
    add_dataset(workspace, str(write(tmp_path / "given.jsonl", rows)))
    request = AuditRequest(dataset="given", tokenizer="characters", block_size=20, processes=0)
    summary = audit_dataset(workspace, request, Quiet(), count_tokens=_Characters)
    table = read_audit(workspace.dataset_dir("given"))
    assert table is not None
    assert [each.tokens for each in table] == [9, 10, 38]
    assert kinds(table) == ["", "", "cut"]
    assert summary["tokens"] == {
        "tokenizer": "characters", "prompt": "book", "block_size": 20,
        "least": 9, "median": 10, "p95": 10, "most": 38, "cut": 1,
    }  # fmt: skip


def test_two_processes_find_what_one_does(tmp_path: Path, databases: Path) -> None:
    rows = [
        row(
            f"{n % 400}번 질문",
            f"SELECT name FROM players WHERE id = {n % 77}",
            split="dev" if n % 9 == 0 else "train",
        )
        for n in range(1300)
    ]
    alone = audited(tmp_path / "one", rows, databases)
    table = audited(tmp_path / "two", rows, databases, processes=2)
    assert list(table) == list(alone)
    assert {**table.summary, "seconds": 0} == {**alone.summary, "seconds": 0}
    assert table.summary["golds"] == {"rows": 850, "empty": 450}  # n % 77 reaches past the last id


def test_tokens_are_counted_as_a_training_counts_them(tmp_path: Path, tiny_model: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    add_dataset(workspace, "sample")
    table = open_examples(workspace, "sample")
    template = load_template("book", workspace)
    counter = PromptTokens(str(workspace.root), str(tiny_model), "book")
    rows = table.rows(0, 30)
    encoded = [encode_example(counter.tokenizer, template, e, block_size=100_000) for e in rows]
    assert counter.count(rows) == [len(each.input_ids) for each in encoded if each is not None]
    with pytest.raises(NotFound):
        PromptTokens(str(workspace.root), str(tiny_model), "no-such-prompt")


@pytest.mark.parametrize("processes", [0, 2])
def test_a_stop_ends_the_processes_too(tmp_path: Path, processes: int) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(f"질문 {n}", "SELECT 1") for n in range(1300)]
    add_dataset(workspace, str(write(tmp_path / "given.jsonl", rows)))
    before = set(multiprocessing.active_children())
    with pytest.raises(JobStopped):
        audit_dataset(workspace, AuditRequest(dataset="given", processes=processes), Quiet(stop_after=1))
    assert set(multiprocessing.active_children()) <= before
    assert read_audit(workspace.dataset_dir("given")) is None


_KILLED = """
import multiprocessing, sys, time
from t2s_tui.datasets.audit.parts import Parts
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.progress import Quiet
from t2s_tui.workspace import Workspace
class Waiting(Quiet):
    def step(self, done, total, label, **figures):
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)
if __name__ == "__main__":
    audit_dataset(Workspace.open(sys.argv[1]), AuditRequest(dataset="given"), Waiting())
"""


def test_processes_do_not_outlive_an_audit_that_was_killed(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(f"질문 {n}", "SELECT 1") for n in range(1300)]
    add_dataset(workspace, str(write(tmp_path / "given.jsonl", rows)))
    script = tmp_path / "killed.py"
    script.write_text(_KILLED, encoding="utf-8")
    command = [sys.executable, str(script), str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        process.kill()
    assert pids
    until = time.monotonic() + 20
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < until, "a process is still there"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty: dead, and not yet waited for
    except OSError:
        return False


def test_a_slow_gold_does_not_hold_up_a_stop(tmp_path: Path, databases: Path) -> None:
    """A stop is heard between two rows, and a gold ends at its limit of seconds."""
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r"
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(f"질문 {n}", f"{endless} WHERE n > {n}") for n in range(5)]
    add_dataset(workspace, str(write(tmp_path / "given.jsonl", rows)), databases=databases, dialect="sqlite")
    asked: list[bool] = []

    class Stopping(Quiet):
        def stop_requested(self) -> bool:
            asked.append(True)
            return len(asked) > 2

    request = AuditRequest(dataset="given", processes=0)
    with pytest.raises(JobStopped):
        audit_dataset(workspace, request, Stopping(), run_golds=partial(SandboxedGolds, 10, 0.1))
    assert len(asked) == 3


def test_a_stop_keeps_the_last_audit_and_the_same_one_goes_on(tmp_path: Path) -> None:
    rows = [row(f"질문 {n}", "SELECT 1" if n % 7 else "SELECT") for n in range(900)]
    before = list(audited(tmp_path, rows))
    workspace = Workspace.open(tmp_path / "workspace")
    folder = workspace.dataset_dir("given")
    kept = (folder / "audit.arrow").read_bytes()
    request = AuditRequest(dataset="given", processes=0)
    progress = Quiet(stop_after=2)
    with pytest.raises(JobStopped):
        audit_dataset(workspace, request, progress)
    assert [(e["done"], e["total"]) for e in progress.events] == [(200, 900), (400, 900)]
    assert (folder / "audit.arrow").read_bytes() == kept
    assert sorted(p.name for p in folder.iterdir()) == ["audit-parts", "audit.arrow", "examples.arrow"]
    again = Quiet()
    summary = audit_dataset(workspace, request, again)
    looked = [e["done"] for e in again.events if e["label"] == "look at each row"]
    assert looked == [600, 800, 900]
    assert summary["rows"] == 900
    after = read_audit(folder)
    assert after is not None
    assert list(after) == before
    assert sorted(p.name for p in folder.iterdir()) == ["audit.arrow", "examples.arrow"]


def test_parts_of_another_audit_are_not_taken(tmp_path: Path) -> None:
    audited(tmp_path, [row(f"질문 {n}", "SELECT 1") for n in range(900)])
    workspace = Workspace.open(tmp_path / "workspace")
    parts = workspace.dataset_dir("given") / "audit-parts"

    def looked(stop_after: int | None = None, **asked: Any) -> list[int]:
        progress = Quiet(stop_after)
        request = AuditRequest(dataset="given", processes=0, **asked)
        if stop_after is None:
            audit_dataset(workspace, request, progress)
        else:
            with pytest.raises(JobStopped):
                audit_dataset(workspace, request, progress)
        return [e["done"] for e in progress.events if e["label"] == "look at each row"]

    assert looked(2) == [200, 400]
    assert looked(1, max_rows=5) == [200]  # golds are told as large from another count on
    assert looked(1, max_rows=5) == [400]
    (parts / "000001.npz").write_bytes(b"")  # as a disk that was full leaves it
    assert looked(max_rows=5) == [400, 600, 800, 900]
    assert not parts.exists()
    with Parts(parts.parent, {}) as first, Parts(parts.parent, {}) as second:
        assert first.folder != second.folder
        assert second.folder.is_dir()
    assert [path.name for path in parts.parent.iterdir()].count("audit-parts") == 0
    assert not list(parts.parent.glob(".audit-*"))


def test_an_audit_is_of_one_state_of_the_dataset(tmp_path: Path) -> None:
    table = audited(tmp_path, [row("하나", "SELECT 1"), row("둘", "SELECT 2", db_id="b")])
    workspace = Workspace.open(tmp_path / "workspace")
    split = split_by_database(workspace, "given", ["b"])
    assert not table.is_of(split.fingerprint)
    with pytest.raises(NotFound):
        audit_dataset(workspace, AuditRequest(dataset="nothing"), Quiet())

    class Meddling(Quiet):
        def step(self, done: int, total: int, label: str, **figures: Any) -> None:
            with workspace.store() as store:
                store.datasets.put(replace(store.datasets.get("given"), fingerprint="0" * 16))

    with pytest.raises(DataError, match="was changed during its audit"):
        audit_dataset(workspace, AuditRequest(dataset="given", processes=0), Meddling())


def test_the_shared_part_of_spider(tmp_path: Path) -> None:
    """Every dev gold runs; the golds that name what is not there, and those that fail, are the known ones."""
    schemas = {db["db_id"]: _ddl(db) for db in json.loads(shared("spider/tables.json").read_text("utf-8"))}
    rows = [
        {"db_id": r["db_id"], "context": schemas[r["db_id"]], "question": r["question"], "answer": r["query"],
         "split": split}
        for split, name in (("train", "train_spider_lite.json"), ("dev", "dev_part.json"))
        for r in json.loads(shared(f"spider/{name}").read_text("utf-8"))[: 300 if split == "train" else None]
    ]  # fmt: skip
    table = audited(tmp_path, rows, shared("spider/database"))
    assert table.summary["splits"] == {"train": 300, "dev": 535}
    assert Counter(each.hardness for each in list(table)[300:]) == {
        "easy": 122, "medium": 218, "hard": 95, "extra": 100
    }  # fmt: skip
    assert table.summary["golds"].get("fails", 0) == 0
    assert table.summary["golds"]["rows"] > 700
    assert "leak-database" not in table.summary["findings"]
    assert (
        not {"unknown-table", "unknown-column", "gold-syntax", "ddl-syntax"}
        & table.summary["findings"].keys()
    )


def _ddl(db: dict[str, Any]) -> str:
    tables = []
    for at, name in enumerate(db["table_names_original"]):
        columns = [f'  "{column}" TEXT' for of, column in db["column_names_original"] if of == at]
        tables.append(f'CREATE TABLE "{name}" (\n' + ",\n".join(columns) + "\n);")
    return "\n".join(tables)
