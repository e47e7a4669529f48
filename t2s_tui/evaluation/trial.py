"""A trial: judge one pair now, without keeping the verdicts. What `edit & run` and another mode do."""

from __future__ import annotations

from pathlib import Path

from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Example, Verdict

#: How execution accuracy may compare the rows: the modes of `comparison`, the default first.
MODES = ("strict", "ordered", "bird-set", "test-suite", "superset", "tolerant")


def try_sql(example: Example, sql: str, mode: str = "strict", set_name: str = "") -> dict[str, Verdict]:
    """metric -> the verdict on `sql` as an answer to the example, by every metric that needs no money.

    `mode` is how execution compares the rows: one of MODES, or `tolerant(rel, abs)`. Raises UsageError.

    Runs in the calling thread and takes as long as the query, at most the limit of the sandbox. The engines
    are imported when it is called: a screen may import this module.
    """
    from t2s_tui.evaluation.comparison import mode_named
    from t2s_tui.evaluation.judges import is_local, open_judges
    from t2s_tui.evaluation.metrics import METRICS

    way = mode_named(mode)
    with open_judges([name for name in METRICS if is_local(name)], way) as judge:
        said = judge(pair_of(example, sql))
    versions = {name: metric.version for name, metric in METRICS.items()} | {"execution": way.version}
    return {
        name: Verdict(set_name, example.id, name, judged.outcome, judged.why, judged.evidence, versions[name])
        for name, judged in said.items()
    }


def pair_of(example: Example, sql: str) -> Pair:
    """What the metrics get."""
    return Pair(
        gold=example.gold,
        generated=sql,
        dialect=example.dialect,
        ddl=example.ddl or None,
        database=Path(example.database) if example.database else None,
        question=example.question,
        accepted=example.accepted,
    )
