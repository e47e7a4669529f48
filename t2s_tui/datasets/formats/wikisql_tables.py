"""WikiSQL's tables as SQLite databases under their own headers, and the gold SQL that its index triples mean.

WikiSQL's own databases call the columns col0, col1 ..., which no model should learn to write. Here the same
rows lie in tables with the header's names. WikiSQL's engine (Zhong et al. 2017, lib/dbengine.py of
github.com/salesforce/WikiSQL) compares in lower case, as its database holds lower case: there, and where the
rows come from `tables.jsonl`, text is compared without regard to ASCII case.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.text import nfc

AGGREGATES = ("", "MAX", "MIN", "COUNT", "SUM", "AVG")
OPERATORS = ("=", ">", "<")
_TABLES_A_FILE = 500  # SQLite reads the whole schema when it opens a file
_NUMBER = re.compile(r"[-+]?\d*\.\d+|[-+]?\d+")


@dataclass(frozen=True, slots=True)
class WikiTable:
    """One table: its SQL name, the names of its columns, which of them are numbers, and its file."""

    name: str
    columns: tuple[str, ...]
    real: tuple[bool, ...]
    database: str | None
    title: str = ""

    @property
    def ddl(self) -> str:
        """One CREATE TABLE statement, a column a line."""
        kinds = ("REAL" if real else "TEXT" for real in self.real)
        lines = ",\n".join(f"  {quote(c)} {k}" for c, k in zip(self.columns, kinds, strict=True))
        return f"CREATE TABLE {quote(self.name)} (\n{lines}\n);"


def quote(name: str) -> str:
    """The name in double quotes: headers are free text."""
    return '"' + name.replace('"', '""') + '"'


def table_name(table_id: Any) -> str:
    """What WikiSQL's database calls the table: `1-10015132-11` is `table_1_10015132_11`."""
    return "table_" + re.sub(r"\W", "_", str(table_id))


def unique_names(header: Sequence[Any]) -> tuple[str, ...]:
    """The header as column names: NFC, one line, `colN` for an empty one, ` (2)` behind a repeated one."""
    found: dict[str, str] = {}
    for at, word in enumerate(header):
        base = name = " ".join(nfc(str(word)).split()) or f"col{at}"
        number = 1
        while name.lower() in found:
            number += 1
            name = f"{base} ({number})"
        found[name.lower()] = name
    return tuple(found.values())


def gold_sql(table: WikiTable, sql: Mapping[str, Any]) -> str:
    """The query that `sel`, `agg` and `conds` mean. Raises KeyError, ValueError, IndexError or TypeError."""
    column = quote(table.columns[_known("column", sql["sel"], table.columns)])
    aggregate = AGGREGATES[_known("aggregate", sql["agg"], AGGREGATES)]
    text = f"SELECT {f'{aggregate}({column})' if aggregate else column} FROM {quote(table.name)}"
    conditions = [
        f"{quote(table.columns[at])} {OPERATORS[operator]} {_literal(value, table.real[at])}"
        for at, operator, value in _conditions(sql["conds"], table)
    ]
    return text + (f" WHERE {' AND '.join(conditions)}" if conditions else "") + ";"


def _known(what: str, value: Any, of: Sequence[Any]) -> int:
    """The index; a negative one would silently mean another thing."""
    at = int(value)
    if not 0 <= at < len(of):
        raise IndexError(f"{what} {at} of {len(of)}")
    return at


def _conditions(conds: Any, table: WikiTable) -> Iterator[tuple[int, int, Any]]:
    """The conditions of both forms: triples, or the Hub's three lists."""
    if isinstance(conds, Mapping):
        keys = ("column_index", "operator_index", "condition")
        conds = list(zip(*(conds[key] for key in keys), strict=True))
    for column, operator, value in conds:
        yield _known("column", column, table.columns), _known("operator", operator, OPERATORS), value


def _literal(value: Any, real: bool) -> str:
    if real and (number := as_number(value)) is not None:
        return repr(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
    return "'" + nfc(str(value)).replace("'", "''") + "'"


def as_number(value: Any) -> float | None:
    """The number that a text means, without commas; else the first number in it, as WikiSQL's engine does."""
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        found = _NUMBER.search(str(value))
        return float(found.group()) if found else None


class TableFiles:
    """SQLite files in a folder that tables are written into; nothing is written where there is no folder.

    Use it in a `with`: files that are whole already are kept, others are made anew when it is left.
    """

    def __init__(self, folder: Path | None, *, fold_case: bool = True) -> None:
        self.folder = folder
        self._text = "TEXT COLLATE NOCASE" if fold_case else "TEXT"
        self._ready = folder is not None and folder.is_dir()
        self._scratch = folder.with_name(f".making-{folder.name}") if folder and not self._ready else None
        self._connection: sqlite3.Connection | None = None
        self._count = 0

    def __enter__(self) -> TableFiles:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir(parents=True)
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if self._connection is not None:
            self._connection.commit()
            self._connection.close()
        if self._scratch is not None and self.folder is not None:
            if kind is None and not self.folder.is_dir():
                self._scratch.rename(self.folder)
            shutil.rmtree(self._scratch, ignore_errors=True)

    def add(self, table: Mapping[str, Any], rows: Iterable[Sequence[Any]]) -> WikiTable:
        """Write one table of `tables.jsonl`. Raises DataError, KeyError or TypeError where it is none."""
        names = unique_names(table["header"])
        kinds = [str(kind).lower() for kind in table.get("types") or ["text"] * len(names)]
        name = table_name(table["id"])
        place = f"tables-{self._count // _TABLES_A_FILE}.sqlite"
        made = WikiTable(
            name,
            names,
            tuple(kind in ("real", "number") for kind in kinds),
            str(self.folder / place) if self.folder else None,
            str(table.get("page_title") or table.get("caption") or ""),
        )
        if len(made.real) != len(made.columns):
            raise DataError(f"The table {table['id']} has {len(names)} columns and {len(kinds)} types")
        if self._scratch is not None:
            self._write(self._scratch / place, made, rows)
        self._count += 1
        return made

    def _write(self, path: Path, table: WikiTable, rows: Iterable[Sequence[Any]]) -> None:
        if self._count % _TABLES_A_FILE == 0:
            if self._connection is not None:
                self._connection.commit()
                self._connection.close()
            self._connection = sqlite3.connect(path)
        assert self._connection is not None
        kinds = ["REAL" if real else self._text for real in table.real]
        columns = ", ".join(f"{quote(c)} {k}" for c, k in zip(table.columns, kinds, strict=True))
        self._connection.execute(f"CREATE TABLE {quote(table.name)} ({columns})")
        marks = ", ".join("?" * len(table.columns))
        self._connection.executemany(
            f"INSERT INTO {quote(table.name)} VALUES ({marks})", (_cells(row, table) for row in rows)
        )


def _cells(row: Sequence[Any], table: WikiTable) -> list[Any]:
    cells = [_cell(value, real) for value, real in zip(row, table.real, strict=False)]
    return cells + [None] * (len(table.real) - len(cells))


def _cell(value: Any, real: bool) -> Any:
    if value is None or isinstance(value, (int, float)):
        return value if real or value is None else str(value)
    text = nfc(str(value))
    if not real:
        return text
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


class OwnDatabase:
    """WikiSQL's own `SPLIT.db`, whose columns are col0 ... under the header. Use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> OwnDatabase:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def rows(self, table_id: Any) -> list[tuple[Any, ...]] | None:
        """The rows of a table, None where the database has no such table. Raises sqlite3.Error."""
        name = table_name(table_id)
        known = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        return self._connection.execute(f"SELECT * FROM {quote(name)}").fetchall() if known else None

    def lower_case(self, look_at: int = 200) -> bool:
        """Whether the text of its first tables has no capital letter."""
        names = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' LIMIT ?", (look_at,)
        ).fetchall()
        return not any(
            any(c.isupper() for c in cell)
            for (name,) in names
            for row in self._connection.execute(f"SELECT * FROM {quote(name)} LIMIT 50")
            for cell in row
            if isinstance(cell, str)
        )
