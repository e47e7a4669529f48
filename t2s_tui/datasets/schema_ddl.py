"""DDL texts for sources that describe their schemas in other ways: Spider's `tables.json`, a SQLite file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_tui.errors import DataError
from t2s_tui.text import nfc, one_line

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TYPES = {"text": "TEXT", "number": "NUMERIC", "time": "DATETIME", "boolean": "BOOLEAN", "real": "REAL"}
#: Names that SQLite or sqlglot take for something else when they stand bare.
_RESERVED = frozenset(
    """ALL AND AS ASC BETWEEN BY CASE CHECK COLUMN CREATE CROSS CURRENT DEFAULT DESC DISTINCT DROP ELSE END
    EXCEPT EXISTS FOR FOREIGN FROM FULL GROUP HAVING IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS JOIN KEY
    LEFT LIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER PRIMARY RANGE REFERENCES RIGHT ROW ROWS SELECT
    SET TABLE THEN TO TRANSACTION UNION UNIQUE UPDATE USING VALUES VIEW WHEN WHERE WINDOW WITH""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a DDL to be written; `comment` is what people call it."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TableDdl:
    """A table to be written. `foreign` holds (own column, table, its column)."""

    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...] = ()
    foreign: tuple[tuple[str, str, str], ...] = ()
    comment: str = ""


def quoted(name: str) -> str:
    """The name as SQL writes it: bare where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def ddl_text(tables: Iterable[TableDdl]) -> str:
    """The CREATE TABLE statements, a column a line, comments behind them."""
    return "\n\n".join(map(_table, tables))


def _table(table: TableDdl) -> str:
    lines = []
    alone = table.primary[0] if len(table.primary) == 1 else None
    for column in table.columns:
        key = " PRIMARY KEY" if column.name == alone else ""
        lines.append((f"{quoted(column.name)} {column.type}".rstrip() + key, column.comment))
    if len(table.primary) > 1:
        lines.append((f"PRIMARY KEY ({', '.join(map(quoted, table.primary))})", ""))
    for own, other, target in table.foreign:
        text = f"FOREIGN KEY ({quoted(own)}) REFERENCES {quoted(other)} ({quoted(target)})"
        lines.append((text, ""))
    last = len(lines) - 1
    body = "\n".join(
        f"  {text}{',' if at < last else ''}{_comment(comment)}" for at, (text, comment) in enumerate(lines)
    )
    return f"CREATE TABLE {quoted(table.name)} ({_comment(table.comment)}\n{body}\n);"


def _comment(text: str) -> str:
    return f" -- {one_line(text)}" if text.strip() else ""


def ddl_of_tables_json(
    entry: Mapping[str, Any], *, comments: bool = False, keys: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The DDL of one database of a `tables.json` (Spider, BIRD, AI Hub's annotations).

    With `comments` the names that people use stand behind tables and columns. `keys` are the primary keys
    that the database has (`keys_of_database`): they complete those of which the entry names a part only.
    Raises KeyError, TypeError, ValueError or IndexError for an entry that is none.
    """
    names = [nfc(str(name)) for name in entry["table_names_original"]]
    spoken = [str(name) for name in entry.get("table_names") or names] if comments else [""] * len(names)
    columns: list[tuple[int, str]] = [(int(t), nfc(str(c))) for t, c in entry["column_names_original"]]
    types = [str(kind) for kind in entry["column_types"]]
    words = entry.get("column_names") or []
    primary = _flat(entry.get("primary_keys") or [])
    foreign = [(int(a), int(b)) for a, b in entry.get("foreign_keys") or []]
    tables = []
    for number, name in enumerate(names):
        own = [at for at, (table, _) in enumerate(columns) if table == number]
        named = tuple(columns[at][1] for at in primary if at in own)
        tables.append(
            TableDdl(
                name=name,
                columns=tuple(
                    Column(
                        columns[at][1],
                        _TYPES.get(types[at].lower(), "TEXT"),
                        _spoken(words, at) if comments else "",
                    )
                    for at in own
                ),
                primary=_completed(named, (keys or {}).get(name.lower(), ()), [columns[at][1] for at in own]),
                foreign=tuple(
                    (columns[a][1], names[columns[b][0]], columns[b][1]) for a, b in foreign if a in own
                ),
                comment=spoken[number] if comments and number < len(spoken) else "",
            )
        )
    return ddl_text(tables)


def _completed(named: tuple[str, ...], key: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    """The database's key, in the letters of `columns`, where `named` is a part of it; else `named`."""
    letters = {column.lower(): column for column in columns}
    wide = tuple(letters.get(column.lower(), "") for column in key)
    return wide if "" not in wide and set(named) < set(wide) else named


def _spoken(words: Sequence[Any], at: int) -> str:
    """What people call column `at`; an entry is [table, name] or the name alone."""
    if at >= len(words):
        return ""
    word = words[at]
    return str(word[-1]) if isinstance(word, list) else str(word)


def _flat(keys: Sequence[Any]) -> list[int]:
    """The columns of all keys; a key of several columns is a list (BIRD)."""
    return [int(at) for key in keys for at in (key if isinstance(key, list) else [key])]


def ddl_of_database(path: Path) -> str:
    """The CREATE TABLE and CREATE VIEW statements that a SQLite file holds. Raises DataError."""
    rows = _asked(
        path,
        "SELECT sql FROM sqlite_master WHERE type IN ('table', 'view') AND sql IS NOT NULL "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )
    return "\n\n".join(nfc(str(sql)).strip().rstrip(";") + ";" for (sql,) in rows)


def keys_of_database(path: Path) -> dict[str, tuple[str, ...]]:
    """The primary key of each table of a SQLite file that has one, by the table's name in small letters.

    Raises DataError.
    """
    rows = _asked(
        path,
        "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table' AND c.pk > 0 ORDER BY t.rowid, c.pk",
    )
    keys: dict[str, tuple[str, ...]] = {}
    for table, column in rows:
        name = nfc(str(table)).lower()
        keys[name] = (*keys.get(name, ()), nfc(str(column)))
    return keys


def _asked(path: Path, sql: str) -> list[tuple[Any, ...]]:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:
        raise DataError(
            f"The schema of {path} cannot be read ({error})", "replace the database file"
        ) from error
