"""`check --pairs`: score pairs of gold and generated SQL with no workspace (DESIGN.md, "a contract")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.comparison import STRICT, Mode
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.metrics import metrics_named
from t2s_tui.evaluation.pool import judge_all
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import check_dialect
from t2s_tui.text import nfc


class BadLine(ValueError):
    """A line that is no pair: `str()` says what is wrong with it."""


def check_pairs(
    lines: Iterable[str], metrics: Sequence[str], mode: Mode = STRICT, workers: int = 1
) -> Iterator[dict[str, Any]]:
    """One result an input line, in order: `id` and, for each metric, `outcome`, `why` and its evidence.

    A line is a JSON object with `id`, `gold`, `pred` and `ddl` and/or `database` (a SQLite file), optionally
    `dialect` (default sqlite), `question`, `order_matters`, `accepted` (other golds). A bad line is
    `error` for every metric, under its own id where it has one, and the rest go on. Blank lines are passed
    over. One worker answers each line before it reads the next; several (0: one a core) read ahead by a
    bounded number of lines. Raises UsageError for a metric that does not exist or that pairs cannot be
    scored by.
    """
    names = [metric.name for metric in metrics_named(list(metrics))]
    if "judge" in names:
        raise UsageError(
            "The judge does not score loose pairs in this version",
            "ask for exact, normalized, execution or equivalence, or evaluate a prediction set",
        )
    return _checked(lines, names, mode, workers)


def _checked(
    lines: Iterable[str], names: Sequence[str], mode: Mode, workers: int
) -> Iterator[dict[str, Any]]:
    with closing(judge_all(_read(lines), names, mode, workers)) as answers:
        for (given, trouble), said in answers:
            if trouble:
                bad = {"outcome": str(Outcome.ERROR), "why": trouble}
                yield {"id": given, **{name: dict(bad) for name in names}}
            else:
                yield {"id": given, **{name: _answer(judged) for name, judged in said.items()}}


def _read(lines: Iterable[str]) -> Iterator[tuple[tuple[Any, str], Pair | None]]:
    """((id, what is wrong with the line), its pair) of every line that is not blank."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        record: Any = None
        try:
            record = _record(line)
            yield (record.get("id"), ""), read_pair(record)
        except BadLine as error:
            given = record.get("id") if isinstance(record, dict) else None
            yield (given, f"line {number}: {error}"), None


def _answer(judged: Judged) -> dict[str, Any]:
    return {"outcome": str(judged.outcome), "why": judged.why, **judged.evidence}


def _record(line: str) -> dict[str, Any]:
    if not line.isascii() and any("\udc80" <= char <= "\udcff" for char in line):
        raise BadLine("this is not UTF-8")  # bytes that came through as `surrogateescape` keeps them
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
    accepted = record.get("accepted") or []
    if not isinstance(accepted, list) or not all(isinstance(sql, str) for sql in accepted):
        raise BadLine("`accepted` is no list of texts")
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
        accepted=tuple(nfc(sql) for sql in accepted if sql.strip()),
    )
