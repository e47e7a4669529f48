"""Adding a dataset in a process of its own: a hundred thousand rows are read and the keys still answer.

It is the headless command, so the screen can add all that a shell can, Hub datasets too.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from screens.train_plan import quiet_environment
from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.source import RowProblem
from t2s_tui.errors import DataError, UsageError
from t2s_tui.records import Dataset
from t2s_tui.sql.dialects import check_dialect
from t2s_tui.workspace import Workspace, check_name

_STOP_SECONDS = 5


class AddStopped(Exception):
    """A person stopped it: nothing was added."""


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What is added, as it was typed; empty fields say nothing. `mapping` is our column -> theirs."""

    source: str
    name: str = ""
    dialect: str = ""
    databases: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> dict[str, str]:
        """Field -> what is wrong with it, as far as it can be told before anything is read."""
        wrong: dict[str, str] = {}
        if not self.source:
            wrong["source"] = "type a path, or sample"
        elif self.source.startswith(("/", "~", "./", "../")) and not _path(self.source).exists():
            wrong["source"] = "there is no such file or folder"
        for name, value in (("name", self.name), ("dialect", self.dialect)):
            try:
                if value and name == "name":
                    check_name(value, "dataset")
                elif value:
                    check_dialect(value)
            except UsageError as error:
                wrong[name] = error.next_step or error.cause
        if self.databases and not _path(self.databases).is_dir():
            wrong["databases"] = "there is no such folder"
        return wrong

    def command(self, workspace: Workspace) -> list[str]:
        """The headless command that does it."""
        words = [sys.executable, "-P", "-m", "t2s_tui", "datasets", "add"]
        words += ["--workspace", str(workspace.root), "--json"]
        if self.name:
            words += ["--name", self.name]
        if self.dialect:
            words += ["--dialect", self.dialect]
        if self.databases:
            words += ["--databases", str(_path(self.databases))]
        for ours, theirs in self.mapping.items():
            words += ["--map", f"{ours}={theirs}"]
        source = str(_path(self.source)) if self.source.startswith("~") else self.source
        return [*words, "--", source]


class Adding:
    """One add at a time. `run` waits in a thread, `stop` may come from another."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, request: AddRequest) -> AddReport:
        """Add it. Raises UsageError or DataError with the command's words, AddStopped after `stop`."""
        with self._lock:
            self._stopped = False
            self._process = subprocess.Popen(
                request.command(self._workspace),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # the keys of the terminal are not for it
                env=quiet_environment(),
            )
            process = self._process
        output, complaints = process.communicate()
        if self._stopped:
            raise AddStopped
        if process.returncode:
            raise _failure(process.returncode, complaints)
        return report_of(json.loads(output.strip().splitlines()[-1]))

    def stop(self) -> None:
        """End it: it cleans up behind itself, and is killed when that takes too long."""
        with self._lock:
            process, self._stopped = self._process, True
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def report_of(values: Mapping[str, Any]) -> AddReport:
    """The report that the command printed."""
    known = {each.name for each in fields(Dataset)}
    made = {name: value for name, value in values.items() if name in known}
    made["history"] = tuple(made.get("history", ()))
    problems = [RowProblem(**problem) for problem in values["problems"]]
    return AddReport(Dataset(**made), problems, bool(values["added"]), tuple(values["notes"]))


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _failure(code: int, complaints: str) -> UsageError | DataError:
    lines = [line for line in complaints.splitlines() if line.strip()]
    words = lines[-1] if lines else "the process that reads it ended"
    return (UsageError if code == 2 else DataError)(words.removeprefix("t2s-tui: "))
