"""Rules of the canonical form about names: case, quotes, aliases, qualifiers. Each keeps the meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

Schema = dict[str, dict[str, str]]

#: Where a quoted name is as blind to case as a bare one. (MySQL's table names are on some servers.)
_CASELESS = ("sqlite", "mysql", "duckdb", "tsql")
_DOUBTFUL = "perhaps a string"
_PLAIN = re.compile(r"[^\W\d]\w*")


def strings_in_double_quotes(tree: exp.Expr, dialect: str, schema: Schema | None) -> exp.Expr:
    """SQLite reads a quoted name that is no column as a string (trap 27): write it as one.

    Where the schema does not know every table of the statement this cannot be told: such names are marked
    as doubtful and all rules leave them as they are written.
    """
    if dialect != "sqlite":
        return tree
    named = {a.alias.lower() for a in tree.find_all(exp.Alias, exp.TableAlias, exp.Subquery, exp.CTE)}
    ctes = {c.alias.lower() for c in tree.find_all(exp.CTE)}
    tables = {t.name.lower() for t in tree.find_all(exp.Table)} - ctes
    known = named | {"rowid", "oid", "_rowid_"}
    sure = schema is not None and all(t in schema for t in tables)
    if schema is not None and sure:
        known |= {column for t in tables for column in schema[t]}
    for column in list(tree.find_all(exp.Column)):
        name = column.this
        quoted = isinstance(name, exp.Identifier) and name.args.get("quoted") and not column.table
        if not quoted or str(name.this).lower() in known:
            continue
        if sure:
            column.replace(exp.Literal.string(str(name.this)))
        else:
            name.meta[_DOUBTFUL] = True
    return tree


def lower_identifiers(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Names in lower case, where case means nothing: everywhere but in quotes of case-sensitive dialects."""
    for name in tree.find_all(exp.Identifier):
        if (dialect in _CASELESS or not name.args.get("quoted")) and not name.meta.get(_DOUBTFUL):
            name.set("this", str(name.this).lower())
    return tree


def resolve_columns(tree: exp.Expr, dialect: str, schema: Schema | None) -> exp.Expr:
    """Columns with their table, `*` and positions spelled out, by sqlglot's `qualify`.

    A query that names what the schema does not have keeps its shape; its columns get a table where one of
    its tables alone has them.
    """
    from sqlglot.optimizer.qualify import qualify

    if any(name.meta.get(_DOUBTFUL) for name in tree.find_all(exp.Identifier)):
        return tree

    original = tree.copy()
    try:
        return qualify(
            tree,
            dialect=dialect,
            schema=dict(schema) if schema else None,
            expand_stars=schema is not None,
            validate_qualify_columns=schema is not None,
            allow_partial_qualification=schema is None,
            quote_identifiers=False,
            identify=False,
        )
    except (SqlglotError, KeyError, ValueError, AttributeError, TypeError):
        # Not only OptimizeError: on odd trees sqlglot fails in its own ways. The text is still comparable.
        return _tables_where_sure(original, schema)


def _tables_where_sure(tree: exp.Expr, schema: Schema | None) -> exp.Expr:
    for select in tree.find_all(exp.Select) if schema else ():
        assert schema is not None
        sources = _sources(select)
        every = [select.args.get("from_"), *(select.args.get("joins") or [])]
        if len(sources) != len([s for s in every if s is not None]):
            continue
        if not all(isinstance(s, exp.Table) and s.name in schema for s in sources):
            continue
        for column in select.find_all(exp.Column):
            if not column.table and column.find_ancestor(exp.Select) is select:
                having = [s.alias_or_name for s in sources if column.name in schema[s.name]]
                if len(having) == 1:
                    column.set("table", exp.to_identifier(having[0]))
    return tree


def inline_order_aliases(tree: exp.Expr) -> exp.Expr:
    """ORDER BY an output name is ORDER BY what it names (the output name wins over a column's)."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is None:
            continue
        named = {e.alias: e.this for e in select.expressions if isinstance(e, exp.Alias)}
        for column in list(order.find_all(exp.Column)):
            if not column.table and column.name in named and column.find_ancestor(exp.Select) is select:
                value = named[column.name].copy()
                atom = isinstance(column.parent, exp.Ordered) or isinstance(value, exp.Column)
                column.replace(value if atom else exp.Paren(this=value))
    return tree


def drop_output_aliases(tree: exp.Expr) -> exp.Expr:
    """Output names go where nothing refers to them: in the outermost select and in value subqueries."""
    for select in list(tree.find_all(exp.Select)):
        if not _output_names_free(select, tree):
            continue
        used = {c.name for c in _outside_projections(select) if not c.table}
        for item in list(select.expressions):
            if isinstance(item, exp.Alias) and item.alias not in used:
                item.replace(item.this)
    return tree


def _output_names_free(select: exp.Select, root: exp.Expr) -> bool:
    node: exp.Expr = select
    while isinstance(node.parent, exp.Subquery | exp.SetOperation):
        # The ORDER BY of a set operation or of a parenthesised select goes by output names.
        if node.parent.args.get("order") or (isinstance(node.parent, exp.Subquery) and node.parent.alias):
            return False
        node = node.parent
    return node is root or isinstance(node.parent, exp.In | exp.Exists | exp.Predicate)


def _outside_projections(select: exp.Select) -> Iterator[exp.Column]:
    for key, value in select.args.items():
        if key != "expressions":
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, exp.Expr):
                    yield from part.find_all(exp.Column)


def name_tables(tree: exp.Expr) -> exp.Expr:
    """Tables go by their own name, a second one of that name by `name_2`; derived tables are q, q_2 ...

    A name is not given twice along a path of nested selects, so that no reference changes its meaning.
    """
    taken: dict[int, dict[str, str]] = {}
    for select in tree.find_all(exp.Select, bfs=True):
        outer = {new for above in _enclosing(select) for new in taken.get(id(above), {}).values()}
        own: dict[str, str] = {}
        for source in _sources(select):
            base = source.name if isinstance(source, exp.Table) else "q"
            own[source.alias_or_name] = _free(base or "q", outer | set(own.values()))
        taken[id(select)] = own
    columns = [(c, _new_name(c, taken)) for c in tree.find_all(exp.Column) if c.table]
    for column, new in columns:
        if new is not None:
            column.set("table", exp.to_identifier(new))
    for select in tree.find_all(exp.Select):
        for source in _sources(select):
            _rename(source, taken[id(select)].get(source.alias_or_name))
    return tree


def _sources(select: exp.Select) -> list[exp.Expr]:
    found = [select.args.get("from_"), *(select.args.get("joins") or [])]
    return [s.this for s in found if s is not None and isinstance(s.this, exp.Table | exp.Subquery)]


def _enclosing(node: exp.Expr) -> Iterator[exp.Select]:
    above = node.find_ancestor(exp.Select)
    while above is not None:
        yield above
        above = above.find_ancestor(exp.Select)


def _free(base: str, used: set[str]) -> str:
    name, number = base, 2
    while name in used:
        name, number = f"{base}_{number}", number + 1
    return name


def _new_name(column: exp.Column, taken: dict[int, dict[str, str]]) -> str | None:
    for select in _enclosing(column):
        if column.table in taken.get(id(select), {}):
            return taken[id(select)][column.table]
    return None


def _rename(source: exp.Expr, new: str | None) -> None:
    if new is None:
        return
    alias = source.args.get("alias")
    if isinstance(source, exp.Table) and source.name == new and not (alias and alias.args.get("columns")):
        source.set("alias", None)
    elif alias is not None:
        alias.set("this", exp.to_identifier(new))
    else:
        source.set("alias", exp.TableAlias(this=exp.to_identifier(new)))


def drop_lone_qualifiers(tree: exp.Expr) -> exp.Expr:
    """With one table in the whole statement and no output name left, its columns need no qualifier."""
    tables = list(tree.find_all(exp.Table))
    if len(tables) == 1 and not tables[0].alias and not tree.find(exp.Alias, exp.CTE, exp.Subquery):
        for column in tree.find_all(exp.Column):
            if column.table == tables[0].name and not column.args.get("db"):
                column.set("table", None)
    return tree


def unquote_plain_names(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Quotes stay around names that need them, and around those that SQLite may read as strings."""
    keywords = Dialect.get_or_raise(dialect).tokenizer_class.KEYWORDS
    for name in tree.find_all(exp.Identifier):
        text = str(name.this)
        plain = bool(_PLAIN.fullmatch(text)) and text.upper() not in keywords
        caseless = text == text.lower() or dialect in _CASELESS
        if plain and caseless and not name.meta.get(_DOUBTFUL):
            name.set("quoted", False)
        elif not _PLAIN.fullmatch(text):
            name.set("quoted", True)  # a star that was spelled out brings names that nobody has written
    return tree
