"""What a metric gets and what it gives, with no record or store around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from t2s_tui.records import Outcome


@dataclass(frozen=True, slots=True)
class Pair:
    """One gold and one generated SQL with what is known around them.

    `ordered` None: by gold's ORDER BY. `accepted` are other golds that are as right as `gold`. `raw` is the
    whole answer from which `generated` was cut; empty where it is not known.
    """

    gold: str
    generated: str
    dialect: str = "sqlite"
    ddl: str | None = None
    database: Path | None = None
    question: str = ""
    ordered: bool | None = None
    accepted: tuple[str, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A metric's word on a pair: outcome, one line why, and its evidence as plain JSON."""

    outcome: Outcome
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def passed(why: str, **evidence: Any) -> Judged:
    """The outcome pass."""
    return Judged(Outcome.PASS, why, evidence)


def failed(why: str, **evidence: Any) -> Judged:
    """The outcome fail."""
    return Judged(Outcome.FAIL, why, evidence)
