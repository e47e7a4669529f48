"""A batch in a few words, from the figures that a run tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def status_words(batch: Mapping[str, Any]) -> str:
    """`validating`, `in progress 300 of 1,000`: the endpoint's word, and how far it says it is."""
    status = str(batch.get("status") or "").replace("_", " ")
    completed, total = _count(batch.get("completed")), _count(batch.get("total"))
    return f"{status} {completed:,} of {total:,}" if completed and total else status


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
