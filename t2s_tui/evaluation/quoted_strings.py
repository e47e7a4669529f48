"""Double-quoted words that SQLite took for strings because no column has that name (trap 27)."""

from __future__ import annotations

import re
from collections.abc import Collection

from t2s_tui.sql.dialects import SqlSyntaxError, parse

_QUOTED = re.compile(r'"([^"]*)"')
_COMPARED = re.compile(r'(?:[<>=]|\blike|\bglob|\bin\s*\()\s*"([^"]*)"')


def quoted_strings(sql: str, read: Collection[str]) -> list[str]:
    """The words in double quotes that are no column's name and were read as strings, sorted.

    `read` are the names of the columns that the query read, as SQLite told when it ran.
    """
    columns = {column.lower() for column in read}
    words = [word for word in _QUOTED.findall(sql) if word.lower() not in columns]
    if not words:
        return []
    if "'" not in sql and _only_compared(sql, words):
        return sorted(set(words))
    return _by_tree(sql, columns)


def _only_compared(sql: str, words: list[str]) -> bool:
    """Whether each of the words only stands where something is compared with it, and so is no alias either.

    Says so without a parser for most queries that people write.
    """
    text = sql.lower()
    compared = _COMPARED.findall(text)
    return all(word and compared.count(word) == text.count(word) for word in map(str.lower, words))


def _by_tree(sql: str, columns: set[str]) -> list[str]:
    from sqlglot import exp

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
