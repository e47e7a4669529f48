"""Python's full garbage collection while nobody presses keys.

It takes 70 to 90 ms over the modules that an open dataset needs, and comes when objects are made: while a
person moves through a list. Here it comes between two keys.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

QUIET = 1.0  # seconds without a key
_MANY = 100  # collections of the middle generation that wait for a full one, ten times Python's usual


class IdleCollector:
    """Tell it of keys with `touched`, call `tick` about once a second. `stop` gives the thresholds back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._touched = clock()
        self._usual = gc.get_threshold()
        gc.set_threshold(*self._usual[:2], _MANY)

    def touched(self) -> None:
        """A person is at the keys."""
        self._touched = self._clock()

    def tick(self) -> bool:
        """Collect if that is due and the keys have rested; whether it did."""
        if self._clock() - self._touched < QUIET or gc.get_count()[2] < self._usual[2]:
            return False
        gc.collect()
        return True

    def stop(self) -> None:
        """Python collects as it usually does."""
        gc.set_threshold(*self._usual)
