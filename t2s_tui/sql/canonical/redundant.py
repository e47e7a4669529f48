"""Rules about what need not be said: joins that a foreign key makes superfluous, IS NOT NULL, 1 = 1."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context, Foreign
from t2s_tui.sql.canonical.joins import place
from t2s_tui.sql.canonical.keys import Keys
from t2s_tui.sql.canonical.shape import (
    Block,
    Reference,
    bare,
    block_of,
    columns,
    conditions,
    reference,
    rejects_null,
    selects,
    set_conditions,
)


def conditions_that_always_hold(tree: exp.Expr, context: Context) -> exp.Expr:
    """1 = 1 and TRUE go from WHERE and HAVING; so does COUNT(*) > 0 of a group, which has a row."""
    for select in selects(tree):
        for key in ("where", "having"):
            own = conditions(select, key)
            grouped = key == "having" and bool(select.args.get("group"))
            kept = [c for c in own if not _always(c) and not (grouped and _has_a_row(c))]
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


def _has_a_row(condition: exp.Expr) -> bool:
    """COUNT(*) > 0, in the form that thresholds have here."""
    count, limit = condition.args.get("this"), condition.args.get("expression")
    return (
        isinstance(condition, exp.GT)
        and isinstance(count, exp.Count)
        and isinstance(count.this, exp.Star)
        and isinstance(limit, exp.Literal)
        and str(limit.this) == "0"
    )


def not_null_that_holds(tree: exp.Expr, context: Context) -> exp.Expr:
    """a IS NOT NULL goes where a is never NULL, or another conjunct is never true for NULL."""
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
        if not {reference(c) for c in columns(block.select) if c.table == name} <= set(links):
            continue
        _go_by(block.select, links)
        _leave_out(block.select, name, [(owner, column) for column in key.own])
        return True
    return False


def _go_by(select: exp.Select, names: Mapping[Reference, Reference]) -> None:
    """Give columns their other name."""
    for column in columns(select):
        if reference(column) in names:
            source, name = names[reference(column)]
            column.set("table", exp.to_identifier(source))
            column.set("this", exp.to_identifier(name))


def _leave_out(select: exp.Select, name: str, not_null: list[Reference]) -> None:
    """The SELECT without the inner source `name`, to which nothing refers; these columns are not NULL."""
    block = block_of(select)
    assert block is not None
    # A column that equals itself is not NULL, and that is all it says.
    themselves = [c for c in block.pool if _says_itself(c)]
    said = {*not_null, *(reference(c.this) for c in themselves if isinstance(c.this, exp.Column))}
    pool = [c.copy() for c in block.pool if c not in themselves]
    pool += [exp.Not(this=exp.Is(this=exp.column(c, s), expression=exp.Null())) for s, c in sorted(said)]
    inner = [s.copy() for s in block.inner if s.alias_or_name != name]
    place(select, inner, pool, [j.copy() for j in block.left], [c.copy() for c in block.rest])


def joins_of_a_row_with_itself(tree: exp.Expr, context: Context) -> exp.Expr:
    """A table joined with itself on a whole key is the same row twice: one source does for both."""
    for select in selects(tree):
        while (block := block_of(select)) is not None and _merge_twins(block, context):
            pass
    return tree


def _merge_twins(block: Block, context: Context) -> bool:
    for number, name in enumerate(block.names):
        for twin in block.names[number + 1 :]:
            table = block.table(name)
            if not table or block.table(twin) != table:
                continue
            for key in context.keys_of(table):
                if not _linked(block, {(name, column): (twin, column) for column in key}):
                    continue
                names = {(twin, c): (name, c) for c in context.facts[table].columns}
                if not {reference(c) for c in columns(block.select) if c.table == twin} <= set(names):
                    continue
                _go_by(block.select, names)
                _leave_out(block.select, twin, [(name, column) for column in sorted(key)])
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
    equal = isinstance(condition, exp.EQ) and condition.this == condition.expression
    return equal and isinstance(condition.this, exp.Column)
