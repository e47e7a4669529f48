"""Rules of the canonical form about operators: parentheses, operands, conjuncts. Each keeps the meaning.

Each takes a tree and gives it back changed in place; `dialect` is only for a stable order of the operands.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

_FLIPPED: dict[Any, Any] = {
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.NullSafeEQ: exp.NullSafeEQ,
}
_COMPARISONS = (
    *_FLIPPED,
    exp.Is,
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.Glob,
    exp.RegexpLike,
    exp.Exists,
    exp.Not,
)
_ATOMS = (exp.Column, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Func, exp.Case, exp.Star)
_OPERATOR_FUNCTIONS = (exp.Connector, exp.Binary, exp.Unary, exp.Between, exp.In)
_ALONE = (
    exp.Paren,
    exp.Where,
    exp.Having,
    exp.Ordered,
    exp.Group,
    exp.Alias,
    exp.Select,
    exp.If,
    exp.Limit,
    exp.Offset,
)


def plain_join_words(tree: exp.Expr) -> exp.Expr:
    """INNER JOIN is JOIN; LEFT OUTER JOIN is LEFT JOIN."""
    for join in tree.find_all(exp.Join):
        if str(join.args.get("kind") or "").upper() in ("INNER", "OUTER"):
            join.set("kind", None)
    return tree


def plain_order_words(tree: exp.Expr) -> exp.Expr:
    """ORDER BY a ASC is ORDER BY a."""
    for item in tree.find_all(exp.Ordered):
        if item.args.get("desc") is False:
            item.set("desc", None)
    return tree


def drop_parentheses(tree: exp.Expr) -> exp.Expr:
    """Parentheses go where the tree says the same without them: around an atom, around a whole clause or
    argument, around a comparison or an AND inside AND and OR."""
    for paren in reversed(list(tree.find_all(exp.Paren, bfs=True))):
        if paren.parent is not None and _redundant(paren):
            paren.replace(paren.this)
    return tree


def _redundant(paren: exp.Paren) -> bool:
    inner, parent = paren.this, paren.parent
    if isinstance(inner, exp.Query):
        return False
    if isinstance(inner, _ATOMS) and not isinstance(inner, _OPERATOR_FUNCTIONS):
        return True
    if isinstance(parent, _ALONE) or (isinstance(parent, exp.Join) and paren.arg_key == "on"):
        return True
    if isinstance(parent, exp.And):
        return isinstance(inner, (*_COMPARISONS, exp.And))
    if isinstance(parent, exp.Or):
        return isinstance(inner, (*_COMPARISONS, exp.And, exp.Or))
    return False


def order_comparisons(tree: exp.Expr, dialect: str) -> exp.Expr:
    """`5 < a` is `a > 5`, `b = a` is `a = b`. Not beside a COLLATE: the left side's decides there."""
    if tree.find(exp.Collate):
        return tree
    for node in list(tree.find_all(*_FLIPPED)):
        flipped = _FLIPPED.get(type(node))
        if flipped is not None and _rank(node.this, dialect) > _rank(node.expression, dialect):
            node.replace(flipped(this=node.expression, expression=node.this))
    return tree


def _rank(side: exp.Expr, dialect: str) -> tuple[int, str]:
    """Columns first, then what is computed, then constants."""
    constant = isinstance(side, exp.Literal | exp.Null | exp.Boolean | exp.Neg)
    kind = 0 if isinstance(side, exp.Column) else 2 if constant else 1
    return kind, side.sql(dialect=dialect)


def order_lists(tree: exp.Expr, dialect: str) -> exp.Expr:
    """The members of IN (...) in a fixed order, each once. Only plain constants are moved."""
    for node in tree.find_all(exp.In):
        members = node.expressions
        if members and all(isinstance(m, exp.Literal | exp.Neg | exp.Null | exp.Boolean) for m in members):
            texts = {m.sql(dialect=dialect): m for m in members}
            node.set("expressions", [texts[t] for t in sorted(texts)])
    return tree


def order_conjuncts(tree: exp.Expr, dialect: str) -> exp.Expr:
    """The members of a chain of ANDs, or of ORs, in a fixed order, each once; innermost chains first."""
    chains = [n for n in tree.find_all(exp.And, exp.Or, bfs=True) if type(n.parent) is not type(n)]
    for top in reversed(chains):
        kind = type(top)
        members = {m.sql(dialect=dialect): m for m in _members(top, kind)}
        ordered = [members[text] for text in sorted(members)]
        # In DISTINCT or in a value `a AND a` is a truth value and `a` alone may not be: keep one pair there.
        if len(ordered) == 1 and not isinstance(ordered[0], _COMPARISONS):
            continue
        rebuilt: exp.Expr = ordered[0].copy()
        for member in ordered[1:]:
            rebuilt = kind(this=rebuilt, expression=member.copy())
        if top is tree:
            tree = rebuilt
        else:
            top.replace(rebuilt)
    return tree


def _members(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """The members of a chain from left to right, without recursion: chains can be long."""
    found: list[exp.Expr] = []
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if type(here) is kind:
            waiting += [here.args["expression"], here.this]
        else:
            found.append(here)
    return found
