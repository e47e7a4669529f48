"""The tables that a DDL text declares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from t2s_tui.sql.dialects import SqlSyntaxError, parse_all


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name as written and its type as the dialect writes it (may be empty)."""

    name: str
    type: str
    primary_key: bool = False
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of this table that point at `columns` of `table` (empty: at its primary key)."""

    own: tuple[str, ...]
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a schema, in the order of the DDL."""

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()


@lru_cache(maxsize=256)
def tables_in(ddl: str, dialect: str) -> tuple[Table, ...]:
    """The tables of a DDL text, in order. Statements that declare none are passed over.

    Raises SqlSyntaxError when the text does not parse as a whole.
    """
    from sqlglot import exp

    tables = []
    for tree in parse_all(ddl, dialect):
        if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema):
            tables.append(_table(tree.this, dialect))
    return tuple(tables)


def schema_mapping(ddl: str | None, dialect: str) -> dict[str, dict[str, str]] | None:
    """Lower-case table -> lower-case column -> type for sqlglot's `qualify`; None where there is no DDL
    that parses and declares a table."""
    if not ddl or not ddl.strip():
        return None
    try:
        tables = tables_in(ddl, dialect)
    except SqlSyntaxError:
        return None
    return {t.name.lower(): {c.name.lower(): c.type for c in t.columns} for t in tables} or None


def _table(schema: object, dialect: str) -> Table:
    from sqlglot import exp

    assert isinstance(schema, exp.Schema)
    definitions = [e for e in schema.expressions if isinstance(e, exp.ColumnDef)]
    keys = {
        str(part.name).lower()
        for key in schema.expressions
        for primary in ([key] if isinstance(key, exp.PrimaryKey) else key.find_all(exp.PrimaryKey))
        for part in primary.expressions
    }
    columns = tuple(_column(d, keys, dialect) for d in definitions)
    foreign = [_foreign(f, ()) for f in schema.find_all(exp.ForeignKey)]
    for definition in definitions:
        for reference in definition.find_all(exp.Reference):
            foreign.append(_reference((definition.name,), reference))
    return Table(str(schema.this.name), columns, tuple(foreign))


def _column(definition: object, keys: set[str], dialect: str) -> Column:
    from sqlglot import exp

    assert isinstance(definition, exp.ColumnDef)
    kinds = [c.args.get("kind") for c in definition.args.get("constraints") or []]
    primary = definition.name.lower() in keys or any(
        isinstance(k, exp.PrimaryKeyColumnConstraint) for k in kinds
    )
    not_null = any(isinstance(k, exp.NotNullColumnConstraint) and not k.args.get("allow_null") for k in kinds)
    kind = definition.args.get("kind")
    return Column(
        definition.name, kind.sql(dialect=dialect) if kind else "", primary, not (not_null or primary)
    )


def _foreign(key: object, default: tuple[str, ...]) -> ForeignKey:
    from sqlglot import exp

    assert isinstance(key, exp.ForeignKey)
    own = tuple(str(part.name) for part in key.expressions) or default
    return _reference(own, key.args["reference"])


def _reference(own: tuple[str, ...], reference: object) -> ForeignKey:
    from sqlglot import exp

    assert isinstance(reference, exp.Reference)
    target = reference.this
    if isinstance(target, exp.Schema):
        return ForeignKey(own, str(target.this.name), tuple(str(c.name) for c in target.expressions))
    return ForeignKey(own, str(target.name), ())
