"""A trial: judge one pair now, without keeping the verdicts. What `edit & run` and another mode do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Example, Verdict

#: How execution accuracy may compare the rows -> what that asks of their order (None: gold's own ORDER BY).
MODES: Mapping[str, bool | None] = {"strict": None, "in order": True, "in any order": False}


def try_sql(example: Example, sql: str, mode: str = "strict", set_name: str = "") -> dict[str, Verdict]:
    """metric -> the verdict on `sql` as an answer to the example, by every metric that needs no money.

    `mode` is one of MODES and stands in the evidence of execution.
    Runs in the calling thread and takes as long as the query, at most the limit of the sandbox. The engines
    are imported when it is called: a screen may import this module.
    """
    from t2s_tui.evaluation.exact import judge_exact
    from t2s_tui.evaluation.execution import Execution
    from t2s_tui.evaluation.metrics import METRICS
    from t2s_tui.evaluation.normalized import judge_normalized

    pair = replace(pair_of(example, sql), ordered=MODES[mode])
    said: dict[str, Judged] = {"exact": judge_exact(pair), "normalized": judge_normalized(pair)}
    with Execution() as execution:
        judged = execution.judge(pair)
        said["execution"] = replace(judged, evidence={**judged.evidence, "mode": mode})
    return {
        name: Verdict(
            set_name, example.id, name, judged.outcome, judged.why, judged.evidence, METRICS[name].version
        )
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
