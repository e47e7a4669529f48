"""Inspect: one prediction at a time, with its verdicts and their evidence."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import WorkbenchScreen


class InspectScreen(WorkbenchScreen):
    """Inspect: one prediction at a time, with its verdicts and their evidence."""

    ROOM = "Inspect"

    def compose_body(self) -> ComposeResult:
        yield Static(
            "Make predictions first (press 4), then read them here: or run "
            "`t2s-tui evaluate PREDICTIONS --metrics execution` in a shell.",
            classes="advice",
            markup=False,
        )
