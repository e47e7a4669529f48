"""The Datasets room on a real pty: Korean typed into the filter at once, and marks that outlive the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.catalogue import read_examples
from t2s_tui.datasets.filter import Rows, filtered_rows
from t2s_tui.workspace import Workspace
from tests.jobs_support import until
from tests.terminal.pty_driver import Terminal

pytestmark = pytest.mark.terminal


def test_korean_in_the_filter_and_marks_after_a_hang_up(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, "sample-ko")
    folder = workspace.dataset_dir("sample-ko")
    found = filtered_rows(Rows(read_examples(folder).arrow), "고객")
    terminal = Terminal.workbench(tmp_path)
    try:
        terminal.wait_for("Home")
        terminal.press("2")
        terminal.wait_for("not audited")
        terminal.press("enter")
        terminal.wait_for("Question", "812")
        terminal.press("/고객\r")  # as a fast typist or a paste sends it: in one piece
        terminal.wait_for(f"{len(found)} of 812")
        terminal.press("x")
        terminal.wait_for("1 marked")
        until(lambda: (folder / "marks.json").exists())
    finally:
        terminal.hang_up()
    again = Terminal.workbench(tmp_path)
    try:
        again.wait_for("Home")
        again.press("2")
        again.wait_for("not audited")
        again.press("enter")
        again.wait_for("1 marked")
    finally:
        again.close()
