"""A statement with its names the same as well: what joins, nesting and clauses say depends on no name.

Rows that ask many databases alike then need parsing once for all of them. Only what is surely a name is
replaced: what the row's own DDL declares and what stands behind AS, where it is no word of the dialect.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from t2s_tui.sql.highlight import keywords
from t2s_tui.sql.unknown_names import SYSTEM_COLUMNS, SYSTEM_TABLES

_QUOTED = re.compile(r"\"([^\"]*)\"|`([^`]*)`|\[([^\]]*)\]")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|\d[\w.]*|([^\W\d][\w$]*)(\s*\()?")
_ALIAS = re.compile(r"\bAS\s+([^\W\d]\w*)", re.IGNORECASE)
_PLACE = "zq_{}"
#: Words that a parser looks for in some place though they are no keywords of a tokenizer.
_WORDS = """
absent after array before contains cube current cycle day days depth each excluded exclude first following
format grouping groups hour hours ignore keep key last lateral local locked match_recognize measures
minute minutes month months next no nocycle nowait nulls of offset only ordinality others out outer over
overflow path plan preceding prior quarter recursive respect rollup row rows sample search second seconds
separator sets siblings skip some system temporary ties timestamp to top truncate unbounded unknown utc
value version wait week weeks within without work year years zone
"""


def template(sql: str, names: Collection[str], dialect: str) -> tuple[str, dict[str, str]]:
    """The statement with placeholders, and for each of them the name as it is written first.

    `sql` has its literals masked (masked.py); `names` are in lower case. A name that is quoted somewhere in
    it stays as it is everywhere.
    """
    if _PLACE[:3] in sql or "--" in sql or "/*" in sql or "\\" in sql or "#" in sql:
        return sql, {}
    aliases = {name.lower() for name in _ALIAS.findall(sql)}
    quoted = {(a or b or c).lower() for a, b, c in _QUOTED.findall(sql)}
    kept = _kept(dialect)
    places: dict[str, str] = {}
    written: dict[str, str] = {}
    called: set[str] = set()

    def replaced(match: re.Match[str]) -> str:
        word, call = match.groups()
        if word is None:
            return match.group()
        lower = word.lower()
        if call:
            called.add(lower)
            return match.group()
        if lower in kept or lower in quoted or not (lower in names or lower in aliases):
            return match.group()
        if lower.startswith(SYSTEM_TABLES):
            return match.group()
        if lower not in places:
            places[lower] = _PLACE.format(len(places))
            written[places[lower]] = word
        return places[lower]

    text = _TOKEN.sub(replaced, sql)
    # A name that is called too may be a function's or a list of columns': then nothing is replaced.
    return (sql, {}) if called & places.keys() else (text, written)


@cache
def _kept(dialect: str) -> frozenset[str]:
    """Words, in lower case, that may be more than a name."""
    from sqlglot.dialects.dialect import Dialect

    known = Dialect.get_or_raise(dialect)
    words = {word.lower() for phrase in known.tokenizer_class.KEYWORDS for word in str(phrase).split()}
    words |= {name.lower() for name in known.parser_class.FUNCTIONS}
    return frozenset(words | set(_WORDS.split()) | SYSTEM_COLUMNS | {word.lower() for word in keywords()})
