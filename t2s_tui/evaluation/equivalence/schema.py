"""The tables of a DDL as the engine fills them, with CREATE statements of the dialect that runs them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from t2s_tui.evaluation.equivalence.model import Column, Kind, Reference, Table, Unsupported
from t2s_tui.sql.dialects import SqlSyntaxError, generate, parse_all

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "bool"),
    ("DATETIME", "datetime"),
    ("TIMESTAMP", "datetime"),
    ("DATE", "date"),
    ("TIME", "time"),
    ("YEAR", "int"),
    ("INT", "int"),
    ("SERIAL", "int"),
    ("REAL", "real"),
    ("FLOA", "real"),
    ("DOUB", "real"),
    ("DEC", "real"),
    ("NUM", "real"),
    ("MONEY", "real"),
)


def kind_of(type_text: str) -> Kind:
    """What values a column of that type holds."""
    word = type_text.upper()
    return next((kind for start, kind in _KINDS if start in word), "text")


@lru_cache(maxsize=512)
def tables_of(ddl: str, dialect: str, engine: str) -> tuple[Table, ...]:
    """The tables of the DDL, for an engine (`sqlite` or `duckdb`).

    Raises Unsupported when the DDL does not parse or declares no table.
    """
    from sqlglot import exp

    try:
        trees = parse_all(ddl, dialect)
    except SqlSyntaxError as error:
        raise Unsupported(f"the DDL does not parse at {error.position}: {error.message}") from error
    schemas = [tree for tree in trees if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema)]
    unique_later = _unique_indexes(trees)
    found = {str(tree.this.this.name).lower(): tree for tree in schemas}
    if not found:
        raise Unsupported("the DDL declares no table")
    plain = {name: _columns(tree.this, dialect) for name, tree in found.items()}
    return tuple(
        _table(tree, plain, unique_later.get(name, []), dialect, engine) for name, tree in found.items()
    )


def _columns(schema: Any, dialect: str) -> tuple[Column, ...]:
    from sqlglot import exp

    definitions = [e for e in schema.expressions if isinstance(e, exp.ColumnDef)]
    keyed = {
        str(part.name).lower()
        for key in schema.expressions
        for primary in ([key] if isinstance(key, exp.PrimaryKey) else key.find_all(exp.PrimaryKey))
        for part in primary.expressions
    }
    columns = []
    for definition in definitions:
        constraints = [c.args.get("kind") for c in definition.args.get("constraints") or []]
        not_null = any(
            isinstance(c, exp.NotNullColumnConstraint) and not c.args.get("allow_null") for c in constraints
        )
        primary = any(isinstance(c, exp.PrimaryKeyColumnConstraint) for c in constraints)
        kind = definition.args.get("kind")
        text = kind.sql(dialect=dialect) if kind is not None else ""
        columns.append(
            Column(
                str(definition.name),
                kind_of(text),
                not (not_null or primary or str(definition.name).lower() in keyed),
                _choices(kind, constraints, text),
            )
        )
    return tuple(columns)


def _choices(kind: Any, constraints: list[Any], text: str) -> tuple[str, ...]:
    """The words of an ENUM, or of a CHECK (column IN (...))."""
    from sqlglot import exp

    if text.upper().startswith("ENUM") and kind is not None:
        return tuple(str(e.this) for e in kind.expressions if isinstance(e, exp.Literal))
    for check in constraints:
        if isinstance(check, exp.CheckColumnConstraint) and isinstance(check.this, exp.In):
            words = [e for e in check.this.expressions if isinstance(e, exp.Literal) and e.is_string]
            return tuple(str(e.this) for e in words)
    return ()


def _table(
    tree: Any, plain: dict[str, tuple[Column, ...]], extra: list[tuple[str, ...]], dialect: str, engine: str
) -> Table:
    from sqlglot import exp

    schema = tree.this
    name = str(schema.this.name)
    columns = plain[name.lower()]
    places = {c.name.lower(): at for at, c in enumerate(columns)}

    def at(parts: Any) -> tuple[int, ...]:
        names = [str(getattr(part, "name", part)).lower() for part in parts]
        return tuple(places[n] for n in names if n in places)

    keys: list[tuple[int, ...]] = []
    references: list[Reference] = []
    for part in schema.expressions:
        if isinstance(part, exp.ColumnDef):
            own = places[str(part.name).lower()]
            for constraint in part.args.get("constraints") or []:
                kind = constraint.args.get("kind")
                if isinstance(kind, exp.PrimaryKeyColumnConstraint):
                    keys.insert(0, (own,))
                elif isinstance(kind, exp.UniqueColumnConstraint):
                    keys.append((own,))
                elif isinstance(kind, exp.Reference):
                    references += _reference((own,), kind, plain)
            continue
        for primary in [part] if isinstance(part, exp.PrimaryKey) else part.find_all(exp.PrimaryKey):
            keys.insert(0, at(primary.expressions))
        for unique in part.find_all(exp.UniqueColumnConstraint):
            if isinstance(unique.this, exp.Schema):
                keys.append(at(unique.this.expressions))
        for foreign in [part] if isinstance(part, exp.ForeignKey) else part.find_all(exp.ForeignKey):
            references += _reference(at(foreign.expressions), foreign.args.get("reference"), plain)
    keys += [at(names) for names in extra]
    return Table(
        name,
        columns,
        _create(tree, name, plain, dialect, engine),
        tuple(dict.fromkeys(key for key in keys if key)),
        tuple(references),
    )


def _reference(own: tuple[int, ...], reference: Any, plain: dict[str, tuple[Column, ...]]) -> list[Reference]:
    from sqlglot import exp

    if not own or not isinstance(reference, exp.Reference):
        return []
    target = reference.this
    named = isinstance(target, exp.Schema)
    table = str((target.this if named else target).name).lower()
    columns = plain.get(table)
    if columns is None:
        return []
    places = {c.name.lower(): at for at, c in enumerate(columns)}
    names = [str(getattr(c, "name", c)).lower() for c in target.expressions] if named else []
    found = tuple(places[n] for n in names if n in places)
    if not found:  # the primary key is meant: the first column that cannot be NULL is its best guess
        found = tuple(at for at, c in enumerate(columns) if not c.nullable)[: len(own)] or (0,)
    return [Reference(own, table, found)] if len(found) == len(own) else []


def _unique_indexes(trees: list[Any]) -> dict[str, list[tuple[str, ...]]]:
    """CREATE UNIQUE INDEX statements: table -> column names."""
    from sqlglot import exp

    found: dict[str, list[tuple[str, ...]]] = {}
    for tree in trees:
        if isinstance(tree, exp.Create) and tree.args.get("unique") and isinstance(tree.this, exp.Index):
            table = tree.this.args.get("table")
            names = tuple(str(c.name) for c in tree.this.find_all(exp.Column))
            if table is not None and names:
                found.setdefault(str(table.name).lower(), []).append(names)
    return found


def _create(tree: Any, name: str, plain: dict[str, tuple[Column, ...]], dialect: str, engine: str) -> str:
    """The CREATE statement for the engine; a plain one where the DDL's own cannot be run there."""
    text = _translated(tree, plain, engine)
    if runs(text, engine):
        return text
    return plain_create(name, plain[name.lower()])


def plain_create(name: str, columns: tuple[Column, ...]) -> str:
    """A table of the columns alone, without constraints but NOT NULL."""
    types = {"int": "INTEGER", "real": "REAL", "bool": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}
    body = ", ".join(
        f"{quote(c.name)} {types.get(c.kind, 'TEXT')}{'' if c.nullable else ' NOT NULL'}" for c in columns
    )
    return f"CREATE TABLE {quote(name)} ({body})"


def quote(name: str) -> str:
    """The name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _translated(tree: Any, plain: dict[str, tuple[Column, ...]], engine: str) -> str:
    """The statement alone: no IF NOT EXISTS, no schema before the name, no indexes or comments inside."""
    from sqlglot import exp

    tree = tree.copy()
    tree.set("exists", False)
    tree.set("properties", None)
    table = tree.this.this
    if isinstance(table, exp.Table):
        table.set("db", None)
        table.set("catalog", None)
    for part in list(tree.this.expressions):
        if isinstance(part, exp.IndexColumnConstraint):
            part.pop()
    for constraint in list(tree.find_all(exp.ColumnConstraint)):
        if isinstance(constraint.args.get("kind"), exp.CommentColumnConstraint):
            constraint.pop()
    for reference in list(tree.find_all(exp.Reference)):
        # DuckDB checks foreign keys too early for rows that change one by one: the engine keeps them itself.
        if engine == "duckdb" or _dangles(reference, plain):
            _drop(reference)
    try:
        text = generate(tree, engine)
    except SqlSyntaxError:
        return ""
    # SQLite makes a rowid of INTEGER PRIMARY KEY alone; sqlglot writes AUTO_INCREMENT behind the key.
    return re.sub(r"\bAUTOINCREMENT\b", "", text)


def _dangles(reference: Any, plain: dict[str, tuple[Column, ...]]) -> bool:
    """Whether a foreign key points at a table or a column that the DDL does not declare.

    A DDL that lists only the tables of its question has many: no row could ever satisfy them.
    """
    from sqlglot import exp

    target = reference.this
    named = isinstance(target, exp.Schema)
    columns = plain.get(str((target.this if named else target).name).lower())
    if columns is None:
        return True
    there = {c.name.lower() for c in columns}
    return named and any(str(getattr(c, "name", c)).lower() not in there for c in target.expressions)


def _drop(reference: Any) -> None:
    """Take the foreign key of a reference, with its name, out of the statement."""
    from sqlglot import exp

    part = reference.find_ancestor(exp.ForeignKey, exp.ColumnConstraint)
    parent = part.parent
    (parent if isinstance(parent, exp.Constraint) else part).pop()


@lru_cache(maxsize=1024)
def runs(create: str, engine: str) -> bool:
    """Whether the engine takes the CREATE statement."""
    if not create:
        return False
    try:
        if engine == "sqlite":
            import sqlite3

            connection = sqlite3.connect(":memory:")
            try:
                connection.execute(create)
            finally:
                connection.close()
        else:
            import duckdb

            duck = duckdb.connect(":memory:")
            try:
                duck.execute(create)
            finally:
                duck.close()
    except Exception:  # each engine has errors of its own
        return False
    return True
