"""Which SQL dialect a DDL is written in, told by the marks that only one engine knows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

DEFAULT = "sqlite"

_MARKS = {
    "sqlite": r"\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b",
    "mysql": r"\bAUTO_INCREMENT\b|\bENGINE\s*=|\bUNSIGNED\b|\b(?:MEDIUM|LONG|TINY)TEXT\b|\bMEDIUMINT\b"
    r"|\bON\s+UPDATE\s+CURRENT_TIMESTAMP\b|\bENUM\s*\(",
    "postgres": r"\b(?:BIG|SMALL)?SERIAL\b|\bTIMESTAMPTZ\b|\bJSONB\b|\bBYTEA\b|\bCREATE\s+TYPE\b|\w::\w",
    "tsql": r"\bIDENTITY\s*\(\s*\d|\bNVARCHAR\s*\(|\bUNIQUEIDENTIFIER\b|\[DBO\]",
    "oracle": r"\bN?VARCHAR2\b|\bNUMBER\s*\(",
}
_ANY_MARK = re.compile("|".join(f"(?P<{name}>{marks})" for name, marks in _MARKS.items()))
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


@lru_cache(maxsize=4096)  # the rows of one database bring the same few DDLs again and again
def recognise(ddl: str) -> str | None:
    """The dialect whose marks the DDL bears most of, None when it bears none.

    Literals and comments do not count: a comment may say AUTO_INCREMENT in a SQLite file.
    """
    bare = _LITERAL.sub(" ", ddl).upper()
    found = Counter(match.lastgroup for match in _ANY_MARK.finditer(bare))
    return found.most_common(1)[0][0] if found else None


def vote(ddls: Iterable[str]) -> str:
    """The dialect of a whole dataset: what most of its DDLs say, DEFAULT when none says anything."""
    said = Counter(name for name in map(recognise, ddls) if name)
    return said.most_common(1)[0][0] if said else DEFAULT
