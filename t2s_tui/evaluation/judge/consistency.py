"""How far judges agree with themselves and with each other: by judge, over repeats, and with both exchanged.

Pure functions over the verdicts of a set. A vote that is missing is no word: what needs it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from t2s_tui.evaluation.judge.panel import combined
from t2s_tui.evaluation.judge.votes import Vote, votes_of
from t2s_tui.evaluation.statistics import agreement, kappa
from t2s_tui.records import Outcome, Verdict

_OUTCOMES = {True: Outcome.PASS, False: Outcome.FAIL}


@dataclass(frozen=True, slots=True)
class OneJudge:
    """What one judge said of all rows: `yes`, `no` and `missing` count rows, by the majority of its repeats.

    `steady` of `repeated` rows got the same word every time. Of `swapped` rows, asked about with gold and
    generated exchanged too, `turned` got another word then (position bias; Zheng et al. 2023).
    """

    judge: str
    yes: int
    no: int
    missing: int
    repeated: int
    steady: int
    swapped: int
    turned: int

    @property
    def self_agreement(self) -> float | None:
        """steady / repeated in 0..1; None where nothing was asked twice."""
        return self.steady / self.repeated if self.repeated else None

    @property
    def position_bias(self) -> float | None:
        """turned / swapped in 0..1; None without a swap test."""
        return self.turned / self.swapped if self.swapped else None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: the counts and both shares."""
        return {**asdict(self), "self_agreement": self.self_agreement, "position_bias": self.position_bias}


@dataclass(frozen=True, slots=True)
class TwoJudges:
    """Two judges on the `count` rows on which both have a word: agreement in 0..1, and Cohen's kappa."""

    a: str
    b: str
    count: int
    agreement: float
    kappa: float | None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON of all of it."""
        return asdict(self)


def each_judge(verdicts: Iterable[Verdict]) -> list[OneJudge]:
    """One for every judge that voted, in the order of their first votes."""
    rows = [by_judge(verdict) for verdict in verdicts]
    names = dict.fromkeys(name for row in rows for name in row)
    return [_one(name, [row[name] for row in rows if name in row]) for name in names]


def between_judges(verdicts: Iterable[Verdict]) -> list[TwoJudges]:
    """Every two judges that have both a word on some row."""
    rows = [{name: _word(votes) for name, votes in by_judge(verdict).items()} for verdict in verdicts]
    names = dict.fromkeys(name for row in rows for name in row)
    found = []
    for a, b in combinations(names, 2):
        words = [(row.get(a), row.get(b)) for row in rows]
        table = Counter(
            (_OUTCOMES[one], _OUTCOMES[two]) for one, two in words if one is not None and two is not None
        )
        if (share := agreement(table)) is not None:
            found.append(TwoJudges(a, b, table.total(), share, kappa(table)))
    return found


def by_judge(verdict: Verdict) -> Mapping[str, list[Vote]]:
    """The votes behind a verdict, by judge."""
    found: dict[str, list[Vote]] = {}
    for vote in votes_of(verdict):
        found.setdefault(vote.judge, []).append(vote)
    return found


def _word(votes: Sequence[Vote]) -> bool | None:
    return combined("majority", [[vote.yes for vote in votes if not vote.swapped]])


def _one(name: str, rows: Sequence[Sequence[Vote]]) -> OneJudge:
    words = Counter(_word(votes) for votes in rows)
    repeated = steady = swapped = turned = 0
    for votes in rows:
        said = [vote.yes for vote in votes if not vote.swapped and vote.yes is not None]
        if len(said) > 1:
            repeated += 1
            steady += len(set(said)) == 1
        plain, other = _word(votes), _exchanged(votes)
        if plain is not None and other is not None:
            swapped += 1
            turned += plain is not other
    return OneJudge(name, words[True], words[False], words[None], repeated, steady, swapped, turned)


def _exchanged(votes: Sequence[Vote]) -> bool | None:
    swapped = [vote.yes for vote in votes if vote.swapped]
    return combined("majority", [swapped]) if swapped else None
