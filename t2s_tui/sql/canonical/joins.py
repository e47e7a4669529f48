"""Rules about FROM: the order of joined sources, where conditions stand, columns equated by a join."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.shape import (
    Block,
    Reference,
    block_of,
    chain,
    columns,
    conditions,
    is_left,
    joins,
    movable,
    parts,
    reference,
    rejects_null,
    selects,
    set_conditions,
    sources_used,
    table_of,
)


def right_joins_as_left(tree: exp.Expr, context: Context) -> exp.Expr:
    """`a RIGHT JOIN b` is `b LEFT JOIN a`, where there are just these two."""
    for select in selects(tree):
        own = joins(select)
        first = select.args.get("from_")
        if len(own) != 1 or first is None or str(own[0].args.get("side") or "").upper() != "RIGHT":
            continue
        join, on = own[0], own[0].args.get("on")
        if on is None or join.args.get("kind") or join.args.get("method"):
            continue
        if movable(first.this) and movable(join.this):
            left, right = first.this.copy(), join.this.copy()
            first.set("this", right)
            select.set("joins", [exp.Join(this=left, side="LEFT", on=on.copy())])
    return tree


def left_joins_that_filter(tree: exp.Expr, context: Context) -> exp.Expr:
    """A LEFT JOIN is a JOIN where WHERE, or the ON of a later JOIN, is never true for its NULLs."""
    for select in selects(tree):
        filters = conditions(select)
        for join in reversed(joins(select)):
            if is_left(join) and any(rejects_null(c, join.this.alias_or_name) for c in filters):
                join.set("side", None)
            if str(join.args.get("side") or "").upper() in ("RIGHT", "FULL"):
                break  # it keeps rows that these conditions would have dropped before it
            if not join.args.get("side") and join.args.get("on") is not None:
                filters += parts(join.args["on"])
    return tree


def canonical_joins(tree: exp.Expr, context: Context) -> exp.Expr:
    """Inner-joined sources in a fixed order; conditions that equate two of them at ON, all others at WHERE;
    columns that are equated and hold the same values go by the name of the first."""
    for select in selects(tree):
        block = block_of(select)
        if block is not None and (len(block.inner) > 1 or block.left):
            _rebuild(block, context)
    return tree


def _rebuild(block: Block, context: Context) -> None:
    classes = Classes(block, context)
    order = _ordered(block, classes, context.order)
    block.inner = [s for name in order if (s := block.source(name)) is not None]
    equated = classes.conditions(order)
    replaced = classes.first_names(order)
    held = [c.copy() for c in block.pool if not classes.made_of(c)]
    for column in columns(block.select):
        if reference(column) in replaced:
            _point(column, replaced[reference(column)])
    for condition in held:
        for column in columns(condition):
            if reference(column) in replaced:
                _point(column, replaced[reference(column)])
    left = []
    for join in block.left:
        left.append(exp.Join(this=join.this.copy(), side="LEFT", on=join.args["on"].copy()))
    if all(_independent(join, block.names) for join in left):
        left.sort(key=lambda join: _source_text(join.this))
    rest = [c.copy() for c in conditions(block.select) if sources_used(c) & _names_of(left)]
    place(block.select, block.inner, equated + held, left, rest)


def place(
    select: exp.Select,
    inner: list[exp.Expr],
    pool: list[exp.Expr],
    left: list[exp.Join],
    rest: list[exp.Expr],
) -> None:
    """Write FROM, JOINs and WHERE: a conjunct that equates columns of two sources at the later one's ON."""
    at = {source.alias_or_name: number for number, source in enumerate(inner)}
    on: dict[int, list[exp.Expr]] = {}
    where = []
    for condition in pool:
        sides = _equated(condition)
        places = {at[s] for s, _ in sides if s in at} if sides else set()
        if sides and len(places) == 2 and all(s in at for s, _ in sides):
            on.setdefault(max(places), []).append(condition)
        else:
            where.append(condition)
    made = []
    for number, source in enumerate(inner[1:], 1):
        equated = chain(on.get(number, []))
        kind = None if equated is not None else "CROSS"
        made.append(exp.Join(this=source.copy(), on=equated, kind=kind))
    select.set("from_", exp.From(this=inner[0].copy()))
    select.set("joins", [*made, *left])
    set_conditions(select, where + rest)


def _names_of(left: Iterable[exp.Join]) -> set[str]:
    return {join.this.alias_or_name for join in left}


def _independent(join: exp.Join, inner: Iterable[str]) -> bool:
    return not (sources_used(join.args["on"]) - {join.this.alias_or_name, *inner})


def _point(column: exp.Column, to: Reference) -> None:
    column.set("table", exp.to_identifier(to[0]))
    column.set("this", exp.to_identifier(to[1]))


def _equated(condition: exp.Expr) -> tuple[Reference, Reference] | None:
    if isinstance(condition, exp.EQ):
        left, right = condition.this, condition.expression
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            return reference(left), reference(right)
    return None


class Classes:
    """Columns of a block's inner sources that its conjuncts equate, where equal values are the same."""

    def __init__(self, block: Block, context: Context) -> None:
        self._parent: dict[Reference, Reference] = {}
        names = set(block.names)
        self._table = {name: block.table(name) for name in names}
        for condition in block.pool:
            sides = _equated(condition)
            if sides is None or not all(s in names for s, _ in sides):
                continue
            a, b = ((self._table[s], c) for s, c in sides)
            surely = context.same_when_equal(a, b, joined=False)
            if surely or (context.same_when_equal(a, b) and all(_shown_only(block.select, s) for s in sides)):
                self._parent[self._find(sides[0])] = self._find(sides[1])

    def _find(self, item: Reference) -> Reference:
        while self._parent.setdefault(item, item) != item:
            item = self._parent[item]
        return item

    def groups(self) -> list[list[Reference]]:
        """The classes of two and more columns."""
        found: dict[Reference, list[Reference]] = {}
        for item in list(self._parent):
            found.setdefault(self._find(item), []).append(item)
        return [sorted(members) for members in found.values() if len(members) > 1]

    def made_of(self, condition: exp.Expr) -> bool:
        """Whether the conjunct says no more than that two members of a class are equal."""
        sides = _equated(condition)
        return (
            sides is not None
            and all(s in self._parent for s in sides)
            and sides[0] != sides[1]
            and self._find(sides[0]) == self._find(sides[1])
        )

    def linked(self, a: str, b: str) -> bool:
        """Whether a class has columns of both sources."""
        return any({a, b} <= {s for s, _ in members} for members in self.groups())

    def first_names(self, order: list[str]) -> dict[Reference, Reference]:
        """What each member but the first is replaced by: the member whose source comes first."""
        found: dict[Reference, Reference] = {}
        for members in self._in(order):
            found |= dict.fromkeys(members[1:], members[0])
        return found

    def conditions(self, order: list[str]) -> list[exp.Expr]:
        """first = other for every other member of each class."""
        return [
            exp.EQ(this=exp.column(members[0][1], members[0][0]), expression=exp.column(other[1], other[0]))
            for members in self._in(order)
            for other in members[1:]
        ]

    def _in(self, order: list[str]) -> list[list[Reference]]:
        at = {name: number for number, name in enumerate(order)}
        return [sorted(members, key=lambda m: (at[m[0]], m[1])) for members in self.groups()]


def _shown_only(select: exp.Select, item: Reference) -> bool:
    """Whether a column is shown, grouped by, counted and equated, but never compared or computed with: '1'
    may stand for 1 there."""
    if select.find_ancestor(exp.SetOperation) is not None:
        return False
    return all(
        isinstance(c.parent, exp.Select | exp.Alias | exp.Group | exp.Count | exp.Distinct)
        or _equated(c.parent or c) is not None
        for c in columns(select)
        if reference(c) == item
    )


def _ordered(block: Block, classes: Classes, wanted: tuple[str, ...]) -> list[str]:
    """The names of the inner sources: the first by `wanted` and name, then each time the first that is
    joined to one before it."""
    keys = _keys(block, wanted)
    waiting = sorted(block.names, key=lambda name: keys[name])
    linked = {(a, b) for a in waiting for b in waiting if a != b and _joined(block, classes, a, b)}
    order = [waiting.pop(0)]
    while waiting:
        near = [name for name in waiting if any((name, done) in linked for done in order)]
        order.append((near or waiting)[0])
        waiting.remove(order[-1])
    return order


def _joined(block: Block, classes: Classes, a: str, b: str) -> bool:
    if classes.linked(a, b):
        return True
    return any(
        (sides := _equated(condition)) is not None and {s for s, _ in sides} == {a, b}
        for condition in block.pool
    )


def _keys(block: Block, wanted: tuple[str, ...]) -> dict[str, tuple[int, str, str]]:
    """What sources are ordered by: their text; those of one table by what is said of them."""
    texts = {source.alias_or_name: _source_text(source) for source in block.inner}
    twins = {name for name in texts if list(texts.values()).count(texts[name]) > 1}
    at = {table: number for number, table in enumerate(wanted)}
    return {
        name: (at.get(text, len(at)), text, _said_of(name, block) if name in twins else "")
        for name, text in texts.items()
    }


def _source_text(source: exp.Expr) -> str:
    return table_of(source) or source.this.sql()


def _said_of(name: str, block: Block) -> str:
    """Every expression about a source, with its own name and those of the others' tables, in order."""
    select = block.select
    own = [*select.expressions, select.args.get("group"), select.args.get("having"), select.args.get("order")]
    said = []
    for place_of, part in [*((0, c) for c in block.pool + block.rest), *enumerate(own, 1)]:
        if part is None or name not in sources_used(part):
            continue
        copy = part.copy()
        for column in columns(copy):
            other = block.source(column.table)
            if column.table == name or other is not None:
                text = "@" if column.table == name else _source_text(other or copy)
                column.set("table", exp.to_identifier(text, quoted=True))
        if isinstance(copy, exp.EQ):
            copy = exp.Tuple(expressions=sorted((copy.this, copy.expression), key=lambda e: str(e.sql())))
        said.append(f"{place_of} {copy.sql()}")
    return "\n".join(sorted(said))
