"""Questions that are the same or nearly so: keys of their letters, MinHash bands of their n-grams.

Broder 1997; the bands are those of Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3: 12
bands of 6 find 97 of 100 pairs that share 0.8 of their n-grams, 99.9 of those that share 0.9. Every pair that
the bands bring together is then compared exactly.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

BANDS, ROWS = 12, 6
THRESHOLD = 0.8
_GRAM = 4
_NO_LETTER = re.compile(r"[\W_]+")


def letters(text: str) -> str:
    """Letters and digits alone, in one case. Hangul is taken apart, so that an ending changes few of them."""
    return _NO_LETTER.sub("", unicodedata.normalize("NFD", text.casefold()))


def key(text: str) -> int:
    """64 bits of a text, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


@lru_cache(maxsize=4096)
def grams(text: str) -> frozenset[str]:
    """The n-grams of its letters; a shorter text is one gram."""
    plain = letters(text)
    return frozenset(plain[at : at + _GRAM] for at in range(max(1, len(plain) - _GRAM + 1)))


def similarity(one: str, other: str) -> float:
    """The share of n-grams that both have among all that either has: 0..1 (Jaccard)."""
    a, b = grams(one), grams(other)
    both = len(a & b)
    return both / (len(a) + len(b) - both)


def bands(texts: Sequence[str]) -> Any:
    """uint64 (texts, BANDS): texts that are alike have the same number in at least one column."""
    if not texts:
        return np.empty((0, BANDS), dtype=np.uint64)
    values = _signatures(texts).astype(np.uint64).reshape(-1, BANDS, ROWS)
    mixed = np.zeros((len(values), BANDS), dtype=np.uint64)
    for row in range(ROWS):
        mixed = (mixed ^ values[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _signatures(texts: Sequence[str]) -> Any:
    """uint32 (texts, BANDS * ROWS): the least hash of the n-grams of each text, under each hash function."""
    pieces = [grams(text) for text in texts]
    hashed = np.array([zlib.crc32(gram.encode()) for of_one in pieces for gram in of_one], dtype=np.uint64)
    hashed = _mixed(hashed)
    starts = np.cumsum([0, *(len(of_one) for of_one in pieces[:-1])])
    found = np.empty((len(texts), BANDS * ROWS), dtype=np.uint32)
    for at, (factor, offset) in enumerate(_functions()):
        found[:, at] = np.minimum.reduceat(
            ((hashed * factor + offset) >> np.uint64(32)).astype(np.uint32), starts
        )
    return found


@cache
def _functions() -> list[tuple[Any, Any]]:
    """Multiply and add, the upper half kept (Dietzfelbinger 1997): NumPy keeps this stream frozen."""
    chance = np.random.RandomState(1)
    factors = chance.randint(0, 1 << 63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = chance.randint(0, 1 << 63, BANDS * ROWS, dtype=np.uint64)
    return list(zip(factors, offsets, strict=True))


def _mixed(values: Any) -> Any:
    """The finaliser of MurmurHash3: every bit of a checksum moves half of the others."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        values = (values ^ (values >> np.uint64(33))) * np.uint64(factor)
    return values ^ (values >> np.uint64(33))
