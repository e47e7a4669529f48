"""Calcite's 232 pairs of the same meaning, as PostgreSQL, which DuckDB runs.

They are printed by a program that prints more than SQL, and some do not mean the same as they stand. So two
figures are taken: of all 232, and of those whose text is SQL and that mean the same by their text. What is no
SQL is found by rules that know nothing of verdicts; of those rules' finds that ran all the same the number is
printed. What differs as printed was found by reading each refutation: a new one is not excused.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome
from t2s_tui.sql.dialects import SqlSyntaxError, parse
from t2s_tui.sql.schema import schema_mapping

DIALECT = "postgres"
#: The tables of Calcite's own tests, as its pairs name them.
DDL = """
CREATE TABLE DEPT (DEPTNO INTEGER NOT NULL PRIMARY KEY, NAME VARCHAR(10) NOT NULL);
CREATE TABLE EMP (EMPNO INTEGER NOT NULL PRIMARY KEY, ENAME VARCHAR(20) NOT NULL, JOB VARCHAR(10) NOT NULL,
  MGR INTEGER, HIREDATE TIMESTAMP NOT NULL, SAL INTEGER NOT NULL, COMM INTEGER NOT NULL,
  DEPTNO INTEGER NOT NULL, SLACKER BOOLEAN NOT NULL);
CREATE TABLE EMP_B (EMPNO INTEGER NOT NULL, ENAME VARCHAR(20) NOT NULL, JOB VARCHAR(10) NOT NULL, MGR INTEGER,
  HIREDATE TIMESTAMP NOT NULL, SAL INTEGER NOT NULL, COMM INTEGER NOT NULL, DEPTNO INTEGER NOT NULL,
  SLACKER BOOLEAN NOT NULL, BIRTHDATE DATE NOT NULL);
CREATE TABLE EMPNULLABLES (EMPNO INTEGER NOT NULL, ENAME VARCHAR(20), JOB VARCHAR(10), MGR INTEGER,
  HIREDATE TIMESTAMP, SAL INTEGER, COMM INTEGER, DEPTNO INTEGER, SLACKER BOOLEAN);
CREATE TABLE BONUS (ENAME VARCHAR(20) NOT NULL, JOB VARCHAR(10) NOT NULL, SAL INTEGER NOT NULL,
  COMM INTEGER NOT NULL);
CREATE TABLE ACCOUNT (ACCTNO INTEGER NOT NULL, TYPE VARCHAR(20) NOT NULL, BALANCE INTEGER NOT NULL);
CREATE TABLE DEPTNULLABLES (DEPTNO INTEGER, NAME VARCHAR(10));
CREATE TABLE T (K0 VARCHAR(20) NOT NULL, C1 VARCHAR(20) NOT NULL, F1_A0 INTEGER NOT NULL,
  F2_A0 BOOLEAN NOT NULL, F0_C0 INTEGER NOT NULL, F1_C0 INTEGER, F0_C1 INTEGER NOT NULL,
  F1_C2 INTEGER NOT NULL, F2_C3 INTEGER NOT NULL);
"""
#: Pairs that differ as they are printed, with what makes them differ.
_UNEQUAL = {
    "testPushSemiJoinPastJoinRuleRight": "one joins a table once more",
    "testSemiJoinRule": "one returns more columns",
    "testSemiJoinRuleExists": "one returns more columns",
    "testDistinctCountMultiple": "one has lost its DISTINCT",
    "testDistinctCountMultipleNoGroup": "one has lost its DISTINCT",
    "testDistinctCountGroupingSets1": "one has lost its DISTINCT",
    "testReduceAverage": "AVG as a division of integers",
    "testCastInAggregateReduceFunctions": "AVG as a division of integers",
    "testReduceConstantsCalc": "a CHAR padded in one only",
}
Judge = Callable[[Sequence[Pair]], tuple[list[Judged], float]]


def measure(folder: Path, judge: Judge, classes: Callable[[Sequence[Judged]], str]) -> Iterator[Figure]:
    """The figures over the pairs in `folder`; what did not run, and why, goes to stderr."""
    rows = json.loads((folder / "calcite_tests.json").read_text("utf-8"))
    with (folder / "calcite_result_with_label.csv").open(encoding="utf-8") as text:
        labels = {row[0]: row[1] for row in csv.reader(text) if len(row) > 1}
    found, seconds = judge([Pair(r["q1"], r["q2"], DIALECT, DDL) for r in rows])
    told = list(zip(rows, found, strict=True))
    no_sql = {row["name"]: why for row in rows if (why := _no_sql(row["q1"]) or _no_sql(row["q2"]))}
    fair = [j for row, j in told if row["name"] not in no_sql and row["name"] not in _UNEQUAL]
    for about, of in ((f"Calcite's {len(rows)}", found), (f"the {len(fair)} of them that are fair", fair)):
        yield Figure(f"{about}, run", "%", _share(of, *_RAN), 90, "goal, at least")
        yield Figure("  refuted, though the same", "%", _share(of, Outcome.FAIL), 1, "goal, at most")
    yield Figure("  speed", "a s", len(rows) / seconds, 50, "goal")
    all_the_same = sum(row["name"] in no_sql and j.outcome in _RAN for row, j in told)
    print(f"calcite: no SQL: {dict(Counter(no_sql.values()))}, {all_the_same} ran", file=sys.stderr)
    for row, judged in told:
        name = row["name"]
        if judged.outcome is not Outcome.PASS and name not in no_sql:
            why = _UNEQUAL.get(name, judged.why[:90])
            print(f"calcite: {judged.outcome} {name}: {why}", file=sys.stderr)
    for label in sorted({labels.get(row["name"], "no label") for row in rows}):
        of = [judged for row, judged in told if labels.get(row["name"], "no label") == label]
        print(f"calcite: labelled {label}: {classes(of)}", file=sys.stderr)


_RAN = (Outcome.PASS, Outcome.FAIL)


def _share(found: Sequence[Judged], *outcomes: Outcome) -> float:
    return 100 * sum(judged.outcome in outcomes for judged in found) / len(found)


def _no_sql(sql: str) -> str:
    """Why the text is no query of PostgreSQL; empty when none of these rules speaks against it."""
    from sqlglot import exp

    if re.search(r"VALUES\s*\)", sql, re.IGNORECASE):
        return "an empty VALUES"
    try:
        tree: Any = parse(sql, DIALECT)
    except SqlSyntaxError:
        return "does not parse"
    if any(count.expressions for count in tree.find_all(exp.Count)):
        return "counts several columns"
    if any(_nests(aggregate) for aggregate in tree.find_all(exp.AggFunc)):
        return "nests aggregates"
    if any(call.name.upper() == "SINGLE_VALUE" for call in tree.find_all(exp.Anonymous)):
        return "calls SINGLE_VALUE"
    return "names a column that is not there" if _lacks_a_column(tree) else ""


def _nests(aggregate: Any) -> bool:
    """Whether an aggregate stands in the argument of this one, which a window alone allows."""
    from sqlglot import exp

    if isinstance(aggregate.parent, exp.Window):
        return False
    return any(
        inner is not aggregate and inner.find_ancestor(exp.Select) is aggregate.find_ancestor(exp.Select)
        for inner in aggregate.find_all(exp.AggFunc)
    )


def _lacks_a_column(tree: Any) -> bool:
    from sqlglot.errors import OptimizeError, SchemaError
    from sqlglot.optimizer.qualify import qualify

    try:
        qualify(tree.copy(), dialect=DIALECT, schema=schema_mapping(DDL, DIALECT))
    except (OptimizeError, SchemaError):
        return True
    return False
