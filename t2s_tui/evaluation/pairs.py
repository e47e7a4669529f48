"""`check --pairs`: score pairs of gold and generated SQL with no workspace (DESIGN.md, "a contract")."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.equivalence import Equivalence
from t2s_tui.evaluation.exact import judge_exact
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.metrics import metrics_named
from t2s_tui.evaluation.normalized import judge_normalized
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import check_dialect
from t2s_tui.text import nfc


class BadLine(ValueError):
    """A line that is no pair: `str()` says what is wrong with it."""


def check_pairs(lines: Iterable[str], metrics: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One result an input line, in order: `id` and, for each metric, `outcome`, `why` and its evidence.

    A line is a JSON object with `id`, `gold`, `pred` and `ddl` and/or `database` (a SQLite file), optionally
    `dialect` (default sqlite), `question`, `order_matters`. A bad line gives `error` for every metric, under
    its own id where it has one, and the rest go on. Blank lines are passed over. Raises UsageError for a
    metric that does not exist or that pairs cannot be scored by.
    """
    names = [metric.name for metric in metrics_named(list(metrics))]
    if "judge" in names:
        raise UsageError(
            "The judge does not score loose pairs in this version",
            "ask for exact, normalized or execution, or evaluate a prediction set",
        )
    return _checked(lines, names)


def _checked(lines: Iterable[str], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    with Execution() as execution, Equivalence(workers=1) as equivalence:
        judges: dict[str, Callable[[Pair], Judged]] = {
            "exact": judge_exact,
            "normalized": judge_normalized,
            "execution": execution.judge,
            "equivalence": equivalence.judge,
        }
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            record: Any = None
            try:
                record = _record(line)
                pair = read_pair(record)
            except BadLine as error:
                given = record.get("id") if isinstance(record, dict) else None
                bad = {"outcome": str(Outcome.ERROR), "why": f"line {number}: {error}"}
                yield {"id": given, **{name: dict(bad) for name in names}}
                continue
            yield {"id": record["id"], **{name: _answer(judges[name](pair)) for name in names}}


def _answer(judged: Judged) -> dict[str, Any]:
    return {"outcome": str(judged.outcome), "why": judged.why, **judged.evidence}


def _record(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"this is not JSON ({error})") from error
    if not isinstance(record, dict):
        raise BadLine("this is not a JSON object")
    return record


def read_pair(record: dict[str, Any]) -> Pair:
    """The pair of one input object. Raises BadLine that names the field."""
    if record.get("id") is None:
        raise BadLine("`id` is missing")
    for name in ("gold", "pred"):
        if not isinstance(record.get(name), str):
            raise BadLine(f"`{name}` is {'missing' if record.get(name) is None else 'no text'}")
    if not record["gold"].strip():
        raise BadLine("`gold` is empty")
    for name in ("ddl", "database", "dialect", "question"):
        if record.get(name) is not None and not isinstance(record[name], str):
            raise BadLine(f"`{name}` is no text")
    if record.get("ddl") is None and record.get("database") is None:
        raise BadLine("neither `ddl` nor `database` is there")
    ordered = record.get("order_matters")
    if ordered is not None and not isinstance(ordered, bool):
        raise BadLine("`order_matters` is neither true nor false")
    try:
        dialect = check_dialect(record.get("dialect") or "sqlite")
    except UsageError as error:
        raise BadLine(error.cause) from error
    database = record.get("database")
    return Pair(
        gold=nfc(record["gold"]),
        generated=nfc(record["pred"]),
        dialect=dialect,
        ddl=nfc(record["ddl"]) if record.get("ddl") else None,
        database=Path(database) if database else None,
        question=nfc(record.get("question") or ""),
        ordered=ordered,
    )
