"""Inspect: the list of verdicts, the detail, filters, a person's verdict, copying, and evaluating now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from screens.inspect import InspectScreen
from t2s_tui.evaluation.review import load_verdicts
from t2s_tui.records import Example, Outcome, RunState
from t2s_tui.workspace import Workspace
from tests.reviewed import BROKEN, judge_says, refuted, reviewed_workspace
from tests.screens.support import bench, job_folder, on_screen, pressed, screen_text, settled, until
from widgets.editors import Editor
from widgets.frame import Pane
from widgets.grid import Grid

Made = tuple[Workspace, list[Example]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return reviewed_workspace(tmp_path)


async def opened(pilot: Pilot[None], *keys: str) -> InspectScreen:
    """Inspect on the newer set, after some keys, its detail read."""
    await settled(pilot)
    await on_screen(pilot, "base")
    await pressed(pilot, "enter")
    await on_screen(pilot, "Verdicts" if pilot.app.size.width >= 100 else "question")
    screen = pilot.app.screen
    assert isinstance(screen, InspectScreen)
    await pressed(pilot, *keys)
    return screen


async def test_an_empty_workspace_says_what_to_do_next(tmp_path: Path) -> None:
    app = bench(Workspace.open(tmp_path), start="inspect")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "Press 4 to generate some")


async def test_signs_scores_diff_evidence_and_words_of_one_prediction(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot)
        lines = screen_text(app).splitlines()
        assert "exact 66.7  exec 66.7 ±" in lines[0]
        assert any(f"{examples[0].number} ✗ ✗ · ·" in line for line in lines)
        assert any(f"{examples[2].number} ✓ ✓ · ·" in line for line in lines)
        detail = screen_text(app)
        assert "+ LIMIT 0" in detail
        assert "(no rows)" in detail
        assert "differs as text" in detail
        await pressed(pilot, "j")
        await on_screen(pilot, "does not parse")
        assert BROKEN in screen_text(app)


async def test_signs_are_letters_without_colour_or_unicode(made: Made) -> None:
    app = bench(made[0], start="inspect", ascii_only=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot)
        assert f"{made[1][0].number} x x . ." in screen_text(app)


async def test_a_narrow_screen_shows_the_list_then_the_detail_alone_then_the_same_row(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "j")
        assert "Verdicts" not in screen_text(app)
        await pressed(pilot, "enter")
        await on_screen(pilot, "Question")
        assert "exec:fail" not in screen_text(app)
        await pressed(pilot, "escape")
        assert screen.query_one("#rows", Grid).cursor == 1
        assert "Question" not in screen_text(app)


async def test_brackets_step_through_what_fails_also_from_the_detail(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "j", "j", "enter", "right_square_bracket")
        assert screen.query_one("#rows", Grid).cursor == 0
        await pressed(pilot, "left_square_bracket")
        assert screen.query_one("#rows", Grid).cursor == 1


async def test_a_filter_narrows_the_list_is_counted_and_esc_drops_it(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "slash", *"exec:fail", "enter")
        await on_screen(pilot, "2 of 6")
        assert screen.query_one("#rows", Grid).count == 2
        await pressed(pilot, "slash", *"x", "enter")
        await on_screen(pilot, "'exec:failx' is no filter")
        await pressed(pilot, "escape")
        assert screen.query_one("#rows", Grid).count == 6


async def test_a_person_overrules_and_undoes(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "y")
        await on_screen(pilot, f"{examples[0].number} ✗ ✗ · ✓")
        await pressed(pilot, "w", "u")
        await on_screen(pilot, f"{examples[0].number} ✗ ✗ · ✓")
        assert load_verdicts(workspace, "tuned", examples[0].id)["human"].outcome is Outcome.PASS
        await pressed(pilot, "u")
        await on_screen(pilot, f"{examples[0].number} ✗ ✗ · ·")
        assert "human" not in load_verdicts(workspace, "tuned", examples[0].id)


async def test_a_person_says_why_in_korean_and_the_note_stays_with_the_verdict(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "W", *"조인 누락", "enter")
        await on_screen(pilot, "wrong  조인 누락")
        verdict = load_verdicts(workspace, "tuned", examples[0].id)["human"]
        assert (verdict.outcome, verdict.evidence["note"]) == (Outcome.FAIL, "조인 누락")
        await pressed(pilot, "Y", "escape", "u")
        await on_screen(pilot, f"{examples[0].number} ✗ ✗ · ·")


async def test_evidence_is_stepped_through_and_the_counterexample_comes_first(made: Made) -> None:
    workspace, examples = made
    refuted(workspace, "tuned", examples[0].id)
    judge_says(workspace, "tuned", examples[0].id, Outcome.PASS)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        await on_screen(pilot, "refuted: data · 3 rows · database 3 of 40 · coverage 97%")
        assert "- 클랜없음" in screen_text(app)
        await pressed(pilot, "v")
        await on_screen(pilot, "Execution ✗")
        await pressed(pilot, "v")
        await on_screen(pilot, "it counts the same")
        await pressed(pilot, "j")  # no judge there: what there is
        await on_screen(pilot, "Execution ✗")
        await pressed(pilot, "k", "C")
        assert "INSERT INTO players" in (workspace.root / "copied.txt").read_text(encoding="utf-8")
        await pressed(pilot, "tab", "tab", "z")
        assert screen.half.example.size.height == 0


@pytest.mark.parametrize("size", [(140, 45), (80, 24)])
async def test_sql_is_edited_and_run_and_nothing_of_it_is_kept(made: Made, size: tuple[int, int]) -> None:
    workspace, examples = made
    before = load_verdicts(workspace, "tuned", examples[0].id)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=size) as pilot:
        await opened(pilot, "e")
        await on_screen(pilot, "Edit & run")
        await pressed(pilot, "f5")
        await on_screen(pilot, "0 rows where gold has 1")
        await pressed(pilot, "e", *["backspace"] * len(" LIMIT 0"), "f5")
        await on_screen(pilot, "the same result")
        assert load_verdicts(workspace, "tuned", examples[0].id) == before
        await pressed(pilot, "escape", "escape", "escape")
        await on_screen(pilot, "Inspect")


async def test_a_key_does_not_overtake_the_letters_that_came_in_one_piece_with_it(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "e")
        await on_screen(pilot, "Edit & run")
        app.screen.query_one(Editor).text = ""
        for letter in "SELECT 7 AS typed":
            app.post_message(events.Key(letter, letter))
        app.post_message(events.Key("f5", None))
        await on_screen(pilot, "judged in")
        assert "there is no SQL" not in screen_text(app)


async def test_a_row_is_run_again_in_another_mode(made: Made) -> None:
    workspace, examples = made
    ordered = examples[4].gold.rstrip("; ") + " ORDER BY power DESC"
    with workspace.store() as store:
        before = store.predictions.of("tuned")[examples[4].id]
        store.predictions.add([replace(before, sql=ordered)])
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "j", "j", "j", "j", "m")
        await on_screen(pilot, "mode ordered")
        await on_screen(pilot, "the rows are in another order")
        await pressed(pilot, "m")
        await on_screen(pilot, "mode bird-set")
        await on_screen(pilot, "the same result")


async def test_rows_are_counted_by_fault_and_enter_leaves_those_of_one(made: Made) -> None:
    workspace, examples = made
    refuted(workspace, "tuned", examples[0].id)
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await on_screen(pilot, "join type")
        await pressed(pilot, "f")
        await on_screen(pilot, "Faults of 1 failing")
        await pressed(pilot, "enter")
        await on_screen(pilot, "fault:join-type")
        await on_screen(pilot, "1 of 6")


async def test_copy_writes_the_generated_sql_and_says_to_where(made: Made) -> None:
    workspace, _ = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await opened(pilot, "j", "c")
        assert (workspace.root / "copied.txt").read_text(encoding="utf-8").strip() == BROKEN
        await on_screen(pilot, "sent to the terminal")


async def test_space_shows_the_whole_record(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "space")
        await on_screen(pilot, "raw answer")
        assert "### and more" in screen_text(app)


async def test_tables_and_views_are_toggled(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "t")
        await on_screen(pilot, "CREATE TABLE")
        await pressed(pilot, "t", "D")
        await on_screen(pilot, "side by side")
        await pressed(pilot, "D")
        await on_screen(pilot, "as written")


async def test_verdicts_fill_in_while_an_evaluation_runs_and_the_cursor_stays(made: Made) -> None:
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "j", "j")
        job_folder(
            workspace,
            "e-1",
            RunState.RUNNING,
            kind="evaluate",
            title="evaluate tuned",
            request={"predictions": "tuned"},
        )
        judge_says(workspace, "tuned", examples[0].id, Outcome.PASS)
        await on_screen(pilot, f"{examples[0].number} ✗ ✗ ✓ ·")
        assert screen.query_one("#rows", Grid).cursor == 2
        assert "judge 100.0" in screen_text(app)


async def test_what_is_typed_at_once_after_the_slash_goes_into_the_filter(made: Made) -> None:
    """Keys that arrive in one piece, as over a slow link: a `w` must not become a verdict."""
    workspace, examples = made
    app = bench(workspace, start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot)
        for name, letter in (("slash", "/"), ("w", "w"), ("slash", "/"), ("e", "e"), ("enter", "\r")):
            app.post_message(events.Key(name, letter))
        await on_screen(pilot, "/ w/e")
        await on_screen(pilot, "0 of 6")
        assert "human" not in load_verdicts(workspace, "tuned", examples[0].id)


async def test_the_title_of_the_pane_with_the_focus_stands_out(made: Made) -> None:
    app = bench(made[0], start="inspect")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)

        def marked() -> list[str]:
            panes = [pane for pane in screen.query(Pane) if pane.display]
            return [
                str(pane.id) for pane in panes if pane.query_one(".pane--title").styles.text_style.reverse
            ]

        await until(pilot, lambda: marked() == ["list"])
        await pressed(pilot, "tab")
        await until(pilot, lambda: marked() == ["detail"])
        await pressed(pilot, "shift+tab")
        await until(pilot, lambda: marked() == ["list"])
