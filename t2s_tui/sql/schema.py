"""The tables that a DDL text declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from t2s_tui.sql.dialects import SqlSyntaxError, parse_all


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name as written and its type as the dialect writes it (may be empty).

    `declared` is the type as the DDL writes it, without its size: `int` is not `INTEGER` to SQLite.
    `not_null` says that a NOT NULL is written; `nullable` counts primary keys as never NULL, too.
    """

    name: str
    type: str
    primary_key: bool = False
    nullable: bool = True
    declared: str = ""
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of this table that point at `columns` of `table` (empty: at its primary key)."""

    own: tuple[str, ...]
    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a schema, in the order of the DDL. `keys` are the sets of columns declared to be unique:
    the primary key first, where there is one."""

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()


@lru_cache(maxsize=256)
def tables_in(ddl: str, dialect: str) -> tuple[Table, ...]:
    """The tables of a DDL text, in order. Statements that declare none are passed over.

    Raises SqlSyntaxError when the text does not parse as a whole.
    """
    from sqlglot import exp

    trees = parse_all(ddl, dialect)
    tables = []
    for tree in trees:
        if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema):
            tables.append(_table(tree.this, dialect, ddl))
    indexes = [found for tree in trees if (found := _unique_index(tree))]
    return tuple(
        replace(table, keys=(*table.keys, *(key for of, key in indexes if of == table.name.lower())))
        for table in tables
    )


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


def _table(schema: object, dialect: str, ddl: str) -> Table:
    from sqlglot import exp

    assert isinstance(schema, exp.Schema)
    definitions = [
        # SQLite lets a column go without a type: to sqlglot that is a bare name.
        exp.ColumnDef(this=e) if isinstance(e, exp.Identifier) else e
        for e in list(schema.expressions)
        if isinstance(e, exp.ColumnDef | exp.Identifier)
    ]
    keys = {
        str(part.name).lower()
        for key in schema.expressions
        for primary in ([key] if isinstance(key, exp.PrimaryKey) else key.find_all(exp.PrimaryKey))
        for part in primary.expressions
    }
    columns = tuple(_column(d, keys, dialect, ddl) for d in definitions)
    foreign = [_foreign(f, ()) for f in schema.find_all(exp.ForeignKey)]
    for definition in definitions:
        for reference in definition.find_all(exp.Reference):
            foreign.append(_reference((definition.name,), reference))
    primary = tuple(c.name for c in columns if c.primary_key)
    unique = tuple(key for key in _unique(schema, definitions) if key != primary)
    return Table(str(schema.this.name), columns, tuple(foreign), ((primary,) if primary else ()) + unique)


def _unique(schema: object, definitions: Sequence[object]) -> Iterator[tuple[str, ...]]:
    """What UNIQUE says, at columns and at the table."""
    from sqlglot import exp

    assert isinstance(schema, exp.Schema)
    for definition in definitions:
        assert isinstance(definition, exp.ColumnDef)
        kinds = [c.args.get("kind") for c in definition.args.get("constraints") or []]
        if any(isinstance(k, exp.UniqueColumnConstraint) for k in kinds):
            yield (definition.name,)
    for constraint in schema.find_all(exp.UniqueColumnConstraint):
        if isinstance(constraint.this, exp.Schema):
            yield tuple(str(part.name) for part in constraint.this.expressions)


def _unique_index(tree: object) -> tuple[str, tuple[str, ...]] | None:
    """(table in lower case, columns) of a CREATE UNIQUE INDEX over plain columns of the whole table."""
    from sqlglot import exp

    if (
        not isinstance(tree, exp.Create)
        or not isinstance(tree.this, exp.Index)
        or not tree.args.get("unique")
    ):
        return None
    table, parameters = tree.this.args.get("table"), tree.this.args.get("params")
    if table is None or parameters is None or parameters.args.get("where"):
        return None
    columns = [getattr(part, "this", None) for part in parameters.args.get("columns") or []]
    if not columns or not all(isinstance(column, exp.Column) for column in columns):
        return None
    return str(table.name).lower(), tuple(str(column.name) for column in columns if column is not None)


_TYPE = re.compile(r"[\"'`\]]?\s*([A-Za-z_][\w ]*)")
_AFTER_TYPE = re.compile(
    r"\b(?:CONSTRAINT|PRIMARY|NOT|NULL|UNIQUE|CHECK|DEFAULT|COLLATE|REFERENCES|GENERATED|AS|AUTO_INCREMENT|"
    r"AUTOINCREMENT|COMMENT|ON|KEY)\b.*",
    re.IGNORECASE,
)


def _declared(definition: object, ddl: str) -> str:
    """The words of the type as they are written, in upper case: sqlglot tells of `int` what it tells of
    `INTEGER`, and SQLite does not."""
    from sqlglot import exp

    assert isinstance(definition, exp.ColumnDef)
    end = definition.this.meta.get("end")
    found = _TYPE.match(ddl, int(end) + 1) if end is not None else None
    return " ".join(_AFTER_TYPE.sub("", found[1]).upper().split()) if found else ""


def _column(definition: object, keys: set[str], dialect: str, ddl: str) -> Column:
    from sqlglot import exp

    assert isinstance(definition, exp.ColumnDef)
    kinds = [c.args.get("kind") for c in definition.args.get("constraints") or []]
    primary = definition.name.lower() in keys or any(
        isinstance(k, exp.PrimaryKeyColumnConstraint) for k in kinds
    )
    not_null = any(isinstance(k, exp.NotNullColumnConstraint) and not k.args.get("allow_null") for k in kinds)
    kind = definition.args.get("kind")
    return Column(
        definition.name,
        kind.sql(dialect=dialect) if kind else "",
        primary,
        not (not_null or primary),
        _declared(definition, ddl),
        not_null,
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
