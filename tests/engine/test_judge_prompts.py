"""What a judge is asked: the presets, the user's own Jinja files, and evidence in either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from t2s_tui.cli import main
from t2s_tui.errors import DataError, NotFound, UsageError
from t2s_tui.evaluation.judge.facts import Facts, facts_of, table
from t2s_tui.evaluation.judge.panel import judge_version
from t2s_tui.evaluation.judge.preview import preview
from t2s_tui.evaluation.judge.prompts import (
    PROMPTS,
    copy_preset,
    find_prompt,
    own_trouble,
    prompt_names,
    prompt_of,
    with_prompt,
)
from t2s_tui.evaluation.judge.settings import JudgeSettings
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.run import evaluate
from t2s_tui.progress import Quiet
from t2s_tui.records import Outcome
from t2s_tui.workspace import Workspace
from tests.fixtures.openai_server import FakeOpenAI
from tests.reviewed import REFUTED, refuted, reviewed_workspace

VALUES = Facts("D1", "Q1?", "G1", "S1")


def own(workspace: Workspace, name: str, text: str) -> None:
    folder = workspace.root / "judges"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.j2").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", PROMPTS)
def test_every_preset_carries_the_four_values_and_one_place_for_the_word(name: str) -> None:
    text = PROMPTS[name].render(VALUES)
    values = "DDL: D1\nQuestion: Q1?\ngt_sql: G1\ngen_sql: S1"
    assert values in text if PROMPTS[name].needs_evidence else text.endswith(values)
    assert text.count('"resolve_yn"') == 1
    assert len({prompt.version for prompt in PROMPTS.values()}) == len(PROMPTS)


def test_the_reference_is_versioned_by_its_text() -> None:
    assert PROMPTS["reference"].version == "reference@935ed330"


@pytest.mark.parametrize("name", [n for n in PROMPTS if not n.startswith("reference")])
def test_reasons_and_fault_are_asked_for_before_the_word(name: str) -> None:
    text = PROMPTS[name].text
    assert text.index('"rationale"') < text.index('"fault"') < text.index('"resolve_yn"')


# -- one's own --------------------------------------------------------------------------------


def test_a_file_in_the_workspace_is_a_prompt_versioned_by_its_text(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    own(workspace, "mine", "{# a note #}\r\n{{ question }} {{ gold }} {{ generated }} resolve_yn\n")
    prompt = find_prompt("mine", workspace)
    hostile = Facts(question="{{ 1 + 1 }} <b>", gold="{% if", generated="{generated}")
    assert prompt.render(hostile) == "{{ 1 + 1 }} <b> {% if {generated} resolve_yn"
    own(workspace, "mine", "{{ generated }}")
    assert find_prompt("mine", workspace).version != prompt.version
    assert not find_prompt("mine", workspace).asks_word
    assert prompt_names(workspace) == [*PROMPTS, "mine"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{{ generated }}\n\n{% if %}", 3, "Expected an expression"),
        ("{{ generated }}\n{{ answer }}", 2, "there is no 'answer'"),
        ("{{ generated }}\n{{ gold | uper }}", 2, "No filter named 'uper'"),
        ("{{ generated }}\n\n\n{{ execution.rows_of_gold }}", 4, "has no attribute 'rows_of_gold'"),
        ("{{ generated }}\n{{ 1 / 0 }}", 2, "division by zero"),
        ("{{ generated }}\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("{{ generated }}\n{% include 'x' %}", 2, "no loader"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    workspace = Workspace.open(tmp_path)
    own(workspace, "mine", text)
    with pytest.raises(DataError, match=rf"^judges/mine\.j2, line {line}: .*{words}"):
        find_prompt("mine", workspace)
    assert words in own_trouble(workspace)["mine"]


def test_a_prompt_that_never_shows_the_sql_or_has_a_presets_name_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    own(workspace, "blind", "{{ question }} {{ gold }}")
    own(workspace, "reference", "{{ generated }}")
    with pytest.raises(DataError, match="never shows the SQL"):
        find_prompt("blind", workspace)
    assert own_trouble(workspace)["reference"].startswith("a preset has this name")
    assert find_prompt("reference", workspace) is PROMPTS["reference"]
    with pytest.raises(NotFound, match=r"no prompt 'nine'.*use one of reference.*judges/nine\.j2"):
        with_prompt(JudgeSettings(model="m", prompt="nine"), workspace)


def test_the_text_is_as_it_was_when_it_was_asked_for(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    own(workspace, "mine", "first {{ generated }}")
    judge = JudgeSettings(model="m", prompt="mine")
    asked = with_prompt(judge, workspace)
    own(workspace, "mine", "second {{ generated }}")
    assert prompt_of(with_prompt(asked, workspace)).text == "first {{ generated }}"
    assert judge_version(asked) != judge_version(with_prompt(judge, workspace))
    with pytest.raises(UsageError, match="no prompt 'mine'"):
        judge_version(judge)


@pytest.mark.parametrize("name", PROMPTS)
def test_a_preset_copied_to_a_file_asks_the_same(tmp_path: Path, name: str) -> None:
    workspace = Workspace.open(tmp_path)
    copy_preset(name, "mine", workspace)
    assert find_prompt("mine", workspace).render(VALUES).strip() == PROMPTS[name].render(VALUES).strip()
    with pytest.raises(UsageError, match="there already"):
        copy_preset(name, "mine", workspace)


# -- evidence ---------------------------------------------------------------------------------


def test_evidence_shows_results_and_counterexample_and_the_swap_exchanges_them() -> None:
    ran = {
        "gold": {"columns": ["n"], "rows": [[1], [None]], "count": 2, "truncated": False},
        "generated": {"error": "no such column: x"},
    }
    said = {
        "execution": Judged(Outcome.FAIL, "no such column: x", ran),
        "equivalence": Judged(Outcome.FAIL, "2 rows", REFUTED),
    }
    facts = facts_of(Pair("G", "S", ddl="D", question="Q"), said)
    text = PROMPTS["evidence"].render(facts)
    assert "result of gt_sql:\nn\n1\nNULL\nresult of gen_sql:\n(error: no such column: x)" in text
    assert "INSERT INTO players VALUES (1, '클랜없음'), (2, 'b')" in text
    assert "there gt_sql returns:\nusername | n\n클랜없음 | 0\nb | 1\nthere gen_sql returns:" in text
    swapped = PROMPTS["evidence"].render(facts.swapped())
    assert "result of gt_sql:\n(error: no such column: x)\nresult of gen_sql:\nn\n1\nNULL" in swapped
    assert "gt_sql: S\ngen_sql: G" in swapped
    assert facts.swapped().swapped() == facts_of(
        Pair("G", "S", ddl="D", question="Q"),
        {name: Judged(one.outcome, "", one.evidence) for name, one in said.items()},
    )
    korean = PROMPTS["evidence-ko"].render(facts)
    assert "클랜없음 | 0" in korean
    assert "두 결과는 다릅니다" in korean


def test_a_result_is_cut_to_its_first_rows() -> None:
    many = {"columns": ["a"], "rows": [["x" * 300]] * 20, "count": 9000, "truncated": True}
    facts = facts_of(Pair("G", "S"), {"execution": Judged(Outcome.PASS, "", {"gold": many})})
    lines = table(facts.execution["gold"]).splitlines()
    assert len(lines) == 7
    assert lines[-1] == "(more than 9000 rows, the first 5 shown)"
    assert max(map(len, lines)) < 110
    assert table(facts.execution["generated"]) == "(not run)"


def test_a_judge_that_is_shown_evidence_has_it_run_first_once_and_takes_what_is_there(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    refuted(workspace, "tuned", examples[0].id)
    with FakeOpenAI(lambda _: '{"rationale": "r", "fault": "limit", "resolve_yn": "no"}') as server:
        judge = JudgeSettings(base_url=server.base_url, model="m", prompt="evidence", concurrency=1)
        request = EvaluateRequest(predictions="tuned", metrics=["judge"], judge=judge)
        found = evaluate(workspace, request, Quiet())
        prompts = [body["messages"][0]["content"] for body in server.requests]
        assert len(prompts) == 6
    assert found["judge"]["failed"] == 6
    first = next(text for text in prompts if examples[0].question in text)
    assert "INSERT INTO players VALUES (1, '클랜없음')" in first, "the stored counterexample"
    assert "(no rows)" in first
    with workspace.store() as store:
        said = store.verdicts.of("tuned")
    assert {tuple(sorted(set(row) & {"execution", "equivalence"})) for row in said.values()} == {
        ("equivalence", "execution")
    }
    assert said[examples[0].id]["equivalence"].evidence == REFUTED, "what was there is not done again"
    assert said[examples[0].id]["judge"].evidence["fault"] == "limit"


# -- seen before it is sent -------------------------------------------------------------------


def test_a_prompt_is_previewed_on_a_real_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, examples = reviewed_workspace(tmp_path, judged=False)
    own(workspace, "mine", "Q {{ question }}\n{{ execution.gold | table }}\n{{ generated }}")
    where = ["--workspace", str(tmp_path)]
    number = str(examples[2].number)
    assert main(["judge", "preview", "tuned", "--row", number, "--judge-prompt", "mine", *where]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"Q {examples[2].question}\n")
    assert "(not run)" not in told.out
    assert "its evidence was made for this preview" in told.err
    assert main(["judge", "preview", "tuned", "--json", *where]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["text"] == preview(workspace, "tuned", "reference").text
    assert (shown["example_id"], shown["version"]) == (examples[0].id, PROMPTS["reference"].version)
    assert main(["judge", "preview", "tuned", "--row", "no such", *where]) == 2
    assert main(["judge", "preview", "tuned", "--judge-prompt", "no-such", *where]) == 2


def test_the_prompts_are_listed_with_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace.open(tmp_path)
    where = ["--workspace", str(tmp_path), "--json"]
    assert main(["judge", "prompts", "--copy", "rubric-ko", "--to", "mine", *where]) == 0
    names = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert names == [*PROMPTS, "mine"]
    own(workspace, "broken", "{{ generated }}\n{{ x }}")
    assert main(["judge", "prompts", *where]) == 1
    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert "line 2" in rows["broken"]["trouble"]
    assert rows["evidence"]["evidence"]


def test_a_prompt_that_does_not_exist_starts_no_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, _ = reviewed_workspace(tmp_path)
    url = "http://127.0.0.1:9/v1"
    call = ["judge", "run", "tuned", "--judge-model", "m", "--judge-url", url, "--judge-prompt", "nope"]
    assert main([*call, "--workspace", str(tmp_path)]) == 2
    assert "no prompt 'nope'" in capsys.readouterr().err
    assert not list(workspace.jobs_dir.iterdir())
