"""Two prediction sets on the same examples: what only one of them got right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import UsageError
from t2s_tui.evaluation.breakdown import paired_breakdown, paired_faults
from t2s_tui.evaluation.review import faults_said
from t2s_tui.evaluation.statistics import Score, bootstrap_difference, mcnemar_exact, score
from t2s_tui.records import Example, Outcome
from t2s_tui.store import Store
from t2s_tui.workspace import Workspace

_DECIDED = (Outcome.PASS, Outcome.FAIL, Outcome.ERROR)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paired table as lists of example ids, sorted. `p_value` is McNemar's exact one.

    The four lists hold the examples that the metric decided in both sets; `left_out` those that it decided
    in at most one (missing, unknown, not run). The scores are each set's own, over all of its verdicts.
    """

    a: str
    b: str
    metric: str
    both: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    neither: tuple[str, ...]
    left_out: tuple[str, ...]
    score_a: Score
    score_b: Score
    p_value: float

    @property
    def fixed(self) -> tuple[str, ...]:
        """What B gets right and A, the one before, did not."""
        return self.only_b

    @property
    def broken(self) -> tuple[str, ...]:
        """What A got right and B does not."""
        return self.only_a

    @property
    def difference(self) -> float | None:
        """Accuracy of B less that of A over the examples that both decided, in -1..1; None without any."""
        decided = len(self.both) + len(self.only_a) + len(self.only_b) + len(self.neither)
        return (len(self.fixed) - len(self.broken)) / decided if decided else None

    @property
    def interval(self) -> tuple[float, float]:
        """The paired bootstrap's 95% interval of `difference`; always the same for the same counts."""
        same = len(self.both) + len(self.neither)
        return bootstrap_difference(len(self.fixed), len(self.broken), same)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, the lists as they are."""
        lists = ("both", "only_a", "only_b", "neither", "left_out")
        return {
            "a": self.a,
            "b": self.b,
            "metric": self.metric,
            "counts": {name: len(getattr(self, name)) for name in lists},
            **{name: list(getattr(self, name)) for name in lists},
            "score_a": self.score_a.as_json(),
            "score_b": self.score_b.as_json(),
            "p_value": self.p_value,
            "fixed": len(self.fixed),
            "broken": len(self.broken),
            "difference": self.difference,
            "difference_interval": list(self.interval),
        }


def compare(workspace: Workspace, a: str, b: str, metric: str = "execution") -> Comparison:
    """Compare the sets `a` and `b` by one metric.

    Raises NotFound for a set that is not there, UsageError when one has no verdict of that metric, the two
    share no example, or execution compared their rows in different modes.
    """
    with workspace.store() as store:
        outcomes = []
        if metric == "execution":
            _same_mode(store, a, b)
        for name in (a, b):
            store.predictions.get_set(name)
            rows = store.verdicts.outcomes(name)
            found = {example: row[metric] for example, row in rows.items() if metric in row}
            if not found:
                raise UsageError(
                    f"The predictions {name!r} have no {metric} verdicts",
                    f"run `t2s-tui evaluate {name} --metrics {metric}` first",
                )
            outcomes.append(found)
    return pair_up(a, b, metric, *outcomes)


def compare_by(
    workspace: Workspace, result: Comparison, by: str, examples: Mapping[str, Example] | None = None
) -> dict[str, tuple[int, int, int]]:
    """group -> (fixed, broken, examples in it that both decided), by one of `breakdown.BY`.

    `examples` by id, where they are at hand: else they are read.
    """
    with workspace.store() as store:
        if by == "fault":
            of_a, of_b = faults_said(store, result.a), faults_said(store, result.b)
            return paired_faults(of_a, of_b, result.fixed, result.broken, result.neither)
        made = store.predictions.get_set(result.a)
    if examples is None:
        examples = {e.id: e for e in open_examples(workspace, made.dataset).split(made.split)}
    return paired_breakdown(examples, by, result.fixed, result.broken, (*result.both, *result.neither))


def _same_mode(store: Store, a: str, b: str) -> None:
    modes = []
    for name in (a, b):
        found = store.verdicts.pick(name, "execution", "mode").values()
        modes.append({str(values["mode"]) for values in found if "mode" in values})
    if modes[0] and modes[1] and modes[0] != modes[1]:
        words = " and ".join(", ".join(sorted(mode)) for mode in modes)
        raise UsageError(
            f"The rows of {a!r} and {b!r} were compared in different modes ({words})",
            "evaluate both with the same --mode",
        )


def pair_up(a: str, b: str, metric: str, of_a: dict[str, Outcome], of_b: dict[str, Outcome]) -> Comparison:
    """The comparison of two mappings of example id to outcome. Raises UsageError when they share none."""
    if not of_a.keys() & of_b.keys():
        raise UsageError(
            f"The predictions {a!r} and {b!r} share no example",
            "compare two sets of the same dataset and split",
        )
    groups: dict[tuple[bool, bool], list[str]] = {}
    left_out = []
    for example in sorted(of_a.keys() | of_b.keys()):
        left, right = of_a.get(example), of_b.get(example)
        if left in _DECIDED and right in _DECIDED:
            groups.setdefault((left is Outcome.PASS, right is Outcome.PASS), []).append(example)
        else:
            left_out.append(example)
    only_a, only_b = groups.get((True, False), []), groups.get((False, True), [])
    return Comparison(
        a=a,
        b=b,
        metric=metric,
        both=tuple(groups.get((True, True), ())),
        only_a=tuple(only_a),
        only_b=tuple(only_b),
        neither=tuple(groups.get((False, False), ())),
        left_out=tuple(left_out),
        score_a=score(metric, of_a.values()),
        score_b=score(metric, of_b.values()),
        p_value=mcnemar_exact(len(only_a), len(only_b)),
    )
