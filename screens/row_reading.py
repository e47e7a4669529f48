"""What the Datasets room knows of one row: read and parsed off the screen, tens of milliseconds at most."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from screens.row_table import RowTable
from t2s_tui.datasets.used_tables import TableText, table_texts
from t2s_tui.errors import DataError
from t2s_tui.evaluation.sandbox import run_query
from t2s_tui.records import Example
from t2s_tui.sql.dialects import SqlSyntaxError, parse, translate
from t2s_tui.sql.pretty import clause_lines
from widgets.evidence import Result

if TYPE_CHECKING:
    from sqlglot import exp

RESULT_ROWS = 200  # of a gold's result: what a person looks at


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of the audit: its kind, where it is, and a sentence about it."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class RowReading:
    """A row as the detail shows it. `gold` is formatted, `trouble` says why it could not be."""

    index: int
    example: Example
    gold: str
    trouble: str
    tables: tuple[TableText, ...]
    findings: tuple[Found, ...] | None  # None: not audited
    figures: Mapping[str, Any]


def read_row(table: RowTable, index: int) -> RowReading:
    """Read the row at `index` of the dataset, format its gold and see which tables it uses."""
    example = table.example(index)
    tree, gold, trouble = parsed(example.gold, example.dialect)
    tables = tuple(table_texts(example.ddl, tree))
    figures = table.audit_row(index)
    findings = None
    if figures is not None:
        findings = tuple(Found(f["kind"], f["where"], f["detail"]) for f in figures["findings"])
    return RowReading(index, example, gold, trouble, tables, findings, figures or {})


def read_rows(table: RowTable, indexes: Sequence[int]) -> list[RowReading]:
    """The same of several rows."""
    return [read_row(table, index) for index in indexes]


def parsed(sql: str, dialect: str) -> tuple[exp.Expr | None, str, str]:
    """(its tree, a clause a line, nothing); where it does not parse (None, as it is written, the reason)."""
    try:
        tree = parse(sql, dialect)
        return tree, "\n".join(clause_lines(tree, dialect)), ""
    except SqlSyntaxError as error:
        return None, sql, f"does not parse as {dialect} at {error.position}: {error.message}"


@dataclass(frozen=True, slots=True)
class GoldRun:
    """What gold returned on its database, or why it did not; `seconds` in all."""

    result: Result | None
    trouble: str
    seconds: float


def run_gold(example: Example) -> GoldRun:
    """Run gold in the sandbox: read-only, killable, at most five seconds."""
    started = time.perf_counter()
    if example.database is None:
        return GoldRun(None, "no database came with this row", 0.0)
    try:
        sql = translate(example.gold, example.dialect, "sqlite")
        found = run_query(Path(example.database), sql, max_rows=RESULT_ROWS)
    except DataError as error:
        return GoldRun(None, str(error), time.perf_counter() - started)
    result = Result(found.columns, found.rows, len(found.rows), found.truncated)
    return GoldRun(result, "", time.perf_counter() - started)
