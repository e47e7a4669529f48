"""Whether what a query returns hangs on the order in which rows are read."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.cut import Cut

_KEEPERS = (exp.Limit, exp.Fetch, exp.Window, exp.GroupConcat, exp.ArrayAgg)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def orders(tree: Any) -> bool:
    """Whether the outermost query orders its rows."""
    while isinstance(tree, exp.Subquery) and not tree.args.get("order"):
        tree = tree.this
    return tree.args.get("order") is not None


def shaky(tree: Any) -> bool:
    """Whether what the query returns may hang on the order in which rows are read, its own order included."""
    return orders(tree) or tree.find(*_KEEPERS) is not None or _bare(tree)


def loose(tree: Any, cut: Cut | None) -> bool:
    """Whether it may in ways that its `cut` does not know: a nested LIMIT, a bare column, one row of many."""
    inner = tree
    if cut is not None:
        inner = tree.copy()
        inner.set("limit", None)
        inner.set("offset", None)
    return inner.find(*_KEEPERS) is not None or _bare(inner) or any(map(_picks, inner.find_all(exp.Subquery)))


def _picks(query: Any) -> bool:
    """Whether it is a subquery for one value that may return several rows, of which the first is taken."""
    select = query.this
    alone = isinstance(query.parent, _COMPARISONS) or not isinstance(
        query.parent, exp.From | exp.Join | exp.In
    )
    return alone and isinstance(select, exp.Select) and not any(map(_aggregate, select.expressions))


def _bare(tree: Any) -> bool:
    """Whether it shows a column beside aggregates that it does not group by: SQLite takes it from any row."""
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        keys = {g.sql() for g in group.expressions} if group is not None else set()
        aggregated = group is not None or any(_aggregate(item) for item in select.expressions)
        if aggregated and any(
            not _aggregate(item) and item.unalias().sql() not in keys and item.find(exp.Column) is not None
            for item in select.expressions
        ):
            return True
    return False


def _aggregate(item: Any) -> bool:
    return item.find(exp.AggFunc) is not None
