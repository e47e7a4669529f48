"""Why a model's SQL is not run. The first of two walls: the sandbox's authorizer is the second.

A model's SQL is hostile until shown otherwise (trap 28): one statement that reads, or nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

from t2s_tui.sql.dialects import SqlSyntaxError, parse_all

#: What starts a statement that is no query, in SQLite and in the dialects that are translated to it.
_WORDS = """
ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMIT COPY CREATE DELETE DESC DESCRIBE DETACH DO DROP
END EXEC EXECUTE EXPLAIN EXPORT GRANT IMPORT INSERT INSTALL LOAD LOCK MERGE PRAGMA REINDEX RELEASE
RENAME REPLACE RESET REVOKE ROLLBACK SAVEPOINT SET SHOW START TRUNCATE UPDATE USE VACUUM
"""
_DOES = frozenset(_WORDS.split())
_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*", re.DOTALL)
_WORD = re.compile(r"\S\w*")
_READS = ("SELECT", "WITH")
_FORBIDDEN_FUNCTIONS = frozenset(
    ("load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "load_file", "pg_read_file")
)
#: One of these words must a text hold, be it in a literal, to be more than one SELECT; or a `;`.
_TO_PARSE = frozenset((*(_DOES - {"END", "DESC"}), "INTO", *(name.upper() for name in _FORBIDDEN_FUNCTIONS)))
_WORDS_IN = re.compile(r"\w+")


@lru_cache(maxsize=4_096)
def refuse_reason(sql: str, dialect: str) -> str | None:
    """Why this is not run (half a sentence), or None when it may go to the sandbox.

    Text that does not parse is judged by its first word alone: the engine says then what is wrong with it.
    """
    word = first_word(sql)
    if word in _READS and ";" not in sql and _TO_PARSE.isdisjoint(_WORDS_IN.findall(sql.upper())):
        return None  # nothing in it could be more than a query: most predictions, and no parsing
    if not word:
        return "there is no SQL"
    if word in _DOES:
        return f"{word} is not run: only a SELECT is"
    try:
        trees = parse_all(sql, dialect)
    except SqlSyntaxError:
        return None
    if len(trees) > 1:
        return f"there are {len(trees)} statements and only one is run"
    return _writes(trees[0]) if trees else "there is no SQL"


def first_word(sql: str) -> str:
    """The first word in capitals, past comments and parentheses; empty when there is none."""
    blank = _BLANK.match(sql)
    word = _WORD.match(sql, blank.end() if blank else 0)
    return word.group().upper() if word else ""


def _writes(tree: object) -> str | None:
    from sqlglot import exp

    if not isinstance(tree, exp.Query | exp.Values):
        return f"{type(tree).__name__.upper()} is not run: only a SELECT is"
    if writing := tree.find(exp.DML, exp.DDL, exp.Command, exp.Into):
        return f"{type(writing).__name__.upper()} inside a SELECT is not run"
    for call in tree.find_all(exp.Anonymous):
        if str(call.this).lower() in _FORBIDDEN_FUNCTIONS:
            return f"the function {call.this} is not run"
    return None
