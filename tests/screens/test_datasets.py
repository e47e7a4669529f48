"""Datasets: the catalogue, every row, the filter, the copy, and adding a source."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from screens.add_process import AddRequest
from screens.datasets_state import problems_text, report_words
from screens.row_scan import place_of
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.records import Dataset
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.screens.support import bench, on_screen, pressed, screen_text, settled, until
from widgets.grid import Grid

QUESTIONS = [
    "이름을 모두 보여줘",
    "클랜의 수를 세어줘",
    "레벨이 [bold]20[/] 이상인 플레이어",
    "클랜 리더의 이름",
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace.open(tmp_path / "workspace")
    rows = [row(db_id=1 + at // 3, question=question, split="eval") for at, question in enumerate(QUESTIONS)]
    add_dataset(opened, str(write(tmp_path / "game.jsonl", rows)))
    return opened


def test_the_cursor_stays_on_its_row_or_goes_to_the_next() -> None:
    assert place_of([1, 3], 3, sorted_rows=True) == 1
    assert place_of([1, 3], 2, sorted_rows=True) == 1
    assert place_of([1, 3], 9, sorted_rows=True) == 1
    assert place_of([3, 1, 2], 2, sorted_rows=False) == 2
    assert place_of([3, 1], 2, sorted_rows=False) == 0
    assert place_of([], 2, sorted_rows=True) == 0


def test_dropped_rows_are_told_with_their_place(workspace: Workspace, tmp_path: Path) -> None:
    rows = [row(), row(question=""), row(question="다른 질문")]
    report = add_dataset(workspace, str(write(tmp_path / "holes.jsonl", rows)))
    assert report_words(report) == "holes: 2 rows (train 2) added, 1 row dropped"
    assert "holes.jsonl, line 2: question" in problems_text(report).plain


async def test_rows_filter_detail_and_back_on_a_narrow_screen(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "game")
        await pressed(pilot, "enter")
        await on_screen(pilot, QUESTIONS[0])
        rows = app.screen.query_one("#rows", Grid)
        await pressed(pilot, "slash", *"클랜", "enter")
        await on_screen(pilot, "2 of 4")
        assert rows.has_focus
        shown = screen_text(app)
        assert QUESTIONS[1] in shown
        assert QUESTIONS[0] not in shown
        await pressed(pilot, "n")
        assert rows.cursor == 1
        await pressed(pilot, "n")  # round the end
        assert rows.cursor == 0
        await pressed(pilot, "N", "enter")
        shown = screen_text(app)
        assert "Gold SQL" in shown
        assert QUESTIONS[1] not in shown  # the detail has the screen alone
        await pressed(pilot, "n")  # the next match without leaving the detail
        assert QUESTIONS[1] in screen_text(app)
        await pressed(pilot, "escape")
        assert rows.has_focus
        assert rows.cursor == 0
        await pressed(pilot, "escape")  # drops the filter and stays on the row
        await on_screen(pilot, QUESTIONS[0])
        assert rows.cursor == 1
        await pressed(pilot, "escape")
        assert app.screen.query_one("#catalogue", Grid).has_focus


async def test_a_cancelled_filter_changes_nothing(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await on_screen(pilot, "game")
        await pressed(pilot, "enter", "slash", *"zz", "escape")
        await on_screen(pilot, QUESTIONS[0])
        assert app.screen.query_one("#rows", Grid).count == len(QUESTIONS)
        await pressed(pilot, "slash", *"zz", "enter")
        await on_screen(pilot, "No row has 'zz'")


async def test_c_copies_the_gold_and_says_what_it_knows(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await on_screen(pilot, "game")
        await pressed(pilot, "enter", "j", "c")
        await on_screen(pilot, "sent to the terminal")
        assert (workspace.root / "copied.txt").read_text() == "SELECT name FROM players;\n"
        assert app.clipboard == "SELECT name FROM players;"


async def test_space_shows_the_whole_row(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(60, 24)) as pilot:
        await on_screen(pilot, "game")
        await pressed(pilot, "enter")
        await on_screen(pilot, QUESTIONS[0])
        await pressed(pilot, "G", "k", "space")
        await on_screen(pilot, QUESTIONS[2])
        assert "Datasets: row 3" in screen_text(app)


async def test_add_says_what_is_wrong_and_then_adds(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    write(tmp_path / "holes.csv", [row(), row(question="")])
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "No dataset yet.")
        await pressed(pilot, "a", "enter")
        assert "✗ type a path, or sample" in screen_text(app)
        await pressed(pilot, *"/nowhere", "tab", *"a b", "enter")
        assert "✗ there is no such file" in screen_text(app)
        assert "✗ use letters, digits" in screen_text(app)
        await pressed(pilot, "escape", "a", *"nowhere", "enter")
        await on_screen(pilot, "! There is no file")
        await pressed(pilot, "escape", "a")
        app.screen.query_one("#field-source FieldEdit").text = str(tmp_path / "holes.csv")
        await pressed(pilot, "f5")
        await on_screen(pilot, "holes.csv, line 6: question")  # the DDL before it takes three lines
        await pressed(pilot, "escape")
        await pressed(pilot, "space")
        await on_screen(pilot, "1 of the source's rows")
        with workspace.store() as store:
            assert store.datasets.get("holes").size == 1


def test_the_screen_adds_by_the_headless_command(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    request = AddRequest("owner/name", "n", "mysql", str(tmp_path), {"question": "질문"})
    assert request.check() == {}
    words = request.command(workspace)
    assert words[words.index("add") :] == [
        *("add", "--workspace", str(tmp_path), "--json", "--name", "n", "--dialect", "mysql"),
        *("--databases", str(tmp_path), "--map", "question=질문", "--", "owner/name"),
    ]
    wrong = AddRequest("~/no-such-file", dialect="cobol", databases="/nowhere").check()
    assert wrong.keys() == {"source", "dialect", "databases"}


async def test_what_is_being_added_is_stopped(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    os.mkfifo(tmp_path / "endless.jsonl")  # whoever reads it waits
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        app.screen.query_one("#field-source FieldEdit").text = str(tmp_path / "endless.jsonl")
        await pilot.press("f5")
        await on_screen(pilot, "Reading and checking the rows")
        await pilot.press("escape")
        await on_screen(pilot, "Stopped: nothing was added.")
        await pilot.press("escape")
        await on_screen(pilot, "No dataset yet.")
    assert datasets_of(workspace) == []


async def test_a_table_with_other_columns_asks_which_is_what(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [
        {
            "schema_name": "shop",
            "ddl": "CREATE TABLE t (a INT);",
            "utterance": "수를 세어줘",
            "code": "SELECT 1",
        },
        {
            "schema_name": "shop",
            "ddl": "CREATE TABLE t (a INT);",
            "utterance": "[b]a[/]",
            "code": "SELECT a FROM t",
        },
    ]
    write(tmp_path / "other.jsonl", rows)
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pressed(pilot, "a")
        app.screen.query_one("#field-source FieldEdit").text = str(tmp_path / "other.jsonl")
        await pressed(pilot, "f5")
        await on_screen(pilot, "other.jsonl: which column is what?")
        shown = screen_text(app)
        assert "‹ utterance ›" in shown  # guessed by its name
        assert "수를 세어줘" in shown
        assert "✗ every row needs it" in shown
        await pressed(pilot, "f5")  # nothing is closed while a field is wrong
        # db_id may stay empty, the DDL gives one: the first wrong field is the answer.
        await pressed(pilot, "left")  # the last column
        assert "SELECT 1" in screen_text(app)
        assert "✗" not in screen_text(app)
        await pressed(pilot, "left", "left")
        assert "✗ ddl is context as well" in screen_text(app)
        await pressed(pilot, "right", "right")
        await pressed(pilot, "up", "up", "up", "right")  # db_id: the first column
        await pressed(pilot, "f5")
        await on_screen(pilot, "rows")
        await until(pilot, lambda: bool(datasets_of(workspace)))
        [made] = datasets_of(workspace)
        assert made.size == 2
        example = open_examples(workspace, made.name)[0]
        assert (example.db_id, example.question, example.gold) == ("shop", "수를 세어줘", "SELECT 1")


def datasets_of(workspace: Workspace) -> list[Dataset]:
    with workspace.store() as store:
        return store.datasets.all()
