"""The frame: rooms, keys, the palette, leaving, and both sizes of terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens.help import HelpScreen
from t2s_tui.app import ROOMS
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path)


async def test_the_digits_and_the_palette_lead_to_the_same_seven_rooms(workspace: Workspace) -> None:
    app = bench(workspace)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for number, (key, title) in enumerate(ROOMS, start=1):
            await pressed(pilot, str(number))
            assert app.current_mode == key
            assert title in screen_text(app).splitlines()[0]
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        for key, title in ROOMS:
            commands[title].callback()
            await settled(pilot)
            assert app.current_mode == key
        await pilot.press("ctrl+p")
        await on_screen(pilot, "Compare")


async def test_q_leaves(workspace: Workspace) -> None:
    app = bench(workspace)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_code == 0


@pytest.mark.parametrize(("key", "room"), [("2", "Datasets"), ("7", "Jobs")])
async def test_the_help_shows_every_key_that_is_bound_here_and_no_other(
    workspace: Workspace, key: str, room: str
) -> None:
    app = bench(workspace)
    async with app.run_test(size=(140, 45)) as pilot:
        await pressed(pilot, key)
        bound = {
            active.binding.description
            for active in app.screen.active_bindings.values()
            if active.binding.description
        }
        await pressed(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        shown = screen_text(app)
        assert f"Keys in {room}" in shown
        assert all(words in shown for words in bound)
        assert ("add a dataset" in shown) is (room == "Datasets")
        await pressed(pilot, "escape")
        assert not isinstance(app.screen, HelpScreen)


async def test_letters_and_digits_type_in_an_editor_and_the_key_line_knows(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(pilot, "a", *"q2")
        await pressed(pilot, "한")
        assert app.current_mode == "datasets"
        assert app.is_running
        assert "q2한" in screen_text(app)


async def test_a_terminal_that_shrinks_keeps_the_frame(workspace: Workspace) -> None:
    app = bench(workspace)
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        assert app.screen.has_class("-wide")
        for size in ((80, 24), (140, 45), (60, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            lines = screen_text(app).splitlines()
            assert len(lines) == size[1]
            assert "t2s-tui" in lines[0]
            assert "? keys" in lines[-1]
        assert app.screen.has_class("-narrow")
        assert not app.screen.has_class("-wide")


async def test_the_status_line_tells_of_the_work_in_other_processes(workspace: Workspace) -> None:
    job_folder(
        workspace, "0001-train-tuned", RunState.RUNNING, title="tuned", done=84, total=120, label="step",
        figures={"loss": 0.4125, "tokens_per_second": 82.3, "eta_seconds": 366},
    )  # fmt: skip
    app = bench(workspace)
    async with app.run_test(size=(100, 24)) as pilot:
        await on_screen(pilot, "train tuned  step 84/120  loss 0.412  82 tok/s  6m 06s left  [J]obs")
        await pressed(pilot, "J")
        assert app.current_mode == "jobs"


async def test_a_damaged_store_is_told_in_one_sentence_and_the_app_goes_on(workspace: Workspace) -> None:
    app = bench(workspace)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)
        for name in ("t2s.sqlite", "t2s.sqlite-wal"):
            (workspace.root / name).write_bytes(b"this is no database" * 400)
        await pressed(pilot, "2")
        await on_screen(pilot, "The store")
        assert app.is_running


async def test_ascii_only_draws_its_signs_and_borders_in_ascii(workspace: Workspace) -> None:
    job_folder(workspace, "0001-train-a", RunState.DONE, started_at=1.0, ended_at=2.0)
    app = bench(workspace, ascii_only=True, start="jobs")
    async with app.run_test(size=(140, 24)) as pilot:
        await on_screen(pilot, "+ done")
        assert not set(screen_text(app)) & set("✓✗⠿■▏▔│─")
