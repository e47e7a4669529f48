"""Execution accuracy: both queries on the example's database, the results compared in a named mode.

Other dialects are translated to SQLite first, and to DuckDB where a query needs a function that SQLite has
not; the evidence says which engine gave the verdict and what ran (traps 26, 27). Gold runs once a run, on a
connection of its own; a query that ran is not run again, and a pair that was judged is not judged again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from t2s_tui.evaluation.comparison import STRICT, Mode, Undecided, differs, weaknesses
from t2s_tui.evaluation.engines import Engine, Engines, engine_name
from t2s_tui.evaluation.foreign import foreign_function, short_name
from t2s_tui.evaluation.gold_runs import Gold, Golds, reason, what_runs
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.evaluation.kept import Kept
from t2s_tui.evaluation.query_result import (
    DatabaseUnreadable,
    QueryFailed,
    QueryRefused,
    QueryResult,
    QueryTimeout,
)
from t2s_tui.evaluation.quoted_strings import quoted_strings
from t2s_tui.evaluation.result_rows import as_evidence
from t2s_tui.evaluation.sandbox import MAX_ROWS, TIMEOUT
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import SqlSyntaxError, parse
from t2s_tui.sql.distinct import has_distinct
from t2s_tui.sql.guard import refuse_reason
from t2s_tui.sql.same_text import text_key

_KEPT_VERDICTS = 2_048
_SYNTAX = re.compile(r"syntax error|incomplete input|unrecognized token")


class Execution:
    """The metric with its sandboxes and what it keeps of a run. Close it, or use it in a `with`."""

    def __init__(
        self,
        *,
        mode: Mode = STRICT,
        timeout: float = TIMEOUT,
        max_rows: int = MAX_ROWS,
        store: GoldStore | None = None,
    ) -> None:
        self._mode = mode
        self.engines = Engines(timeout=timeout, max_rows=max_rows, store=store)
        self._golds = Golds(self.engines, mode)
        self._judged: Kept[tuple[object, ...], Judged] = Kept(_KEPT_VERDICTS)

    def __enter__(self) -> Execution:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandboxes' processes."""
        self.engines.close()

    def judge(self, pair: Pair) -> Judged:
        """The verdict on one pair: pass where it has the result of gold or of any other accepted query.

        unknown: no database, a function that no engine here has, or results too long to compare.
        error: gold or the database cannot be used. fail: all that is the generated SQL's own fault.
        """
        key = _key(pair)
        found = self._judged.get(key)
        if found is None:
            found = self._any_gold(pair)
            evidence = {**found.evidence, "mode": self._mode.label} if pair.database else found.evidence
            found = Judged(found.outcome, found.why, evidence)
            self._judged.put(key, found)
        return found

    def wanted(self, pair: Pair) -> Iterator[tuple[bool, str]]:
        """(whether it is gold, the SQL) of what is still to be run in SQLite for this pair.

        A prediction that is its gold's own text is not.
        """
        if pair.database is None:
            return
        golds: list[str] = []
        for gold, sql in ((True, pair.gold), (False, pair.generated)):
            if not gold and refuse_reason(sql, pair.dialect):
                continue
            try:
                ran = what_runs(sql, pair.dialect, "sqlite", self._mode)
            except SqlSyntaxError:
                continue
            if not gold and text_key(ran) in golds:
                continue
            golds.append(text_key(ran))
            if self.engines.known("sqlite", pair.database, ran, gold=gold) is None:
                yield gold, ran

    def _any_gold(self, pair: Pair) -> Judged:
        if pair.database is None:
            return Judged(Outcome.UNKNOWN, "no database")
        first: Judged | None = None
        for number, gold in enumerate((pair.gold, *pair.accepted)):
            judged = self._one_gold(replace(pair, gold=gold) if number else pair, pair.database)
            if judged.outcome is Outcome.PASS:
                if number:
                    evidence = {**judged.evidence, "accepted": gold}
                    return Judged(Outcome.PASS, f"{judged.why}, as another accepted query", evidence)
                return judged
            if first is None or (first.outcome is Outcome.ERROR and judged.outcome is Outcome.FAIL):
                first = judged
        assert first is not None
        return first

    def _one_gold(self, pair: Pair, database: Path) -> Judged:
        judged, foreign = self._on(pair, database, "sqlite")
        if not foreign:
            return judged
        there, lacking = self._on(pair, database, "duckdb")
        return judged if lacking or there.outcome is Outcome.ERROR else there

    def _on(self, pair: Pair, database: Path, engine: Engine) -> tuple[Judged, bool]:
        """The verdict by one engine, and whether that engine lacks a function of another."""
        gold = self._golds.get(pair.gold, pair.dialect, database, engine)
        if gold.result is None:
            assert gold.trouble is not None
            return gold.trouble, gold.foreign
        evidence: dict[str, Any] = {"engine": engine_name(engine), "gold": gold.evidence, "weak": False}
        return self._generated(pair, database, gold, gold.result, evidence, engine)

    def _generated(
        self,
        pair: Pair,
        database: Path,
        gold: Gold,
        expected: QueryResult,
        evidence: dict[str, Any],
        engine: Engine,
    ) -> tuple[Judged, bool]:
        def broken(outcome: Outcome, why: str, foreign: bool = False) -> tuple[Judged, bool]:
            return Judged(outcome, why, {**evidence, "generated": {"error": why}}), foreign

        if words := refuse_reason(pair.generated, pair.dialect):
            return broken(Outcome.FAIL, words if "no SQL" in words else f"refused: {words}")
        try:
            ran = what_runs(pair.generated, pair.dialect, engine, self._mode)
            if pair.dialect != "sqlite" or ran != pair.generated:
                evidence["ran"] = ran
            result = expected if text_key(ran) == gold.key else self.engines.run(engine, database, ran)
        except SqlSyntaxError as error:
            return broken(Outcome.FAIL, f"does not parse at {error.position}: {error.message}")
        except QueryRefused as error:
            return broken(Outcome.FAIL, f"refused: {reason(error)}")
        except QueryTimeout as error:
            return broken(Outcome.FAIL, reason(error))
        except QueryFailed as error:
            if name := foreign_function(error, pair.dialect):
                return broken(Outcome.UNKNOWN, f"it needs {name}, which {short_name(engine)} has not", True)
            return broken(Outcome.FAIL, _why_failed(pair, error))
        except DatabaseUnreadable as error:
            return broken(Outcome.ERROR, error.cause)
        read = [column for _, column in result.reads]
        if engine == "sqlite" and '"' in ran and (words_read := quoted_strings(ran, read)):
            evidence["notes"] = [
                f'SQLite read "{word}" as a string: no column has that name' for word in words_read
            ]
        return compared(self._mode, pair, gold, expected, result, evidence), False


def _key(pair: Pair) -> tuple[object, ...]:
    """What the verdict hangs on."""
    return (pair.gold, pair.generated, pair.dialect, str(pair.database), pair.ordered, pair.accepted)


def compared(
    mode: Mode, pair: Pair, gold: Gold, expected: QueryResult, result: QueryResult, evidence: dict[str, Any]
) -> Judged:
    """The verdict on two results; `evidence` is added to."""
    same = result is expected
    evidence["generated"] = (
        gold.evidence if same else as_evidence(result.columns, result.rows, result.truncated)
    )
    ordered = gold.ordered if pair.ordered is None else pair.ordered
    left, right = (expected.columns, expected.rows), (result.columns, result.rows)
    if expected.truncated and result.truncated and len(expected.columns) == len(result.columns):
        return Judged(Outcome.UNKNOWN, f"both results are longer than {len(expected.rows):,} rows", evidence)
    if expected.truncated != result.truncated:
        long, short = ("gold", "it") if expected.truncated else ("it", "gold")
        return Judged(Outcome.FAIL, f"{long} returns more than {short}", evidence)
    try:
        found = differs(mode, left, right, ordered=ordered)
    except Undecided as error:
        return Judged(Outcome.UNKNOWN, str(error), evidence)
    if found is not None:
        return failed(found, **evidence)
    reasons = weaknesses(
        left,
        right,
        ordered=ordered,
        limited=gold.limited,
        distinct=has_distinct(pair.gold) != has_distinct(pair.generated),
    )
    evidence["weak"] = bool(reasons)
    if reasons:
        evidence["weak_because"] = reasons
    rows = len(expected.rows)
    count = "no rows" if not rows else f"{rows} row" if rows == 1 else f"{rows} rows"
    in_order = (ordered or mode.name == "ordered") and mode.name != "bird-set" and rows > 1
    why = f"the same result ({count}{', in order' if in_order else ''})"
    return passed(f"{why}: weak, {reasons[0]}" if reasons else why, **evidence)


def _why_failed(pair: Pair, error: QueryFailed) -> str:
    """SQLite's words; for its syntax errors the position, which it does not give."""
    words = reason(error)
    if pair.dialect == "sqlite" and _SYNTAX.search(words):
        try:
            parse(pair.generated, "sqlite")
        except SqlSyntaxError as syntax:
            return f"does not parse at {syntax.position}: {words}"
    return words
