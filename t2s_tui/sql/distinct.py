"""DISTINCT taken out of a query, and whether it has one: by tokens, never by the words of a literal."""

from __future__ import annotations

import re

_WORD = re.compile(r"\bdistinct\b", re.IGNORECASE)


def has_distinct(sql: str) -> bool:
    """Whether the text says DISTINCT anywhere, as most do not: the word in a literal counts too."""
    return "distinct" in sql.lower() and bool(_WORD.search(sql))


def without_distinct(sql: str, dialect: str) -> str:
    """The text without the DISTINCT of its SELECTs and aggregates. `IS [NOT] DISTINCT FROM` stays.

    Text that has no tokens (a literal that never ends) comes back as it is.
    """
    if not has_distinct(sql):
        return sql
    from sqlglot import TokenType, tokenize
    from sqlglot.errors import TokenError

    try:
        tokens = tokenize(sql, read=dialect)
    except TokenError:
        return sql
    pieces, at = [], 0
    for before, token in zip((None, *tokens), tokens, strict=False):
        compares = before is not None and before.token_type in (TokenType.IS, TokenType.NOT)
        if token.token_type is TokenType.DISTINCT and not compares:
            pieces.append(sql[at : token.start])
            at = token.end + 1
    return "".join((*pieces, sql[at:]))
