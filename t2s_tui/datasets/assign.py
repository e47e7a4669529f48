"""Which split a database or a row goes to: pure functions of names, counts and a seed.

Chance is a SHA-256 of the seed and the thing's own name, never a generator's stream: the same call gives the
same rows on any machine, whatever else is in the dataset and in whatever order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

_TRIES = 64  # orders of the databases of which the best is taken


def rank(seed: int, name: str) -> int:
    """64 bits of chance for this name."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8])


def shares(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights as shares of 1."""
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def assign_databases(
    rows: Mapping[str, Mapping[str, int]], weights: Mapping[str, float], seed: int
) -> dict[str, str]:
    """Database -> split, each database whole. `rows` is database -> hardness -> rows.

    Of several orders in which each database goes where most is lacking, the one is taken that comes nearest
    to the shares at every hardness. Every split gets a database if there are as many.
    """
    wanted = shares(weights)
    # Sorted, so that sums of floats do not depend on the order of the rows.
    rows = {name: dict(sorted(counts.items())) for name, counts in sorted(rows.items())}
    sums: Counter[str] = Counter()
    for counts in rows.values():
        sums.update(counts)
    total = dict(sorted(sums.items()))
    tries = (_dealt(rows, wanted, total, f"{seed}/{attempt}") for attempt in range(_TRIES))
    return min(tries, key=lambda made: _distance(made, rows, wanted, total))


def deal(counts: Iterable[int], weights: Mapping[str, float]) -> Iterator[int]:
    """The place in `weights` for each of some groups of rows, in their order, so that at every moment the
    shares hold as nearly as whole groups allow."""
    wanted = list(shares(weights).values())
    given = [0] * len(wanted)
    seen = 0
    for count in counts:
        seen += count
        lacking = [share * seen - had for share, had in zip(wanted, given, strict=True)]
        place = lacking.index(max(lacking))
        given[place] += count
        yield place


def _dealt(
    rows: Mapping[str, Mapping[str, int]], wanted: Mapping[str, float], total: Mapping[str, int], salt: str
) -> dict[str, str]:
    order = sorted(rows, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())
    given: dict[str, Counter[str]] = {split: Counter() for split in wanted}
    made: dict[str, str] = {}
    empty = list(wanted)
    for left, name in zip(range(len(order), 0, -1), order, strict=True):
        candidates: Sequence[str] = empty if left <= len(empty) else list(wanted)
        split = max(candidates, key=lambda s: _lack(rows[name], given[s], wanted[s], total))
        made[name] = split
        given[split].update(rows[name])
        if split in empty:
            empty.remove(split)
    return made


def _lack(counts: Mapping[str, int], given: Counter[str], share: float, total: Mapping[str, int]) -> float:
    """How much nearer to its share, hardness by hardness, a split comes with these rows: larger is better."""
    gain = 0.0
    for hardness, count in counts.items():
        missing = share * total[hardness] - given[hardness]
        gain += count * (2 * missing - count)  # missing² - (missing - count)²
    return gain / share


def _distance(
    made: Mapping[str, str],
    rows: Mapping[str, Mapping[str, int]],
    wanted: Mapping[str, float],
    total: Mapping[str, int],
) -> float:
    given: dict[str, Counter[str]] = {split: Counter() for split in wanted}
    for name, split in made.items():
        given[split].update(rows[name])
    return sum(
        (given[split][hardness] - share * count) ** 2 / (share * count)
        for split, share in wanted.items()
        for hardness, count in total.items()
    )
