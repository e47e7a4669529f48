"""A real terminal for tests: the program on a pty, its screen read by pyte, keys typed into it."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pyte
from ptyprocess import PtyProcess

KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "backspace": "\x7f",
}


def _hear_hang_ups() -> None:
    """In the child: the tests may run under nohup, which is inherited."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """One program on one pty. `text()` is what a person sees."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int] = (140, 45)) -> None:
        columns, rows = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._child = PtyProcess.spawn(
            list(command), env=environment, dimensions=(rows, columns), preexec_fn=_hear_hang_ups
        )

    @classmethod
    def workbench(cls, workspace: Path, *, size: tuple[int, int] = (140, 45)) -> Terminal:
        return cls([sys.executable, "-m", "t2s_tui", "--workspace", str(workspace)], size=size)

    @property
    def pid(self) -> int:
        return int(self._child.pid)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Keys by name (`enter`, `f5`) or as they are typed."""
        for key in keys:
            self._child.write(KEYS.get(key, key).encode())
            self._pump(0.15)

    def wait_for(self, *wanted: str, seconds: float = 60) -> str:
        """Until all of `wanted` is on the screen; the screen is in the failure when it never comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._pump(0.1)
            shown = self.text()
            if all(part in shown for part in wanted):
                return shown
            if not self._child.isalive():
                break
        raise AssertionError(f"never saw {wanted!r} in {seconds:.0f} s; the screen:\n{self.text()}")

    def hang_up(self) -> None:
        """What a lost SSH connection does: the terminal is gone, the kernel sends SIGHUP."""
        self._child.fileobj.close()
        self._child.closed = True
        self._wait_dead()

    def kill(self) -> None:
        """SIGKILL to the program alone, as the kernel's out-of-memory killer does."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait_dead()

    def close(self) -> None:
        if self._child.isalive():
            self._child.terminate(force=True)

    def wait_closed(self, seconds: float = 15) -> None:
        """Until the program has ended by itself."""
        end = time.monotonic() + seconds
        while self._child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"the program did not end; the screen:\n{self.text()}")
            self._pump(0.1)

    def _wait_dead(self) -> None:
        end = time.monotonic() + 10
        while self._child.isalive():
            if time.monotonic() > end:
                raise AssertionError("the program outlived its terminal")
            time.sleep(0.05)

    def _pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._child.fd], [], [], left)[0]:
                return
            try:
                data = os.read(self._child.fd, 65536)
            except OSError:
                return
            if not data:
                return
            self._stream.feed(data)
