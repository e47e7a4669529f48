"""`t2s-tui review`: the queue, the agreement and a person's word, headless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2s_tui.cli import main
from t2s_tui.evaluation.review import load_verdicts
from t2s_tui.records import Outcome
from tests.reviewed import judge_says, refuted, reviewed_workspace


def test_the_queue_and_the_agreement_as_json_and_a_persons_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    refuted(workspace, "tuned", examples[0].id)
    judge_says(workspace, "tuned", examples[0].id, Outcome.PASS)
    assert main(["review", "tuned", "--json", "--workspace", str(tmp_path)]) == 0
    first, *rest = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["number"], first["why"]) == (examples[0].number, "judge yes, but rows refute it")
    assert first["equivalence"] == "fail"
    tables = {(r["agreement"]["a"], r["agreement"]["b"]): r["agreement"] for r in rest if "agreement" in r}
    assert tables["judge", "execution"]["only_a"] == 1
    assert rest[-1]["corrected"]["share"] is None
    number = str(examples[0].number)
    call = ["review", "tuned", "--wrong", number, "--note", "조인 누락", "--workspace", str(tmp_path)]
    assert main(call) == 0
    human = load_verdicts(workspace, "tuned", examples[0].id)["human"]
    assert (human.outcome, human.evidence["note"]) == (Outcome.FAIL, "조인 누락")
    exported = tmp_path / "out.jsonl"
    assert main(["export", "tuned", "--to", str(exported), "--workspace", str(tmp_path)]) == 0
    row = json.loads(exported.read_text(encoding="utf-8").splitlines()[0])
    assert (row["human"], row["human_note"]) == ("fail", "조인 누락")
    capsys.readouterr()
    assert main(["review", "tuned", "--workspace", str(tmp_path)]) == 0
    out = capsys.readouterr()
    assert "judge · human" in out.out
    assert main(["review", "tuned", "--right", "9999", "--workspace", str(tmp_path)]) == 2
