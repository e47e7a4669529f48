"""Which tables and columns of a DDL a query uses, statement by statement: what a reader wants to see open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from t2s_tui.sql.dialects import SqlSyntaxError, parse
from t2s_tui.sql.schema import tables_in

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


def table_texts(ddl: str, sql: str, dialect: str) -> list[TableText]:
    """The statements of the DDL in order; nothing is marked where the query does not parse."""
    try:
        tree = parse(sql, dialect)
    except SqlSyntaxError:
        return [_text(statement, {}) for statement in _statements(ddl)]
    used = _used(tree, _columns(ddl, dialect))
    return [_text(statement, used) for statement in _statements(ddl)]


def _columns(ddl: str, dialect: str) -> dict[str, set[str]]:
    try:
        return {t.name.lower(): {c.name.lower() for c in t.columns} for t in tables_in(ddl, dialect)}
    except SqlSyntaxError:
        return {}


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


def _text(statement: str, used: dict[str, set[str]]) -> TableText:
    found = _CREATE.search(statement)
    name = _bare(found.group(1)) if found else ""
    lines = tuple(_lines(statement) if found else statement.splitlines())
    wanted = used.get(name.lower(), set())
    marked, columns = set(), 0
    for at, line in enumerate(lines[1:-1], start=1) if found else ():
        first = _FIRST_NAME.match(line)
        word = _bare(first.group(1)).lower() if first else ""
        if word in _CONSTRAINTS or not word:
            continue
        columns += 1
        if word in wanted:
            marked.add(at)
    return TableText(name, lines, columns, name.lower() in used, frozenset(marked))


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
