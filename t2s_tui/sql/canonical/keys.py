"""What determines what: functional dependencies of a block, from keys, equated columns and constants."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from t2s_tui.sql.canonical.context import Context
from t2s_tui.sql.canonical.shape import Block, Reference, parts, reference, rejects_null

_ROW = "*"  # (source, "*") stands for the whole row of a source


class Keys:
    """Which columns of a block's sources determine which others, and which rows.

    Only keys of which no column is NULL count: UNIQUE lets many NULLs in.
    """

    def __init__(self, block: Block, context: Context) -> None:
        self._block = block
        self._context = context
        self._rules: list[tuple[frozenset[Reference], frozenset[Reference]]] = []
        self._sources = [*block.names, *(join.this.alias_or_name for join in block.left)]
        for name in self._sources:
            self._from_keys(name)
        for condition in block.pool:
            self._from_condition(condition)
        for join in block.left:
            self._from_left_join(join)

    def _from_keys(self, name: str) -> None:
        table = self._block.table(name)
        facts = self._context.facts.get(table)
        if facts is None:
            return
        row = frozenset([(name, _ROW), *((name, column) for column in facts.columns)])
        self._rules.append((frozenset([(name, _ROW)]), row))
        for key in self._context.keys_of(table):
            if all(self.never_null(name, column) for column in key):
                self._rules.append((frozenset((name, column) for column in key), row))

    def _from_condition(self, condition: exp.Expr) -> None:
        if not isinstance(condition, exp.EQ):
            return
        left, right = condition.this, condition.expression
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            a, b = reference(left), reference(right)
            if a[0] in self._sources and b[0] in self._sources and self._alike(a, b):
                self._rules += [(frozenset([a]), frozenset([b])), (frozenset([b]), frozenset([a]))]
        elif isinstance(left, exp.Column) and isinstance(right, exp.Literal) and self._alike_constant(left):
            self._rules.append((frozenset(), frozenset([reference(left)])))

    def _alike(self, a: Reference, b: Reference) -> bool:
        return self._context.same_when_equal((self._block.table(a[0]), a[1]), (self._block.table(b[0]), b[1]))

    def _alike_constant(self, column: exp.Column) -> bool:
        kind = self._context.kind(self._block.table(column.table), column.name)
        return kind in ("number", "real") or (kind == "text" and not self._context.collated)

    def _from_left_join(self, join: exp.Join) -> None:
        """A row that meets its ON by a key is one row or none: what it was joined on determines it."""
        name = join.this.alias_or_name
        equals: dict[str, Reference] = {}
        for condition in parts(join.args["on"]):
            sides = (condition.this, condition.expression) if isinstance(condition, exp.EQ) else ()
            for one, other in (sides, sides[::-1]) if sides else ():
                pair = isinstance(one, exp.Column) and isinstance(other, exp.Column)
                if pair and one.table == name and other.table in self._block.names:
                    equals[one.name] = reference(other)
        table = self._block.table(name)
        if set(_others(join, name)) - set(self._block.names):
            return
        for key in self._context.keys_of(table):
            if key <= set(equals) and all(self._alike((name, column), equals[column]) for column in key):
                needed = {reference(c) for c in join.args["on"].find_all(exp.Column) if c.table != name}
                self._rules.append((frozenset(needed), frozenset([(name, _ROW)])))

    def never_null(self, name: str, column: str) -> bool:
        """Whether the column of an inner source is not NULL in any row that is left; of a LEFT JOIN's
        source, in any row of its table."""
        if self._context.never_null(self._block.table(name), column):
            return True
        if name not in self._block.names:
            return False
        return any(rejects_null(condition, name, column) for condition in self._block.pool)

    def shown_never_null(self, name: str, column: str) -> bool:
        """As `never_null`, but also false for what a LEFT JOIN fills with NULLs."""
        return name in self._block.names and self.never_null(name, column)

    def closure(self, given: Iterable[Reference]) -> set[Reference]:
        """All that is determined by the given columns; rows as (source, "*")."""
        known = set(given)
        grown = True
        while grown:
            grown = False
            for need, gives in self._rules:
                if need <= known and not gives <= known:
                    known |= gives
                    grown = True
        return known

    def rows(self, given: Iterable[Reference]) -> bool:
        """Whether the given columns tell every two rows of the block apart."""
        known = self.closure(given)
        return all((name, _ROW) in known for name in self._sources)

    def rows_of_left_join(self, name: str) -> bool:
        """Whether a row of the inner sources meets one row at most of this LEFT JOIN's source."""
        return (name, _ROW) in self.closure((inner, _ROW) for inner in self._block.names)

    def columns_in(self, known: Iterable[Reference]) -> set[Reference]:
        """Without the marks of rows."""
        return {item for item in known if item[1] != _ROW}

    def is_primary(self, item: Reference) -> bool:
        """Whether the column is in its table's primary key."""
        facts = self._context.facts.get(self._block.table(item[0]))
        return facts is not None and item[1] in facts.primary


def _others(join: exp.Join, name: str) -> list[str]:
    return [c.table for c in join.args["on"].find_all(exp.Column) if c.table != name]
