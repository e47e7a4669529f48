"""Which SQL dialect a DDL is written in, told by the marks that only one engine knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

DEFAULT = "sqlite"

_FLAGS = re.IGNORECASE
_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sqlite", re.compile(r"\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b", _FLAGS)),
    (
        "mysql",
        re.compile(
            r"\bAUTO_INCREMENT\b|\bENGINE\s*=|\bUNSIGNED\b|\b(?:MEDIUM|LONG|TINY)TEXT\b|\bMEDIUMINT\b"
            r"|\bON\s+UPDATE\s+CURRENT_TIMESTAMP\b|\bENUM\s*\(",
            _FLAGS,
        ),
    ),
    (
        "postgres",
        re.compile(
            r"\b(?:BIG|SMALL)?SERIAL\b|\bTIMESTAMPTZ\b|\bJSONB\b|\bBYTEA\b|'::|\bCREATE\s+TYPE\b", _FLAGS
        ),
    ),
    ("tsql", re.compile(r"\bIDENTITY\s*\(\s*\d|\bNVARCHAR\s*\(|\bUNIQUEIDENTIFIER\b|\[dbo\]", _FLAGS)),
    ("oracle", re.compile(r"\bN?VARCHAR2\b|\bNUMBER\s*\(", _FLAGS)),
)
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def recognise(ddl: str) -> str | None:
    """The dialect whose marks the DDL bears most of, None when it bears none.

    Literals and comments do not count: a comment may say AUTO_INCREMENT in a SQLite file.
    """
    bare = _LITERAL.sub(" ", ddl)
    found = {name: len(pattern.findall(bare)) for name, pattern in _MARKS}
    best = max(found, key=lambda name: found[name])
    return best if found[best] else None


def vote(ddls: Iterable[str]) -> str:
    """The dialect of a whole dataset: what most of its DDLs say, DEFAULT when none says anything."""
    said = Counter(name for name in map(recognise, ddls) if name)
    return said.most_common(1)[0][0] if said else DEFAULT
