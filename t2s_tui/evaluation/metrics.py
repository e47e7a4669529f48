"""The metrics by name, in the order in which they are run and shown."""

from __future__ import annotations

from dataclasses import dataclass

from t2s_tui.errors import UsageError


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, the version of its rules (verdicts of another are recomputed), what it asks."""

    name: str
    version: str
    asks: str


#: Cheap ones first; the judge, which may cost money, last.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("exact", "1", "is it the same text?"),
        Metric("normalized", "2", "is it the same query after normalisation?"),
        Metric("execution", "2 strict", "does it return the same rows on the example's database?"),
        Metric("equivalence", "1", "does no small database tell it from gold?"),
        Metric("judge", "1", "does a language model say that it does the same job?"),
    )
}


def metric_named(name: str) -> Metric:
    """The metric of that name. Raises UsageError that names those there are."""
    found = METRICS.get(name.strip().lower())
    if found is None:
        raise UsageError(f"There is no metric {name!r}", f"use some of {', '.join(METRICS)}")
    return found


def metrics_named(names: list[str] | tuple[str, ...]) -> list[Metric]:
    """The metrics of these names, each once, in the order of METRICS."""
    asked = {metric_named(name).name for name in names}
    return [metric for metric in METRICS.values() if metric.name in asked]
