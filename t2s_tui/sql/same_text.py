"""Whether two texts are the same query but for case, spaces and line breaks: by a key, without a parser.

For results that are kept by what was asked: texts with one key have one result in SQLite and in DuckDB.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: Quoted runs and comments, in which a space, a line break or the case of a letter may mean something.
_KEPT = re.compile(
    r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*(?:\n|\Z)|/\*.*?\*/)", re.DOTALL
)
_QUOTES = re.compile(r"['\"`\[]|--|/\*")
#: Texts with one of these are their own key: some dialects quote by them, or they stand for operators below.
_STRANGE = re.compile(r"[$\\\x00-\x08]")
#: Tokens of their own whatever stands around them; two signs before one, so that `< >` does not become `<>`.
_APART = (
    *((sign, f" {chr(code)} ") for code, sign in enumerate(("<>", "!=", "<=", ">=", "=="), 1)),
    *((sign, f" {sign} ") for sign in "<>=(),"),
)


@lru_cache(maxsize=16_384)
def text_key(sql: str) -> str:
    """Equal for texts that are the same tokens in any spacing and in any case outside of quotes.

    Only letters of ASCII lose their case, as engines see it.
    """
    if _STRANGE.search(sql):
        return sql
    text = sql.strip().rstrip("; \t\r\n")
    if not _QUOTES.search(text):
        return _plain(text)
    parts = _KEPT.split(text)
    return "".join(part if at % 2 else _before_quote(part) for at, part in enumerate(parts))


def _before_quote(text: str) -> str:
    """`x'41'` is a blob and `x '41'` a name with an alias: a quote belongs to the word that it touches."""
    touches = text[-1:].isalnum() or text[-1:] == "_"
    return _plain(text) + ("\x00" if touches else " ")


def _plain(text: str) -> str:
    lower = text.lower() if text.isascii() else text
    for sign, apart in _APART:
        if sign in lower:
            lower = lower.replace(sign, apart)
    return " ".join(lower.split())
