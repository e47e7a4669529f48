"""What a statement and a DDL say of themselves, each read once: rows that are alike share it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from t2s_tui.datasets.audit.findings import Finding
from t2s_tui.datasets.audit.language import language
from t2s_tui.datasets.audit.similar import key
from t2s_tui.sql.dialects import SqlSyntaxError, parse, parse_all
from t2s_tui.sql.features import Features, features
from t2s_tui.sql.hardness import hardness
from t2s_tui.sql.masked import masked
from t2s_tui.sql.schema import tables_in
from t2s_tui.sql.template import template
from t2s_tui.sql.unknown_names import Schema, UnknownNames, unknown_names

_KNOWN_DDLS = 2048  # rows of one database bring the same DDL again and again
_KNOWN_STATEMENTS = 16_384
_KNOWN_TREES = 512  # some 20 KB each, and every one slows down the collector of cycles
#: sqlglot's trees are odd in odd places: one row must not end the audit of all others.
_ODD = (RecursionError, AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a DDL declares, None where that is not sure; `problem` is where and why it does not parse."""

    schema: dict[str, frozenset[str]] | None
    problem: Finding | None
    language: str
    names: frozenset[str] = frozenset()  # of its tables and columns


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement that parses says, whatever its literals. `problem`: why it is no gold."""

    problem: str = ""
    unknown: UnknownNames = field(default_factory=UnknownNames)
    hardness: str = ""
    features: Features = field(default_factory=Features)
    shape: int = 0


@lru_cache(maxsize=_KNOWN_DDLS)
def read_ddl(ddl: str, dialect: str) -> Declared:
    """What a DDL declares, whether or not it parses."""
    from sqlglot import exp

    said = language(ddl)
    try:
        trees = parse_all(ddl, dialect)
        tables = tables_in(ddl, dialect)
    except SqlSyntaxError as error:
        return Declared(
            None, Finding("ddl-syntax", f"ddl {error.position}", f"{dialect}: {error.message}"), said
        )
    if not tables:
        return Declared(None, Finding("ddl-syntax", "ddl", f"{dialect}: it declares no table"), said)
    # A statement that sqlglot keeps as it is, and CREATE TABLE AS, declare what is not seen here.
    hidden = any(
        isinstance(tree, exp.Command)
        or (isinstance(tree, exp.Create) and not isinstance(tree.this, exp.Schema))
        for tree in trees
    )
    schema = {t.name.lower(): frozenset(c.name.lower() for c in t.columns) for t in tables}
    names = frozenset([*schema, *(column for columns in schema.values() for column in columns)])
    return Declared(None if hidden else schema, None, said, names)


def read_statement(sql: str, ddl: str, dialect: str) -> Statement:
    """What a statement says. Raises SqlSyntaxError with the place in the text as it is."""
    hidden = masked(sql)
    try:
        return _statement(hidden, ddl, dialect)
    except SqlSyntaxError:
        if hidden == sql:
            raise
        return _statement(sql, ddl, dialect)


@lru_cache(maxsize=_KNOWN_STATEMENTS)
def _statement(sql: str, ddl: str, dialect: str) -> Statement:
    """Of a statement with masked literals, whose names need no parsing where another one is built alike."""
    declared = read_ddl(ddl, dialect)
    text, written = template(sql, declared.names, dialect)
    try:
        built = _built(text, dialect)
    except SqlSyntaxError:
        if not written:
            raise
        text, written = sql, {}
        built = _built(text, dialect)
    if built.problem:
        return Statement(built.problem)
    renamed = _renamed(declared.schema, written) if declared.schema is not None else None
    try:
        unknown = unknown_names(built.tree, renamed, dialect) if renamed is not None else UnknownNames()
    except _ODD as error:
        return Statement(_odd(error))
    tables = sorted(written.get(name, name).lower() for name in built.features.tables)
    return Statement(
        unknown=UnknownNames(
            tuple(_as_written(name, written) for name in unknown.tables),
            tuple(_as_written(name, written) for name in unknown.columns),
        ),
        hardness=built.hardness,
        features=replace(built.features, tables=tuple(tables)),
        shape=key(" ".join([str(built.features.selects), *tables])) or 1,
    )


@dataclass(frozen=True, slots=True)
class _Built:
    """A statement that parses, whatever its literals and names."""

    tree: Any
    problem: str = ""
    hardness: str = ""
    features: Features = field(default_factory=Features)


@lru_cache(maxsize=_KNOWN_TREES)
def _built(sql: str, dialect: str) -> _Built:
    """How it is built. Raises SqlSyntaxError."""
    from sqlglot import exp

    tree = parse(sql, dialect)
    if not isinstance(tree, exp.Query):
        return _Built(None, f"it is no query but {tree.key.upper()}")
    try:
        return _Built(tree, "", hardness(tree), features(tree))
    except _ODD as error:
        return _Built(None, _odd(error))


def _odd(error: Exception) -> str:
    return f"it cannot be taken apart ({type(error).__name__}: {error})"


def _renamed(schema: Schema, written: Mapping[str, str]) -> Schema:
    """The schema with the placeholders of its names beside them: quoted ones are still there."""
    places = {name.lower(): place for place, name in written.items()}
    found: dict[str, Collection[str]] = {}
    for table, columns in schema.items():
        both = {*columns, *(places[column] for column in columns if column in places)}
        found[table] = both
        if table in places:
            found[places[table]] = both
    return found


def _as_written(name: str, written: Mapping[str, str]) -> str:
    return ".".join(written.get(part, part) for part in name.split("."))
