"""How hard a query is by Spider's published rules: easy, medium, hard, extra.

Yu et al. 2018, `evaluation.py` of taoyds/spider, whose oddities are kept so that the words mean the same: a
NOT counts as an aggregate, so does each AND of a HAVING, and of a set operation only the first query counts.
What Spider's grammar lacks is counted like its next relative: a CTE as a nested query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

LEVELS = ("easy", "medium", "hard", "extra")


@dataclass(frozen=True, slots=True)
class Components:
    """What Spider counts: clauses, joins, ORs and LIKEs; nested queries; what there is more than one of."""

    plain: int
    nested: int
    others: int

    @property
    def level(self) -> str:
        """One of LEVELS."""
        plain, nested, others = self.plain, self.nested, self.others
        if plain <= 1 and others == 0 and nested == 0:
            return "easy"
        if nested == 0 and ((others <= 2 and plain <= 1) or (plain <= 2 and others < 2)):
            return "medium"
        if nested == 0 and ((others > 2 and plain <= 2) or (2 < plain <= 3 and others <= 2)):
            return "hard"
        if plain <= 1 and others == 0 and nested <= 1:
            return "hard"
        return "extra"


def hardness(tree: exp.Expr) -> str:
    """One of LEVELS for a parsed query, empty for what is no query."""
    found = components(tree)
    return found.level if found is not None else ""


def components(tree: exp.Expr) -> Components | None:
    """The counts of a parsed query, None for what is no query."""
    from sqlglot import exp

    nested = len(tree.args["with_"].expressions) if tree.args.get("with_") else 0
    while not isinstance(tree, exp.Select):
        if not isinstance(tree, exp.SetOperation | exp.Subquery):
            return None
        # Spider reads `a UNION b UNION c` as a with one UNION, whose other side is `b UNION c`.
        nested += isinstance(tree, exp.SetOperation) and not isinstance(tree.this, exp.SetOperation)
        tree = tree.this
    joins = [join.args.get("on") for join in tree.args.get("joins") or []]
    where, having = _under(tree, "where"), _under(tree, "having")
    clauses = [_Clause.of(part) for part in (*joins, where, having)]
    conditions = [condition for clause in clauses for condition in clause.conditions]
    return Components(
        plain=sum(bool(tree.args.get(name)) for name in ("where", "group", "order", "limit"))
        + len(joins)
        + sum(clause.ors for clause in clauses)
        + sum(isinstance(_bare(condition), exp.Like | exp.ILike) for condition in conditions),
        nested=nested + sum(_subqueries(condition) for condition in conditions),
        others=_others(tree, _Clause.of(where), _Clause.of(having)),
    )


@dataclass(frozen=True, slots=True)
class _Clause:
    """The conditions of a WHERE, HAVING or ON as Spider's flat list has them, and its ANDs and ORs."""

    conditions: tuple[exp.Expr, ...] = ()
    ands: int = 0
    ors: int = 0

    @classmethod
    def of(cls, tree: exp.Expr | None) -> _Clause:
        from sqlglot import exp

        conditions: list[exp.Expr] = []
        ands = ors = 0
        left = [tree] if tree is not None else []
        while left:  # not by recursion: a thousand ORs are one inside the other
            part = left.pop()
            inner = part.unnest()
            if isinstance(inner, exp.Connector):
                ors += isinstance(inner, exp.Or)
                ands += not isinstance(inner, exp.Or)
                left += [inner.expression, inner.this]
            else:
                conditions.append(part)
        return cls(tuple(conditions), ands, ors)


def _others(select: exp.Select, where: _Clause, having: _Clause) -> int:
    from sqlglot import exp

    aggregates = sum(isinstance(item.unalias(), exp.AggFunc) for item in select.expressions)
    aggregates += sum(_negated(condition) for condition in (*where.conditions, *having.conditions))
    aggregates += having.ands + having.ors
    order = select.args.get("order")
    for item in order.expressions if order else ():
        value = item.this.unnest()
        parts = (value.this, value.expression) if isinstance(value, exp.Binary) else (value,)
        aggregates += sum(isinstance(part.unnest(), exp.AggFunc) for part in parts)
    group = select.args.get("group")
    grouped = len(group.expressions) if group else 0
    return (aggregates > 1) + (len(select.expressions) > 1) + (len(where.conditions) > 1) + (grouped > 1)


def _under(select: exp.Select, name: str) -> exp.Expr | None:
    clause = select.args.get(name)
    return clause.this if clause is not None else None


def _negated(condition: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(condition.unnest(), exp.Not)


def _bare(condition: exp.Expr) -> exp.Expr:
    from sqlglot import exp

    inner = condition.unnest()
    return inner.this.unnest() if isinstance(inner, exp.Not) else inner


def _subqueries(condition: exp.Expr) -> int:
    """The queries right inside a condition; those inside of them are not counted."""
    from sqlglot import exp

    found, left = 0, [condition]
    while left:
        node = left.pop()
        if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
            found += 1
        else:
            left += node.iter_expressions()
    return found
