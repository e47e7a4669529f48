"""`datasets audit | split | clean | export` as a script meets them, in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2s_tui.cli import main
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


def test_audit_clean_split_and_export(shell: Shell, tmp_path: Path) -> None:
    (summary,) = shell.json("datasets", "audit", "a", "--json", "--fail-on", "leak")
    assert summary["rows"] == 17
    assert summary["findings"] == {"gold-syntax": 1, "duplicate": 8}
    assert summary["job"].endswith("audit-a")

    told = shell.run("datasets", "audit", "a", "--fail-on", "gold-syntax", code=1)
    assert "the gold SQL does not parse" in told.stdout
    assert "gold-syntax: 1 row" in told.stderr

    (made,) = shell.json("datasets", "clean", "a", "--drop", "duplicate,gold-syntax", "--json")
    assert (made["name"], made["size"], made["rows_dropped"]) == ("a-2", 8, 9)
    assert made["reasons"] == {"duplicate": 8, "gold-syntax": 1}
    shell.run("datasets", "clean", "a", "--rows", "#1,#99", code=2)

    (split,) = shell.json("datasets", "split", "a-2", "--ratio", "train=3,dev=1", "--json")
    assert split["splits"] == {"train": 6, "dev": 2}
    assert [step["step"] for step in split["history"]] == ["clean", "split"]
    shown = shell.run("datasets", "show", "a-2", "--rows", "0").stdout
    assert "cleaned: 8 of 17 rows of a (duplicate 8, gold-syntax 1)" in shown
    assert "split by databases (weights train=3, dev=1; seed 42)" in shown

    out = tmp_path / "dev.jsonl"
    (wrote,) = shell.json("datasets", "export", "a-2", "--to", str(out), "--split", "dev", "--json")
    assert wrote == {"file": str(out), "form": "jsonl", "rows": 2, "notes": []}
    assert {json.loads(line)["split"] for line in out.read_text("utf-8").splitlines()} == {"dev"}
    for form, rows in (("text-csv", 8), ("messages", 8), ("spider", 8)):
        to = str(tmp_path / f"out-{form}")
        assert shell.json("datasets", "export", "a-2", "--to", to, "--as", form, "--json")[0]["rows"] == rows


def test_calls_that_are_wrong(shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["split", "a", "--ratio", "train"], "is not SPLIT=SHARE"),
        (["split", "a", "--ratio", "a=1,b=1", "--rest", "c"], "--rest"),
        (["clean", "a", "--drop", "ugly"], "no finding 'ugly'"),
        (["clean", "a"], "No row of 'a' would be dropped"),
        (["export", "a", "--to", str(tmp_path / "a.xlsx")], "ends with none of"),
        (["audit", "a", "--block-size", "10"], "--tokenizer"),
        (["audit", "b"], "no dataset 'b'"),
    ):
        assert main(["datasets", *words, "--workspace", str(shell.root / "workspace")]) == 2
        assert said in capsys.readouterr().err


def test_a_kind_of_finding_may_stand_for_several() -> None:
    assert kinds("leak, gold-fails") == ["leak-question", "leak-gold", "leak-database", "gold-fails"]
    assert kinds("gold-fails,gold") == ["gold-fails", "gold-syntax", "gold-empty", "gold-large"]
    assert kinds(None) == []
    with pytest.raises(UsageError, match="no finding 'ugly'"):
        kinds("ugly")
