"""The headless commands as a script meets them: exit codes, JSON lines on stdout, words on stderr."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.openai_server import FakeOpenAI, refusing_url
from tests.shared_data import shared

DDL = "CREATE TABLE clans (\n  clan_id INT PRIMARY KEY AUTO_INCREMENT,\n  name VARCHAR(255) NOT NULL\n);"
ROWS = [
    ("1", "클랜 이름을 모두 알려줘", "SELECT name FROM clans;"),
    ("1", "클랜은 모두 몇 개야?", "SELECT COUNT(*) FROM clans;"),
    ("2", "이름순으로 클랜 번호를 보여줘", "SELECT clan_id FROM clans ORDER BY name;"),
    ("2", "빈 답", ""),
]


class Shell:
    """Runs `t2s-tui` in processes of their own over one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *words: str, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "t2s_tui", *words],
            capture_output=True,
            text=True,
            input=stdin,
            env={**_environment(), "T2S_TUI_HOME": str(self.root / "workspace")},
            timeout=240,
            check=False,
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words: str, code: int = 0, stdin: str = "") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*words, code=code, stdin=stdin).stdout.splitlines()]


def _environment() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("T2S_TUI_LOCKS", str(tmp_path / "locks"))
    return Shell(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "clans.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["db_id", "context", "question", "answer"])
        writer.writerows((db, DDL, question, answer) for db, question, answer in ROWS)
    for db in ("1", "2"):
        with sqlite3.connect(tmp_path / f"{db}.sqlite") as database:
            database.execute("CREATE TABLE clans (clan_id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            database.execute("INSERT INTO clans VALUES (1, '바람'), (2, '구름')")
        database.close()
    return path


def _said(request: dict[str, Any]) -> str:
    return "\n".join(str(message["content"]) for message in request["messages"])


def _answer(request: dict[str, Any]) -> str:
    """A model that knows one answer, and a judge that says so."""
    said = _said(request)
    if "resolve_yn" in said:
        gold, generated = (re.search(rf"{k}: (.*)", said) for k in ("gt_sql", "gen_sql"))
        assert gold is not None
        assert generated is not None
        return json.dumps({"resolve_yn": "yes" if gold[1].rstrip(";") == generated[1] else "no"})
    return "SELECT name FROM clans;" if "이름을 모두" in said else "SELECT clan_id FROM clans;"


def test_the_loop_by_commands_with_an_endpoint(shell: Shell, source: Path, tmp_path: Path) -> None:
    added = shell.json(
        "datasets", "add", str(source), "--name", "clans", "--databases", str(tmp_path), "--json"
    )[0]
    assert (added["size"], added["dropped"], added["dialect"]) == (3, 1, "mysql")
    assert added["problems"][0]["field"] == "answer"
    shell.run("datasets", "split", "clans", "--holdout", "1")
    with FakeOpenAI(_answer) as server:
        model = f"{server.base_url}#fake"
        made = shell.json(
            "generate", "--dataset", "clans", "--model", model, "--name", "p", "--wait", "--json"
        )[0]
        assert made["state"] == "done"
        metrics = "exact,normalized,execution,judge"
        shell.run(
            "evaluate", "p", "--metrics", metrics, "--judge-model", "fake",
            "--judge-url", server.base_url, "--wait",
        )  # fmt: skip
        asked = len(server.requests)
        # Nothing is paid twice: the same evaluation asks nothing.
        shell.run(
            "evaluate", "p", "--metrics", metrics, "--judge-model", "fake",
            "--judge-url", server.base_url, "--wait",
        )  # fmt: skip
        assert len(server.requests) == asked == 4
    paired = shell.json("compare", "p", "p", "--metric", "execution", "--json")[0]
    assert paired["counts"] == {"both": 1, "only_a": 0, "only_b": 0, "neither": 1, "left_out": 0}
    shell.run("review", "p", "--right", "1", "--note", "reads well")
    shell.run("export", "p", "--to", str(tmp_path / "p.jsonl"))
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text("utf-8").splitlines()]
    assert {row["question"]: row["judge"] for row in rows} == {ROWS[0][1]: "pass", ROWS[1][1]: "fail"}
    assert {row["execution"] for row in rows} == {"pass", "fail"}
    people = [(row["human"], row["human_note"]) for row in rows]
    assert sorted(people, key=str) == [("pass", "reads well"), (None, None)]
    by = shell.run("evaluate", "p", "--metrics", "execution", "--by", "hardness", "--wait")
    assert "execution by hardness" in by.stdout


def test_ko_text2sql_through_the_loop(shell: Shell) -> None:
    published = json.loads(shared("ko_text2sql/ko_text2sql_test_112.json").read_text("utf-8"))
    raw = {row["question"]: row["gen_sql_raw"] for row in published}

    def answer(request: dict[str, Any]) -> str:
        said = _said(request)
        if "resolve_yn" in said:
            return '{"resolve_yn": "no"}'
        return next(text for question, text in raw.items() if question in said)

    shell.run("datasets", "add", str(shared("ko_text2sql/test.csv")), "--name", "ko")
    with FakeOpenAI(answer) as server:
        model = f"{server.base_url}#fake"
        shell.run("generate", "--dataset", "ko", "--model", model, "--name", "base", "--wait")
        judge = ("--judge-model", "fake", "--judge-url", server.base_url)
        metrics = "exact,normalized,execution,judge"
        result = shell.json("evaluate", "base", "--metrics", metrics, *judge, "--wait", "--json")[0]
    scores = result["result"]
    assert scores["judge"]["failed"] == 112
    assert scores["execution"]["unknown"] == 112, "there is no database: unknown, never wrong"
    assert scores["exact"]["answered"] == 112
    assert scores["normalized"]["passed"] >= scores["exact"]["passed"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("datasets", "add", "/no/such.csv"), 1, "no file or folder"),
        (("datasets", "show", "nothing"), 2, "There is no dataset 'nothing'"),
        (("train", "--dataset", "nothing"), 2, "There is no dataset"),
        (("evaluate", "nothing"), 2, "There are no predictions"),
        (("evaluate", "x", "--metrics", "bleu"), 2, "exact, normalized, execution, equivalence, judge"),
        (("compare", "a", "b"), 2, "There are no predictions"),
        (("jobs", "show", "77"), 2, "There is no job"),
        (("check", "--pairs", "/no/such.jsonl"), 1, "cannot be read"),
        ((), 2, "needs a terminal"),
    ],
)
def test_a_wrong_call_is_one_sentence(shell: Shell, words: tuple[str, ...], code: int, says: str) -> None:
    done = shell.run(*words, code=code)
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_model_or_recipe_that_is_wrong_is_said_before_any_job(shell: Shell, source: Path) -> None:
    shell.run("datasets", "add", str(source), "--name", "clans")
    for words, says in (
        (("--model", "/no/model"), "There is no model at /no/model"),
        (("--set", "epochs=minus"), "epochs must be a number"),
        (("--set", "speed=2"), "no field 'speed'"),
        (("--preset", "novel"), "no preset 'novel'"),
    ):
        done = shell.run("train", "--dataset", "clans", *words, code=_code(says))
        assert says in done.stderr
    assert shell.json("jobs", "list", "--json") == []


def _code(says: str) -> int:
    return 1 if says.startswith("There is no model at") else 2


def test_a_port_that_refuses_fails_the_job_with_one_sentence_and_can_be_resumed(
    shell: Shell, source: Path
) -> None:
    shell.run("datasets", "add", str(source), "--name", "clans")
    model = f"{refusing_url()}#fake"
    done = shell.json(
        "generate", "--dataset", "clans", "--model", model, "--name", "p", "--wait", "--json", code=1
    )[0]
    assert done["state"] == "failed"
    assert "127.0.0.1" in done["error"]


def test_check_scores_pairs_without_a_workspace(shell: Shell) -> None:
    pairs = [
        {"id": 1, "gold": "SELECT a FROM t", "pred": "select a from t ;", "ddl": "CREATE TABLE t (a INT)"},
        {"id": 2, "gold": "SELECT a FROM t", "pred": "SELECT b FROM t", "ddl": "CREATE TABLE t (a INT)"},
    ]
    lines = "\n".join([json.dumps(pairs[0]), "{bad", json.dumps(pairs[1])])
    found = shell.json("check", "--pairs", "-", "--metrics", "exact,normalized", stdin=lines)
    assert [row["id"] for row in found] == [1, None, 2]
    assert [row["normalized"]["outcome"] for row in found] == ["pass", "error", "fail"]
    assert not (shell.root / "workspace").exists()


def test_check_goes_on_past_bytes_that_are_no_text(shell: Shell, tmp_path: Path) -> None:
    good = json.dumps({"id": 1, "gold": "SELECT 1", "pred": "SELECT  1", "ddl": ""}).encode()
    (tmp_path / "pairs.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join([good, b'{"id": "\xff\xfe"}', good]))
    found = shell.json("check", "--pairs", str(tmp_path / "pairs.jsonl"), "--metrics", "exact")
    assert [row["exact"]["outcome"] for row in found] == ["pass", "error", "pass"]
    assert found[1]["exact"]["why"] == "line 2: this is not UTF-8"


def test_check_in_another_mode_and_on_two_processes(shell: Shell, tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, "y"), (2, "y")])
    db.close()
    pair = {"gold": "SELECT a, b FROM t", "pred": "SELECT DISTINCT b, a FROM t", "database": str(database)}
    file = tmp_path / "pairs.jsonl"
    file.write_text("\n".join(json.dumps({"id": i, **pair}) for i in range(100)) + "\n", "utf-8")
    for mode, outcome in (("strict", "fail"), ("test-suite", "pass")):
        found = shell.json(
            "check", "--pairs", str(file), "--metrics", "execution", "--mode", mode, "--workers", "2"
        )
        assert [row["id"] for row in found] == list(range(100))
        assert {row["execution"]["outcome"] for row in found} == {outcome}
        assert {row["execution"]["mode"] for row in found} == {mode}
    shell.run("check", "--pairs", str(file), "--mode", "lenient", code=2)
