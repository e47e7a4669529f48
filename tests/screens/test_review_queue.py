"""The review queue: the most telling disagreement first, a person's word moves on, undo comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.review_queue import ReviewQueueScreen
from t2s_tui.evaluation.review import load_verdicts
from t2s_tui.records import Example, Outcome
from t2s_tui.workspace import Workspace
from tests.reviewed import judge_says, refuted, reviewed_workspace
from tests.screens.support import bench, on_screen, pressed, screen_text
from widgets.grid import Grid

Made = tuple[Workspace, list[Example]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    workspace, examples = reviewed_workspace(tmp_path)
    judge_says(workspace, "tuned", examples[2].id, Outcome.FAIL)  # the same result
    judge_says(workspace, "tuned", examples[0].id, Outcome.PASS)  # refuted
    refuted(workspace, "tuned", examples[0].id)
    return workspace, examples


async def queued(pilot: Pilot[None]) -> ReviewQueueScreen:
    await on_screen(pilot, "base")
    await pressed(pilot, "enter", "r")
    await on_screen(pilot, "to review")
    screen = pilot.app.screen
    assert isinstance(screen, ReviewQueueScreen)
    return screen


async def test_the_most_telling_is_decided_first_and_the_next_one_follows(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await queued(pilot)
        await on_screen(pilot, "2 to review, by disagreement")
        await on_screen(pilot, "refuted: data")
        lines = screen_text(app).splitlines()
        assert any(
            "judge yes, but rows refute it" in line and str(examples[0].number) in line for line in lines
        )
        await pressed(pilot, "w")
        await on_screen(pilot, "1 to review")
        await on_screen(pilot, f"#{examples[2].number}  game")
        human = load_verdicts(workspace, "tuned", examples[0].id)["human"]
        assert (human.outcome, human.evidence["drawn"]) == (Outcome.FAIL, "queue")
        assert "1 of 6 reviewed" in screen_text(app)
        await pressed(pilot, "u")
        await on_screen(pilot, "2 to review")
        assert screen.query_one("#rows", Grid).cursor == 0
        assert "human" not in load_verdicts(workspace, "tuned", examples[0].id)


async def test_rows_are_drawn_by_chance_and_said_so_with_the_verdict(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(80, 24)) as pilot:
        await queued(pilot)
        await pressed(pilot, "s")
        await on_screen(pilot, "6 to review, drawn by chance")
        await pressed(pilot, "y")
        await on_screen(pilot, "5 to review")
        said = [load_verdicts(workspace, "tuned", e.id).get("human") for e in examples]
        assert [v.evidence["drawn"] for v in said if v is not None] == ["chance"]
        await pressed(pilot, "escape")
        await on_screen(pilot, "Inspect")
        await on_screen(pilot, "Predictions")


async def test_agreement_and_the_table_of_two_metrics_stand_below_and_follow_a_persons_word(
    made: Made,
) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await queued(pilot)
        await on_screen(pilot, "judge · execution")
        assert "judge · human" not in screen_text(app)
        await on_screen(pilot, "judge says 50.0% are right")
        await pressed(pilot, "w")
        await on_screen(pilot, "judge · human")
        await pressed(pilot, "T", "T")
        await on_screen(pilot, "human yes")
