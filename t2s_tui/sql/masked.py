"""A statement with all its literals the same: what joins, nesting and names say does not depend on them.

Rows that were made from a template then need parsing once, and not once a row.
"""

from __future__ import annotations

import re

_LITERAL = re.compile(
    r"""(?P<text>'(?:[^']|'')*')|"[^"]*"|`[^`]*`|\[[^\]]*\]|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w.]))"""
)


def masked(sql: str) -> str:
    """Every closed text in single quotes becomes 'x', every number 1; quoted names stay.

    A statement with a backslash stays as it is: whether that escapes a quote is each dialect's own affair. So
    does one with a comment, which may hold a quote.
    """
    if "\\" in sql or "--" in sql or "/*" in sql or "#" in sql:
        return sql
    return _LITERAL.sub(_mask, sql)


def _mask(match: re.Match[str]) -> str:
    return "'x'" if match["text"] is not None else "1" if match["number"] is not None else match.group()
