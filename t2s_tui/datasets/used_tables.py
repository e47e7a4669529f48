"""Which tables and columns of a DDL a query uses, statement by statement: what a reader wants to see open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

_NAME = r"(?:`[^`]+`|\"[^\"]+\"|\[[^\]]+\]|[\w$]+)"
_CREATE = re.compile(
    rf"\bCREATE\s+(?:\w+\s+){{0,2}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:{_NAME}\s*\.\s*)*({_NAME})",
    re.IGNORECASE,
)
_PIECE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|[(),;]", re.DOTALL)
_COMMENT = re.compile(r"[ \t]*--[^\n]*")
_FIRST_NAME = re.compile(rf"\s*({_NAME})")


@dataclass(frozen=True, slots=True)
class TableText:
    """One statement of a DDL, a line a column. `name` is empty for statements that make no table.

    `used` says whether the query names the table, `used_lines` which lines declare a column that it names.
    """

    name: str
    lines: tuple[str, ...]
    columns: int
    used: bool
    used_lines: frozenset[int]


def table_texts(ddl: str, tree: exp.Expr | None) -> list[TableText]:
    """The statements of the DDL in order, marked by the parsed query; None (it does not parse) marks nothing.

    The DDL is read by its brackets and commas: it need not parse, and a key in a list costs no parser.
    """
    statements = _read_all(ddl)
    schema = {s.name.lower(): set(s.columns.values()) for s in statements if s.name}
    used = _used(tree, schema) if tree is not None else {}
    return [_marked(statement, used) for statement in statements]


@dataclass(frozen=True, slots=True)
class _Statement:
    """`columns` is line -> the lower-case column that it declares."""

    name: str
    lines: tuple[str, ...]
    columns: dict[int, str]


def _used(tree: exp.Expr, schema: dict[str, set[str]]) -> dict[str, set[str]]:
    """Lower-case table -> its lower-case columns that the statement names."""
    from sqlglot import exp

    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    names: dict[str, set[str]] = {}  # by an alias or a name -> the tables it may mean
    used: dict[str, set[str]] = {}
    for table in tree.find_all(exp.Table):
        if (name := table.name.lower()) and name not in ctes:
            names.setdefault(table.alias_or_name.lower(), set()).add(name)
            used.setdefault(name, set())
    for column in tree.find_all(exp.Column):
        owners = names.get(column.table.lower(), set()) if column.table else set(used)
        for owner in owners:
            known = schema.get(owner)
            if isinstance(column.this, exp.Star):
                used[owner] |= known or set()
            elif known is None or column.name.lower() in known:
                used[owner].add(column.name.lower())
    for select in tree.find_all(exp.Select):
        if any(isinstance(item, exp.Star) for item in select.expressions):
            for name in used:
                used[name] |= schema.get(name, set())
    return used


@lru_cache(maxsize=64)
def _read_all(ddl: str) -> tuple[_Statement, ...]:
    """The rows of one database bring the same DDL."""
    return tuple(_read(statement) for statement in _statements(ddl))


def _read(statement: str) -> _Statement:
    found = _CREATE.search(statement)
    if found is None:
        return _Statement("", tuple(statement.splitlines()), {})
    lines = tuple(_lines(statement))
    columns = {}
    for at, line in enumerate(lines[1:-1], start=1):
        first = _FIRST_NAME.match(line)
        word = _bare(first.group(1)).lower() if first else ""
        if word and word not in _CONSTRAINTS:
            columns[at] = word
    return _Statement(_bare(found.group(1)), lines, columns)


def _marked(statement: _Statement, used: dict[str, set[str]]) -> TableText:
    name = statement.name.lower()
    wanted = used.get(name, set())
    lines = frozenset(at for at, column in statement.columns.items() if column in wanted)
    return TableText(
        statement.name, statement.lines, len(statement.columns), bool(name) and name in used, lines
    )


_CONSTRAINTS = frozenset(("primary", "foreign", "unique", "constraint", "check", "key", "index"))


def _bare(name: str) -> str:
    return name[1:-1] if name[:1] in '`"[' else name


def _statements(ddl: str) -> list[str]:
    """The DDL cut after each `;`, literals and comments left whole."""
    cuts = [match.end() for match in _PIECE.finditer(ddl) if match.group() == ";"]
    bounds = [0, *cuts, len(ddl)]
    parts = (ddl[start:stop].strip() for start, stop in pairwise(bounds))
    return [part for part in parts if part]


def _lines(statement: str) -> Iterator[str]:
    """The statement with each definition between its brackets on a line of its own, as many already are."""
    start, depth = 0, 0
    for match in _PIECE.finditer(statement):
        piece, cut = match.group(), None
        if piece == "(":
            depth += 1
            cut = match.end() if depth == 1 else None
        elif piece == ")":
            depth -= 1
            cut = match.start() if depth == 0 else None
        elif piece == "," and depth == 1:
            cut = match.end()
        if cut is None:
            continue
        # A comment behind the comma belongs to the definition before it.
        comment = _COMMENT.match(statement, cut) if piece == "," else None
        cut = comment.end() if comment else cut
        yield from _pieces(statement[start:cut], inside=start > 0)
        start = cut
    yield from _pieces(statement[start:], inside=False)


def _pieces(text: str, *, inside: bool) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip():
            yield f"  {line.strip()}" if inside else line.strip()
