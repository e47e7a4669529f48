"""Rules about DISTINCT, GROUP BY, HAVING, COUNT and ORDER BY, most of them with the help of keys."""

from __future__ import annotations

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.keys import Keys
from t2s_tui.sql.canonical.shape import (
    Reference,
    aggregates,
    bare,
    block_of,
    columns,
    conditions,
    has_aggregate,
    plain,
    reference,
    selects,
    set_conditions,
)


def conditions_before_groups(tree: exp.Expr, context: Context) -> exp.Expr:
    """A conjunct of HAVING about nothing but group keys stands at WHERE."""
    for select in selects(tree):
        keys = _group_columns(select)
        if not keys or not select.args.get("having"):
            continue
        having = conditions(select, "having")
        early = [
            c
            for c in having
            if not has_aggregate(c)
            and not c.find(exp.Query)
            and {reference(x) for x in columns(c)} <= set(keys)
        ]
        if early:
            set_conditions(select, [c for c in having if c not in early], "having")
            set_conditions(select, conditions(select) + early)
    return tree


def smallest_group(tree: exp.Expr, context: Context) -> exp.Expr:
    """GROUP BY the fewest columns that make the same groups: of those that a key determines, the key."""
    for select in selects(tree):
        given = _group_columns(select)
        block = block_of(select)
        if not given or block is None:
            continue
        keys = Keys(block, context)
        known = keys.closure(given)
        at = {name: i for i, name in enumerate(block.names)}
        kept = sorted(
            keys.columns_in(known), key=lambda c: (not keys.is_primary(c), at.get(c[0], len(at)), c[0], c[1])
        )
        for item in reversed(list(kept)):
            fewer = [c for c in kept if c != item]
            if known <= keys.closure(fewer):
                kept = fewer
        if kept:
            select.args["group"].set("expressions", [exp.column(c, t) for t, c in sorted(kept)])
    return tree


def groups_as_distinct(tree: exp.Expr, context: Context) -> exp.Expr:
    """GROUP BY without aggregates is DISTINCT where the projections tell the groups apart, and nothing where
    each row is its own group."""
    for select in selects(tree):
        given = _group_columns(select)
        block = block_of(select)
        if not given or block is None or select.args.get("having"):
            continue
        order = select.args.get("order")
        shown = [bare(e.this if isinstance(e, exp.Alias) else e) for e in select.expressions]
        looked_at = [*shown, *(order.expressions if order else [])]
        if any(has_aggregate(e) for e in looked_at):
            continue
        keys = Keys(block, context)
        known = keys.closure(given)
        if not {reference(c) for e in looked_at for c in columns(e)} <= known:
            continue
        if keys.rows(given):
            select.set("group", None)
        elif set(given) <= keys.closure(_columns(shown)) and not select.args.get("distinct"):
            select.set("group", None)
            select.set("distinct", exp.Distinct())
    return tree


def distinct_that_drops_nothing(tree: exp.Expr, context: Context) -> exp.Expr:
    """DISTINCT goes where the projections hold a key of the rows, or of the groups; also where there is one
    row only."""
    for select in selects(tree):
        distinct = select.args.get("distinct")
        if distinct is None or distinct.args.get("on"):
            continue
        shown = _columns([bare(e.this if isinstance(e, exp.Alias) else e) for e in select.expressions])
        if not select.args.get("group") and any(has_aggregate(e) for e in select.expressions):
            if not any(e.find(exp.Window) for e in select.expressions):
                select.set("distinct", None)
            continue
        block = block_of(select)
        if block is None or any(e.find(exp.Window) for e in select.expressions):
            continue
        keys, group = Keys(block, context), select.args.get("group")
        if group is None:
            if not aggregates(select) and keys.rows(shown):
                select.set("distinct", None)
        elif _group_columns(select) and set(_group_columns(select)) <= keys.closure(shown):
            select.set("distinct", None)
    return tree


def counts_of_rows(tree: exp.Expr, context: Context) -> exp.Expr:
    """COUNT(a) is COUNT(*) where a is never NULL; so is COUNT(DISTINCT a) where a tells rows apart."""
    for select in selects(tree):
        counts = [c for c in select.find_all(exp.Count) if c.find_ancestor(exp.Select) is select]
        counts = [c for c in counts if not isinstance(c.parent, exp.Window | exp.Filter)]
        block = block_of(select) if counts else None
        if block is None:
            continue
        keys = Keys(block, context)
        for count in counts:
            counted = count.this
            distinct = isinstance(counted, exp.Distinct)
            if distinct and len(counted.expressions) == 1:
                counted = counted.expressions[0]
            if not isinstance(counted, exp.Column) or not keys.shown_never_null(*reference(counted)):
                continue
            if not distinct or keys.rows([reference(counted), *_group_columns(select)]):
                count.set("this", exp.Star())
    return tree


def order_that_says_nothing(tree: exp.Expr, context: Context) -> exp.Expr:
    """A sort key that came before goes; so do ORDER BY and LIMIT of what is one row, and ORDER BY without a
    LIMIT in IN (...) and EXISTS (...)."""
    for select in selects(tree):
        order = select.args.get("order")
        one_row = (
            not select.args.get("group")
            and not select.args.get("having")
            and any(has_aggregate(e) for e in select.expressions)
            and not select.find(exp.Window, exp.Anonymous)
        )
        limit = select.args.get("limit")
        cut = limit is not None or select.args.get("offset")
        if order is not None and not cut and (one_row or _only_asked(select)):
            select.set("order", None)
        elif order is not None:
            seen: dict[str, exp.Expr] = {}
            for item in order.expressions:
                seen.setdefault(item.this.sql() if isinstance(item, exp.Ordered) else item.sql(), item)
            order.set("expressions", list(seen.values()))
    return tree


def _only_asked(select: exp.Select) -> bool:
    """Whether the SELECT is only looked into for a value: IN (SELECT ...), EXISTS (SELECT ...)."""
    parent = select.parent
    if isinstance(parent, exp.Subquery) and not parent.alias:
        parent = parent.parent
    return isinstance(parent, exp.In | exp.Exists)


def exists_of_anything(tree: exp.Expr, context: Context) -> exp.Expr:
    """EXISTS looks at no column and at no duplicates: SELECT 1. IN (...) looks at no duplicates."""
    for select in selects(tree):
        if not _only_asked(select) or select.args.get("limit") or select.args.get("offset"):
            continue
        distinct = select.args.get("distinct")
        if distinct is not None and not distinct.args.get("on"):
            select.set("distinct", None)
        asked = select.parent.parent if isinstance(select.parent, exp.Subquery) else select.parent
        if isinstance(asked, exp.Exists) and plain(select, "order") and not aggregates(select):
            select.set("expressions", [exp.Literal.number(1)])
    return tree


def _group_columns(select: exp.Select) -> list[Reference]:
    """The columns of a plain GROUP BY; none where something else is grouped by."""
    group = select.args.get("group")
    if group is None or any(value for key, value in group.args.items() if key != "expressions"):
        return []
    found = [bare(e) for e in group.expressions]
    if not found or not all(isinstance(e, exp.Column) for e in found):
        return []
    return [reference(e) for e in found if isinstance(e, exp.Column)]


def _columns(expressions: list[exp.Expr]) -> list[Reference]:
    return [reference(e) for e in expressions if isinstance(e, exp.Column)]
