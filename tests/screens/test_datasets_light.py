"""The Datasets room in a process of its own: whatever is done there, nothing heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.progress import Quiet
from t2s_tui.workspace import Workspace

_DRIVE = """
import asyncio, sys
from t2s_tui.app import T2SApp
from t2s_tui.workspace import Workspace

async def main():
    app = T2SApp(Workspace.open(sys.argv[1]), start="datasets")
    async with app.run_test(size=(140, 45)) as pilot:
        async def press(*keys):
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
                await app.workers.wait_for_complete()
                await pilot.pause()
        await press("enter", "j", "r", "slash", *"고객", "enter", "s", *"hard", "enter", "S", "w")
        await press("x", "X", "u", "C", "space", "enter", "v", "j", "enter")
        await press("slash", "ctrl+u", *"join:>=1 lang:ko", "enter", "n", "t", "space")
        print(type(app.screen).__name__)
heavy = {"torch", "transformers", "datasets", "openai", "pandas", "scipy", "duckdb"}
asyncio.run(main())
print(sorted(heavy & sys.modules.keys()))
"""


def test_filters_orders_details_and_audits_import_nothing_heavy(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, "sample-ko")
    audit_dataset(workspace, AuditRequest(dataset="sample-ko", run_golds=False, processes=0), Quiet())
    call = [sys.executable, "-c", _DRIVE, str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=200)
    assert done.stdout.split() == ["WholeScreen", "[]"], done.stdout + done.stderr[-2000:]
