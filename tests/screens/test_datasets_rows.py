"""The rows of a dataset: order, columns, marks, filters that fail or are stopped, and the detail of a row."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.dataset_rows import DatasetRows
from screens.datasets import DatasetsScreen
from screens.row_detail import RowDetail, token_lines
from screens.row_reading import parsed, run_gold
from screens.row_tokens import CutRow
from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.filter import RowFilter, Rows, Scanned
from t2s_tui.datasets.marks import read_marks, write_marks
from t2s_tui.errors import WorkspaceError
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.model_support import SHORT, tiny_model
from tests.reviewed import reviewed_workspace
from tests.screens.support import bench, on_screen, pressed, screen_text, settled, until
from widgets.grid import Grid

__all__ = ["tiny_model"]

DDL = (
    "CREATE TABLE clans (id INT PRIMARY KEY, name TEXT, leader INT, founded DATE);\n"
    "CREATE TABLE players (id INT PRIMARY KEY, nick TEXT);\nCREATE TABLE logs (at DATE);"
)
GOLD = "SELECT c.name FROM clans c JOIN players p ON c.leader = p.id WHERE p.nick = '[bold]a[/]'"
ROWS = [
    row(db_id="b", question="다 클랜", context=DDL, answer=GOLD, split="train", hardness="hard"),
    row(db_id="a", question="가 플레이어", split="eval", evidence="'가' is a nick"),
    row(db_id="c", question="나 [bold]x[/]", answer="SELECT FROM WHERE", split="eval"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    opened = Workspace.open(tmp_path / "workspace")
    add_dataset(opened, str(write(tmp_path / "game.jsonl", ROWS)), dialect="sqlite")
    return opened


async def opened(pilot: Pilot[None], *keys: str) -> DatasetsScreen:
    """The rows of the first dataset, after some keys."""
    await settled(pilot)
    await pressed(pilot, "enter")
    await until_read(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, DatasetsScreen)
    await pressed(pilot, *keys)
    return screen


async def until_read(pilot: Pilot[None]) -> None:
    await on_screen(pilot, "Question" if pilot.app.size.width >= 100 else "question")


def numbers(screen: DatasetRows) -> list[int]:
    """The numbers of the rows in the list, from the top."""
    return [screen._index(at) + 1 for at in range(screen.query_one("#rows", Grid).count)]


async def test_rows_are_sorted_and_turned_round(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "s", *"question", "enter")
        await on_screen(pilot, "question ↑")
        assert numbers(screen) == [2, 3, 1]
        await pressed(pilot, "S")
        await on_screen(pilot, "question ↓")
        assert numbers(screen) == [1, 3, 2]
        await pressed(pilot, "slash", *"split:eval", "enter")
        await on_screen(pilot, "2 of 3")
        assert numbers(screen) == [3, 2]
        await pressed(pilot, "s", *"hard", "enter")
        assert numbers(screen) == [2, 3]


async def test_columns_are_chosen(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "C")
        shown = screen_text(app)
        assert "[x] question" in shown
        assert "findings" not in shown  # there is no audit
        await pressed(pilot, *"jjj", "space", *"jj", "space", "enter")
        head = screen_text(app).splitlines()[3]
        assert "hard" in head
        assert "gold SQL" in head
        await pressed(pilot, "C", "k", "space", "escape")
        assert screen_text(app).splitlines()[3] == head
        assert screen._names == ["number", "split", "db_id", "hardness", "question", "gold"]


async def test_marks_and_undo(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        screen = await opened(pilot, "x")
        assert screen.query_one("#rows", Grid).cursor == 1
        await on_screen(pilot, "1 marked")
        assert " ✗       1 train" in screen_text(app)
        await pressed(pilot, "slash", *"is:marked", "enter")
        await on_screen(pilot, "1 of 3")
        assert numbers(screen) == [1]
        await pressed(pilot, "slash", "ctrl+u", *"split:eval", "enter", "X")
        await on_screen(pilot, "3 marked")
        await pressed(pilot, "X")  # all that are listed were marked: they are not any more
        assert screen._marked == {0}
        await pressed(pilot, "u", "u", "k", "x")
        assert screen._marked == {0, 1}
        await pressed(pilot, "u", "u")
        assert "marked" not in screen_text(app)
        await pressed(pilot, "u")
        await on_screen(pilot, "Nothing to undo.")


async def test_marks_are_kept_with_the_dataset(workspace: Workspace) -> None:
    folder = workspace.dataset_dir("game")
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "x", "j", "x")
        await until(pilot, lambda: (folder / "marks.json").exists())
    app = bench(workspace, start="datasets")  # as after a line that broke
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        assert screen._marked == {0, 2}
        await on_screen(pilot, "2 marked")
        await pressed(pilot, "escape", "enter")
        await until_read(pilot)
        assert screen._marked == {0, 2}
        await pressed(pilot, "X", "X")  # none any more
        await until(pilot, lambda: not (folder / "marks.json").exists())


def test_marks_of_rows_that_changed_count_no_more(tmp_path: Path) -> None:
    write_marks(tmp_path, "abc", {4, 2})
    assert read_marks(tmp_path, "abc") == {2, 4}
    assert read_marks(tmp_path, "other") == set()
    (tmp_path / "marks.json").write_text("no JSON")
    assert read_marks(tmp_path, "abc") == set()
    with pytest.raises(WorkspaceError, match="could not be kept"):
        write_marks(tmp_path / "nowhere", "abc", {1})


async def test_a_wrong_filter_is_said_where_the_rows_would_be(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "slash", *"colour:red", "enter")
        await on_screen(pilot, "no field 'colour'")
        await on_screen(pilot, "0 of 3")
        await pressed(pilot, "slash", *["backspace"] * 10, *"finding:leak", "enter")
        await on_screen(pilot, "needs an audit of this dataset")
        await pressed(pilot, "escape")
        await on_screen(pilot, "다 클랜")
        assert numbers(screen) == [1, 2, 3]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Filters look at a row at a time, and wait here after the first two."""
    opened, scan = threading.Event(), RowFilter.scan

    def slow(self: RowFilter, rows: Rows) -> Iterator[Scanned]:
        for scanned in scan(self, rows, stretch=1):
            yield scanned
            if scanned.seen == 2:
                assert opened.wait(20)

    monkeypatch.setattr(RowFilter, "scan", slow)
    monkeypatch.setattr("screens.row_scan.FIRST_PAGE", 1)
    return opened


async def test_a_filter_shows_its_first_page_and_goes_on(workspace: Workspace, gate: threading.Event) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await settled(pilot)
        await pressed(pilot, "enter")
        await until_read(pilot)
        for key in ("slash", *"split:eval", "enter"):
            await pilot.press(key)
        await on_screen(pilot, "1 of 3  so far, 66%  esc stops")
        assert "가 플레이어" in screen_text(app)
        gate.set()
        await on_screen(pilot, "2 of 3")
        assert "so far" not in screen_text(app)


async def test_a_filter_that_works_is_stopped(workspace: Workspace, gate: threading.Event) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        for key in ("slash", *"split:eval", "enter"):
            await pilot.press(key)
        await on_screen(pilot, "so far")
        await pilot.press("escape")
        gate.set()
        await settled(pilot)
        assert numbers(screen) == [1, 2, 3]  # as before it
        assert "split:eval  " not in screen_text(app).splitlines()[2][:20]
        assert screen.query_one("#rows", Grid).has_focus


async def test_the_detail_opens_the_used_tables_and_marks_their_columns(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        shown = screen.query_one(RowDetail).plain
        assert "Tables   2 of 3 used" in shown
        assert "*   leader INT," in shown
        assert "    founded DATE" in shown
        assert "▸ logs  1 column" in shown
        assert "at DATE" not in shown
        assert "JOIN players AS p\n    ON c.leader = p.id" in shown
        assert "p.nick = '[bold]a[/]'" in shown
        assert "no database came with this row" in shown
        await pressed(pilot, "t")
        assert "at DATE" in screen.query_one(RowDetail).plain
        await pressed(pilot, "j")
        assert "evidence: '가' is a nick" in screen.query_one(RowDetail).plain
        await pressed(pilot, "j")
        shown = screen.query_one(RowDetail).plain
        assert "SELECT FROM WHERE" in shown  # as written, with the place of the trouble
        assert "does not parse as sqlite at line 1" in shown


async def test_gold_runs_on_its_database(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, "sample-ko")
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot, "slash", *'"고객 수를"', "enter")
        assert "r runs it" in screen.query_one(RowDetail).plain
        await pressed(pilot, "r")
        await on_screen(pilot, "1 row · 0.")
        example = screen._table.example(screen._here) if screen._table else None
        assert example is not None
        ran = run_gold(example)
        assert ran.result is not None
        lines = [line.strip() for line in screen.query_one(RowDetail).plain.splitlines()]
        assert str(ran.result.rows[0][0]) in lines


def test_a_gold_that_cannot_run_says_why(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, "sample-ko")
    example = open_examples(workspace, "sample-ko")[0]
    assert "no such table" in run_gold(replace(example, gold="SELECT a FROM nowhere")).trouble
    assert "refused" in run_gold(replace(example, gold="DROP TABLE customers")).trouble
    assert "does not parse" in run_gold(replace(example, gold="SELECT ((")).trouble
    assert run_gold(replace(example, database=None)).trouble == "no database came with this row"
    assert parsed("SELECT a FROM t WHERE b = 1", "sqlite")[1:] == ("SELECT a\nFROM t\nWHERE b = 1", "")


async def test_o_opens_the_row_where_it_was_answered(tmp_path: Path) -> None:
    workspace, examples = reviewed_workspace(tmp_path)
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        await opened(pilot, "slash", *f"row:{examples[1].number}", "enter", "o")
        await on_screen(pilot, "in which predictions?")
        await pressed(pilot, *"base", "enter")
        await on_screen(pilot, "Verdicts")
        assert "sample-ko · eval · base" in screen_text(app)
        assert f"#{examples[1].number} " in screen_text(app)
        await pressed(pilot, "2", "slash", *["backspace"] * 12, *"split:train", "enter", "o")
        await on_screen(pilot, "No predictions have this row yet")


def test_tokens_show_their_borders_and_what_is_scored() -> None:
    prompt = (("### Q:", 1), ("\n", 1), ("모", 3), ("두", 1), ("\n", 1))
    cut = CutRow("m", "book", prompt, (("SELECT", 1), (" a", 1), ("<eos>", 1)), 7, 3)
    lines = [line.plain.rstrip() for line in token_lines(cut, 40, ascii_only=False)]
    assert lines[:3] == ["  prompt book, tokenizer of m", "  ### Q:│⏎", "  모³│두│⏎"]
    assert lines[-1] == "▌ SELECT│ a│<eos>"
    plain = [line.plain.rstrip() for line in token_lines(cut, 40, ascii_only=True)]
    assert plain[2] == "  모^3|두|~"


@pytest.mark.slow
async def test_tokens_of_a_row_under_a_model(workspace: Workspace, tiny_model: Path) -> None:
    (workspace.prompts_dir / "short.txt").write_text(SHORT, encoding="utf-8")
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        screen = await opened(pilot)
        screen._how = (str(tiny_model), "short")
        await pressed(pilot, "p")
        await on_screen(pilot, " scored")
        assert "▌ S│E│L│E│C│T" in screen.query_one(RowDetail).plain
        assert "<|end|>" in screen.query_one(RowDetail).plain
        screen._cut_with(("/nowhere", "short"))
        await on_screen(pilot, "There is no model at /nowhere")
        await pressed(pilot, "p")
        assert "Tokens" not in screen.query_one(RowDetail).plain


async def test_a_version_without_the_marked_rows(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        screen = await opened(pilot)
        assert "version" not in screen_text(app).splitlines()[-1]  # nothing is marked
        await pressed(pilot, "x", "V")
        await on_screen(pilot, "Make game-2 without 1 marked row?")
        await pressed(pilot, "n")
        assert screen._marked == {0}
        await pressed(pilot, "V", "y")
        await on_screen(pilot, "game-2: 2 rows, without 1 that were marked")
        await on_screen(pilot, "Catalogue")
        kept = open_examples(workspace, "game-2")
        assert [example.question for example in kept] == [ROWS[1]["question"], ROWS[2]["question"]]
        assert len(open_examples(workspace, "game")) == 3
        await on_screen(pilot, "by hand")  # the new one is under the cursor, and says how it was made


async def test_the_filter_line_says_what_a_word_can_become(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        await opened(pilot, "slash", *"har")
        await on_screen(pilot, "hard: the hardness: easy, medium")
        await pressed(pilot, "escape")
        await until(pilot, lambda: "the hardness" not in screen_text(app))
        assert "3 " in screen_text(app).splitlines()[2]


async def test_tokens_that_take_long_are_stopped(workspace: Workspace) -> None:
    app = bench(workspace, start="datasets")
    async with app.run_test(size=(140, 45), notifications=True) as pilot:
        screen = await opened(pilot)
        screen._how = ("smollm2", "book")
        await pilot.press("p")
        await on_screen(pilot, "book · smollm2")
        await pilot.press("p")
        await settled(pilot)
        assert "Tokens" not in screen.query_one(RowDetail).plain
        assert screen._cutter is None
        assert "could not be counted" not in screen_text(app)  # no complaint about what was stopped
