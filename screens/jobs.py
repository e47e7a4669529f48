"""Jobs."""

from __future__ import annotations

from screens.base import WorkbenchScreen


class JobsScreen(WorkbenchScreen):
    """Jobs."""

    ROOM = "Jobs"
