"""What the audit asks of rooms above it: to run a gold on its database, and to count tokens.

`datasets` lies below `evaluation` (the sandbox) and `generation` (the tokenizers), so these are handed in. A
maker is a picklable function: each worker process makes its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from t2s_tui.records import Example

GoldOutcome = Literal["rows", "empty", "large", "fails", "elsewhere"]


@dataclass(frozen=True, slots=True)
class GoldRun:
    """What came of a gold. `large`: more rows than asked for. `elsewhere`: it needs another engine."""

    outcome: GoldOutcome
    detail: str = ""


class GoldRunner(Protocol):
    """Runs golds read-only, with limits. Never raises what SQL can cause."""

    def run(self, database: str, sql: str, dialect: str) -> GoldRun: ...

    def close(self) -> None: ...


class TokenCounter(Protocol):
    """How many tokens prompt and answer of each example have, in training."""

    def count(self, examples: Sequence[Example]) -> list[int]: ...


MakeGoldRunner = Callable[[], GoldRunner]
MakeTokenCounter = Callable[[], TokenCounter]
