"""A program on a real pty: what is on its screen, and how long it takes to get there.

Times are those at which bytes were read: what pyte needs to understand them counts for nobody.
"""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Callable
from types import TracebackType

import pyte
from ptyprocess import PtyProcess

COLUMNS, LINES = 140, 42
_QUIET = 0.3  # seconds without a byte: everything that a key changes has been painted

#: What a part of the screen looks like: each line's text and the background of its cells.
Look = list[tuple[str, ...]]


class Terminal:
    """A child on a pty of 140x42 cells; ended with the `with`."""

    def __init__(self, command: list[str]) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._child = PtyProcess.spawn(command, env=environment, dimensions=(LINES, COLUMNS))
        self._read_at = time.perf_counter()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.close(force=True)

    @property
    def text(self) -> str:
        buffer = self._screen.buffer
        # Not pyte's own `display`: that fails on half of a wide letter.
        return "\n".join("".join(buffer[y][x].data for x in range(COLUMNS)) for y in range(LINES))

    def look(self, columns: int) -> Look:
        """The first columns of every line: letters and backgrounds."""
        buffer = self._screen.buffer
        return [tuple(f"{buffer[y][x].data}{buffer[y][x].bg}" for x in range(columns)) for y in range(LINES)]

    def wait(self, words: str) -> float:
        """Seconds until the words are on the screen. Raises TimeoutError."""
        return self.until(lambda text: words in text)

    def until(self, holds: Callable[[str], bool], seconds: float = 120) -> float:
        """Seconds until the text of the screen is as wanted. Raises TimeoutError."""
        start = self._read_at = time.perf_counter()
        while not holds(self.text):
            if time.perf_counter() - start > seconds:
                raise TimeoutError(f"it never came on the screen:\n{self.text}")
            self._pump(0.01)
        return max(0.0, self._read_at - start)

    def type(self, keys: str) -> None:
        os.write(self._child.fd, keys.encode())

    def settle(self) -> None:
        """Until nothing has been painted for a while."""
        last = time.perf_counter()
        while time.perf_counter() - last < 2 * _QUIET:
            if self._pump(0.02):
                last = time.perf_counter()

    def press(self, key: str, columns: int) -> tuple[float, float]:
        """Seconds from the key until the first `columns` look different, and to the last byte."""
        before = self.look(columns)
        self.type(key)
        start = last = time.perf_counter()
        pieces: list[tuple[float, bytes]] = []
        while time.perf_counter() - last < _QUIET or (not pieces and time.perf_counter() - start < 2):
            if data := self._read(0.002):
                last = self._read_at
                pieces.append((last, data))
        changed = None
        for at, data in pieces:  # only now: while pyte reads, the program waits for room to write
            self._feed(data)
            if changed is None and self.look(columns) != before:
                changed = at
        return (last if changed is None else changed) - start, last - start

    def _pump(self, seconds: float) -> int:
        data = self._read(seconds)
        self._feed(data)
        return len(data)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._child.fd], [], [], seconds)[0]:
            return b""
        data = os.read(self._child.fd, 65536)
        self._read_at = time.perf_counter()
        return data

    def _feed(self, data: bytes) -> None:
        self._stream.feed(re.sub(rb"\x1b\[[<>=?][0-9;]*u", b"", data))  # keyboard modes: pyte misreads them
