"""What rows share with one another, as findings in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from t2s_tui.datasets.audit.cross import NONE, Keys, Shared
from t2s_tui.datasets.audit.findings import Finding


class PairFindings:
    """The findings of each row that are about another row. `golds` are 64-bit keys of their texts."""

    def __init__(
        self, shared: Shared, keys: Keys, golds: Any, splits: Sequence[str], databases: Sequence[str]
    ) -> None:
        self._shared, self._keys, self._golds = shared, keys, golds
        self._splits, self._databases = splits, databases

    def of(self, row: int) -> list[Finding]:
        """Those of the row at this index from 0."""
        return [
            Finding(kind, self._place(int(others[row])), self._words(kind, row, int(others[row])))
            for kind, others in self._shared.columns().items()
            if others[row] != NONE
        ]

    def _place(self, other: int) -> str:
        return f"{self._splits[self._keys.splits[other]]} {other + 1}"

    def _words(self, kind: str, row: int, other: int) -> str:
        if kind == "leak-database":
            return f"the database {self._databases[self._keys.databases[row]]} is there too"
        if kind == "leak-gold":
            return "the same gold SQL"
        share = float((self._shared.near if "near" in kind else self._shared.leak_question).share[row])
        same = kind == "duplicate" or share >= 1
        words = "the same question" if same else f"{share * 100:.0f}% of the question is the same"
        if self._keys.databases[row] != self._keys.databases[other]:
            return f"{words}, on another database"
        return words if self._golds[row] == self._golds[other] else f"{words}, with another gold"
