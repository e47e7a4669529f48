"""The records of the judge's processor: what is asked, what comes of it, and where it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FiguresHeard = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the judge: the messages of a chat. `repeat` tells repetitions of it apart."""

    example_id: str
    messages: tuple[Mapping[str, str], ...]
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an Ask: the judge's text, or `trouble` that says why there is none.

    `cached`: answered from the journal, or by the same request of another Ask, for nothing. `doubts`: how
    often it was under way when a process died. `key` finds the request in the journal: the repair, where one
    helped.
    """

    example_id: str
    text: str | None
    trouble: str
    attempts: int
    usage: dict[str, int]
    cost: float | None = None
    cached: bool = False
    doubts: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Where the journal and the price table are, and who hears figures (at most 4 a second).

    `since` (seconds since 1970) is when this work was first asked for: answers younger than it are this
    work's own, and kept also where answers are to be fresh. `spent` is what the work has cost before, in USD;
    None: what the journal says of this model since then. It counts against the budget.
    """

    journal: Path = Path(":memory:")
    workspace_root: Path | None = None
    on_figures: FiguresHeard = field(default=lambda figures: None)
    since: float = field(default_factory=time.time)
    spent: float | None = None


@dataclass(slots=True)
class Item:
    """An Ask on its way: its request and about how many tokens that has.

    `said` is an answer that is paid for and cannot be read: what is left is to ask for a better one. `also`
    are Asks that make the same request: they get the same answer.
    """

    ask: Ask
    key: str
    body: dict[str, Any]
    tokens: int
    doubts: int = 0
    said: Reply | None = None
    also: list[Ask] = field(default_factory=list)
