"""Execution accuracy: both queries on the example's database, the results compared (mode `strict`).

Other dialects are translated to SQLite first; the evidence says which engine gave the verdict and what ran
(traps 26, 27). Gold runs once an example, and its result is kept for the run.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.evaluation.result_rows import as_evidence, difference, says_little
from t2s_tui.evaluation.sandbox import (
    MAX_ROWS,
    TIMEOUT,
    DatabaseUnreadable,
    QueryFailed,
    QueryRefused,
    QueryResult,
    QueryTimeout,
    Sandbox,
)
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import SqlSyntaxError, parse, translate
from t2s_tui.sql.guard import refuse_reason

ENGINE = f"sqlite {sqlite3.sqlite_version}"

_NO_FUNCTION = re.compile(r"no such function: (\w+)", re.IGNORECASE)
#: Functions of other engines that SQLite has not: a verdict on a query that needs one would be about SQLite.
_ELSEWHERE = frozenset(
    """REGEXP REGEXP_LIKE REGEXP_REPLACE REGEXP_SUBSTR CONCAT_WS LPAD RPAD STR_TO_DATE DATE_FORMAT LAST_DAY
    SUBSTRING_INDEX FIND_IN_SET TIMESTAMPDIFF DATE_SUB DATE_ADD DAYNAME MONTHNAME MAKEDATE FIELD ELT REPEAT
    REVERSE TO_CHAR TO_DATE DATE_TRUNC DATE_PART EXTRACT AGE STDDEV STDDEV_POP STDDEV_SAMP VARIANCE VAR_POP
    VAR_SAMP STRING_AGG ARRAY_AGG JSON_AGG GENERATE_SERIES SPLIT_PART INITCAP MEDIAN PERCENTILE_CONT BIT_AND
    BIT_OR BIT_XOR CRC32 MD5 SHA1 SHA2 WEEK YEARWEEK DAYOFYEAR TIME_TO_SEC SEC_TO_TIME FROM_UNIXTIME
    CONVERT_TZ FORMAT ANY_VALUE GREATEST LEAST SOUNDEX TRUNCATE LOCATE""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Gold:
    """What gold came to: its result and whether order counts, or the trouble with it."""

    result: QueryResult | None
    ordered: bool
    trouble: Judged | None


class Execution:
    """The metric with its sandbox and its cache of gold results. Close it, or use it in a `with`."""

    def __init__(self, *, timeout: float = TIMEOUT, max_rows: int = MAX_ROWS) -> None:
        self._sandbox = Sandbox()
        self._timeout = timeout
        self._max_rows = max_rows
        self._golds: dict[tuple[str, str, str], Gold] = {}

    def __enter__(self) -> Execution:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox's child."""
        self._sandbox.close()

    def judge(self, pair: Pair) -> Judged:
        """The verdict on one pair.

        unknown: no database, a function that only another engine has, or results too long to compare.
        error: gold or the database cannot be used. fail: all that is the generated SQL's own fault.
        """
        if pair.database is None:
            return Judged(Outcome.UNKNOWN, "no database")
        gold = self._gold(pair, pair.database)
        if gold.result is None:
            assert gold.trouble is not None
            return gold.trouble
        evidence: dict[str, Any] = {"engine": ENGINE, "gold": _evidence(gold.result), "weak": False}
        return self._generated(pair, pair.database, gold, gold.result, evidence)

    def _gold(self, pair: Pair, database: Path) -> Gold:
        key = (str(database), pair.dialect, pair.gold)
        if key not in self._golds:
            self._golds[key] = self._run_gold(pair, database)
        return self._golds[key]

    def _run_gold(self, pair: Pair, database: Path) -> Gold:
        try:
            ran = translate(pair.gold, pair.dialect, "sqlite")
            result = self._run(database, ran)
        except SqlSyntaxError as error:
            return _no_gold(f"gold does not parse at {error.position}: {error.message}")
        except QueryFailed as error:
            if name := _foreign_function(error):
                trouble = Judged(Outcome.UNKNOWN, f"gold needs {name}, which SQLite has not")
                return Gold(None, False, trouble)
            return _no_gold(f"gold does not run: {_reason(error)}")
        except DatabaseUnreadable as error:
            return _no_gold(error.cause)
        except DataError as error:
            return _no_gold(f"gold does not run: {_reason(error)}")
        return Gold(result, orders(pair.gold, pair.dialect), None)

    def _generated(
        self, pair: Pair, database: Path, gold: Gold, expected: QueryResult, evidence: dict[str, Any]
    ) -> Judged:
        def broken(outcome: Outcome, why: str) -> Judged:
            return Judged(outcome, why, {**evidence, "generated": {"error": why}})

        if reason := refuse_reason(pair.generated, pair.dialect):
            return broken(Outcome.FAIL, reason if "no SQL" in reason else f"refused: {reason}")
        try:
            ran = translate(pair.generated, pair.dialect, "sqlite")
            if pair.dialect != "sqlite":
                evidence["ran"] = ran
            result = self._run(database, ran)
        except SqlSyntaxError as error:
            return broken(Outcome.FAIL, f"does not parse at {error.position}: {error.message}")
        except QueryRefused as error:
            return broken(Outcome.FAIL, f"refused: {_reason(error)}")
        except QueryTimeout as error:
            return broken(Outcome.FAIL, _reason(error))
        except QueryFailed as error:
            if pair.dialect != "sqlite" and (name := _foreign_function(error)):
                return broken(Outcome.UNKNOWN, f"it needs {name}, which SQLite has not")
            return broken(Outcome.FAIL, _why_failed(pair, error))
        except DatabaseUnreadable as error:
            return broken(Outcome.ERROR, error.cause)
        return _compared(pair, gold, expected, result, evidence, ran)

    def _run(self, database: Path, sql: str) -> QueryResult:
        return self._sandbox.run(database, sql, timeout=self._timeout, max_rows=self._max_rows)


def _compared(
    pair: Pair, gold: Gold, expected: QueryResult, result: QueryResult, evidence: dict[str, Any], ran: str
) -> Judged:
    evidence["generated"] = _evidence(result)
    if words := quoted_strings(ran, result):
        evidence["notes"] = [f'SQLite read "{word}" as a string: no column has that name' for word in words]
    ordered = gold.ordered if pair.ordered is None else pair.ordered
    left, right = (expected.columns, expected.rows), (result.columns, result.rows)
    found = difference(left, right, ordered=ordered)
    if expected.truncated and result.truncated and len(expected.columns) == len(result.columns):
        return Judged(Outcome.UNKNOWN, f"both results are longer than {len(expected.rows):,} rows", evidence)
    if expected.truncated != result.truncated:
        long, short = ("gold", "it") if expected.truncated else ("it", "gold")
        return Judged(Outcome.FAIL, f"{long} returns more than {short}", evidence)
    if found is not None:
        return failed(found, **evidence)
    evidence["weak"] = says_little(expected.rows)
    rows = len(expected.rows)
    count = "no rows" if not rows else f"{rows} row" if rows == 1 else f"{rows} rows"
    why = f"the same result ({count}{', in order' if ordered and rows > 1 else ''})"
    return passed(f"{why}: weak, there is nothing to compare" if evidence["weak"] else why, **evidence)


def orders(sql: str, dialect: str) -> bool:
    """Whether the outermost query has an ORDER BY: the words inside a literal or subquery do not count."""
    from sqlglot import exp

    try:
        tree: Any = parse(sql, dialect)
    except SqlSyntaxError:
        return False
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree.args.get("order") is not None


def quoted_strings(sql: str, result: QueryResult) -> list[str]:
    """The double-quoted names that SQLite took for strings (trap 27): quoted, and no column that was read."""
    from sqlglot import exp

    if '"' not in sql:
        return []
    try:
        tree = parse(sql, "sqlite")
    except SqlSyntaxError:
        return []
    known = {column.lower() for _, column in result.reads} | {"rowid", "oid", "_rowid_"}
    known |= {a.alias.lower() for a in tree.find_all(exp.Alias, exp.TableAlias, exp.CTE, exp.Subquery)}
    known |= {
        str(c.this).lower()
        for alias in tree.find_all(exp.TableAlias)
        for c in alias.args.get("columns") or []
    }
    quoted = [c.this for c in tree.find_all(exp.Column) if not c.table and isinstance(c.this, exp.Identifier)]
    return sorted({str(n.this) for n in quoted if n.args.get("quoted") and str(n.this).lower() not in known})


def _evidence(result: QueryResult) -> dict[str, Any]:
    return as_evidence(result.columns, result.rows, result.truncated)


def _no_gold(why: str) -> Gold:
    return Gold(None, False, Judged(Outcome.ERROR, why, {"engine": ENGINE}))


def _reason(error: DataError) -> str:
    """The half of the sentence that says what happened."""
    head, _, tail = error.cause.partition(": ")
    return tail if tail and head in ("The query failed", "The SQL was refused") else error.cause


def _foreign_function(error: DataError) -> str | None:
    found = _NO_FUNCTION.search(error.cause)
    return found.group(1).upper() if found and found.group(1).upper() in _ELSEWHERE else None


def _why_failed(pair: Pair, error: QueryFailed) -> str:
    """SQLite's words; for its syntax errors the position, which it does not give."""
    reason = _reason(error)
    if pair.dialect == "sqlite" and re.search(r"syntax error|incomplete input|unrecognized token", reason):
        try:
            parse(pair.generated, "sqlite")
        except SqlSyntaxError as syntax:
            return f"does not parse at {syntax.position}: {reason}"
    return reason
