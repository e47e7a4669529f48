"""`datasets audit | split | clean | export` as a script meets them, in processes of their own."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from t2s_tui.cli import main
from t2s_tui.commands import waiting_line as module
from t2s_tui.commands.audit import kinds
from t2s_tui.errors import UsageError
from tests.dataset_files import row, write
from tests.engine.test_cli import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("T2S_TUI_LOCKS", str(tmp_path / "locks"))
    shell = Shell(tmp_path)
    rows = [
        row(n % 4, f"{'가나다라마바사아'[n % 8]} 질문입니다 {n % 8}" * 3, split="train") for n in range(16)
    ]
    rows.append(row(9, "망가진 행", answer="SELECT FROM WHERE", split="test"))
    shell.run("datasets", "add", str(write(tmp_path / "a.jsonl", rows)))
    return shell


class Commands:
    """`t2s-tui datasets ...` in this process; the jobs it starts run in their own."""

    def __init__(self, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
        self._root = str(shell.root / "workspace")
        self._capsys = capsys

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """What it wrote to stdout and to stderr."""
        assert main(["datasets", *words, "--workspace", self._root]) == code
        return self._capsys.readouterr()

    def json(self, *words: str) -> dict[str, Any]:
        (line,) = self.run(*words, "--json")[0].splitlines()
        found = json.loads(line)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def datasets(shell: Shell, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(shell, capsys)


def test_audit_clean_split_and_export(shell: Shell, datasets: Commands, tmp_path: Path) -> None:
    summary = datasets.json("audit", "a", "--fail-on", "leak")
    assert summary["rows"] == 17
    assert summary["findings"] == {"gold-syntax": 1, "duplicate": 8}
    assert summary["job"].endswith("audit-a")

    told = shell.run("datasets", "audit", "a", "--fail-on", "gold-syntax", code=1)
    assert "the gold SQL does not parse" in told.stdout
    assert "gold-syntax: 1 row" in told.stderr

    made = datasets.json("clean", "a", "--drop", "duplicate,gold-syntax")
    assert (made["name"], made["size"], made["rows_dropped"]) == ("a-2", 8, 9)
    assert made["reasons"] == {"duplicate": 8, "gold-syntax": 1}
    assert "has no row 99" in datasets.run("clean", "a", "--rows", "#1,#99", code=2)[1]

    split = datasets.json("split", "a-2", "--ratio", "train=3,dev=1")
    assert split["splits"] == {"train": 6, "dev": 2}
    assert [step["step"] for step in split["history"]] == ["clean", "split"]
    shown, _ = datasets.run("show", "a-2", "--rows", "0")
    assert "cleaned: 8 of 17 rows of a (duplicate 8, gold-syntax 1)" in shown
    assert "split by databases (weights train=3, dev=1; seed 42)" in shown

    out = tmp_path / "dev.jsonl"
    wrote = datasets.json("export", "a-2", "--to", str(out), "--split", "dev")
    assert wrote == {"file": str(out), "form": "jsonl", "rows": 2, "notes": []}
    assert {json.loads(line)["split"] for line in out.read_text("utf-8").splitlines()} == {"dev"}
    for form in ("text-csv", "messages", "spider"):
        to = str(tmp_path / f"out-{form}")
        assert datasets.json("export", "a-2", "--to", to, "--as", form)["rows"] == 8


def test_calls_that_are_wrong(datasets: Commands, tmp_path: Path) -> None:
    for words, said in (
        (["split", "a", "--ratio", "train"], "is not SPLIT=SHARE"),
        (["split", "a", "--ratio", "a=1,b=1", "--rest", "c"], "--rest"),
        (["clean", "a", "--drop", "ugly"], "no finding 'ugly'"),
        (["clean", "a"], "No row of 'a' would be dropped"),
        (["export", "a", "--to", str(tmp_path / "a.xlsx")], "ends with none of"),
        (["audit", "a", "--block-size", "10"], "--tokenizer"),
        (["audit", "b"], "no dataset 'b'"),
    ):
        assert said in datasets.run(*words, code=2)[1]


def test_long_work_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(module, "err", Console(file=written, force_terminal=True))
    with module.waiting_line("split big", every=0.01):
        until = time.monotonic() + 20
        while "split big  0s  ctrl+c stops" not in written.getvalue():
            assert time.monotonic() < until
            time.sleep(0.005)
    assert written.getvalue().endswith("\r\x1b[2K")  # nothing is left of it
    quiet = io.StringIO()
    monkeypatch.setattr(module, "err", Console(file=quiet))
    with module.waiting_line("split big", every=0.01):
        time.sleep(0.05)
    assert quiet.getvalue() == ""


def test_a_kind_of_finding_may_stand_for_several() -> None:
    assert kinds("leak, gold-fails") == ["leak-question", "leak-gold", "leak-database", "gold-fails"]
    assert kinds("gold-fails,gold") == ["gold-fails", "gold-syntax", "gold-empty", "gold-large"]
    assert kinds(None) == []
    with pytest.raises(UsageError, match="no finding 'ugly'"):
        kinds("ugly")
