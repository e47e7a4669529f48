"""Words of SQL with a class each, for the widgets: Pygments never fails on half a query (trap 11)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_WORDS = """
ALL ALTER AND ANY AS ASC ATTACH AUTO_INCREMENT AUTOINCREMENT BEGIN BETWEEN BIGINT BLOB BOOLEAN BY
CASCADE CASE CAST CHAR CHECK COLLATE COLUMN COMMIT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE
CURRENT_TIME CURRENT_TIMESTAMP DATABASE DATETIME DECIMAL DEFAULT DELETE DESC DESCRIBE DISTINCT DIV
DOUBLE DROP ELSE END ENUM ESCAPE EXCEPT EXISTS EXPLAIN FALSE FETCH FLOAT FOLLOWING FOR FOREIGN FROM
FULL GLOB GROUP HAVING IF ILIKE IN INDEX INNER INSERT INT INTEGER INTERSECT INTERVAL INTO IS ISNULL
JOIN KEY LEFT LIKE LIMIT MATCH NATURAL NOT NOTNULL NULL NULLS NUMERIC OFFSET ON OR ORDER OUTER OVER
PARTITION PRAGMA PRECEDING PRIMARY QUALIFY RANGE REAL RECURSIVE REFERENCES REGEXP REPLACE RIGHT
RLIKE ROWS SELECT SEPARATOR SET SMALLINT TABLE TEXT THEN TIMESTAMP TINYINT TO TRUE TRUNCATE
UNBOUNDED UNION UNIQUE UNSIGNED UPDATE USING VACUUM VALUES VARCHAR VIEW WHEN WHERE WINDOW WITH XOR
"""
_KEYWORDS = frozenset(_WORDS.split())

#: The classes that `tokens` gives.
CLASSES = ("keyword", "name", "string", "number", "operator", "comment", "plain")


def keywords() -> frozenset[str]:
    """The words, in capitals, that are shown as keywords."""
    return _KEYWORDS


def tokens(sql: str) -> list[tuple[str, str]]:
    """(text, class) pairs whose texts join to exactly `sql`; class is one of CLASSES."""
    found: list[tuple[str, str]] = []
    for _, kind, text in _lexer().get_tokens_unprocessed(sql):
        name = _class_of(str(kind))
        if name == "keyword" and text.upper() not in _KEYWORDS:
            name = "name"  # Pygments takes NAME, LEVEL, YEAR and C for keywords: here they are columns
        if found and found[-1][1] == name == "plain":
            found[-1] = (found[-1][0] + text, name)
        elif text:
            found.append((text, name))
    return found


@lru_cache(maxsize=1)
def _lexer() -> Any:
    from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]

    return SqlLexer()


@lru_cache(maxsize=256)
def _class_of(kind: str) -> str:
    for prefix, name in _PREFIXES:
        if kind.startswith(prefix):
            return name
    return "plain"


_PREFIXES = (
    ("Token.Keyword", "keyword"),
    ("Token.Operator.Word", "keyword"),
    ("Token.Literal.String.Symbol", "name"),
    ("Token.Literal.String.Name", "name"),
    ("Token.Literal.String", "string"),
    ("Token.Literal.Number", "number"),
    ("Token.Comment", "comment"),
    ("Token.Operator", "operator"),
    ("Token.Punctuation", "operator"),
    ("Token.Name", "name"),
)
