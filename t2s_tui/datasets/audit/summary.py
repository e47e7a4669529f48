"""The audit as a whole: counts and distributions, as plain JSON.

rows, databases, splits {name: rows}, findings {kind: rows}, with_findings
question_language, ddl_language, hardness, joins, nesting, aggregates, features, dialects   {value: rows}
golds {rows, empty, large, fails, elsewhere, "no database", "not run"}, max_rows
tokens null or {tokenizer, prompt, block_size, least, median, p95, most, cut}
changed_databases [path]   gone, or not what they were when the dataset was added
unusual [{number, why}]   the oddest rows, at most 20
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any

from t2s_tui.datasets.audit.examine import Examined
from t2s_tui.datasets.audit.findings import KINDS

_COLUMNS = ("question_language", "ddl_language", "hardness", "joins", "nesting", "aggregates")


class Tally:
    """Counts rows as they are examined, and their findings as they are written."""

    def __init__(self) -> None:
        self._values: dict[str, Counter[Any]] = {name: Counter() for name in _COLUMNS}
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("features", "golds", "dialects")
        }
        self._tokens = array("l")

    def add(self, examined: Examined) -> None:
        """Some rows more."""
        for name, counter in self._values.items():
            counter.update(getattr(row, name) for row in examined.rows)
        for name, counts in examined.counts.items():
            self._counts[name].update(counts)
        self._tokens.extend(row.tokens for row in examined.rows if row.tokens >= 0)

    @property
    def main_language(self) -> str:
        """The language of nine in ten questions or more, empty where there is no such one."""
        found = self._values["question_language"].most_common(1)
        enough = found and found[0][1] >= 0.9 * self._values["question_language"].total()
        return str(found[0][0]) if enough else ""

    def summary(self) -> dict[str, Any]:
        """What was counted, the most frequent first; numbers in their order."""
        made: dict[str, Any] = {}
        for name, counter in self._values.items():
            numbers = name in ("joins", "nesting", "aggregates")
            pairs = sorted(counter.items()) if numbers else counter.most_common()
            made[name] = {str(value): count for value, count in pairs if value != ""}
        return made | {name: dict(counter.most_common()) for name, counter in self._counts.items()}

    def tokens(self, *, block_size: int | None, **about: Any) -> dict[str, Any] | None:
        """The distribution of the token lengths, None where none were counted."""
        if not self._tokens:
            return None
        ordered = sorted(self._tokens)
        last = len(ordered) - 1
        return about | {
            "block_size": block_size,
            "least": ordered[0],
            "median": ordered[last // 2],
            "p95": ordered[last * 95 // 100],
            "most": ordered[-1],
            "cut": sum(n > block_size for n in ordered) if block_size is not None else None,
        }


def by_kind(counts: Mapping[str, int]) -> dict[str, int]:
    """Rows a kind of finding, in the order of KINDS, none left out that was found."""
    return {kind: counts[kind] for kind in KINDS if counts.get(kind)}
