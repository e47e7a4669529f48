"""Rows compared with one another: duplicates, and what one split shares with another.

Numbers only: a million rows take some hundred megabytes for a moment, and no row is in memory. The questions
of pairs that may be alike are fetched one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from t2s_tui.datasets.audit.similar import THRESHOLD, similarity

NONE = -1
Say = Callable[[int], None]
_SAY_EVERY = 10_000


@dataclass(frozen=True, slots=True)
class Keys:
    """Arrays with one value a row: split and database by number, 64-bit keys of its texts."""

    splits: Any  # int32
    databases: Any  # int32
    questions: Any  # uint64
    bands: Any  # uint64 (rows, BANDS)


@dataclass(frozen=True, slots=True)
class Like:
    """For each row the index of a row whose question is like its own (NONE: no row), and how like, 0..1."""

    row: Any  # int64
    share: Any  # float32


@dataclass(frozen=True, slots=True)
class Shared:
    """What the rows of a dataset share: for each row the index of the other one, NONE where there is none."""

    duplicate: Any
    near: Like
    leak_database: Any
    leak_question: Like
    leak_gold: Any

    def columns(self) -> dict[str, Any]:
        """Kind of finding -> the other row of each."""
        return {
            "duplicate": self.duplicate,
            "near-duplicate": self.near.row,
            "leak-database": self.leak_database,
            "leak-question": self.leak_question.row,
            "leak-gold": self.leak_gold,
        }


def compare(keys: Keys, normal_golds: Any, question: Callable[[int], str], say: Say) -> Shared:
    """All of it. `question` fetches a text by its row, `say` hears how many pairs were compared by now."""
    same = duplicates(keys)
    leaked = in_another_split(keys.questions, keys.splits)
    near = near_in_another_split(keys, leaked, question, say)
    return Shared(
        duplicate=same,
        near=near_duplicates(keys, same, question, say),
        leak_database=in_another_split(keys.databases, keys.splits),
        leak_question=Like(np.where(leaked == NONE, near.row, leaked), near.share),
        leak_gold=in_another_split(normal_golds, keys.splits),
    )


def duplicates(keys: Keys) -> Any:
    """The first row of the same split and database with the same question, NONE for a first one itself."""
    return _earlier(keys.questions, keys)


def near_duplicates(keys: Keys, known: Any, question: Callable[[int], str], say: Say) -> Like:
    """An earlier row of the split and database with nearly the same question; not for rows in `known`."""
    return _near(keys.bands, known, lambda band: _earlier(band, keys), question, say)


def in_another_split(values: Any, splits: Any) -> Any:
    """The first row of another split that has the same value, NONE where there is none."""
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    first = first[group]
    elsewhere = splits[first] != splits
    other = np.where(elsewhere, first, NONE)
    # Rows of the split that came first: the first row of their group that is in another.
    group_of, at = np.unique(group[elsewhere], return_index=True)
    second = np.full(len(values), NONE)
    second[group_of] = np.flatnonzero(elsewhere)[at]  # by group number: there are at most as many as rows
    return np.where(elsewhere, other, second[group])


def near_in_another_split(keys: Keys, known: Any, question: Callable[[int], str], say: Say) -> Like:
    """A row of another split with nearly the same question, whatever its database."""
    return _near(keys.bands, known, lambda band: in_another_split(band, keys.splits), question, say)


def _earlier(values: Any, keys: Keys) -> Any:
    mixed = values ^ _spread(keys.databases, 0x9E3779B97F4A7C15) ^ _spread(keys.splits, 0xC2B2AE3D27D4EB4F)
    _, first, group = np.unique(mixed, return_index=True, return_inverse=True)
    found = first[group]
    return np.where(found == np.arange(len(values)), NONE, found)


def _spread(numbers: Any, factor: int) -> Any:
    value = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(factor)
    return value ^ (value >> np.uint64(32))


def _near(
    bands: Any, known: Any, candidates: Callable[[Any], Any], question: Callable[[int], str], say: Say
) -> Like:
    """The first candidate of each row, over all bands, that is as like as THRESHOLD."""
    rows = known.copy()
    shares = np.where(known == NONE, 0.0, 1.0).astype(np.float32)
    tried: dict[int, set[int]] = {}
    compared = 0
    for band in range(bands.shape[1]):
        found = candidates(np.ascontiguousarray(bands[:, band]))
        for row in np.flatnonzero((found != NONE) & (rows == NONE)).tolist():
            other = int(found[row])
            if other in tried.setdefault(row, set()):
                continue
            tried[row].add(other)
            compared += 1
            if compared % _SAY_EVERY == 0:
                say(compared)
            share = similarity(question(row), question(other))
            if share >= THRESHOLD:
                rows[row], shares[row] = other, share
                del tried[row]
    return Like(np.where(known == NONE, rows, NONE), shares)
