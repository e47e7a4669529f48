"""Compare: two prediction sets side by side."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import WorkbenchScreen


class CompareScreen(WorkbenchScreen):
    """Compare: two prediction sets side by side."""

    ROOM = "Compare"

    def compose_body(self) -> ComposeResult:
        yield Static(
            "Make two prediction sets first (press 4), then set them side by side here: or run "
            "`t2s-tui compare A B` in a shell.",
            classes="advice",
            markup=False,
        )
