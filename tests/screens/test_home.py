"""Home: the next step follows from what there is, and the three things are on the screen."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from screens.home_state import LOOP, SetState, WorkspaceState, finished, next_step, read_state, running
from screens.job_words import arranged
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.folder import Status
from t2s_tui.records import (
    Dataset,
    Job,
    Outcome,
    Prediction,
    PredictionSet,
    RunState,
    TrainingRun,
    Verdict,
)
from t2s_tui.workspace import Workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled

DATASET = Dataset("game", "game.csv", "table", "mysql", "f", {"train": 700, "eval": 112}, 0, 1.0)


def made(name: str, adapter: str | None = None, total: int = 112) -> PredictionSet:
    return PredictionSet(name, "game", "eval", "smollm2", adapter, "book", {}, total, "j", 1.0)


def scored(name: str, adapter: str | None = None, **counts: int) -> SetState:
    outcomes = Counter({Outcome[key.upper()]: count for key, count in counts.items()})
    return SetState(made(name, adapter), 112, {"execution": outcomes, "exact": Counter({Outcome.FAIL: 112})})


def run(name: str, adapter: str | None = "/runs/a") -> TrainingRun:
    return TrainingRun(name, "game", "train", "smollm2", {}, "j", adapter, {}, 1.0)


def view(
    job_id: str, state: RunState, *, created: float = 1.0, parent: str | None = None, **more: Any
) -> JobView:
    job = Job(job_id, more.pop("kind", "train"), more.pop("title", job_id), state, {}, "/nowhere", created)
    return JobView(job, Status(state=state, **more), parent)


BASE, TUNED = (
    scored("base", **{"pass": 10}, fail=102),
    scored("tuned", "tuned", **{"pass": 62}, fail=40, error=10),
)


@pytest.mark.parametrize(
    ("state", "words", "key"),
    [
        (WorkspaceState(), "Add a dataset", "2"),
        (WorkspaceState((DATASET,)), "Ask a model the questions of game", "4"),
        (WorkspaceState((DATASET,), (), (SetState(made("base"), 30),)), "base has 30 of 112 answers", "4"),
        (WorkspaceState((DATASET,), (), (SetState(made("base"), 112),)), "no verdicts", "5"),
        (WorkspaceState((DATASET,), (), (BASE,)), "train a model on game", "3"),
        (WorkspaceState((DATASET,), (run("tuned", None),), (BASE,)), "train a model on game", "3"),
        (WorkspaceState((DATASET,), (run("tuned"),), (BASE,)), "tuned is trained: ask it", "4"),
        (WorkspaceState((DATASET,), (run("tuned"),), ()), "tuned is trained: ask it", "4"),
        (WorkspaceState((DATASET,), (run("tuned"),), (BASE, TUNED)), "tuned has 50 failing examples", "5"),
        (
            WorkspaceState((DATASET,), (run("tuned"),), (BASE, scored("tuned", "tuned", **{"pass": 112}))),
            "compare it",
            "6",
        ),
    ],
)
def test_the_next_step_is_what_the_loop_lacks(state: WorkspaceState, words: str, key: str) -> None:
    step = next_step(state, [])
    assert words in step.words
    assert step.key == key


def test_a_missing_verdict_is_not_a_failing_example() -> None:
    state = scored("tuned", "tuned", **{"pass": 100}, missing=12)
    assert state.failing == 0


def test_work_comes_before_what_is_next_and_a_bad_end_is_told_until_the_next_end() -> None:
    state = WorkspaceState((DATASET,))
    busy = view("t", RunState.RUNNING, title="tuned")
    assert next_step(state, [busy]).key == "3"
    broken = view("g", RunState.FAILED, kind="generate", title="base", ended_at=10.0)
    assert next_step(state, [broken]).key == "7"
    assert "base failed" in next_step(state, [broken]).words
    later = view("h", RunState.DONE, ended_at=20.0)
    assert next_step(state, [broken, later]).key == "4"


def test_a_pipeline_is_seen_through_the_step_that_works() -> None:
    pipeline = view("p", RunState.RUNNING, kind="pipeline", created=1)
    first = view("a", RunState.DONE, parent="p", created=2, ended_at=3.0)
    second = view("b", RunState.RUNNING, parent="p", created=4)
    session = view("s", RunState.RUNNING, kind="session", created=5)
    jobs = [session, second, first, pipeline]
    assert [v.job.id for v in running(jobs)] == ["b"]
    assert [v.job.id for v in finished(jobs)] == ["a"]
    assert [(v.job.id, depth) for v, depth in arranged(jobs)] == [("s", 0), ("p", 0), ("a", 1), ("b", 1)]


def test_the_state_is_counted_from_the_store(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    assert read_state(workspace).empty
    with workspace.store() as store:
        store.datasets.put(DATASET)
        store.predictions.put_set(made("base", total=2))
        for example in ("a", "b"):
            store.predictions.add([Prediction("base", example, "x", "x", 1, 1, "eos", 0.1)])
        store.verdicts.add([Verdict("base", "a", "execution", Outcome.FAIL, "other rows")])
    state = read_state(workspace)
    assert state.sets[0].answers == 2
    assert state.sets[0].complete
    assert state.sets[0].failing == 1
    assert not state.empty


async def test_an_empty_workspace_shows_the_loop_and_enter_begins_it(tmp_path: Path) -> None:
    app = bench(Workspace.open(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "The loop")
        shown = screen_text(app)
        for key, room, _ in LOOP:
            assert f"{key} {room}" in shown
        assert "press 2" in shown
        await pressed(pilot, "enter")
        assert app.current_mode == "datasets"


async def test_home_tells_what_runs_and_what_ended_in_one_line_each(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    with workspace.store() as store:
        store.datasets.put(DATASET)
    now = time.time()
    job_folder(workspace, "0001-a", RunState.RUNNING, title="한국어 모델", done=3, total=9, label="step")
    job_folder(
        workspace, "0002-b", RunState.FAILED, kind="evaluate", title="[red]base", error="It broke: mend it.",
        started_at=now - 400, ended_at=now - 200,
    )  # fmt: skip
    app = bench(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "한국어 모델")
        await settled(pilot)
        shown = screen_text(app)
        assert "step 3/9" in shown
        assert "[red]base" in shown  # a title is never markup
        assert "failed  3m ago  took 3m 20s" in shown
        assert "It broke: mend it." in shown
        assert "한국어 모델 is training: watch its loss" in shown
