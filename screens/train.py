"""Train: fine-tune a model on a dataset and watch it learn."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from screens.base import WorkbenchScreen


class TrainScreen(WorkbenchScreen):
    """Train: fine-tune a model on a dataset and watch it learn."""

    ROOM = "Train"

    def compose_body(self) -> ComposeResult:
        yield Static(
            "Add a dataset first (press 2), then start a training here: or run "
            "`t2s-tui train --dataset NAME --preset demo` in a shell and press 7 to follow it.",
            classes="advice",
            markup=False,
        )
