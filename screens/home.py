"""Home."""

from __future__ import annotations

from screens.base import WorkbenchScreen


class HomeScreen(WorkbenchScreen):
    """Home."""

    ROOM = "Home"
