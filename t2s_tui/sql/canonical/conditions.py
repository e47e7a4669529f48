"""Rules about conditions and values: NOT, BETWEEN, IN and OR, constants, casts, CASE, OFFSET."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.shape import bare, chain, parts, table_of

_OPPOSITE: dict[Any, Any] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
}
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_ORDERED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def push_not(tree: exp.Expr, context: Context) -> exp.Expr:
    """NOT (a > b) is a <= b, NOT (p AND q) is NOT p OR NOT q, NOT NOT p in a condition is p."""
    for _ in range(50):
        found = next((n for n in tree.find_all(exp.Not) if _pushed(n) is not None), None)
        if found is None:
            return tree
        new = _pushed(found)
        assert new is not None
        if found is tree:
            return new
        found.replace(new)
    return tree


def _pushed(node: exp.Not) -> exp.Expr | None:
    inner = bare(node.this)
    opposite = _OPPOSITE.get(type(inner))
    if opposite is not None:
        made: exp.Expr = opposite(this=inner.this.copy(), expression=inner.expression.copy())
        return exp.Paren(this=made)
    if type(inner) in (exp.And, exp.Or):
        kind = exp.Or if type(inner) is exp.And else exp.And
        members = [exp.Not(this=exp.Paren(this=part.copy())) for part in parts(inner, type(inner))]
        turned = chain(members, kind)
        return exp.Paren(this=turned) if turned is not None else None
    if isinstance(inner, exp.Not) and isinstance(bare(inner.this), (*_ORDERED, exp.In, exp.Like, exp.Is)):
        return exp.Paren(this=bare(inner.this).copy())
    return None


def between_as_comparisons(tree: exp.Expr, context: Context) -> exp.Expr:
    """x BETWEEN a AND b is x >= a AND x <= b. Not of what may differ when it is asked twice."""
    for node in list(tree.find_all(exp.Between)):
        if node.args.get("symmetric") or node.this.find(exp.Rand, exp.Anonymous, exp.Query):
            continue
        low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
        high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
        made = exp.Paren(this=exp.And(this=low, expression=high))
        if node is tree:
            return made
        node.replace(made)
    return tree


def members_in_one_list(tree: exp.Expr, context: Context) -> exp.Expr:
    """a = 1 OR a IN (2, 3) is a IN (1, 2, 3); a <> 1 AND a <> 2 is a NOT IN (1, 2); one member is = or <>."""
    for kind in (exp.Or, exp.And):
        chains = [n for n in tree.find_all(kind, bfs=True) if type(n.parent) is not kind]
        for top in reversed(chains):
            merged = _merged(parts(top, kind), kind)
            if merged is None:
                continue
            made = chain(merged, kind)
            assert made is not None
            if top is tree:
                return made
            top.replace(made)
    for node in list(tree.find_all(exp.In)):
        if node.expressions and all(map(_constant, node.expressions)):
            node.set("expressions", list({m.sql(): m for m in node.expressions}.values()))
        if len(node.expressions) == 1 and _constant(node.expressions[0]) and node.args.get("query") is None:
            negated = isinstance(node.parent, exp.Not)
            kind_of: Any = exp.NEQ if negated else exp.EQ
            made = kind_of(this=node.this.copy(), expression=node.expressions[0].copy())
            target = node.parent if negated else node
            if target is not None and target.parent is not None:
                target.replace(exp.Paren(this=made))
    return tree


def _merged(members: list[exp.Expr], kind: type[exp.Expr]) -> list[exp.Expr] | None:
    """The members with those about one expression as one list; None where there is nothing to merge."""
    lists: dict[str, list[exp.Expr]] = {}
    about: dict[str, exp.Expr] = {}
    for member in members:
        subject, values = _listed(member, negated=kind is exp.And)
        if subject is not None:
            about.setdefault(subject.sql(), subject)
            lists.setdefault(subject.sql(), []).extend(values)
    several = {text for text in lists if _count(members, text, kind) > 1}
    if not several:
        return None
    kept = []
    for member in members:
        subject, _ = _listed(member, negated=kind is exp.And)
        if subject is None or subject.sql() not in several:
            kept.append(member)
    for text in several:
        made: exp.Expr = exp.In(this=about[text].copy(), expressions=[v.copy() for v in lists[text]])
        kept.append(exp.Not(this=made) if kind is exp.And else made)
    return kept


def _count(members: list[exp.Expr], text: str, kind: type[exp.Expr]) -> int:
    subjects = [_listed(member, negated=kind is exp.And)[0] for member in members]
    return sum(subject is not None and subject.sql() == text for subject in subjects)


def _listed(node: exp.Expr, *, negated: bool) -> tuple[exp.Expr | None, list[exp.Expr]]:
    """(subject, constants) of `a = 1` and `a IN (1, 2)`, or of `a <> 1` and `a NOT IN (1, 2)`."""
    if negated and isinstance(node, exp.Not):
        inner = bare(node.this)
        return _listed(inner, negated=False) if isinstance(inner, exp.In) else (None, [])
    if negated and isinstance(node, exp.In):
        return None, []
    comparison = exp.NEQ if negated else exp.EQ
    if type(node) is comparison:
        left, right = node.this, node.expression
        if _constant(left):
            left, right = right, left
        if _constant(right) and not _constant(left) and not left.find(exp.Rand, exp.Anonymous, exp.Query):
            return left, [right]
    listed = isinstance(node, exp.In) and node.expressions and all(map(_constant, node.expressions))
    if listed and not node.this.find(exp.Rand, exp.Anonymous, exp.Query):
        return node.this, list(node.expressions)
    return None, []


def _constant(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal)


def constants_of_the_columns_type(tree: exp.Expr, context: Context) -> exp.Expr:
    """Beside a column of whole numbers '5' is 5; in SQLite, beside a column of text 5 is '5': it converts
    them before it compares (datatype3, 4.2)."""
    for column in list(tree.find_all(exp.Column)):
        kind = context.kind(_table_behind(column), column.name)
        parent = column.parent
        if kind not in ("number", "text", "real") or (kind == "text" and context.dialect != "sqlite"):
            continue
        if isinstance(parent, _ORDERED):
            _convert(parent.expression if parent.this is column else parent.this, kind)
        elif isinstance(parent, exp.In) and parent.this is column:
            for member in parent.expressions:
                _convert(member, kind)
    return tree


def _table_behind(column: exp.Column) -> str:
    """The table that a column's source is; empty for a derived table or an unknown name."""
    here = column.find_ancestor(exp.Select)
    while here is not None:
        for clause in [here.args.get("from_"), *(here.args.get("joins") or [])]:
            if clause is not None and clause.this.alias_or_name == column.table:
                return table_of(clause.this)
        here = here.find_ancestor(exp.Select)
    return ""


def _convert(node: exp.Expr, kind: str) -> None:
    literal = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or not _WHOLE_NUMBER.fullmatch(str(literal.this)):
        return
    if kind == "text" and not literal.is_string and not isinstance(node, exp.Neg):
        literal.set("is_string", True)
    elif kind != "text" and literal.is_string and node is literal and not str(literal.this).startswith("-"):
        literal.set("is_string", False)


def whole_number_thresholds(tree: exp.Expr, context: Context) -> exp.Expr:
    """COUNT(...) >= 3 is COUNT(...) > 2, and <= 3 is < 4: a count is a whole number."""
    for node in list(tree.find_all(exp.GTE, exp.LTE)):
        left, right = node.this, node.expression
        if not isinstance(left, exp.Count) or not isinstance(right, exp.Literal) or right.is_string:
            continue
        if not _WHOLE_NUMBER.fullmatch(str(right.this)) or int(right.this) < 1:
            continue
        above = isinstance(node, exp.GTE)
        value = exp.Literal.number(int(right.this) + (-1 if above else 1))
        made = (
            exp.GT(this=left.copy(), expression=value)
            if above
            else exp.LT(this=left.copy(), expression=value)
        )
        node.replace(made)
    return tree


def plain_values(tree: exp.Expr, context: Context) -> exp.Expr:
    """IIF(c, a, b) is a CASE; COUNT(1) is COUNT(*); MAX(DISTINCT x) is MAX(x); COALESCE(a, a) is a; OFFSET 0
    says nothing."""
    for node in list(tree.find_all(exp.If)):
        if not isinstance(node.parent, exp.Case) and node.parent is not None:
            made = exp.If(this=node.this.copy(), true=node.args["true"].copy())
            default = node.args.get("false")
            node.replace(exp.Case(ifs=[made], default=default.copy() if default is not None else None))
    for count in tree.find_all(exp.Count):
        if isinstance(count.this, exp.Literal):
            count.set("this", exp.Star())
    for best in tree.find_all(exp.Min, exp.Max):
        inner = best.this
        if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1 and not best.expressions:
            best.set("this", inner.expressions[0].copy())
    for first in list(tree.find_all(exp.Coalesce)):
        if first.parent is not None and first.expressions and all(e == first.this for e in first.expressions):
            first.replace(first.this.copy())
    for query in tree.find_all(exp.Query):
        offset = query.args.get("offset")
        if (
            offset is not None
            and isinstance(offset.expression, exp.Literal)
            and offset.expression.this == "0"
        ):
            query.set("offset", None)
    return tree


def casts_that_change_nothing(tree: exp.Expr, context: Context) -> exp.Expr:
    """CAST of a count or a column to the type that it has. SQLite keeps no column to its declared type, but
    for the INTEGER PRIMARY KEY; elsewhere the types hold."""
    for cast in list(tree.find_all(exp.Cast)):
        to = cast.to.this
        inner = bare(cast.this)
        if cast.parent is None or isinstance(cast, exp.TryCast):
            continue
        whole = isinstance(inner, exp.Count) or _whole_column(inner, context)
        twice = isinstance(inner, exp.Cast) and inner.to == cast.to
        if (to in exp.DataType.INTEGER_TYPES and whole) or twice:
            cast.replace(inner.copy())
    return tree


def _whole_column(node: exp.Expr, context: Context) -> bool:
    if not isinstance(node, exp.Column):
        return False
    table = _table_behind(node)
    facts = context.facts.get(table)
    if facts is None or context.kind(table, node.name) != "number":
        return False
    return context.dialect != "sqlite" or facts.counted == node.name or "types" in context.assumed
