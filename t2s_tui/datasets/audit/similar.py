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
from functools import lru_cache
from typing import Any

import numpy as np
from datasketch import MinHash

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
    pieces = [[gram.encode() for gram in grams(text)] for text in texts]
    hashed = MinHash.bulk(pieces, num_perm=BANDS * ROWS, hashfunc=zlib.crc32, seed=1)
    values = np.array([each.hashvalues for each in hashed], dtype=np.uint64).reshape(-1, BANDS, ROWS)
    mixed = np.zeros((len(values), BANDS), dtype=np.uint64)
    for row in range(ROWS):
        mixed = (mixed ^ values[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed
