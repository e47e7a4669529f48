"""Compare: the four groups of two prediction sets, the metric, the pick, and what each made of gold."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from screens.compare_state import GROUPS, difference_words, first_pair, group_words, read_paired
from screens.inspect import InspectScreen
from screens.inspect_state import read_sets
from t2s_tui.records import Example, Outcome, PredictionSet
from t2s_tui.workspace import Workspace
from tests.reviewed import judge_says, reviewed_workspace
from tests.screens.support import bench, on_screen, pressed, screen_text, settled
from widgets.grid import Grid

Made = tuple[Workspace, list[Example]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return reviewed_workspace(tmp_path)


def test_groups_come_in_the_order_of_the_dataset_with_the_paired_test(made: Made) -> None:
    workspace, examples = made
    paired = read_paired(workspace, "base", "tuned", None)
    assert paired.metric == "execution"
    assert paired.metrics == ("exact", "execution")
    ids = [e.id for e in examples]
    assert {name: [ids.index(i) for i in paired.groups[name]] for name in paired.groups} == {
        "only_b": [2, 3, 4],
        "only_a": [],
        "neither": [0, 1],
        "both": [5],
    }
    assert difference_words(paired) == ("B +50.0 points (+16.7 to +83.3)  ·  McNemar p 0.250")
    assert group_words(paired, "hardness", 80) == "easy +0 -0 of 1  medium +3 -0 of 4  hard +0 -0 of 1"
    assert group_words(paired, "hardness", 3) == ""


def test_what_the_metric_did_not_decide_in_both_is_a_group_of_its_own(made: Made) -> None:
    workspace, examples = made
    for name, outcome in (("base", Outcome.MISSING), ("tuned", Outcome.PASS)):
        judge_says(workspace, name, examples[0].id, outcome)
    paired = read_paired(workspace, "base", "tuned", "judge")
    assert list(paired.groups) == list(GROUPS)
    assert paired.groups["left_out"] == [examples[0].id]
    assert "decided nothing in one of the two" in difference_words(paired)


def test_sets_that_can_be_compared_come_before_a_newer_one_that_is_not_judged(made: Made) -> None:
    workspace, _ = made
    new = PredictionSet("new", "sample-ko", "eval", "m", None, "book", {}, 1, "", time.time())
    with workspace.store() as store:
        store.predictions.put_set(new)
    sets = read_sets(workspace)
    assert sets[0].made.name == "new"
    assert first_pair(sets) == ("base", "tuned")
    assert first_pair([row for row in sets if row.made.name != "base"]) == ("tuned", "new")
    assert first_pair(sets[:1]) is None


async def test_without_two_sets_it_says_what_to_do(tmp_path: Path) -> None:
    app = bench(Workspace.open(tmp_path), start="compare")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "Two prediction sets over the same dataset")


async def test_the_two_newest_are_compared_and_h_and_l_turn_the_groups(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="compare")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "A base  1/6  16.7%")
        text = screen_text(app)
        assert "B tuned  4/6  66.7%" in text
        assert "fixed 3   broken 0   neither 2   both 1" in text
        assert "medium +3 -0 of 4" in text
        await pressed(pilot, "t")
        await on_screen(pilot, "game +3 -0 of 6")
        assert f"{examples[2].number} ✗ ✓" in text
        await pressed(pilot, "l")
        await on_screen(pilot, "No example is in “broken”")
        await pressed(pilot, "right")
        await on_screen(pilot, f"{examples[0].number} ✗ ✗")
        await on_screen(pilot, "+ LIMIT 0")
        assert "does not parse" in screen_text(app)
        await pressed(pilot, "h", "h")
        await on_screen(pilot, f"{examples[2].number} ✗ ✓")


async def test_another_metric_and_the_sides_swapped(made: Made) -> None:
    app = bench(made[0], start="compare")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "A base")
        await pressed(pilot, "m", *"exact")
        await pilot.pause(0.4)
        await pressed(pilot, "enter")
        await on_screen(pilot, "by exact")
        await pressed(pilot, "s")
        await on_screen(pilot, "A tuned  4/6")
        assert "broken 3" in screen_text(app)


async def test_sets_without_verdicts_say_how_to_get_them(tmp_path: Path) -> None:
    workspace, _ = reviewed_workspace(tmp_path, judged=False)
    app = bench(workspace, start="compare")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "have no execution verdicts")
        assert "press 5" in screen_text(app)


async def test_b_is_offered_only_from_the_same_rows(made: Made) -> None:
    workspace, _ = made
    with workspace.store() as store:
        other = replace(store.predictions.get_set("base"), name="elsewhere", split="train", created_at=1.0)
        store.predictions.put_set(other)
    app = bench(workspace, start="compare")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "A base")
        await pressed(pilot, "p")
        await on_screen(pilot, "elsewhere")
        await pressed(pilot, "enter")
        await on_screen(pilot, "to stand beside tuned")
        assert "elsewhere" not in screen_text(app)
        await pressed(pilot, "enter")
        await on_screen(pilot, "A tuned")


async def test_an_example_opens_in_inspect_on_its_row(made: Made) -> None:
    app = bench(made[0], start="compare")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "A base")
        await pressed(pilot, "j", "b")
        await on_screen(pilot, "sample-ko · eval · tuned")
        await settled(pilot)
        assert isinstance(app.screen, InspectScreen)
        await on_screen(pilot, f"#{made[1][3].number}  game")
        assert app.screen.query_one("#rows", Grid).cursor == 3
