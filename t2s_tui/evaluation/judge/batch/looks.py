"""When to look at a batch again: soon at first, then each tenth of its age: no look need be remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from t2s_tui.evaluation.judge.backoff import retry_after


@dataclass(frozen=True, slots=True)
class Looks:
    """Seconds. `settle`: how long a batch that was just created may be missing from the endpoint's list.

    An interval that is a share of the age grows by that share each look, and goes on where it was after
    a restart.
    """

    first: float = 5.0
    most: float = 300.0
    share: float = 0.1
    settle: float = 15.0

    def after(self, age: float, headers: Mapping[str, str] | None = None) -> float:
        """Seconds until the next look at a batch of that age; what Retry-After says goes first."""
        asked = retry_after(headers)
        wanted = asked if asked is not None else max(self.first, self.share * age)
        return float(min(self.most, wanted))

    def after_trouble(self, failures: int, age: float, headers: Mapping[str, str] | None = None) -> float:
        """Seconds until the next try of a look that failed: doubled each time, up to what its age allows."""
        return min(self.after(age, headers), self.first * 2.0 ** min(failures - 1, 10))


LOOKS = Looks()
