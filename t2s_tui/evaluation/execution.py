"""Execution accuracy: both queries on the example's database, the results compared in a named mode.

Other dialects are translated to SQLite first, and to DuckDB where a query needs a function that SQLite has
not; the evidence says which engine gave the verdict and what ran (traps 26, 27). Gold runs once a run, on a
connection of its own; a pair that was judged is not judged again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.evaluation.comparison import STRICT, Mode, Undecided, differs, weaknesses
from t2s_tui.evaluation.engines import MISSING_FUNCTION, Engine, Engines, engine_name
from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.evaluation.kept import Kept
from t2s_tui.evaluation.result_rows import as_evidence
from t2s_tui.evaluation.sandbox import (
    MAX_ROWS,
    TIMEOUT,
    DatabaseUnreadable,
    QueryFailed,
    QueryRefused,
    QueryResult,
    QueryTimeout,
)
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import SqlSyntaxError, parse, translate
from t2s_tui.sql.distinct import has_distinct, without_distinct
from t2s_tui.sql.guard import refuse_reason

_KEPT_VERDICTS = 2_048
_KEPT_GOLD_CELLS = 1_000_000
_QUOTED = re.compile(r'"([^"]*)"')
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

    sql: str
    result: QueryResult | None
    ordered: bool
    trouble: Judged | None
    foreign: bool = False  # the trouble is a function that this engine has not


class Execution:
    """The metric with its sandboxes and what it keeps of a run. Close it, or use it in a `with`."""

    def __init__(self, *, mode: Mode = STRICT, timeout: float = TIMEOUT, max_rows: int = MAX_ROWS) -> None:
        self._mode = mode
        self._engines = Engines(timeout=timeout, max_rows=max_rows)
        self._golds: Kept[tuple[str, str, str, Engine], Gold] = Kept(_KEPT_GOLD_CELLS)
        self._judged: Kept[Pair, Judged] = Kept(_KEPT_VERDICTS)

    def __enter__(self) -> Execution:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandboxes' processes."""
        self._engines.close()

    def judge(self, pair: Pair) -> Judged:
        """The verdict on one pair: pass where it has the result of gold or of any other accepted query.

        unknown: no database, a function that no engine here has, or results too long to compare.
        error: gold or the database cannot be used. fail: all that is the generated SQL's own fault.
        """
        key = replace(pair, question="", raw="", ddl=None)
        found = self._judged.get(key)
        if found is None:
            found = self._any_gold(key)
            evidence = {**found.evidence, "mode": self._mode.label} if pair.database else found.evidence
            found = replace(found, evidence=evidence)
            self._judged.put(key, found)
        return found

    def _any_gold(self, pair: Pair) -> Judged:
        if pair.database is None:
            return Judged(Outcome.UNKNOWN, "no database")
        first: Judged | None = None
        for number, gold in enumerate((pair.gold, *pair.accepted)):
            judged = self._one_gold(replace(pair, gold=gold), pair.database)
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
        gold = self._gold(pair, database, engine)
        if gold.result is None:
            assert gold.trouble is not None
            return gold.trouble, gold.foreign
        evidence: dict[str, Any] = {
            "engine": engine_name(engine),
            "gold": _evidence(gold.result),
            "weak": False,
        }
        return self._generated(pair, database, gold, gold.result, evidence, engine)

    def _gold(self, pair: Pair, database: Path, engine: Engine) -> Gold:
        key = (str(database), pair.dialect, pair.gold, engine)
        found = self._golds.get(key)
        if found is None:
            found = self._run_gold(pair, database, engine)
            rows = found.result.rows if found.result else ()
            self._golds.put(key, found, 1 + sum(map(len, rows)))
        return found

    def _run_gold(self, pair: Pair, database: Path, engine: Engine) -> Gold:
        def no(why: str) -> Gold:
            return Gold("", None, False, Judged(Outcome.ERROR, why, {"engine": engine_name(engine)}))

        try:
            ran = self._for_engine(pair.gold, pair.dialect, engine)
            result = self._engines.run(engine, database, ran, gold=True)
        except SqlSyntaxError as error:
            return no(f"gold does not parse at {error.position}: {error.message}")
        except QueryFailed as error:
            if name := _foreign_function(error, pair.dialect):
                trouble = Judged(Outcome.UNKNOWN, f"gold needs {name}, which {_short(engine)} has not")
                return Gold("", None, False, trouble, foreign=True)
            return no(f"gold does not run: {_reason(error)}")
        except DatabaseUnreadable as error:
            return no(error.cause)
        except DataError as error:
            return no(f"gold does not run: {_reason(error)}")
        return Gold(ran, result, orders(pair.gold, pair.dialect), None)

    def _for_engine(self, sql: str, dialect: str, engine: Engine) -> str:
        ran = translate(sql, dialect, engine)
        return without_distinct(ran, engine) if self._mode.ignores_distinct else ran

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

        if reason := refuse_reason(pair.generated, pair.dialect):
            return broken(Outcome.FAIL, reason if "no SQL" in reason else f"refused: {reason}")
        try:
            ran = self._for_engine(pair.generated, pair.dialect, engine)
            if pair.dialect != "sqlite" or ran != pair.generated:
                evidence["ran"] = ran
            result = expected if ran == gold.sql else self._engines.run(engine, database, ran)
        except SqlSyntaxError as error:
            return broken(Outcome.FAIL, f"does not parse at {error.position}: {error.message}")
        except QueryRefused as error:
            return broken(Outcome.FAIL, f"refused: {_reason(error)}")
        except QueryTimeout as error:
            return broken(Outcome.FAIL, _reason(error))
        except QueryFailed as error:
            if name := _foreign_function(error, pair.dialect):
                return broken(Outcome.UNKNOWN, f"it needs {name}, which {_short(engine)} has not", True)
            return broken(Outcome.FAIL, _why_failed(pair, error))
        except DatabaseUnreadable as error:
            return broken(Outcome.ERROR, error.cause)
        if engine == "sqlite" and (words := quoted_strings(ran, result)):
            evidence["notes"] = [
                f'SQLite read "{word}" as a string: no column has that name' for word in words
            ]
        return _compared(self._mode, pair, gold, expected, result, evidence), False


def _compared(
    mode: Mode, pair: Pair, gold: Gold, expected: QueryResult, result: QueryResult, evidence: dict[str, Any]
) -> Judged:
    evidence["generated"] = _evidence(result)
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
        limited=bool(re.search(r"\blimit\b", pair.gold, re.IGNORECASE)),
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


def orders(sql: str, dialect: str) -> bool:
    """Whether the outermost query has an ORDER BY: the words inside a literal or subquery do not count."""
    if "order" not in sql.lower():
        return False
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

    columns = {column.lower() for _, column in result.reads}
    if all(word.lower() in columns for word in _QUOTED.findall(sql)):
        return []
    try:
        tree = parse(sql, "sqlite")
    except SqlSyntaxError:
        return []
    known = columns | {"rowid", "oid", "_rowid_"}
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


def _reason(error: DataError) -> str:
    """The half of the sentence that says what happened."""
    head, _, tail = error.cause.partition(": ")
    return tail if tail and head in ("The query failed", "The SQL was refused") else error.cause


def _foreign_function(error: DataError, dialect: str) -> str | None:
    """What the engine lacked of another one's, when that is why the query failed; None for its own fault.

    What parses in its own dialect and not after the translation was not translated: no fault of the query.
    """
    if dialect == "sqlite":
        return None
    found = MISSING_FUNCTION.search(error.cause)
    if found is None:
        return "a syntax" if re.search(r"syntax error|Parser Error", error.cause) else None
    name = next(group for group in found.groups() if group).upper()
    return name if name in _ELSEWHERE else None


def _short(engine: Engine) -> str:
    return "SQLite" if engine == "sqlite" else "DuckDB"


def _why_failed(pair: Pair, error: QueryFailed) -> str:
    """SQLite's words; for its syntax errors the position, which it does not give."""
    reason = _reason(error)
    if pair.dialect == "sqlite" and re.search(r"syntax error|incomplete input|unrecognized token", reason):
        try:
            parse(pair.generated, "sqlite")
        except SqlSyntaxError as syntax:
            return f"does not parse at {syntax.position}: {reason}"
    return reason
