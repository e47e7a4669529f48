"""Generate: ask a model for SQL."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import WorkbenchScreen


class GenerateScreen(WorkbenchScreen):
    """Generate: ask a model for SQL."""

    ROOM = "Generate"

    def compose_body(self) -> ComposeResult:
        yield Static(
            "Add a dataset first (press 2), then ask a model here: or run "
            "`t2s-tui generate --dataset NAME --model smollm2` in a shell and press 7 to follow it.",
            classes="advice",
            markup=False,
        )
