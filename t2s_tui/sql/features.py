"""What a query is made of, counted: joins, nesting, aggregates and the clauses it uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

#: Every name in `Features.used`, in the order in which they are shown.
USED = (
    "where", "group by", "having", "order by", "limit", "distinct", "subquery", "set operation", "with",
    "window", "case", "like", "between", "in", "exists", "null test", "or", "outer join", "self join",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Features:
    """`joins` counts every joined table (a comma joins too), `nesting` is how deep queries lie in queries
    (0: none does), `aggregates` counts aggregate functions, `selects` the queries. `tables` are the names
    that are read, in lower case and sorted, once for each time. `used` is a subset of USED in its order."""

    joins: int = 0
    nesting: int = 0
    aggregates: int = 0
    selects: int = 0
    tables: tuple[str, ...] = ()
    used: tuple[str, ...] = ()


def features(tree: exp.Expr) -> Features:
    """The features of one parsed statement."""
    from sqlglot import exp

    used: set[str] = set()
    joins = aggregates = selects = nesting = 0
    tables: list[str] = []
    # Node -> the queries it lies in; the sides of a set operation lie side by side.
    above: dict[int, int] = {}
    for node in tree.walk():  # parents come before their children
        parent = node.parent if node is not tree else None
        above[id(node)] = above[id(parent)] + isinstance(parent, exp.Select) if parent is not None else 0
        used.update(_names(node))
        if isinstance(node, exp.Join):
            joins += 1
            if node.side:
                used.add("outer join")
        elif isinstance(node, exp.Select):
            selects += 1
            nesting = max(nesting, above[id(node)])
        elif isinstance(node, exp.AggFunc):
            aggregates += 1
        elif isinstance(node, exp.Table):
            tables.append(node.name.lower())
        elif isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            used.add("null test")
    if nesting:
        used.add("subquery")
    if len(set(tables)) < len(tables) and joins:
        used.add("self join")
    in_order = tuple(name for name in USED if name in used)
    return Features(joins, nesting, aggregates, selects, tuple(sorted(tables)), in_order)


_KNOWN: dict[type, tuple[str, ...]] = {}


def _names(node: exp.Expr) -> tuple[str, ...]:
    """The names in USED that a node of this type stands for; each type is looked at once."""
    kind: type = type(node)
    if kind not in _KNOWN:
        _KNOWN[kind] = tuple(name for known, name in _kinds() if issubclass(kind, known))
    return _KNOWN[kind]


def _kinds() -> list[tuple[type, str]]:
    from sqlglot import exp

    return [
        (exp.Where, "where"), (exp.Group, "group by"), (exp.Having, "having"), (exp.Order, "order by"),
        (exp.Limit, "limit"), (exp.Fetch, "limit"), (exp.Distinct, "distinct"), (exp.With, "with"),
        (exp.SetOperation, "set operation"), (exp.Window, "window"), (exp.Case, "case"), (exp.If, "case"),
        (exp.Like, "like"), (exp.ILike, "like"), (exp.Between, "between"), (exp.In, "in"),
        (exp.Exists, "exists"), (exp.Or, "or"),
    ]  # fmt: skip
