"""Parsing and translating between SQL dialects with sqlglot. "Does not parse" is a state with a position.

sqlglot is imported inside the functions: screens that only name a dialect do not pay for it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from t2s_tui.errors import DataError, UsageError

if TYPE_CHECKING:
    from sqlglot import exp

#: The dialects that a dataset may name.
DIALECTS = (
    "sqlite",
    "mysql",
    "postgres",
    "duckdb",
    "tsql",
    "oracle",
    "bigquery",
    "snowflake",
    "redshift",
    "spark",
    "hive",
    "presto",
    "trino",
    "clickhouse",
    "databricks",
)
_ALIASES = {"postgresql": "postgres", "mariadb": "mysql", "sqlite3": "sqlite", "mssql": "tsql"}
_TOKEN_REPR = re.compile(r"<Token token_type: \S+, text: (?P<text>.*?), line: .*?>", re.DOTALL)
_MISSING = re.compile(r"Missing (\S+) from (\d+):(\d+)")
#: Open brackets within one another. Compiled sqlglot recurses on the C stack, which no RecursionError guards:
#: 10,000 subqueries in one another end the process. Nobody writes 50.
_DEEPEST = 500


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line and column, both from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class SqlSyntaxError(DataError):
    """SQL that does not parse: `message` says why and `position` where."""

    def __init__(self, message: str, position: Position) -> None:
        self.message = message
        self.position = position
        super().__init__(f"The SQL does not parse at {position} ({message})")


@dataclass(frozen=True, slots=True)
class Unparsed:
    """The state of a text that does not parse, where a value is wanted and not an exception."""

    position: Position
    message: str

    def __str__(self) -> str:
        return f"does not parse at {self.position}: {self.message}"


def check_dialect(name: str) -> str:
    """The canonical name of a dialect; raises UsageError that names those there are."""
    known = _ALIASES.get(name.strip().lower(), name.strip().lower())
    if known not in DIALECTS:
        raise UsageError(f"There is no SQL dialect {name!r}", f"use one of {', '.join(DIALECTS)}")
    return known


def parse(sql: str, dialect: str) -> exp.Expr:
    """The tree of exactly one statement. Raises SqlSyntaxError with the position of the trouble."""
    statements = parse_all(sql, dialect)
    if len(statements) != 1:
        what = "there is no statement" if not statements else f"there are {len(statements)} statements"
        raise SqlSyntaxError(what, Position(1, 1))
    return statements[0]


def parse_all(sql: str, dialect: str) -> list[exp.Expr]:
    """The trees of all statements of a text. Raises SqlSyntaxError."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    # What sqlglot does not know it keeps as a Command and says so on stderr: the tree says it too.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if _nests_too_deeply(sql):
        raise SqlSyntaxError("nested too deeply", Position(1, 1))
    try:
        trees = sqlglot.parse(sql, read=check_dialect(dialect))
        # What follows the last `;` may be a comment alone: sqlglot's Semicolon, and no statement.
        found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    except TokenError as error:
        raise _from_tokenizer(sql, error) from error
    except ParseError as error:
        raise _from_parser(sql, error) from error
    except RecursionError as error:
        raise SqlSyntaxError("nested too deeply", Position(1, 1)) from error
    for tree in found:
        # Bare words parse as an expression ("hello world" is `hello AS world`): that is no statement.
        if isinstance(tree, exp.Condition | exp.Alias | exp.Identifier) and not isinstance(tree, exp.Query):
            raise SqlSyntaxError("this is no SQL statement", Position(1, 1))
    return found


def divides_integers(dialect: str) -> bool:
    """Whether `7 / 2` is 3 in the dialect."""
    from sqlglot.dialects.dialect import Dialect

    return bool(Dialect.get_or_raise(check_dialect(dialect)).TYPED_DIVISION)


def translate(sql: str, read: str, write: str) -> str:
    """The statement in another dialect. The same dialect gives the text back untouched, unparsed.

    Raises SqlSyntaxError. What `write` cannot say is left as it was: running it shows that.
    """
    read, write = check_dialect(read), check_dialect(write)
    if read == write:
        return sql
    tree = parse(sql, read)
    if write == "sqlite":
        from t2s_tui.sql.to_sqlite import rewrite_for_sqlite

        tree = rewrite_for_sqlite(tree)
    return generate(tree, write)


def generate(tree: exp.Expr, dialect: str) -> str:
    """The tree as one line of text. Raises SqlSyntaxError where it is nested too deeply to write."""
    from sqlglot.errors import ErrorLevel

    try:
        return str(tree.sql(dialect=dialect, unsupported_level=ErrorLevel.IGNORE, comments=False))
    except RecursionError as error:
        raise SqlSyntaxError("nested too deeply", Position(1, 1)) from error


def _nests_too_deeply(sql: str) -> bool:
    """Whether brackets are open in more than `_DEEPEST` others. Those inside literals count too."""
    if sum(map(sql.count, "([{")) <= _DEEPEST:
        return False
    depth = deepest = 0
    for bracket in re.findall(r"[][(){}]", sql):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest > _DEEPEST


def _from_tokenizer(sql: str, error: Exception) -> SqlSyntaxError:
    """Unterminated literals and comments: the position of the opening quote where sqlglot gives it."""
    found = _MISSING.search(str(error.__cause__ or error.__context__ or "") + str(error))
    if found:
        quote, line, column = found.group(1), int(found.group(2)), int(found.group(3))
        return SqlSyntaxError(f"{quote} is never closed", Position(line, column + 1))
    return SqlSyntaxError("the text ends inside a comment or literal", _end_of(sql))


def _from_parser(sql: str, error: Exception) -> SqlSyntaxError:
    details = getattr(error, "errors", None) or [{}]
    first = details[0]
    description = str(first.get("description") or error).splitlines()[0]
    description = _TOKEN_REPR.sub(
        lambda m: "the end of the text" if m["text"] == "SENTINEL" else repr(m["text"]), description
    )
    if description.startswith("Required keyword"):
        description = "something is missing"
    line, column = first.get("line"), first.get("col")
    if not line or not column:
        return SqlSyntaxError(description, _end_of(sql))
    word = str(first.get("highlight") or "")
    if word and "\n" not in word:
        column = max(1, column - len(word) + 1)  # sqlglot counts to the end of the word
        description = f"{description} near {word!r}" if word not in description else description
    return SqlSyntaxError(description, Position(int(line), int(column)))


def _end_of(sql: str) -> Position:
    lines = sql.splitlines() or [""]
    return Position(len(lines), len(lines[-1]) + 1)
