"""Showing 100,000 rows: our Grid, which draws the visible ones, against Textual's DataTable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.widgets import DataTable

from benchmarks.figures import Figure
from widgets.grid import Column, Grid

ROWS = 100_000


class _Grid(App[None]):
    def compose(self) -> ComposeResult:
        yield Grid([Column("#", 8, right=True), Column("question")])

    def fill(self) -> None:
        self.query_one(Grid).show(ROWS, lambda i: (str(i), f"질문 {i}"))


class _Table(App[None]):
    def compose(self) -> ComposeResult:
        yield DataTable()

    def fill(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns("#", "question")
        table.add_rows((str(i), f"질문 {i}") for i in range(ROWS))


async def _seconds(make: Callable[[], _Grid | _Table]) -> float:
    app = make()
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause()
        start = time.perf_counter()
        app.fill()
        await pilot.pause()
        return time.perf_counter() - start


def measure() -> list[Figure]:
    ours, theirs = asyncio.run(_seconds(_Grid)), asyncio.run(_seconds(_Table))
    return [Figure(f"show {ROWS:,} rows", "s", ours, theirs, "textual.widgets.DataTable")]
