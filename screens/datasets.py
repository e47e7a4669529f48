"""Datasets."""

from __future__ import annotations

from screens.base import WorkbenchScreen


class DatasetsScreen(WorkbenchScreen):
    """Datasets."""

    ROOM = "Datasets"
