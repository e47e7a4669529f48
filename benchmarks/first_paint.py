"""From the command to its first screen on a real pty: the workbench against an empty Textual app."""

from __future__ import annotations

import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pyte
from ptyprocess import PtyProcess

from benchmarks.figures import Figure

_EMPTY = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class A(App):\n"
    "    def compose(self): yield Static('ready-to-go')\n"
    "A().run()\n"
)


def _seconds(command: list[str], expect: str) -> float:
    screen = pyte.Screen(140, 45)
    stream = pyte.ByteStream(screen)
    start = time.perf_counter()
    child = PtyProcess.spawn(command, env={**os.environ, "TERM": "xterm-256color"}, dimensions=(45, 140))
    try:
        while time.perf_counter() - start < 30:
            if select.select([child.fd], [], [], 0.02)[0]:
                stream.feed(os.read(child.fd, 65536))
                if any(expect in line for line in screen.display):
                    return time.perf_counter() - start
        raise TimeoutError(f"{expect!r} never came on the screen of {command}")
    finally:
        child.close(force=True)


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "t2s_tui", "--workspace", str(Path(folder) / "workspace")]
        theirs = [sys.executable, "-c", _EMPTY]
        runs = [(_seconds(ours, "Home"), _seconds(theirs, "ready-to-go")) for _ in range(5)]
    mine, others = (statistics.median(column) for column in zip(*runs, strict=True))
    return [Figure("first paint", "s", mine, others, "an empty Textual app")]
