"""From a search to a verdict with its evidence: class, readings, the shrunken counterexample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from t2s_tui.evaluation.equivalence.comparing import Outcome
from t2s_tui.evaluation.equivalence.model import Database, Result, Row, Rows, Table, Unsupported
from t2s_tui.evaluation.equivalence.schema import quote
from t2s_tui.evaluation.equivalence.search import Case, Found, Search, open_engine, prepare
from t2s_tui.evaluation.equivalence.shrink import Shrinker
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.records import Outcome as Word
from t2s_tui.sql.dialects import SqlSyntaxError, Unparsed, parse
from t2s_tui.sql.guard import refuse_reason
from t2s_tui.sql.normalize import normal_forms

DATABASES = 40
SEED = 42
_SHOWN_ROWS = 20
#: So many changes to gold without effect say that nothing was exercised; a short gold has few, all idle.
_ENOUGH = 4
#: Which engines run a dialect, the nearest first.
_ENGINES: Mapping[str, tuple[str, ...]] = {"sqlite": ("sqlite",), "mysql": ("sqlite", "duckdb")}
_WORDS = {
    "data": "they differ on ordinary data",
    "null": "they differ where there are NULLs",
    "empty": "they differ where a table is empty or no row qualifies",
    "tie": "they differ where rows tie",
    "orphan": "they differ where a row points at nothing",
}


def judge_pair(pair: Pair, seed: int = SEED, databases: int = DATABASES) -> Judged:
    """The verdict on one pair, in this process. Gold is trusted; the generated SQL is guarded and sandboxed.

    pass: proved (equal normal forms), or not refuted by the databases. fail: with the counterexample. error:
    the generated SQL does not parse or run. unknown: no schema, gold does not run, nothing was exercised.
    """
    if not pair.generated.strip():
        return Judged(Word.ERROR, "there is no SQL")
    if reason := refuse_reason(pair.generated, pair.dialect):
        return Judged(Word.ERROR, f"refused: {reason}")
    ddl = pair.ddl or _ddl_of(pair)
    if not ddl:
        return Judged(Word.UNKNOWN, "there is no DDL to build databases from")
    verdicts = []
    for gold in (pair.gold, *pair.accepted):
        verdict = _against(gold, pair, ddl, seed, databases)
        if verdict.outcome is Word.PASS or not pair.accepted:
            return verdict
        verdicts.append(verdict)
    return verdicts[0]


def _ddl_of(pair: Pair) -> str:
    from t2s_tui.datasets.schema_ddl import ddl_of_database
    from t2s_tui.errors import DataError

    if pair.database is None:
        return ""
    try:
        return ddl_of_database(pair.database)
    except DataError:
        return ""


def _against(gold: str, pair: Pair, ddl: str, seed: int, databases: int) -> Judged:
    if (proof := _proof(gold, pair, ddl)) is not None:
        return proof
    if broken := _unparsed(gold, pair):
        return broken
    nearest: Judged | None = None
    for engine in _ENGINES.get(pair.dialect, ("duckdb", "sqlite")):
        try:
            case = prepare(gold, pair.generated, pair.dialect, ddl, engine, pair.ordered)
            verdict = _searched(case, seed, databases)
        except Unsupported as error:
            verdict = Judged(Word.UNKNOWN, str(error))
        except SqlSyntaxError as error:
            return Judged(Word.UNKNOWN, f"gold does not parse at {error.position}: {error.message}")
        if verdict.outcome is not Word.UNKNOWN and not (nearest and _spelled_otherwise(verdict)):
            return verdict
        nearest = nearest or verdict
    return nearest or Judged(Word.UNKNOWN, "no engine runs this dialect")


def _spelled_otherwise(verdict: Judged) -> bool:
    """Whether an engine farther from the dialect could not read the query: that says nothing of the query."""
    return verdict.outcome is Word.ERROR and "syntax error" in verdict.why


def _unparsed(gold: str, pair: Pair) -> Judged | None:
    """Where no engine speaks the dialect itself the parser decides what is SQL, if it can read gold."""
    if pair.dialect in ("sqlite", "duckdb"):
        return None
    try:
        parse(gold, pair.dialect)
    except SqlSyntaxError as error:
        return Judged(Word.UNKNOWN, f"gold does not parse at {error.position}: {error.message}")
    try:
        parse(pair.generated, pair.dialect)
    except SqlSyntaxError as error:
        return Judged(Word.ERROR, f"does not parse at {error.position}: {error.message}")
    return None


def _proof(gold: str, pair: Pair, ddl: str) -> Judged | None:
    left, right = normal_forms(gold, pair.generated, pair.dialect, ddl, pair.ordered)
    if isinstance(left, Unparsed) or isinstance(right, Unparsed) or left != right:
        return None
    both = {"outcome": "pass", "why": "the same normal form"}
    evidence = {"engine": "sqlglot", "class": "proved", "normal_form": left, "databases": 0, "strict": both}
    return Judged(Word.PASS, "proved: the same normal form", {**evidence, "realistic": both})


def _searched(case: Case, seed: int, databases: int) -> Judged:
    engine = open_engine(case)
    search = Search(case, engine, seed, databases)
    try:
        found = search.run()
        if found.refuted is not None and found.outcome is not None:
            if found.outcome.generated.error:
                return _broken(found, case)
            return _refuted(search, found, seed)
        return _not_refuted(search, found, seed)
    finally:
        search.close()
        engine.close()


def _broken(found: Found, case: Case) -> Judged:
    assert found.outcome is not None
    evidence = {
        "engine": found.engine,
        "class": "error",
        "databases": found.tried,
        "ran": case.queries.generated,
    }
    return Judged(Word.ERROR, f"it does not run: {found.outcome.generated.error}", evidence)


def _not_refuted(search: Search, found: Found, seed: int) -> Judged:
    evidence = _common(search, found, seed)
    if found.gold_error and not found.kept:
        return Judged(Word.UNKNOWN, f"gold does not run: {found.gold_error}", evidence)
    if not found.decided:
        return Judged(Word.UNKNOWN, "gold's result hangs on the order of reading on every database", evidence)
    made, killed = search.coverage(found)
    coverage = round(killed / made, 3) if made else None
    if not found.gold_rows and not killed:
        return Judged(Word.UNKNOWN, "not exercised: gold returned no row on any database", evidence)
    if made >= _ENOUGH and not killed:
        why = f"not exercised: none of {made} changes to gold made a difference on these databases"
        return Judged(Word.UNKNOWN, why, evidence)
    share = f", coverage {100 * coverage:.0f}%" if coverage is not None else ""
    why = f"not refuted by {found.tried} databases{share}"
    both = {"outcome": "pass", "why": why}
    more = {"class": "not-refuted", "coverage": coverage, "mutants": {"made": made, "killed": killed}}
    return Judged(Word.PASS, why, {**evidence, **more, "strict": both, "realistic": both})


def _common(search: Search, found: Found, seed: int) -> dict[str, Any]:
    evidence: dict[str, Any] = {"engine": found.engine, "databases": found.tried, "seed": seed}
    if search.case.limits:
        evidence["limits"] = {str(k): v for k, v in search.case.limits.items()}
    if found.late:
        evidence["late"] = True
    return evidence


def _refuted(search: Search, found: Found, seed: int) -> Judged:
    assert found.refuted is not None
    assert found.outcome is not None
    rows, outcome = _shrunk(search, found.refuted, found.outcome)
    kind = _class_of(search, found.refuted, rows, outcome)
    rows_read = sum(len(r) for r in rows.values())
    size = "empty tables" if not rows_read else "1 row" if rows_read == 1 else f"{rows_read} rows"
    why = f"{_WORDS[kind]} ({size}: {_counts(outcome)})"
    fails = {"outcome": "fail", "why": why}
    passes = {"outcome": "pass", "why": f"not refuted by {found.realistic_tried} databases without such rows"}
    evidence = _common(search, found, seed) | {
        "class": kind,
        "database": found.place,
        "profile": found.refuted.profile,
        "coverage": None,
        "strict": fails,
        "realistic": fails if found.refuted.realistic else passes,
        "counterexample": counterexample(search.case.tables, rows, outcome),
        # As they ran, translated: what replays on the rows.
        "ran": {"gold": search.case.queries.gold, "generated": search.case.queries.generated},
    }
    return Judged(Word.FAIL, why, evidence)


def _shrunk(search: Search, database: Database, outcome: Outcome) -> tuple[Rows, Outcome]:
    best = (database.rows, outcome)
    held = _integrity(search) if database.realistic else None

    def still(rows: Rows) -> Rows | None:
        nonlocal best
        if held is not None and not held(rows):
            return None
        found = search.differs(rows)
        if found is None:
            return None
        best = found
        return found[0]

    Shrinker(search.case.tables, still).shrink(database.rows)
    return best


def _integrity(search: Search) -> Any:
    """Whether every link between tables still holds: it must stay one that a person would accept."""
    links = [link for link in search.ground.links if link.target in search.case.tables]

    def holds(rows: Rows) -> bool:
        for link in links:
            there = {_joined(row[link.place]) for row in rows.get(link.target, ())}
            here = [row[link.own] for row in rows.get(link.table, ()) if row[link.own] is not None]
            if any(_joined(value) not in there for value in here):
                return False
        return True

    return holds


def _joined(value: Any) -> Any:
    """A value as a join compares it: the text of a number meets the number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _class_of(search: Search, database: Database, rows: Rows, outcome: Outcome) -> str:
    if database.realistic:
        return "tie" if outcome.tie else "data"
    read = {table for reading in search.ground.readings for table in reading.used}
    if any(value is None for table in read for row in rows.get(table, ()) for value in row):
        return "null"
    if not any(rows.get(table) for table in read) or database.profile.endswith("empty"):
        return "empty"
    if outcome.tie:
        return "tie"
    if database.profile == "orphans":
        return "orphan"
    return "empty" if not outcome.gold.rows or not outcome.generated.rows else "data"


def _counts(outcome: Outcome) -> str:
    gold, generated = outcome.gold, outcome.generated
    if len(gold.columns) != len(generated.columns):
        count = len(generated.columns)
        return f"{count} column{'' if count == 1 else 's'} where gold has {len(gold.columns)}"
    if len(gold.rows) != len(generated.rows):
        return f"gold returns {len(gold.rows)}, it returns {len(generated.rows)}"
    return "the same number of rows, other values or order"


def counterexample(tables: Mapping[str, Table], rows: Rows, outcome: Outcome) -> dict[str, Any]:
    """Plain JSON: the DDL, INSERT statements that replay after it, the tables as rows, both results."""
    shown = list(tables.values())
    return {
        "ddl": [f"{table.create};" for table in shown],
        "inserts": [insert_text(table, row) for table in shown for row in rows.get(table.key, ())],
        "tables": [
            {
                "name": table.name,
                "columns": [column.name for column in table.columns],
                "rows": [list(row) for row in rows.get(table.key, ())],
                "marked": list(range(len(rows.get(table.key, ())))),
            }
            for table in shown
        ],
        "gold": _result(outcome.gold),
        "pred": _result(outcome.generated),
    }


def _result(result: Result) -> dict[str, Any]:
    rows = [[value.hex() if isinstance(value, bytes) else value for value in row] for row in result.rows]
    more = {"truncated": True} if len(rows) > _SHOWN_ROWS else {}
    return {"columns": list(result.columns), "rows": rows[:_SHOWN_ROWS], **more}


def insert_text(table: Table, row: Row) -> str:
    """One INSERT statement."""
    names = ", ".join(quote(column.name) for column in table.columns)
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES ({', '.join(map(literal, row))});"


def literal(value: Any) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
