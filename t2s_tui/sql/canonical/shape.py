"""Looking at a SELECT: its sources, its conditions, what they refer to. Helpers of the rules; none rewrites.

The rules that use these need every column to carry the name of its source, and source names that are not
given twice along a path of nested selects (`names.name_tables` sees to that).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

Reference = tuple[str, str]  # (source, column), as they stand in the tree

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
# A function that sqlglot does not know may be an aggregate.
AGGREGATES = (exp.AggFunc, exp.Window, exp.Anonymous)


def resolved(tree: exp.Expr) -> bool:
    """Whether each column carries its source and no star stands for columns: then sources may be moved."""
    if any(not c.table or isinstance(c.this, exp.Star) for c in tree.find_all(exp.Column)):
        return False
    return not any(isinstance(e, exp.Star) for s in tree.find_all(exp.Select) for e in s.expressions)


def selects(tree: exp.Expr) -> list[exp.Select]:
    """All SELECTs, the innermost first."""
    return list(reversed(list(tree.find_all(exp.Select, bfs=True))))


def bare(node: exp.Expr) -> exp.Expr:
    """What stands inside parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def parts(condition: exp.Expr | None, kind: type[exp.Expr] = exp.And) -> list[exp.Expr]:
    """The members of a chain of ANDs (or ORs) without their parentheses; none of no condition."""
    found: list[exp.Expr] = []
    waiting = [condition] if condition is not None else []
    while waiting:
        here = bare(waiting.pop())
        if type(here) is kind:
            waiting += [here.args["expression"], here.this]
        else:
            found.append(here)
    return found


def chain(members: Iterable[exp.Expr], kind: type[exp.Expr] = exp.And) -> exp.Expr | None:
    """A chain of copies of the members; None of no members."""
    built: exp.Expr | None = None
    for member in members:
        node = member.copy()
        if isinstance(node, exp.Connector):
            node = exp.Paren(this=node)
        built = node if built is None else kind(this=built, expression=node)
    return built


def conditions(select: exp.Expr, key: str = "where") -> list[exp.Expr]:
    """The conjuncts of WHERE or HAVING."""
    clause = select.args.get(key)
    return parts(clause.this) if clause is not None else []


def set_conditions(select: exp.Expr, members: list[exp.Expr], key: str = "where") -> None:
    """Put these conjuncts for WHERE or HAVING; the clause goes where there are none."""
    condition = chain(members)
    clause = exp.Where if key == "where" else exp.Having
    select.set(key, clause(this=condition) if condition is not None else None)


def columns(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns below a node (itself too), those of nested queries too."""
    yield from node.find_all(exp.Column)


def reference(column: exp.Column) -> Reference:
    """(source, column) of a column."""
    return column.table, column.name


def sources_used(node: exp.Expr) -> set[str]:
    """Names of the sources that a node refers to."""
    return {c.table for c in columns(node)}


def from_source(select: exp.Select) -> exp.Expr | None:
    """What stands first after FROM."""
    clause = select.args.get("from_")
    return clause.this if clause is not None else None


def joins(select: exp.Select) -> list[exp.Join]:
    """The joins of a SELECT."""
    return list(select.args.get("joins") or [])


def is_inner(join: exp.Join) -> bool:
    """JOIN, CROSS JOIN and the comma; not NATURAL, USING, or one with a side."""
    kind = str(join.args.get("kind") or "").upper()
    plain = not (join.args.get("side") or join.args.get("method") or join.args.get("using"))
    return plain and kind in ("", "INNER", "CROSS")


def is_left(join: exp.Join) -> bool:
    """LEFT JOIN ... ON."""
    side = str(join.args.get("side") or "").upper()
    plain = not (join.args.get("method") or join.args.get("using") or join.args.get("kind"))
    return plain and side == "LEFT" and join.args.get("on") is not None


def movable(source: exp.Expr | None) -> bool:
    """A table by its name or a derived table with a name, with nothing attached to it."""
    if isinstance(source, exp.Table):
        extra = [k for k, v in source.args.items() if v and k not in ("this", "alias", "db")]
        return isinstance(source.this, exp.Identifier) and not extra and _plain_alias(source)
    if isinstance(source, exp.Subquery):
        extra = [k for k, v in source.args.items() if v and k not in ("this", "alias")]
        return (
            isinstance(source.this, exp.Query) and bool(source.alias) and not extra and _plain_alias(source)
        )
    return False


def _plain_alias(source: exp.Expr) -> bool:
    alias = source.args.get("alias")
    return alias is None or not alias.args.get("columns")


def table_of(source: exp.Expr) -> str:
    """The name of the table that a source is; empty for a derived table."""
    return source.name if isinstance(source, exp.Table) and not source.args.get("db") else ""


def has_aggregate(node: exp.Expr) -> bool:
    """Whether a node aggregates or opens a window itself, not in a query nested in it."""
    return any(_own(found, node) for found in node.find_all(*AGGREGATES))


def _own(found: exp.Expr, top: exp.Expr) -> bool:
    here: exp.Expr | None = found
    while here is not None and here is not top:
        if isinstance(here, exp.Query):
            return False
        here = here.parent
    return not isinstance(top, exp.Query) or top is found


def aggregates(select: exp.Select) -> bool:
    """Whether the SELECT makes groups: GROUP BY, HAVING, or an aggregate of its own."""
    if select.args.get("group") or select.args.get("having"):
        return True
    order = select.args.get("order")
    return any(has_aggregate(e) for e in [*select.expressions, *(order.expressions if order else [])])


def plain(select: exp.Expr, *allowed: str) -> bool:
    """A SELECT with nothing but projections, FROM, joins, WHERE and what is allowed by name."""
    if not isinstance(select, exp.Select):
        return False
    known = {"expressions", "from_", "joins", "where", *allowed}
    return not any(value for key, value in select.args.items() if key not in known)


def rejects_null(condition: exp.Expr, name: str, column: str | None = None) -> bool:
    """Whether the condition is never true where the column (any column) of source `name` is NULL."""

    def it(node: exp.Expr) -> bool:
        node = bare(node)
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Neg):
            return it(node.this) or ("expression" in node.args and it(node.expression))
        return isinstance(node, exp.Column) and node.table == name and column in (None, node.name)

    node = bare(condition)
    if isinstance(node, (*COMPARISONS, exp.Like)):
        return it(node.this) or it(node.expression)
    if isinstance(node, exp.Between | exp.In):
        return it(node.this)
    if isinstance(node, exp.And):
        return any(rejects_null(part, name, column) for part in parts(node))
    if isinstance(node, exp.Or):
        return all(rejects_null(part, name, column) for part in parts(node, exp.Or))
    if isinstance(node, exp.Not):
        inner = bare(node.this)
        if isinstance(inner, exp.Is):
            return isinstance(inner.expression, exp.Null) and it(inner.this)
        if isinstance(inner, exp.In):
            return bool(inner.expressions) and it(inner.this)
        return isinstance(inner, exp.Like) and it(inner.this)
    return False


@dataclass(slots=True)
class Block:
    """A SELECT as a product of `inner` sources under `pool` of conjuncts, and LEFT JOINs after it.

    `rest` are the conjuncts of WHERE that also look at the LEFT JOINs' sources.
    """

    select: exp.Select
    inner: list[exp.Expr]
    left: list[exp.Join]
    pool: list[exp.Expr]
    rest: list[exp.Expr]

    @property
    def names(self) -> list[str]:
        return [source.alias_or_name for source in self.inner]

    def source(self, name: str) -> exp.Expr | None:
        """The source of that name, also of a LEFT JOIN."""
        every = [*self.inner, *(join.this for join in self.left)]
        return next((s for s in every if s.alias_or_name == name), None)

    def table(self, name: str) -> str:
        """The table that a source is; empty where it is none."""
        source = self.source(name)
        return table_of(source) if source is not None else ""


def block_of(select: exp.Select) -> Block | None:
    """The block of a SELECT; None where its FROM is of another shape."""
    first = from_source(select)
    if not movable(first) or select.args.get("laterals"):
        return None
    assert first is not None
    inner, left, pool = [first], list[exp.Join](), list[exp.Expr]()
    for join in joins(select):
        if not movable(join.this):
            return None
        later = {j.this.alias_or_name for j in left}
        on = join.args.get("on")
        if is_inner(join) and not (on is not None and sources_used(on) & later):
            inner.append(join.this)
            pool += parts(on)
        elif is_left(join):
            left.append(join)
        else:
            return None
    names = [s.alias_or_name for s in inner] + [j.this.alias_or_name for j in left]
    if len(set(names)) != len(names) or "" in names:
        return None
    optional = {join.this.alias_or_name for join in left}
    where = conditions(select)
    pool += [c for c in where if not sources_used(c) & optional]
    rest = [c for c in where if sources_used(c) & optional]
    return Block(select, inner, left, pool, rest)
