"""Names that a query uses and its DDL does not declare. In doubt nothing is said: a finding here is sure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlglot import exp

#: Lower-case table -> its lower-case columns.
Schema = Mapping[str, Collection[str]]
_Node = TypeVar("_Node", bound="exp.Expr")

#: Names, or their beginnings, that an engine has without any DDL.
SYSTEM_TABLES = ("sqlite_", "information_schema", "pg_", "dual", "json_", "generate_series", "pragma_")
SYSTEM_COLUMNS = frozenset(("rowid", "oid", "_rowid_", "rownum", "level", "ctid", "excluded"))


@dataclass(frozen=True, slots=True)
class UnknownNames:
    """Tables as written; columns as written, with their qualifier where the query gives one."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def unknown_names(tree: exp.Expr, schema: Schema, dialect: str) -> UnknownNames:
    """The tables and columns that a parsed query uses and the schema lacks, each once, in the query's order.

    Case never counts. SQLite reads a quoted name that is no column as a string (trap 27): there it is none.
    """
    from sqlglot import exp

    seen = _Seen(list(tree.walk()))
    made = {alias.alias.lower() for alias in seen.of(exp.DerivedTable) if alias.alias}
    outputs = {a.alias.lower() for a in seen.of(exp.Alias)} | seen.listed_columns() | SYSTEM_COLUMNS
    tables: dict[str, None] = {}
    sources: dict[str, set[str]] = {}  # alias -> the tables that go by it somewhere in the statement
    for table in seen.of(exp.Table):
        name = table.name.lower()
        known = name in made or name in schema or not name or name.startswith(SYSTEM_TABLES)
        if not known and not str(table.db).lower().startswith(SYSTEM_TABLES):
            tables[table.name] = None
        sources.setdefault(table.alias_or_name.lower(), set()).add(name)
    columns: dict[str, None] = {}
    read = {name for names in sources.values() for name in names}
    sure = not tables and all(name in schema for name in read)
    reachable = {column for table in read if table in schema for column in schema[table]}
    for column in seen.of(exp.Column):
        name = column.name.lower()
        if isinstance(column.this, exp.Star) or name in outputs or name == "*":
            continue
        if column.table:
            of = sources.get(column.table.lower())
            if of and all(t in schema for t in of) and not any(name in schema[t] for t in of):
                columns[f"{column.table}.{column.name}"] = None
        elif sure and name not in reachable and not _perhaps_a_string(column, dialect):
            columns[column.name] = None
    return UnknownNames(tuple(tables), tuple(columns))


@dataclass(frozen=True, slots=True)
class _Seen:
    """The nodes of a tree, walked once."""

    nodes: list[exp.Expr]

    def of(self, kind: type[_Node]) -> Iterator[_Node]:
        return (node for node in self.nodes if isinstance(node, kind))

    def listed_columns(self) -> set[str]:
        """The names in `AS t(a, b)`."""
        from sqlglot import exp

        aliases = self.of(exp.TableAlias)
        return {str(c.name).lower() for alias in aliases for c in alias.args.get("columns") or []}


def _perhaps_a_string(column: exp.Column, dialect: str) -> bool:
    return dialect == "sqlite" and bool(column.this.args.get("quoted"))
