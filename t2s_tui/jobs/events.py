"""The event log: one JSON object a line, one `os.write` a line, a sequence number in each.

A line is {"seq": n, "t": seconds since 1970, "kind": ..., ...}. Readers tail by byte offset and leave an
unfinished last line for later. Numbers that JSON has no word for (NaN, infinity) are null.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20


class EventLog:
    """The writing end. One process writes at a time; `seq` goes on where the last writer was.

    Raises OSError when the line could not be written; the file then ends where it ended before.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.seq = self._repair()

    def append(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Write one event and return it as readers will see it."""
        event = {"seq": self.seq + 1, "t": round(time.time(), 3), "kind": kind}
        event.update((key, value) for key, value in plain(data).items() if key not in event)
        line = (json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")
        # Counted first: a stop that unwinds between the two leaves a gap, never a number twice.
        self.seq += 1
        try:
            self._write(line)
        except OSError:
            self.seq -= 1
            raise
        return event

    def _write(self, line: bytes) -> None:
        size = os.fstat(self._fd).st_size
        written = os.write(self._fd, line)
        while written < len(line):  # a short write: the disk is nearly full, the next one says so
            try:
                written += os.write(self._fd, line[written:])
            except OSError:
                os.ftruncate(self._fd, size)
                raise

    def close(self) -> None:
        os.close(self._fd)

    def _repair(self) -> int:
        """Cut what a dying writer left unfinished; returns the last sequence number."""
        size = end = os.fstat(self._fd).st_size
        tail, start = b"", size
        while start > 0:
            step = min(_CHUNK, start)
            start -= step
            tail = os.pread(self._fd, step, start) + tail
            end = start + tail.rfind(b"\n") + 1
            lines = tail[: tail.rfind(b"\n") + 1].splitlines()
            # The first line of the chunk may be the end of a longer one: look further back then.
            for line in reversed(lines if start == 0 else lines[1:]):
                event = _parse(line)
                if event is not None and isinstance(event.get("seq"), int):
                    if end < size:
                        os.ftruncate(self._fd, end)
                    return int(event["seq"])
        if end < size:
            os.ftruncate(self._fd, end)
        return 0


class EventTail:
    """The reading end: `read()` returns the events that came since the last call, in order.

    At most about 1 MB a call, so that a long log does not hold up a screen: `behind` is True while there is
    more. `skipped` counts lines that are no events.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset
        self.behind = False
        self.skipped = 0

    def read(self) -> list[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self.offset:  # another file under the same name: from its start
                    self.offset = 0
                file.seek(self.offset)
                data = file.read(_CHUNK)
                while data and b"\n" not in data and self.offset + len(data) < size:
                    data += file.read(_CHUNK)
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        self.behind = bool(whole) and self.offset < size
        events = []
        for line in whole.splitlines():
            event = _parse(line)
            if event is None:
                self.skipped += 1
            else:
                events.append(event)
        return events


def plain(value: Any) -> Any:
    """The value as plain JSON: numpy scalars become numbers, paths and enums text, NaN and infinity null."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return plain(value.item())
    return str(value)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
