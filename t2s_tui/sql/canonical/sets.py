"""Rules about UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.keys import Keys
from t2s_tui.sql.canonical.shape import (
    aggregates,
    bare,
    block_of,
    chain,
    conditions,
    plain,
    reference,
    set_conditions,
    table_of,
)


def duplicates_in_sets(tree: exp.Expr, context: Context) -> exp.Expr:
    """UNION, INTERSECT and EXCEPT drop duplicates: their operands need no DISTINCT."""
    for operation in tree.find_all(exp.SetOperation):
        if not _drops_duplicates(operation):
            continue
        for side in (operation.this, operation.expression):
            operand = _unwrapped(side)
            if isinstance(operand, exp.Select) and not (
                operand.args.get("limit") or operand.args.get("offset")
            ):
                distinct = operand.args.get("distinct")
                if distinct is not None and not distinct.args.get("on"):
                    operand.set("distinct", None)
    return tree


def order_of_sets(tree: exp.Expr, context: Context) -> exp.Expr:
    """The operands of a chain of UNIONs, UNION ALLs or INTERSECTs in a fixed order, where no ORDER BY and no
    outer query goes by the names that the first one gives."""
    tops = [n for n in tree.find_all(exp.SetOperation, bfs=True) if not _same_chain(n.parent, n)]
    for top in reversed(tops):
        if isinstance(top, exp.Except) or not _names_free(top, tree):
            continue
        operands = _operands(top)
        if any(not _movable(operand) for operand in operands):
            continue
        ordered = sorted((o.copy() for o in operands), key=lambda o: str(o.sql()))
        built = ordered[0]
        for operand in ordered[1:]:
            built = type(top)(this=built, expression=operand, distinct=top.args.get("distinct"))
        for key in ("limit", "offset", "with_"):
            if top.args.get(key) is not None:
                built.set(key, top.args[key].copy())
        if top is tree:
            tree = built
        else:
            top.replace(built)
    return tree


def _drops_duplicates(operation: exp.SetOperation) -> bool:
    return bool(operation.args.get("distinct", True))


def _unwrapped(side: exp.Expr) -> exp.Expr:
    while isinstance(side, exp.Subquery) and not side.alias and plain_wrapper(side):
        side = side.this
    return side


def plain_wrapper(side: exp.Subquery) -> bool:
    """Parentheses around a query with nothing attached."""
    return not any(value for key, value in side.args.items() if key != "this")


def _same_chain(parent: exp.Expr | None, node: exp.SetOperation) -> bool:
    return (
        type(parent) is type(node)
        and parent is not None
        and node.arg_key == "this"
        and bool(parent.args.get("distinct")) == bool(node.args.get("distinct"))
        and not any(node.args.get(key) for key in ("order", "limit", "offset", "with_"))
    )


def _operands(top: exp.SetOperation) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    here: exp.Expr = top
    while isinstance(here, exp.SetOperation) and (here is top or _same_chain(here.parent, here)):
        found.append(here.expression)
        here = here.this
    return [here, *reversed(found)]


def _movable(operand: exp.Expr) -> bool:
    extra = ("order", "limit", "offset", "with_")
    return isinstance(_unwrapped(operand), exp.Select) and not any(operand.args.get(k) for k in extra)


def _names_free(top: exp.SetOperation, tree: exp.Expr) -> bool:
    if top.args.get("order") or top.args.get("by_name"):
        return False
    parent = top.parent
    if isinstance(parent, exp.Subquery) and not parent.alias:
        parent = parent.parent
    return top is tree or isinstance(parent, exp.In | exp.Exists)


def except_as_not_in(tree: exp.Expr, context: Context) -> exp.Expr:
    """SELECT a ... EXCEPT SELECT b ... is SELECT DISTINCT a ... WHERE a NOT IN (SELECT b ... WHERE b IS NOT
    NULL), and INTERSECT is IN, for columns whose equal values are the same. NULL equals NULL in a set and
    nothing in IN: for EXCEPT a must never be NULL, for INTERSECT one of the two."""
    for operation in reversed(list(tree.find_all(exp.Except, exp.Intersect, bfs=True))):
        made = _as_membership(operation, context)
        if made is None:
            continue
        if operation is tree:
            return made
        operation.replace(made)
    return tree


def _as_membership(operation: exp.SetOperation, context: Context) -> exp.Expr | None:
    if not _drops_duplicates(operation) or any(
        operation.args.get(k) for k in ("order", "limit", "offset", "with_", "by_name")
    ):
        return None
    left, right = _unwrapped(operation.this), _unwrapped(operation.expression)
    for side in (left, right):
        if not plain(side, "distinct") or not isinstance(side, exp.Select) or aggregates(side):
            return None
    assert isinstance(left, exp.Select)
    assert isinstance(right, exp.Select)
    a, b = _only_column(left), _only_column(right)
    left_block, right_block = block_of(left), block_of(right)
    if a is None or b is None or left_block is None or right_block is None:
        return None
    tables = left_block.table(a.table), right_block.table(b.table)
    if not all(tables) or not context.same_when_equal((tables[0], a.name), (tables[1], b.name), joined=False):
        return None
    known = (
        Keys(left_block, context).shown_never_null(*reference(a)),
        Keys(right_block, context).shown_never_null(*reference(b)),
    )
    excepted = isinstance(operation, exp.Except)
    if not (known[0] if excepted else any(known)):
        return None
    asked = right.copy()
    asked.set("distinct", None)
    if excepted and not known[1]:
        there = exp.Not(this=exp.Is(this=b.copy(), expression=exp.Null()))
        set_conditions(asked, [*conditions(asked), there])
    member: exp.Expr = exp.In(this=a.copy(), query=exp.Subquery(this=asked))
    made = left.copy()
    made.set("distinct", exp.Distinct())
    set_conditions(made, [*conditions(made), exp.Not(this=member) if excepted else member])
    return made


def _only_column(select: exp.Select) -> exp.Column | None:
    if len(select.expressions) != 1:
        return None
    shown = select.expressions[0]
    shown = bare(shown.this if isinstance(shown, exp.Alias) else shown)
    return shown if isinstance(shown, exp.Column) else None


def union_as_or(tree: exp.Expr, context: Context) -> exp.Expr:
    """A UNION of two queries that differ in WHERE alone is one SELECT DISTINCT with OR."""
    for operation in reversed(list(tree.find_all(exp.Union, bfs=True))):
        left, right = _unwrapped(operation.this), _unwrapped(operation.expression)
        if not _drops_duplicates(operation) or operation.args.get("order") or operation.args.get("by_name"):
            continue
        if not all(isinstance(s, exp.Select) and plain(s, "distinct") for s in (left, right)):
            continue
        assert isinstance(left, exp.Select)
        assert isinstance(right, exp.Select)
        if aggregates(left) or aggregates(right) or _without_where(left) != _without_where(right):
            continue
        first, second = conditions(left), conditions(right)
        shared = [c for c in first if c in second]
        one, other = ([c for c in side if c not in shared] for side in (first, second))
        made = left.copy()
        made.set("distinct", exp.Distinct())
        both: list[exp.Expr] = (
            [] if not one or not other else [exp.Or(this=_grouped(one), expression=_grouped(other))]
        )
        set_conditions(made, shared + both)
        for key in ("limit", "offset", "with_"):
            if operation.args.get(key) is not None:
                made.set(key, operation.args[key].copy())
        if operation is tree:
            return made
        operation.replace(made)
    return tree


def _grouped(members: list[exp.Expr]) -> exp.Expr:
    made = chain(members)
    assert made is not None
    return exp.Paren(this=made)


def _without_where(select: exp.Select) -> str:
    copy = select.copy()
    copy.set("where", None)
    copy.set("distinct", None)
    return str(copy.sql()) + " " + " ".join(table_of(t) for t in copy.find_all(exp.Table))
