"""The grid, the tail, the reader and the key line, each in an app of its own."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.text import Text
from textual.app import App, ComposeResult
from textual.widget import Widget

from t2s_tui.system.telemetry import Gpu
from widgets.filter_line import FilterBar
from widgets.frame import gpu_words, key_text
from widgets.grid import Column, Grid
from widgets.line_edit import LineEdit
from widgets.line_view import LineView, Part
from widgets.log_tail import MAX_LINES, LogTail
from widgets.sql_view import SqlView, sql_text
from widgets.theme import DIM, FAIL


class Stage(App[None]):
    """One widget, focused."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()


def lines(app: App[None]) -> list[str]:
    strips = app.screen._compositor.render_strips()
    return ["".join(piece.text for piece in strip) for strip in strips]


async def test_a_million_rows_cost_a_screenful() -> None:
    grid = Grid([Column("#", 8, right=True), Column("question")])
    asked: list[int] = []

    def source(at: int) -> list[str]:
        asked.append(at)
        return [f"{at}", f"질문 {at}"]

    async with Stage(grid).run_test(size=(60, 20)) as pilot:
        grid.show(1_000_000, source)
        await pilot.pause()
        await pilot.press("G")
        await pilot.pause()
        assert grid.cursor == 999_999
        assert "999999 질문 999999" in "\n".join(lines(pilot.app))
        await pilot.press("ctrl+u", "k", "g")
        await pilot.pause()
        assert grid.cursor == 0
    assert len(set(asked)) < 200


async def test_every_row_of_the_grid_is_as_wide_as_the_grid_whatever_is_in_it() -> None:
    texts = [
        "한글 한글 한글 한글 한글",
        "[bold]no markup[/]",
        "a\nb\tc\x1b[31m",
        "e\u0301" * 30,
        "🙂" * 30,
        "",
    ]
    grid = Grid([Column("n", 3, right=True), Column("text"), Column("end", 3)])
    async with Stage(grid).run_test(size=(40, 10)) as pilot:
        grid.show(len(texts), lambda at: [f"{at}", texts[at], "end"])
        await pilot.pause()
        for line in lines(pilot.app):
            assert cell_len(line) == 40
        shown = "\n".join(lines(pilot.app))
        assert "[bold]no markup[/]" in shown
        assert "\x1b" not in shown
        assert all(line.rstrip().endswith("end") for line in lines(pilot.app)[: len(texts) + 1])


async def test_redraw_shows_what_changed_in_place_and_asks_for_no_other_line() -> None:
    grid = Grid([Column("a")])
    rows = [f"row {at}" for at in range(50)]
    async with Stage(grid).run_test(size=(40, 10)) as pilot:
        grid.show(50, lambda at: [rows[at]])
        await pilot.press("G")
        await pilot.pause()
        refreshed: list[int] = []
        grid.refresh = lambda *regions, **_: refreshed.extend(r.y for r in regions) or grid  # type: ignore
        grid.redraw()
        assert refreshed == []
        rows[48] = "changed"
        grid.redraw()
        assert refreshed == [8]
        del grid.refresh
        grid.redraw()
        await pilot.pause()
        assert "changed" in "\n".join(lines(pilot.app))
        grid.show(50, lambda at: [f"other {at}"])
        await pilot.pause()
        assert "other 49" in "\n".join(lines(pilot.app))
        assert "row" not in "\n".join(lines(pilot.app))


async def test_the_cursor_of_an_empty_and_of_a_shrinking_grid() -> None:
    grid = Grid([Column("a")], empty="Nothing here:\npress a.")
    async with Stage(grid).run_test(size=(40, 10)) as pilot:
        grid.show(0, lambda _: ())
        await pilot.press("j", "k", "G", "g", "enter", "space", "pagedown")
        await pilot.pause()
        assert grid.cursor == -1
        assert "press a." in "\n".join(lines(pilot.app))
        grid.show(5, lambda at: [f"{at}"], cursor=4)
        grid.show(2, lambda at: [f"{at}"])
        assert grid.cursor == 1


async def test_the_tail_is_capped_and_a_reader_above_is_not_moved() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        tail.extend(Text(f"line {at}") for at in range(MAX_LINES))
        await pilot.pause()
        assert f"line {MAX_LINES - 1}" in "\n".join(lines(pilot.app))
        await pilot.press("ctrl+u", "ctrl+u")
        await pilot.pause()
        before = lines(pilot.app)
        tail.extend(Text(f"later {at}") for at in range(5))
        await pilot.pause()
        assert tail.count == MAX_LINES
        assert lines(pilot.app) == before
        await pilot.press("G")
        await pilot.pause()
        assert "later 4" in "\n".join(lines(pilot.app))


async def test_the_tail_folds_long_lines_by_cells_and_again_at_another_width() -> None:
    tail = LogTail()
    async with Stage(tail).run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        tail.extend([Text("가나다라마바사아자차카타파하" * 3 + "끝")])
        for width in (40, 24):
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            shown = lines(pilot.app)
            assert all(cell_len(line) == width for line in shown)
            assert "".join("".join(shown).split()).count("하") == 3
            assert "끝" in "".join(shown)


@pytest.mark.parametrize(
    "sql", ["SELECT 'open", "한글 SELECT [bold]x[/] FROM t -- 주석", "", ";;;", "SELECT\t1"]
)
def test_any_text_is_shown_as_it_is_half_written_or_not(sql: str) -> None:
    assert sql_text(sql).plain == sql.expandtabs(4)


def test_keywords_are_marked_by_weight_and_escapes_are_made_visible() -> None:
    text = sql_text("SELECT 1\x1b[31m")
    assert text.plain == "SELECT 1·[31m"
    spans = {text.plain[span.start : span.end].strip(): span.style for span in text.spans}
    assert getattr(spans["SELECT"], "bold", False)


async def test_sql_wraps_in_its_pane() -> None:
    view = SqlView()
    async with Stage(view).run_test(size=(30, 10)) as pilot:
        view.show("SELECT a, b, c, d FROM players WHERE name LIKE '%클랜%' ORDER BY level DESC")
        await pilot.pause()
        shown = lines(pilot.app)
        assert "DESC" in "".join(shown)
        assert all(cell_len(line) == 30 for line in shown)


async def test_the_filter_gives_the_focus_back_and_counts() -> None:
    class Filtered(App[None]):
        def compose(self) -> ComposeResult:
            yield FilterBar("hint")
            yield Grid([Column("a")])

    app = Filtered()
    async with app.run_test(size=(40, 10)) as pilot:
        bar, grid = app.query_one(FilterBar), app.query_one(Grid)
        grid.focus()
        await pilot.pause()
        bar.open()
        await pilot.press(*"db:game  클랜", "enter")
        await pilot.pause()
        assert bar.query_text == "db:game 클랜"
        assert grid.has_focus
        bar.show_count(9, 112)
        await pilot.pause()
        assert lines(app)[0].rstrip().endswith("9 of 112")
        bar.open()
        await pilot.press(*"zzz", "escape")
        await pilot.pause()
        assert bar.query_text == "db:game 클랜"
        bar.clear()
        bar.show_count(None, 112)
        await pilot.pause()
        assert lines(app)[0].rstrip().endswith(" 112")
        assert "hint" in lines(app)[0]


async def test_a_line_is_one_line_in_nfc() -> None:
    edit = LineEdit()
    async with Stage(edit).run_test() as pilot:
        edit.text = "  하\u1100\u1161  \n b "
        await pilot.pause()
        assert edit.value == "하가 b"


def test_the_question_mark_is_always_on_the_key_line() -> None:
    keys = [("j/k", "move"), ("a", "add a dataset"), ("?", "keys"), ("q", "leave")]
    assert key_text(keys, 200).plain == "j/k move  a add a dataset  ? keys  q leave"
    assert key_text(keys, 20).plain == "j/k move  ? keys"
    assert key_text(keys, 10).plain == "? keys"


def test_the_cards_in_five_words() -> None:
    assert gpu_words([]) == ""
    one = Gpu(0, "NVIDIA H100 80GB HBM3", 41 * 1024, 80 * 1024, 97.0)
    assert gpu_words([one]) == "H100 41/80G"
    assert gpu_words([one, one]) == "2 GPU 82/160G"


async def test_a_cell_and_a_line_keep_the_style_of_their_whole_text() -> None:
    """Rich leaves it out where a text has no spans: signs and titles were as plain as the rest."""
    grid, view = Grid([Column("", 1), Column("a")]), LineView("part")

    class Both(App[None]):
        def compose(self) -> ComposeResult:
            yield grid
            yield view

    async with Both().run_test(size=(40, 10)) as pilot:
        grid.show(1, lambda row: (Text("✗", style=FAIL), "words"))
        view.set_part("part", Part("Origin", "", lambda width: [Text("muted", style=DIM)]))
        await pilot.pause()
        styles = {s.text.strip(): s.style for w in (grid, view) for y in (0, 1) for s in w.render_line(y)}
        assert styles["✗"] is not None
        assert styles["✗"].color == FAIL.color
        assert styles["Origin"] is not None
        assert styles["Origin"].bold
        assert styles["muted"] is not None
        assert styles["muted"].dim
        assert styles["words"] is not None
        assert styles["words"].color != FAIL.color
