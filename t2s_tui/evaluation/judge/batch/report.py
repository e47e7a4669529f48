"""The figures of a batch run. They are told when they change: a batch may take a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from t2s_tui.evaluation.judge.asks import FiguresHeard
from t2s_tui.evaluation.judge.batch.ledger import Batch
from t2s_tui.evaluation.judge.batch.requests import Requests

WAITS = "waiting for room in the account's queue"


@dataclass(slots=True)
class Report:
    """Tells `hear` what is known. `spent` and `budget` are USD; `spent` is None where no price is known."""

    hear: FiguresHeard
    budget: float | None
    _last: Mapping[str, Any] = field(default_factory=dict)

    def tell(
        self,
        requests: Requests,
        batches: Iterable[tuple[Batch, float]],
        errors: Mapping[str, int],
        spent: float | None,
        held: float | None,
        adapted: str,
    ) -> None:
        """Where the run is; `batches` with the time of the next look; `held`: when to hand in again."""
        counts, waiting = requests.counts, len(requests.waiting)
        figures: dict[str, Any] = {
            name: counts[name] for name in ("done", "total", "missing", "failed", "cached", "in_doubt")
        }
        figures |= {
            "in_flight": max(0, len(requests.pending) - waiting),
            "waiting": waiting,
            "limits": {"requests": None, "tokens": None},
            "cost": None if spent is None else round(spent, 6),
            "budget": self.budget,
            "currency": "USD",
            "errors": dict(errors),
            "adapted": adapted,
            "batch": _batch(list(batches), held),
        }
        if figures != self._last:
            self._last = figures
            self.hear(figures)


def _batch(open_ones: list[tuple[Batch, float]], held: float | None) -> dict[str, Any] | None:
    """The oldest batch that is open; times are seconds since 1970."""
    if not open_ones:
        return None if held is None else {"status": WAITS, "next_look_at": round(held, 1), "open": 0}
    first = min((batch for batch, _ in open_ones), key=lambda batch: batch.created_at)
    return {
        "id": first.batch,
        "status": first.status,
        "completed": first.completed,
        "failed": first.failed,
        "total": first.total,
        "open": len(open_ones),
        "next_look_at": round(min(due for _, due in open_ones), 1),
    }
