"""Evaluate now: fields from the request's own models, an estimate first, and what must be confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from screens.confirm import ConfirmScreen
from screens.evaluate_form import EvaluateForm
from screens.evaluate_form_state import FormErrors, estimate_words, form_fields, read_form
from t2s_tui.evaluation.judge import estimate as estimating
from t2s_tui.evaluation.judge.estimate import Estimate, estimate
from t2s_tui.evaluation.judge.panel import judge_version
from t2s_tui.evaluation.judge.tokens import about_tokens
from t2s_tui.evaluation.metrics import METRICS
from t2s_tui.records import Example, Outcome, Verdict
from t2s_tui.workspace import Workspace
from tests.reviewed import reviewed_workspace
from tests.screens.support import bench, on_screen, pressed, until
from tests.screens.test_inspect import opened

Made = tuple[Workspace, list[Example]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return reviewed_workspace(tmp_path)


async def asked_judge(pilot: Any, url: str) -> EvaluateForm:
    """The form with a judge of that URL filled in."""
    form = pilot.app.screen
    assert isinstance(form, EvaluateForm)
    form._form.set_values({"judge": "yes", "base_url": url, "model": "judge-1"})
    await pilot.pause()
    return form


async def test_evaluate_says_what_is_wrong_beside_the_field_and_starts_nothing(made: Made) -> None:
    workspace, _ = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "E", *["j"] * list(METRICS).index("judge"), "right", "f5")
        assert isinstance(app.screen, EvaluateForm)
        await on_screen(pilot, "the judge needs a model")
        await pressed(pilot, "escape")
        assert not list(workspace.jobs_dir.iterdir())


async def test_evaluate_submits_a_job_with_what_was_chosen(made: Made) -> None:
    workspace, _ = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "E", "right", "f5")
        # Its words may be gone before they are looked for: the job itself stays.
        await until(pilot, lambda: any(workspace.jobs_dir.glob("*/job.json")))
        asked = [json.loads(path.read_text()) for path in workspace.jobs_dir.glob("*/job.json")]
        assert [job["kind"] for job in asked] == ["evaluate"]
        assert asked[0]["request"]["predictions"] == "tuned"
        assert asked[0]["request"]["metrics"] == [m for m in METRICS if m not in ("exact", "judge")]


def test_the_form_reads_a_judge_and_refuses_what_it_cannot_be() -> None:
    judge = {"judge": "yes", "model": "judge-1", "base_url": "http://127.0.0.1:9/v1", "concurrency": "4"}
    request = read_form("tuned", judge)
    assert request.judge is not None
    assert (request.judge.model, request.judge.concurrency) == ("judge-1", 4)
    for name, value in (("concurrency", "many"), ("concurrency", "0"), ("base_url", "localhost")):
        with pytest.raises(FormErrors) as caught:
            read_form("tuned", judge | {name: value})
        assert list(caught.value.errors) == [name]
    with pytest.raises(FormErrors):
        read_form("tuned", {"model": "judge-1"})
    assert read_form("tuned", {"execution": "yes", "mode": "tolerant(0.01, 0)"}).mode == "tolerant(0.01, 0)"
    with pytest.raises(FormErrors, match="no comparison mode"):
        read_form("tuned", {"execution": "yes", "mode": "loose"})


async def test_what_the_judge_will_ask_stands_there_and_much_of_it_must_be_confirmed(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = made
    monkeypatch.setattr(estimating, "CONFIRM_REQUESTS", 2)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "E")
        form = await asked_judge(pilot, "http://192.0.2.1:9/v1")
        await on_screen(pilot, "The judge: 6 requests, about ")
        await on_screen(pilot, "its price is not known")
        await pressed(pilot, "f5")
        await on_screen(pilot, "Start the judge?")
        assert isinstance(app.screen, ConfirmScreen)
        await pressed(pilot, "n")
        assert app.screen is form
        assert not list(workspace.jobs_dir.iterdir())


async def test_a_judge_on_this_machine_starts_at_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, _ = made
    monkeypatch.setattr(estimating, "CONFIRM_REQUESTS", 2)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "E")
        await asked_judge(pilot, "http://127.0.0.1:9/v1")
        await pressed(pilot, "f5")
        await until(pilot, lambda: any(workspace.jobs_dir.glob("*/job.json")))
        asked = json.loads(next(workspace.jobs_dir.glob("*/job.json")).read_text())["request"]
        assert asked["judge"]["base_url"] == "http://127.0.0.1:9/v1"
        assert "judge" in asked["metrics"]


async def test_openais_own_endpoint_is_not_asked_without_a_key(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = made
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "E")
        await asked_judge(pilot, "")
        await pressed(pilot, "f5")
        await on_screen(pilot, "✗ OPENAI_API_KEY is not set")
        assert not list(workspace.jobs_dir.iterdir())


def test_every_metric_and_every_field_of_the_judge_can_be_chosen() -> None:
    fields = form_fields()
    assert [spec.name for spec in fields[""]][: len(METRICS)] == list(METRICS)
    names = [spec.name for spec in fields["Judge"]]
    assert names[:3] == ["base_url", "model", "prompt"]
    assert next(spec for spec in fields["Judge"] if spec.name == "prompt").choices[0] == "reference"


def test_rows_that_have_the_verdict_of_this_judge_are_not_asked_and_so_not_counted(made: Made) -> None:
    workspace, examples = made
    request = read_form("base", {"judge": "yes", "model": "judge-1", "base_url": "http://127.0.0.1:9/v1"})
    assert request.judge is not None
    before = estimate(workspace, request)
    assert before is not None
    assert (before.requests, before.kept, before.local) == (5, 0, True)  # one of six has no SQL
    said = Verdict("base", examples[0].id, "judge", Outcome.FAIL, "", {}, judge_version(request.judge))
    with workspace.store() as store:
        store.verdicts.add([said])
    after = estimate(workspace, request)
    assert after is not None
    assert (after.requests, after.kept) == (4, 1)
    assert after.prompt_tokens < before.prompt_tokens
    redo = estimate(workspace, request.model_copy(update={"redo": True}))
    assert redo is not None
    assert redo.requests == 5
    assert estimate(workspace, read_form("base", {"exact": "yes"})) is None


def test_by_the_batch_api_the_estimate_is_half_and_its_words_say_so(made: Made) -> None:
    workspace, _ = made
    asked = {"judge": "yes", "model": "gpt-4o", "base_url": "http://192.0.2.1:9/v1"}
    found = [estimate(workspace, read_form("base", asked | {"route": name})) for name in ("live", "batch")]
    live, batch = (one for one in found if one is not None)
    assert live.cost is not None
    assert batch.cost == pytest.approx(live.cost / 2)
    assert "in batches at the batch price, within 24 h" in estimate_words(batch)
    assert "batch" not in estimate_words(live)
    route = next(spec for spec in form_fields()["Judge"] if spec.name == "route")
    assert route.choices == ("live", "batch")


def test_the_words_of_an_estimate_say_what_is_not_known() -> None:
    known = Estimate(112, 3, 60_000, 1_792, True, False, cost=0.35, minutes=2.0)
    assert estimate_words(known) == (
        "The judge: 112 requests, 61,792 tokens, 0.35 USD, 2m 00s. 3 rows have its verdict and are not asked."
    )
    assert not known.to_confirm
    assert Estimate(1, 0, 1, 1, True, False, cost=5.0).to_confirm
    assert estimate_words(Estimate(0, 6, 0, 0, True, False)).startswith("The judge has nothing to ask")
    assert about_tokens("가나다") == 3
    assert about_tokens("SELECT 1") == 2
