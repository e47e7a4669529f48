"""Rules about what need not be said: joins that a foreign key makes superfluous, IS NOT NULL, 1 = 1."""

from __future__ import annotations

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context, Foreign
from t2s_tui.sql.canonical.joins import Classes, place
from t2s_tui.sql.canonical.keys import Keys
from t2s_tui.sql.canonical.shape import (
    Block,
    Reference,
    bare,
    block_of,
    columns,
    conditions,
    parts,
    reference,
    rejects_null,
    resolved,
    selects,
    set_conditions,
)


def conditions_that_always_hold(tree: exp.Expr, context: Context) -> exp.Expr:
    """1 = 1 and TRUE go from WHERE, ON and HAVING."""
    for select in selects(tree):
        for key in ("where", "having"):
            own = conditions(select, key)
            kept = [c for c in own if not _always(c)]
            if len(kept) < len(own) and (key == "where" or kept or select.args.get("group")):
                set_conditions(select, kept, key)
    return tree


def _always(condition: exp.Expr) -> bool:
    if isinstance(condition, exp.Boolean):
        return bool(condition.this)
    if isinstance(condition, exp.EQ):
        a, b = condition.this, condition.expression
        return isinstance(a, exp.Literal) and isinstance(b, exp.Literal) and a == b
    return isinstance(condition, exp.Literal) and not condition.is_string and str(condition.this) == "1"


def not_null_that_holds(tree: exp.Expr, context: Context) -> exp.Expr:
    """a IS NOT NULL goes where a is never NULL, or another conjunct is never true for NULL."""
    if not resolved(tree):
        return tree
    for select in selects(tree):
        block = block_of(select)
        if block is None:
            continue
        own = conditions(select)
        joined = [c for c in block.pool if c not in own]
        kept = list(own)
        for condition in own:
            column = _asked_not_null(condition)
            if column is None or column.table not in block.names:
                continue
            others = [c for c in kept if c is not condition] + joined
            table = block.table(column.table)
            if context.never_null(table, column.name) or any(
                rejects_null(c, column.table, column.name) for c in others
            ):
                kept = [c for c in kept if c is not condition]
        if len(kept) < len(own):
            set_conditions(select, kept)
    return tree


def _asked_not_null(condition: exp.Expr) -> exp.Column | None:
    if isinstance(condition, exp.Not):
        inner = bare(condition.this)
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return inner.this if isinstance(inner.this, exp.Column) else None
    return None


def joins_that_add_nothing(tree: exp.Expr, context: Context) -> exp.Expr:
    """A JOIN over a foreign key with a table of which nothing else is used is IS NOT NULL of the key; a LEFT
    JOIN with one row at most of which nothing is used is nothing."""
    if not resolved(tree):
        return tree
    for select in selects(tree):
        while (block := block_of(select)) is not None and _drop_one(block, context):
            pass
    return tree


def _drop_one(block: Block, context: Context) -> bool:
    for join in block.left:
        name = join.this.alias_or_name
        used = [c for c in columns(block.select) if c.table == name and not _inside(c, join)]
        before = Block(block.select, block.inner, [join], block.pool, [])
        if not used and Keys(before, context).rows_of_left_join(name):
            left = [j.copy() for j in block.left if j is not join]
            place(
                block.select,
                [s.copy() for s in block.inner],
                [c.copy() for c in block.pool],
                left,
                [c.copy() for c in block.rest],
            )
            return True
    if "references" not in context.assumed:
        return False
    return any(_drop_target(block, name, context) for name in block.names if len(block.names) > 1)


def _inside(node: exp.Expr, top: exp.Expr) -> bool:
    here: exp.Expr | None = node
    while here is not None:
        if here is top:
            return True
        here = here.parent
    return False


def _drop_target(block: Block, name: str, context: Context) -> bool:
    """Drop the source if a foreign key of another one leads to it and its columns can go by other names."""
    for key, owner in _leading_to(block, name, context):
        links = {(name, t): (owner, o) for t, o in zip(key.target, key.own, strict=True)}
        if not _linked(block, links) or frozenset(key.target) not in context.keys_of(block.table(name)):
            continue
        if not all(_alike(block, context, one, other) for one, other in links.items()):
            continue
        equal = Classes(block, context).groups()
        names = dict(links)
        for members in equal:
            others = [m for m in members if m[0] != name]
            names |= {m: others[0] for m in members if m[0] == name and others}
        used = {reference(c) for c in columns(block.select) if c.table == name}
        if not used <= set(names):
            continue
        for column in columns(block.select):
            if reference(column) in names:
                to = names[reference(column)]
                column.set("table", exp.to_identifier(to[0]))
                column.set("this", exp.to_identifier(to[1]))
        again = block_of(block.select)
        assert again is not None
        pool = [c.copy() for c in again.pool if not _says_itself(c)]
        pool += [
            exp.Not(this=exp.Is(this=exp.column(column, owner), expression=exp.Null())) for column in key.own
        ]
        inner = [s.copy() for s in again.inner if s.alias_or_name != name]
        place(block.select, inner, pool, [j.copy() for j in again.left], [c.copy() for c in again.rest])
        return True
    return False


def _alike(block: Block, context: Context, a: Reference, b: Reference) -> bool:
    return context.same_when_equal((block.table(a[0]), a[1]), (block.table(b[0]), b[1]))


def _leading_to(block: Block, name: str, context: Context) -> list[tuple[Foreign, str]]:
    target = block.table(name)
    found = []
    for owner in block.names:
        facts = context.facts.get(block.table(owner))
        if owner != name and facts is not None:
            found += [(key, owner) for key in facts.foreign if key.table == target]
    return found


def _linked(block: Block, links: dict[Reference, Reference]) -> bool:
    """Whether the conjuncts equate each target column with the column that names it."""
    said = {
        frozenset((reference(c.this), reference(c.expression)))
        for c in block.pool
        if isinstance(c, exp.EQ) and isinstance(c.this, exp.Column) and isinstance(c.expression, exp.Column)
    }
    return all(frozenset((one, other)) in said or _by_way(one, other, said) for one, other in links.items())


def _by_way(one: Reference, other: Reference, said: set[frozenset[Reference]]) -> bool:
    """Equated through other columns."""
    reached, grown = {one}, True
    while grown:
        grown = False
        for pair in said:
            if pair & reached and not pair <= reached:
                reached |= pair
                grown = True
    return other in reached


def _says_itself(condition: exp.Expr) -> bool:
    return isinstance(condition, exp.EQ) and parts(condition.this) == parts(condition.expression)
