"""Rules that take queries out of queries: derived tables, IN (SELECT ...), EXISTS.

They hide what the writer did, so they serve the comparison of two queries and never what is shown of them.
"""

from __future__ import annotations

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.joins import place
from t2s_tui.sql.canonical.keys import Keys
from t2s_tui.sql.canonical.shape import (
    Block,
    aggregates,
    bare,
    block_of,
    columns,
    conditions,
    plain,
    reference,
    selects,
    set_conditions,
    sources_used,
)


def ctes_used_once(tree: exp.Expr, context: Context) -> exp.Expr:
    """A CTE that is named once is a derived table."""
    with_ = tree.args.get("with_")
    if with_ is None or with_.args.get("recursive"):
        return tree
    for cte in list(with_.expressions):
        name = cte.alias
        used = [t for t in tree.find_all(exp.Table) if t.name == name and not t.args.get("db")]
        if len(used) != 1 or cte.args["alias"].args.get("columns") or cte.this.args.get("with_"):
            continue
        table = used[0]
        extra = [k for k, v in table.args.items() if v and k not in ("this", "alias")]
        if extra or not isinstance(table.parent, exp.From | exp.Join) or _named_twice(tree, name):
            continue
        alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
        body = cte.this.copy()
        cte.pop()
        table.replace(exp.Subquery(this=body, alias=alias))
    if not with_.expressions:
        tree.set("with_", None)
    return tree


def _named_twice(tree: exp.Expr, name: str) -> bool:
    return sum(cte.alias == name for cte in tree.find_all(exp.CTE)) > 1


def plain_derived_tables(tree: exp.Expr, context: Context) -> exp.Expr:
    """FROM (SELECT a FROM t WHERE p) AS q is FROM t WHERE p, with q.a as a; SELECT * FROM (query) is the
    query."""
    while (inner := _wrapped_whole(tree)) is not None:
        tree = inner
    for select in selects(tree):
        while (block := block_of(select)) is not None and _merge_one(block):
            pass
    return tree


def _wrapped_whole(tree: exp.Expr) -> exp.Expr | None:
    """The query of which the outermost SELECT shows all columns in their order and does nothing else."""
    block = block_of(tree) if isinstance(tree, exp.Select) and plain(tree) else None
    if block is None or len(block.inner) != 1 or block.left or block.pool or block.rest:
        return None
    inner = block.inner[0].this
    first = inner
    while isinstance(first, exp.SetOperation):
        first = first.this
    if not isinstance(first, exp.Select) or not isinstance(inner, exp.Select | exp.SetOperation):
        return None
    shown = [bare(e.this if isinstance(e, exp.Alias) else e) for e in block.select.expressions]
    names = [e.alias_or_name for e in first.expressions]
    whole = len(set(names)) == len(names) and all(isinstance(e, exp.Column) for e in shown)
    return inner.copy() if whole and [e.name for e in shown] == names else None


def _merge_one(block: Block) -> bool:
    for number, source in enumerate(block.inner):
        inner = source.this if isinstance(source, exp.Subquery) else None
        if not isinstance(inner, exp.Select) or not plain(inner) or aggregates(inner):
            continue
        below = block_of(inner)
        if below is None or below.left:
            continue
        name = source.alias
        shown = {e.alias_or_name: bare(e.this if isinstance(e, exp.Alias) else e) for e in inner.expressions}
        if not all(isinstance(e, exp.Column) for e in shown.values()) or len(shown) != len(inner.expressions):
            continue
        if not {c.name for c in columns(block.select) if c.table == name} <= set(shown):
            continue
        names = _fresh(below, block.select)
        sources = [_renamed(s, names) for s in below.inner]
        pool = [_renamed(c, names) for c in below.pool]
        _write(block, block.inner[:number] + sources + block.inner[number + 1 :], pool)
        for column in list(columns(block.select)):
            if column.table == name:
                column.replace(_renamed(shown[column.name], names))
        return True
    return False


def _write(block: Block, inner: list[exp.Expr], more: list[exp.Expr]) -> None:
    """The block again with these inner sources and more conjuncts."""
    pool = [c.copy() for c in [*block.pool, *more]]
    place(
        block.select,
        [s.copy() for s in inner],
        pool,
        [j.copy() for j in block.left],
        [c.copy() for c in block.rest],
    )


def exists_as_in(tree: exp.Expr, context: Context) -> exp.Expr:
    """WHERE EXISTS (SELECT 1 FROM s WHERE s.v = t.a AND p) is WHERE t.a IN (SELECT s.v FROM s WHERE p); with
    NOT only where neither is ever NULL."""
    for select in selects(tree):
        block = block_of(select)
        if block is None:
            continue
        changed = []
        for condition in conditions(select):
            made = _as_in(condition, block, context)
            changed.append(made if made is not None else condition)
        if any(a is not b for a, b in zip(changed, conditions(select), strict=True)):
            set_conditions(select, changed)
    return tree


def _as_in(condition: exp.Expr, block: Block, context: Context) -> exp.Expr | None:
    negated = isinstance(condition, exp.Not)
    exists = bare(condition.this) if negated else condition
    if not isinstance(exists, exp.Exists):
        return None
    inner = exists.this.this if isinstance(exists.this, exp.Subquery) else exists.this
    below = block_of(inner) if plain(inner) and not aggregates(inner) else None
    if below is None or below.left:
        return None
    own, outside = set(below.names), set(block.names)
    links = [c for c in below.pool if sources_used(c) - own]
    if len(links) != 1 or not isinstance(links[0], exp.EQ):
        return None
    inside, outer = links[0].this, links[0].expression
    if isinstance(inside, exp.Column) and inside.table in outside:
        inside, outer = outer, inside
    if not isinstance(inside, exp.Column) or not isinstance(outer, exp.Column):
        return None
    if inside.table not in own or outer.table not in outside:
        return None
    alone = Block(below.select, below.inner, [], [c for c in below.pool if c is not links[0]], [])
    if negated and not (
        Keys(block, context).shown_never_null(*reference(outer))
        and Keys(alone, context).shown_never_null(*reference(inside))
    ):
        return None
    asked = inner.copy()
    place(asked, [s.copy() for s in below.inner], [c.copy() for c in alone.pool], [], [])
    asked.set("expressions", [inside.copy()])
    member: exp.Expr = exp.In(this=outer.copy(), query=exp.Subquery(this=asked))
    return exp.Not(this=member) if negated else member


def in_as_join(tree: exp.Expr, context: Context) -> exp.Expr:
    """WHERE a IN (SELECT b FROM s WHERE p) is a JOIN with s where no row of s can be met twice, or where the
    query drops duplicates anyway."""
    for select in selects(tree):
        for _ in range(10):
            block = block_of(select)
            if block is None or not _join_one(block, context):
                break
    return tree


def _join_one(block: Block, context: Context) -> bool:
    select = block.select
    indifferent = bool(select.args.get("distinct")) and not aggregates(select)
    for condition in block.pool:
        if not isinstance(condition, exp.In) or not isinstance(condition.this, exp.Column):
            continue
        query = condition.args.get("query")
        inner = query.this if isinstance(query, exp.Subquery) else query
        if inner is None or not plain(inner, "distinct") or aggregates(inner) or len(inner.expressions) != 1:
            continue
        shown = inner.expressions[0]
        shown = bare(shown.this if isinstance(shown, exp.Alias) else shown)
        below = block_of(inner)
        if below is None or below.left or not isinstance(shown, exp.Column):
            continue
        if any(sources_used(c) - set(below.names) for c in [shown, *below.pool] if not c.find(exp.Query)):
            continue
        if any(c.find(exp.Query) for c in below.pool):
            continue
        # NULL is a member of nothing: a column that is unique but for NULLs is key enough.
        met = exp.Not(this=exp.Is(this=shown.copy(), expression=exp.Null()))
        asked = Block(below.select, below.inner, [], [*below.pool, met], [])
        if not indifferent and not Keys(asked, context).rows([reference(shown)]):
            continue
        if condition.this.table not in block.names:
            continue
        names = _fresh(below, select)
        sources = [_renamed(s, names) for s in below.inner]
        link = exp.EQ(this=condition.this.copy(), expression=_renamed(shown, names))
        block.pool = [c for c in block.pool if c is not condition]
        _write(block, block.inner + sources, [link, *(_renamed(c, names) for c in below.pool)])
        return True
    return False


def _fresh(below: Block, select: exp.Select) -> dict[str, str]:
    """A name for each source that nothing in the whole statement has: a source that moves up may come to
    stand above queries that were beside it."""
    used = {c.alias_or_name for c in select.root().find_all(exp.Table, exp.Subquery)}
    names = {}
    for name in below.names:
        new, number = name, 2
        while new in used:
            new, number = f"{name}_{number}", number + 1
        names[name] = new
        used.add(new)
    return names


def _renamed(node: exp.Expr, names: dict[str, str]) -> exp.Expr:
    copy = node.copy()
    if isinstance(copy, exp.Table | exp.Subquery):
        copy.set("alias", exp.TableAlias(this=exp.to_identifier(names[copy.alias_or_name])))
        return copy
    for column in columns(copy):
        if column.table in names:
            column.set("table", exp.to_identifier(names[column.table]))
    return copy
