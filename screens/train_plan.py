"""What a training will do, counted in a process of its own: the workbench loads no tokenizer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import t2s_tui
from t2s_tui.errors import TrainingError
from t2s_tui.workspace import Workspace


@dataclass
class Counter:
    """One count at a time: a new one ends the one before it. May be used from any thread."""

    workspace: Workspace
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: subprocess.Popen[str] | None = None

    def count(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The plan of a TrainRequest given as plain JSON. Raises TrainingError: what is in the way."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "t2s_tui.training.plan_command", str(self.workspace.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # the keys of the terminal are not for it
            env=quiet_environment(),
        )
        with self._lock:
            self._end()
            self._process = process
        output, complaints = process.communicate(json.dumps(dict(request), ensure_ascii=False))
        return _plan(output, complaints)

    def cancel(self) -> None:
        """End the count that runs. Its thread gets a TrainingError, which nobody waits for."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self._process = None


def _plan(output: str, complaints: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        plan = json.loads(lines[-1]) if lines else None
    except ValueError:
        plan = None
    if not isinstance(plan, dict):
        last = complaints.strip().splitlines()
        raise TrainingError(f"The tokens could not be counted ({last[-1] if last else 'no answer'})")
    if "error" in plan:
        raise TrainingError(str(plan["error"]), str(plan.get("next_step", "")))
    return plan


def quiet_environment() -> dict[str, str]:
    """What a helper process runs in: this program can be imported, and the libraries say nothing."""
    home = str(Path(t2s_tui.__file__).parent.parent)
    known = os.environ.get("PYTHONPATH")
    path = f"{home}{os.pathsep}{known}" if known else home
    quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": path}
