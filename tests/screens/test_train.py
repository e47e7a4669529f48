"""Train: the runs and the live curve from a real event log, and the launch form that submits a real job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from screens.train_form import TrainFormScreen
from screens.train_form_state import form_errors, plan_words, read_choices, recipe_values, suggested_run
from screens.train_plan import Counter
from screens.train_state import figure_line, run_rows
from t2s_tui.datasets.add import add_dataset
from t2s_tui.errors import TrainingError
from t2s_tui.jobs.board import list_jobs
from t2s_tui.jobs.events import EventLog
from t2s_tui.jobs.folder import JobFolder
from t2s_tui.jobs.launcher import stop
from t2s_tui.jobs.locks import DeviceLock
from t2s_tui.records import RunState, TrainingRun
from t2s_tui.training.history import History
from t2s_tui.training.recipes import load_preset
from t2s_tui.workspace import Workspace
from tests.jobs_support import workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled
from widgets.form import Form
from widgets.loss_chart import LossChart

__all__ = ["workspace"]


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace for job folders written here: their worker is this process and must not be killed."""
    return Workspace.open(tmp_path / "place")


def steps(first: int, last: int, loss: float = 2.0) -> list[tuple[str, dict[str, object]]]:
    same = {"total": 120, "label": "train", "lr": 1e-3, "tokens_per_second": 82.4}
    same |= {"eta_seconds": 366.0, "memory_mb": 1536.0}
    return [
        ("step", {"done": n, "loss": loss - n / 100, "epoch": n / 120} | same) for n in range(first, last + 1)
    ]


def stored_run(name: str, job_id: str, adapter: str | None = "/a") -> TrainingRun:
    return TrainingRun(
        name, "sample", "train", "smollm2", {}, job_id, adapter, {"loss": 0.5, "steps": 88}, 1.0
    )


# -- plain data -------------------------------------------------------------------------------


def test_a_run_is_listed_once_with_its_job_and_also_without_one(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path)
    job = job_folder(made, "1", RunState.RUNNING, request={"run": "tuned"}, created_at=50.0)
    waiting = job_folder(made, "2", RunState.QUEUED, request={"run": "next"}, created_at=60.0)
    rows = run_rows(
        [stored_run("tuned", "1"), stored_run("old", "gone"), stored_run("dead", "x", None)], [job, waiting]
    )
    assert [row.name for row in rows] == ["next", "tuned", "old", "dead"]
    assert [row.state for row in rows] == ["queued", "running", "done", "lost"]


def test_the_figures_in_one_line() -> None:
    history = History()
    history.apply({"kind": kind, **values} for kind, values in steps(1, 84))
    line = figure_line(history, "H100 41/80G").plain.replace("\u00a0", " ")
    assert line == (
        "step 84/120  left 6m 06s  loss 1.160  epoch 0.70  lr 1.0e-03  tok/s 82  memory 1.5G  GPU H100 41/80G"
    )
    assert "left" not in figure_line(history, "", ended=True).plain


def test_every_wrong_field_is_named_at_once(workspace: Workspace) -> None:
    choices = read_choices(workspace)
    values = {"preset": "demo", "dataset": "", "split": "", "model": "/no/such/folder", "run": "a b"}
    values |= recipe_values(choices.presets["demo"]) | {
        "lora_r": "x",
        "epochs": "0",
        "max_rows": "",
        "seed": "",
    }
    errors = form_errors(values, workspace, choices)
    assert set(errors) == {"dataset", "model", "run", "lora_r", "epochs", "seed"}
    assert errors["lora_r"] == "must be a whole number, not x"
    assert "2 and a" in errors["dataset"]


def test_an_endpoint_and_a_taken_name_are_refused(workspace: Workspace) -> None:
    add_dataset(workspace, "sample")
    with workspace.store() as store:
        store.runs.put(stored_run("sample-demo", "1"))
    choices = read_choices(workspace)
    values = {"preset": "demo", "dataset": "sample", "split": "train", "model": "http://h:1/v1#m"}
    values |= recipe_values(choices.presets["demo"]) | {"run": "sample-demo"}
    assert set(form_errors(values, workspace, choices)) == {"model", "run"}
    assert suggested_run(values, choices) == "sample-demo-2"


def test_own_recipes_are_presets_and_a_bad_one_is_told(workspace: Workspace) -> None:
    folder = workspace.root / "recipes"
    folder.mkdir()
    (folder / "mine.toml").write_text("lora_r = 4\n", encoding="utf-8")
    (folder / "bad.toml").write_text("lora_rank = 4\n", encoding="utf-8")
    choices = read_choices(workspace)
    assert list(choices.presets) == ["book", "demo", "mine"]
    assert choices.presets["mine"].lora_r == 4
    assert len(choices.problems) == 1
    assert "bad.toml" in choices.problems[0]


def test_a_plan_in_words() -> None:
    plan = {
        "examples": 700,
        "tokens": 61_200,
        "steps": 88,
        "effective_batch": 8,
        "cut_rows": 1,
        "dropped_rows": 2,
    }
    assert plan_words(plan) == (
        "700 examples   61,200 tokens   88 steps   8 examples a step   1 row cut   "
        "2 left out: the answer does not fit the block size"
    )


def test_what_keeps_a_count_from_being_made_is_said_in_words(workspace: Workspace) -> None:
    request = {"run": "r", "dataset": "none", "split": "train", "model": "smollm2"}
    recipe = load_preset("demo").model_dump(mode="json")
    with pytest.raises(TrainingError, match="There is no dataset 'none'"):
        Counter(workspace).count({**request, "recipe": recipe})


# -- the screen -------------------------------------------------------------------------------


async def test_an_empty_room_says_what_to_do_and_the_form_wants_a_dataset(place: Workspace) -> None:
    app = bench(place, start="train")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "Press n")
        await pressed(pilot, "n")
        await on_screen(pilot, "add one first")
        await pressed(pilot, "f5")
        form = app.screen.query_one(Form)
        assert form.focused_field is form["dataset"]
        assert list_jobs(place) == []
        await pressed(pilot, "escape")
        await on_screen(pilot, "No run yet")


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_a_running_training_is_seen_live(place: Workspace, size: tuple[int, int]) -> None:
    events = [("note", {"text": "3 rows [cut]"}), *steps(1, 60), ("checkpoint", {"step": 50})]
    view = job_folder(
        place,
        "0001-train-tuned",
        RunState.RUNNING,
        request={"run": "tuned"},
        events=events,
        done=60,
        total=120,
    )
    app = bench(place, start="train")
    async with app.run_test(size=size) as pilot:
        await on_screen(pilot, "60/120")
        await pressed(pilot, "enter")
        await on_screen(pilot, "checkpoint at step 50")
        shown = screen_text(app)
        assert "3 rows [cut]" in shown
        assert any("⠀" < c <= "⣿" for c in shown)
        log = EventLog(JobFolder(Path(view.job.folder)).events)
        for kind, values in steps(61, 75):
            log.append(kind, values)
        await on_screen(pilot, "75/120")
        await pressed(pilot, "L", "minus")
        await on_screen(pilot, "smoothed 0.5 · log")
        if size[0] < 100:
            await pressed(pilot, "escape")
            await on_screen(pilot, "Runs")


async def test_the_curve_of_a_hidden_room_is_not_drawn(place: Workspace) -> None:
    view = job_folder(place, "1", RunState.RUNNING, request={"run": "tuned"}, events=steps(1, 5))
    app = bench(place, start="train")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "step\u00a05/120")
        chart = app.screen.query_one(LossChart)
        await pressed(pilot, "7")
        drawn = []
        chart.refresh = lambda *a, **k: drawn.append(a) or chart  # type: ignore[method-assign]
        chart.show([], now=True)
        assert drawn == []
        assert view.status.state is RunState.RUNNING


async def test_a_stop_is_asked_for_only_after_a_yes(place: Workspace) -> None:
    view = job_folder(place, "1", RunState.RUNNING, request={"run": "tuned"}, events=steps(1, 5))
    control = JobFolder(Path(view.job.folder)).control
    app = bench(place, start="train")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "tuned")
        await pressed(pilot, "s")
        await on_screen(pilot, "saves a checkpoint first")
        await pressed(pilot, "n")
        assert not control.exists()
        await pressed(pilot, "s", "y")
        assert json.loads(control.read_text())["ask"] == "stop"
        await pressed(pilot, "C")
        assert [json.loads(line)["ask"] for line in control.read_text().splitlines()] == [
            "stop",
            "checkpoint",
        ]


async def test_a_failed_run_says_why_and_a_late_resume_is_offered(place: Workspace) -> None:
    job_folder(
        place, "1", RunState.FAILED, request={"run": "tuned"}, error="The disk is full: free some space.",
        events=[*steps(1, 30), ("checkpoint", {"step": 25})], started_at=10.0, ended_at=20.0,
    )  # fmt: skip
    app = bench(place, start="train")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "The disk is full: free some space.")
        await on_screen(pilot, "R resumes it from step 25")
        assert "s stop" not in screen_text(app)


@pytest.mark.slow
async def test_the_form_tells_errors_while_typing_and_submits_the_request(workspace: Workspace) -> None:
    add_dataset(workspace, "sample")
    device = DeviceLock(["cpu"], "test", "a test")  # the worker queues for it and loads nothing
    device.acquire(lambda: False, lambda *_: None)
    app = bench(workspace, start="train")
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pressed(pilot, "n")
            await on_screen(pilot, "lora dropout")
            assert isinstance(app.screen, TrainFormScreen)
            await pressed(pilot, "right")  # the preset: demo
            form = app.screen.query_one(Form)
            assert form["run"].value == "sample-demo"
            assert form["prompt"].value == "book-en"
            form.focus_field("lora_r")
            await pressed(pilot, "ctrl+u", "x")
            await on_screen(pilot, "✗ must be a whole number")
            await pressed(pilot, "f5")
            assert list_jobs(workspace) == []
            await pressed(pilot, "escape", "n")  # left and come back: nothing is lost
            await on_screen(pilot, "lora dropout")
            form = app.screen.query_one(Form)
            assert (form["preset"].value, form["lora_r"].value) == ("demo", "x")
            form.focus_field("lora_r")
            await pressed(pilot, "ctrl+u", "4")
            form.focus_field("max_rows")
            await pressed(pilot, "1", "6", "f5")
            await on_screen(pilot, "sample-demo")
        (view,) = list_jobs(workspace)
        recipe = view.job.request["recipe"]
        assert (view.job.kind, view.job.request["run"], view.job.request["split"]) == (
            "train",
            "sample-demo",
            "train",
        )
        assert (recipe["lora_r"], recipe["max_rows"], recipe["learning_rate"]) == (4, 16, 1e-3)
    finally:
        for view in list_jobs(workspace):
            stop(workspace, view.job.id, force=True)
        device.release()
