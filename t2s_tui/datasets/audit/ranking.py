"""Which rows are unlike the others, so that a person looks at the oddest first."""

from __future__ import annotations

from typing import Any

import numpy as np

#: What is compared, in the order of the columns of `lengths`.
OF = ("the question is", "the gold is", "the DDL is")
_MOST = 0.49  # less than the weight of the least finding: findings come first
_CLEAR = 3.5  # robust standard deviations from which a row counts as unusual (Iglewicz and Hoaglin 1993)


def unusual(lengths: Any) -> tuple[Any, Any]:
    """(score 0.._MOST, column that it is about) of each row.

    `lengths` is (rows, 5): characters of question, gold and DDL, then joins and nesting. Lengths are compared
    by their logarithm with the median in units of the median deviation, counts by how rare they are.
    """
    logs = np.log1p(lengths[:, :3].astype(np.float32))
    middle = np.median(logs, axis=0)
    deviation = np.median(np.abs(logs - middle), axis=0) * 1.4826
    scores = np.abs(logs - middle) / np.maximum(deviation, 0.1)
    rare = [_rarity(lengths[:, column]) for column in (3, 4)]
    scores = np.column_stack([scores, *rare])
    column = scores.argmax(axis=1)
    highest = scores[np.arange(len(scores)), column]
    return _MOST * (1 - np.exp(-highest / _CLEAR)), np.where(highest >= _CLEAR, column, -1)


def words(row: Any, middle: Any, column: int) -> str:
    """Why a row is unusual: `the question is 412 characters long, most are about 35`."""
    if column < len(OF):
        return f"{OF[column]} {row[column]} characters long, the median is {middle[column]:.0f}"
    what = "joins" if column == len(OF) else "levels of nesting"
    return f"the gold has {row[column]} {what}"


def _rarity(counts: Any) -> Any:
    """-log2 of the share of rows that have as many or more, halved: 1 in 128 is 3.5."""
    order = np.sort(counts)
    share = 1 - np.searchsorted(order, counts, side="left") / max(1, len(counts))
    return (-np.log2(share) / 2).astype(np.float32)
