"""A measured figure beside what it is measured against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ours` and `theirs` in the same unit; the ratio says how many times `theirs` is `ours`."""

    name: str
    unit: str
    ours: float
    theirs: float
    against: str

    def __str__(self) -> str:
        ratio = self.theirs / self.ours if self.ours else float("inf")
        return (
            f"{self.name:<44} {self.ours:>10.4g} {self.unit:<5} "
            f"{self.against:<38} {self.theirs:>10.4g} {self.unit:<5} {ratio:>8.2f}x"
        )


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `work` over `runs` runs after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
