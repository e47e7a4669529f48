"""A line that says that work goes on, for how long, and how to end it: once a second, on a terminal only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from t2s_tui.commands.output import err
from t2s_tui.text import duration

_CLEAR = "\r\x1b[2K"


@contextmanager
def waiting_line(words: str, every: float = 1.0) -> Iterator[None]:
    """Shows `words` and the time that has passed while the body runs; the line is gone afterwards."""
    if not err.is_terminal:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(words, every, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _show(words: str, every: float, over: threading.Event) -> None:
    started = time.monotonic()
    shown = False
    while not over.wait(every):
        passed = duration(time.monotonic() - started)
        err.file.write(f"{_CLEAR}{words}  {passed}  ctrl+c stops")
        err.file.flush()
        shown = True
    if shown:
        err.file.write(_CLEAR)
        err.file.flush()
