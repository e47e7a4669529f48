"""Jobs: the list, the tail, and a real worker that is stopped and resumed from the screen."""

from __future__ import annotations

import time
from pathlib import Path

from screens.job_words import figure_pairs, number_word, time_words
from screens.jobs_state import EventFeed, LogFeed, event_line, job_text, log_line
from t2s_tui.jobs.board import get_job
from t2s_tui.jobs.events import EventLog
from t2s_tui.jobs.launcher import submit
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled
from widgets.grid import Grid
from widgets.log_tail import LogTail

__all__ = ["workspace"]


def test_events_become_lines() -> None:
    step = {"seq": 1, "t": 0.0, "kind": "step", "label": "train", "done": 3, "total": 9}
    line = event_line(step | {"loss": 0.41234, "eta_seconds": 366, "tokens_per_second": 82.14}).plain
    assert line.endswith("  train 3/9  loss 0.412  tok/s 82.1")
    saved = event_line({"kind": "checkpoint", "step": 40, "write_seconds": 66.0, "size_mb": 12.4}).plain
    assert saved.endswith("checkpoint  step 40  write 1m 06s  size 12 MB")
    assert event_line({"kind": "warning", "message": "[red]3 rows"}).plain.endswith("warning  [red]3 rows")
    failed = {"t": 0.0, "kind": "state", "state": "failed", "error": "It broke."}
    assert event_line(failed).plain.endswith("failed  It broke.")


def test_figures_are_words() -> None:
    assert figure_pairs({"lr": 0.0009, "tokens_per_second": 82.14, "rows": 3, "none": None, "deep": {}}) == [
        ("lr", "0.0009"), ("tok/s", "82.1"), ("rows", "3"),
    ]  # fmt: skip
    assert number_word(True) == "True"
    assert number_word(1234.5) == "1234"


def test_a_log_line_has_no_escapes_and_only_the_last_of_a_progress_bar() -> None:
    assert log_line("\x1b[31mred\x1b[0m") == "red"
    assert log_line(" 10%\r 50%\r100%\r") == "100%"
    assert log_line("a\tb\x07") == "a   b·"


def test_the_time_is_what_is_left_and_then_what_it_took(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path)
    running = job_folder(made, "1", RunState.RUNNING, started_at=100.0, figures={"eta_seconds": 366})
    assert time_words(running, 200.0) == "6m 06s left"
    done = job_folder(made, "2", RunState.DONE, started_at=100.0, ended_at=142.0)
    assert time_words(done, 9e9) == "took 42s"
    queued = job_folder(made, "3", RunState.QUEUED)
    assert time_words(queued, 200.0) == ""


def test_the_facts_of_a_failed_job_begin_with_its_error(tmp_path: Path) -> None:
    view = job_folder(Workspace.open(tmp_path), "1", RunState.FAILED, error="The port refuses: start it.")
    lines = job_text(view, time.time()).plain.splitlines()
    assert lines[1] == "The port refuses: start it."


def test_feeds_bring_what_came_since(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    feed = EventFeed(path)
    assert feed.read() == []
    log = EventLog(path)
    for done in range(3000):
        log.append("step", {"done": done, "total": 3000, "label": "train"})
    lines = feed.read()
    assert len(lines) == 2000
    assert "train 2999/3000" in lines[-1].plain
    assert feed.read() == []
    log.append("note", {"message": "한글"})
    assert [line.plain[10:] for line in feed.read()] == ["note  한글"]
    log.close()

    output = tmp_path / "output.log"
    tail = LogFeed(output)
    assert tail.read() == []
    output.write_text("first\n\nhalf of a l")
    assert [line.plain for line in tail.read()] == ["first", ""]
    with output.open("a") as file:
        file.write("ine\n")
    assert [line.plain for line in tail.read()] == ["half of a line"]


async def test_the_tail_follows_until_a_person_scrolls_up(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path)
    steps = [("step", {"done": at, "total": 100, "label": "train"}) for at in range(1, 101)]
    view = job_folder(made, "0001-train-a", RunState.RUNNING, events=steps, output="raw one\nraw two\n")
    app = bench(made, start="jobs")
    async with app.run_test(size=(140, 30)) as pilot:
        await on_screen(pilot, "train 100/100")
        await pressed(pilot, "enter")
        tail = app.screen.query_one(LogTail)
        tail.focus()
        await pressed(pilot, "k")
        assert not tail.following
        log = EventLog(Path(view.job.folder) / "events.jsonl")
        log.append("note", {"message": "just arrived"})
        log.close()
        while "just arrived" not in tail.plain:
            await pilot.pause(0.05)
        assert "just arrived" not in screen_text(app)
        assert "f follows the end" in screen_text(app)
        await pressed(pilot, "f")
        await on_screen(pilot, "just arrived")
        await pressed(pilot, "l")
        await on_screen(pilot, "raw two")
        assert "just arrived" not in screen_text(app)


async def test_the_cursor_stays_on_its_job_when_others_come_in(tmp_path: Path) -> None:
    made = Workspace.open(tmp_path)
    job_folder(made, "0001-a", RunState.DONE, title="first", created_at=1.0)
    job_folder(made, "0002-b", RunState.DONE, title="second", created_at=2.0)
    app = bench(made, start="jobs")
    async with app.run_test(size=(140, 30)) as pilot:
        await on_screen(pilot, "first")
        grid = app.screen.query_one(Grid)
        await pressed(pilot, "G")
        job_folder(made, "0003-c", RunState.DONE, title="third", created_at=3.0)
        await on_screen(pilot, "third")
        assert grid.cursor == 2
        assert grid.count == 3


async def test_a_real_worker_is_stopped_and_resumed_with_two_keys(workspace: Workspace) -> None:
    job = submit(workspace, "probe", "counting", {"steps": 100_000, "seconds": 0.02})
    app = bench(workspace, start="jobs")
    async with app.run_test(size=(140, 30)) as pilot:
        await on_screen(pilot, "count ", 60)
        await pressed(pilot, "s")
        await on_screen(pilot, "Stop counting?")
        await pressed(pilot, "n")
        await settled(pilot)
        assert not get_job(workspace, job.id).status.state.ended
        await pressed(pilot, "s", "y")
        await on_screen(pilot, "■ stopped", 60)
        assert get_job(workspace, job.id).status.state is RunState.STOPPED
        await on_screen(pilot, "R resume")
        await pressed(pilot, "R")
        await on_screen(pilot, "⠿ running", 60)
        assert get_job(workspace, job.id).status.attempt == 2
