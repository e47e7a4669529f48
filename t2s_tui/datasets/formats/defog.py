"""defog's sql-eval: a CSV with `db_name, query, question`, several accepted golds, databases beside it.

https://github.com/defog-ai/sql-eval: `;` separates accepted queries; `{a, b}` stands for any of its columns,
and `GROUP BY {}` repeats the choice. The first query with all of its columns is the gold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from t2s_tui.datasets.databases import find_database
from t2s_tui.datasets.files import read_table
from t2s_tui.datasets.looking import first_row, has_keys, root_of
from t2s_tui.datasets.schema_ddl import ddl_of_database
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem
from t2s_tui.errors import DataError
from t2s_tui.sql.dialects import DIALECTS

_MOST = 64  # accepted queries of one question


class DefogFormat:
    """One CSV of sql-eval, or a folder of them."""

    name = "defog"
    summary = "defog sql-eval: CSV files with db_name, query, question, and <db_name>.db beside them"

    def recognises(self, source: str) -> bool:
        return bool(_files(Path(source).expanduser()))

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        place = Path(source).expanduser()
        files = _files(place)
        if not files:
            raise DataError(
                f"{source} has no CSV with db_name, query and question", "give a question file of sql-eval"
            )
        folders = [folder for folder in (options.databases, files[0].parent) if folder is not None]
        name = place.resolve().name if place.is_dir() else place.stem
        return OpenSource(name, str(place.resolve()), _rows(files, folders), "Apache-2.0")


def accepted_queries(query: str) -> list[str]:
    """The queries that a field of sql-eval accepts, the gold first, at most 64.

    >>> accepted_queries("SELECT {id, name} FROM t; SELECT 1 FROM t")
    ['SELECT id, name FROM t', 'SELECT id FROM t', 'SELECT name FROM t', 'SELECT 1 FROM t']
    """
    found: dict[str, None] = {}
    for statement in _split_outside(query, ";"):
        for one in _choices(statement):
            found.setdefault(one)
    return list(found)[:_MOST]


def _choices(statement: str) -> Iterator[str]:
    start = statement.find("{")
    end = statement.find("}", start)
    if start < 0 or end < 0:
        if statement.strip():
            yield statement.strip()
        return
    options = [part.strip() for part in _split_outside(statement[start + 1 : end], ",") if part.strip()]
    for size in range(len(options), 0, -1):
        for chosen in combinations(options, size):
            rest = statement[end + 1 :].replace("{}", ", ".join(map(_without_alias, chosen)))
            yield from _choices(statement[:start] + ", ".join(chosen) + rest)


def _without_alias(column: str) -> str:
    """What a GROUP BY repeats of a column: not its alias."""
    at = column.lower().rfind(" as ")
    return column[:at].strip() if at > 0 else column


def _split_outside(text: str, mark: str) -> list[str]:
    """Split at a mark that is in no literal, quoted name or parentheses."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == mark and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        root = root_of(place)
        return [file for file in sorted(root.glob("*.csv")) if _is_questions(file)]
    return [place] if place.suffix.lower() == ".csv" and _is_questions(place) else []


def _is_questions(file: Path) -> bool:
    return has_keys(first_row(file), "db_name", "query", "question")


def _rows(files: list[Path], folders: list[Path]) -> Iterator[RawItem]:
    databases: dict[str, tuple[str | None, str | None]] = {}
    for file in files:
        for item in read_table(file).rows:
            if isinstance(item, RowProblem):
                yield item
                continue
            line, values = item
            db_id = str(values.get("db_name"))
            if db_id not in databases:
                databases[db_id] = _database(db_id, folders)
            yield RawRow(_values(values, *databases[db_id]), str(file), line, "eval")


def _database(db_id: str, folders: list[Path]) -> tuple[str | None, str | None]:
    """(path, DDL) of a database, None where there is none."""
    path = next((found for folder in folders if (found := find_database(folder, db_id))), None)
    return (str(path), ddl_of_database(path)) if path else (None, None)


def _values(values: Mapping[str, Any], database: str | None, ddl: str | None) -> dict[str, Any]:
    golds = accepted_queries(str(values.get("query") or ""))
    said = str(values.get("db_type") or "sqlite").lower()
    return {
        "db_id": values.get("db_name"),
        "context": values.get("table_metadata_string") or ddl,
        "question": values.get("question"),
        "answer": golds[0] if golds else None,
        "accepted": golds[1:],
        "database": database,
        "dialect": said if said in DIALECTS else "sqlite",
        "evidence": values.get("full_instructions") or values.get("instructions"),
        "extra": {"category": values["query_category"]} if values.get("query_category") else {},
    }
