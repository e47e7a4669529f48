"""Generate: a row is taken, a session answers, its SQL runs on the row's database; a whole split as a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from screens.batch import BatchScreen
from screens.batch_state import batch_errors, suggested_name
from screens.generate_state import Draft, Known, load_draft, read_known, run_sql, save_draft
from screens.sessions import Asker, session_of
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import DataError
from t2s_tui.jobs.board import JobView, list_jobs
from t2s_tui.jobs.events import EventLog
from t2s_tui.jobs.folder import JobFolder
from t2s_tui.jobs.locks import DeviceLock
from t2s_tui.records import Example, RunState, TrainingRun
from t2s_tui.samples import database_path
from t2s_tui.workspace import Workspace
from tests.jobs_support import workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled
from widgets.form import ChoiceBox, Form

__all__ = ["workspace"]

SESSION = {"model": "smollm2", "adapter": None, "prompt": "book", "idle_seconds": 600}


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace with the sample and a session folder whose worker is this process: the test answers."""
    made = Workspace.open(tmp_path / "place")
    add_dataset(made, "sample-ko")
    job_folder(made, "0001-session", RunState.RUNNING, kind="session", request=SESSION, label="ready")
    return made


def first_eval(place: Workspace) -> Example:
    return open_examples(place, "sample-ko").split("eval")[0]


async def asked(pilot: Pilot[None], place: Workspace) -> tuple[str, dict[str, Any]]:
    """The id and the content of the question that the screen put into the session's inbox."""
    inbox = place.jobs_dir / "0001-session" / "inbox"
    for _ in range(400):
        for path in inbox.glob("[!.]*.json"):
            return path.stem, json.loads(path.read_text(encoding="utf-8"))
        await pilot.pause(0.05)
    raise AssertionError(f"nothing was asked:\n{screen_text(pilot.app)}")


def answer(place: Workspace, request_id: str, **values: Any) -> None:
    """What the session says."""
    folder = JobFolder(place.jobs_dir / "0001-session")
    log = EventLog(folder.events)
    log.append("answer", {"request_id": request_id, **values})
    log.close()
    (folder.inbox / f"{request_id}.json").unlink(missing_ok=True)


# -- plain data -------------------------------------------------------------------------------


def test_sql_runs_read_only_and_in_the_databases_dialect() -> None:
    game = str(database_path("game"))
    ran = run_sql("SELECT COUNT(*) FROM `players`", "mysql", game)
    assert ran.rows[0][0] > 0
    assert ran.words.startswith("1 row in ")
    assert "`" not in ran.ran
    for sql, why in (("DROP TABLE players", "DROP is not run"), ("SELECT 1; SELECT 2", "2 statements")):
        with pytest.raises(DataError, match=why):
            run_sql(sql, "sqlite", game)
    with pytest.raises(DataError, match="no database"):
        run_sql("SELECT 1", "sqlite", None)


def test_a_draft_comes_back_and_a_broken_one_is_as_good_as_none(workspace: Workspace) -> None:
    assert load_draft(workspace) == Draft()
    draft = Draft(
        question="클랜이 없는 플레이어도?", ddl="CREATE TABLE t (a INT)", adapter="tuned", dataset="d"
    )
    save_draft(workspace, draft)
    assert load_draft(workspace) == draft
    (workspace.root / "drafts" / "generate.json").write_text('{"question": 3, "unknown": "x"}')
    assert load_draft(workspace) == Draft()


def test_a_session_is_used_again_only_by_the_same_asker(place: Workspace) -> None:
    jobs = list_jobs(place)
    assert session_of(jobs, Asker("smollm2", None, "book")) is not None
    assert session_of(jobs, Asker("smollm2", "tuned", "book")) is None
    job_folder(place, "0001-session", RunState.DONE, kind="session", request=SESSION)
    assert session_of(list_jobs(place), Asker("smollm2", None, "book")) is None


def test_a_batch_names_every_wrong_field(workspace: Workspace) -> None:
    values = {
        "dataset": "",
        "split": "",
        "limit": "0",
        "model": "/no/such",
        "adapter": "none",
        "prompt": "book",
    }
    values |= {"max_new_tokens": "many", "batch_size": "", "name": "taken"}
    errors = batch_errors(values, workspace, frozenset({"taken"}))
    assert set(errors) == {"dataset", "limit", "model", "max_new_tokens", "name"}
    good = values | {"dataset": "sample", "split": "eval", "limit": "", "model": "smollm2"}
    good |= {"max_new_tokens": "64", "name": "new"}
    assert batch_errors(good, workspace, frozenset()) == {}
    assert suggested_name(good, workspace, frozenset({"sample-eval-smollm2"})) == "sample-eval-smollm2-2"


# -- the screen -------------------------------------------------------------------------------


async def test_a_row_is_asked_run_and_set_beside_its_gold(place: Workspace) -> None:
    example = first_eval(place)
    app = bench(place, start="generate")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "press e and type a question")
        await settled(pilot)
        await pressed(pilot, "r")
        await pressed(pilot, *"db:game")
        await on_screen(pilot, "112 of 812")
        await pressed(pilot, "enter", "f5")
        request_id, question = await asked(pilot, place)
        assert question == {"ddl": example.ddl, "question": example.question, "dialect": example.dialect}
        answer(
            place, request_id, raw="SELECT COUNT(*) AS n FROM players; [/b] and more",
            sql="SELECT COUNT(*) AS n FROM players", new_tokens=12, seconds=3.14, stopped="statement",
        )  # fmt: skip
        await on_screen(pilot, "12 tokens in 3.1 s   the statement was complete")
        assert "[/b]" not in screen_text(app)
        await pressed(pilot, "x")
        await on_screen(pilot, "1 row in")
        await pressed(pilot, "R")
        await on_screen(pilot, "[/b] and more")
        await pressed(pilot, "t")
        await on_screen(pilot, example.gold.split()[-1].rstrip(";"))


async def test_hostile_sql_is_refused_in_one_sentence_at_80_columns(place: Workspace) -> None:
    app = bench(place, start="generate")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        example = first_eval(place)
        app.screen.take_example("sample-ko", example.id)  # type: ignore[attr-defined]
        await on_screen(pilot, f"#{example.number} of sample-ko")
        await pressed(pilot, "f5")
        request_id, _ = await asked(pilot, place)
        answer(
            place,
            request_id,
            raw="DROP TABLE players",
            sql="DROP TABLE players",
            new_tokens=4,
            seconds=1.0,
            stopped="eos",
        )
        await on_screen(pilot, "it ended by itself")
        await pressed(pilot, "f6")
        await on_screen(pilot, "The SQL was refused: DROP is not run")
        await pressed(pilot, "escape")
        await on_screen(pilot, "question")
        assert isinstance(app.focused, ChoiceBox)


async def test_what_is_typed_is_kept_and_digits_type_until_escape(place: Workspace) -> None:
    app = bench(place, start="generate")
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await pressed(pilot, "e", *"클랜 3", "escape")
        assert app.screen.ask.question.value == "클랜 3"  # type: ignore[attr-defined]
        for _ in range(100):
            if load_draft(place).question:
                break
            await pilot.pause(0.05)
        assert load_draft(place).question == "클랜 3"
        await pressed(pilot, "3")
        await on_screen(pilot, "Press n")
    again = bench(place, start="generate")
    async with again.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "클랜 3")


async def test_escape_stops_waiting_and_the_late_answer_is_not_shown(place: Workspace) -> None:
    app = bench(place, start="generate")
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await pressed(pilot, "f5")
        await on_screen(pilot, "There is no question")
        await pressed(pilot, "e", *"how many", "f5")
        request_id, _ = await asked(pilot, place)
        await on_screen(pilot, "esc stops waiting")
        await pressed(pilot, "escape", "escape")  # out of the editor, then no longer waiting
        await on_screen(pilot, "No longer waiting")
        inbox = JobFolder(place.jobs_dir / "0001-session").inbox
        assert list(inbox.iterdir()) == []
        answer(place, request_id, raw="SELECT 99", sql="SELECT 99", new_tokens=1, seconds=1.0, stopped="eos")
        await pilot.pause(1.2)
        assert "SELECT 99" not in screen_text(app)


async def test_a_question_the_session_cannot_answer_says_why(place: Workspace) -> None:
    app = bench(place, start="generate")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pressed(pilot, "e", *"how many", "f5")
        request_id, _ = await asked(pilot, place)
        answer(place, request_id, error="The prompt is too long: shorten the DDL.")
        await on_screen(pilot, "The prompt is too long: shorten the DDL.")


async def test_an_adapter_brings_its_model_and_prompt(place: Workspace) -> None:
    recipe = {"prompt": "book-en"}
    run = TrainingRun("tuned", "sample-ko", "train", "/models/seven", recipe, "9", "/adapter", {}, 1.0)
    with place.store() as store:
        store.runs.put(run)
    app = bench(place, start="generate")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "‹ none ›")
        await settled(pilot)
        await pressed(pilot, "right")
        values = app.screen.ask.values  # type: ignore[attr-defined]
        assert (values["adapter"], values["model"], values["prompt"]) == ("tuned", "/models/seven", "book-en")


async def test_a_whole_split_becomes_a_job(workspace: Workspace) -> None:
    add_dataset(workspace, "sample")
    device = DeviceLock(["cpu"], "test", "a test")  # the worker queues for it and loads nothing
    device.acquire(lambda: False, lambda *_: None)
    app = bench(workspace, start="generate")
    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await on_screen(pilot, "adapter")
            await settled(pilot)
            await pressed(pilot, "B")
            assert isinstance(app.screen, BatchScreen)
            form = app.screen.query_one(Form)
            assert form["name"].value == "sample-eval-smollm2"
            form.focus_field("limit")
            await pressed(pilot, "0")
            await on_screen(pilot, "must be greater than")
            await pressed(pilot, "f5")
            assert list_jobs(workspace) == []
            await pressed(pilot, "backspace", "5", "f5")
            await on_screen(pilot, "waiting for cpu: a test")
        (view,) = list_jobs(workspace)
        assert view.job.kind == "generate"
        request = view.job.request
        assert (request["name"], request["split"], request["limit"]) == ("sample-eval-smollm2", "eval", 5)
    finally:
        device.release()


def test_known_lists_finished_runs_only(place: Workspace) -> None:
    with place.store() as store:
        for name, adapter in (("done", "/a"), ("begun", None)):
            store.runs.put(TrainingRun(name, "sample-ko", "train", "m", {}, name, adapter, {}, 1.0))
    known: Known = read_known(place)
    assert known.adapters == ("none", "done")
    assert "m" in known.models
    view: JobView = list_jobs(place)[0]
    assert view.job.kind == "session"
