"""What a query reads and asks for: its table instances, its conditions, and which columns it compares.

A query is flattened: the instances (aliases) of all its SELECTs, nested ones too, lie beside one another, and
so do the conjuncts of every WHERE and ON. That is what rows are planted from (plant.py) and values drawn from
(pools.py); nothing here decides what the query means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.clauses import choices, columns, conjuncts, from_items
from t2s_tui.evaluation.equivalence.model import Table


@dataclass(frozen=True, slots=True)
class Ref:
    """A column of one instance of a table."""

    instance: str
    table: str
    column: str

    @property
    def home(self) -> tuple[str, str]:
        return (self.table, self.column)


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition without a subquery. `block` is the SELECT it stands in; `refs` its columns in order."""

    tree: Any
    block: int
    refs: tuple[Ref, ...]


@dataclass
class Block:
    """One SELECT: its instances by alias, its conjuncts with subqueries left out."""

    number: int
    parent: int | None
    tree: Any
    sources: dict[str, Any] = field(default_factory=dict)  # alias -> Table key or inner SELECT
    instances: dict[str, str] = field(default_factory=dict)  # alias -> instance
    optional: set[str] = field(default_factory=set)  # instances of an outer join's weak side


@dataclass
class Reading:
    """A query, read against its tables."""

    tables: Mapping[str, Table]
    blocks: list[Block] = field(default_factory=list)
    instances: dict[str, str] = field(default_factory=dict)  # instance -> table
    atoms: list[Atom] = field(default_factory=list)
    choices: list[Any] = field(default_factory=list)  # conditions of CASE, IIF and of sums of conditions
    groups: list[Ref] = field(default_factory=list)  # of GROUP BY
    merges: list[tuple[Ref, Ref]] = field(default_factory=list)  # equal where the condition holds
    soft: list[tuple[Ref, Ref]] = field(
        default_factory=list
    )  # outputs of set operations, position by position
    compared: list[tuple[Ref, Ref]] = field(default_factory=list)  # by any operator

    @property
    def used(self) -> set[str]:
        """The tables that are read."""
        return set(self.instances.values())

    def refs(self, tree: Any) -> list[Ref]:
        """The columns under a tree that are columns of tables, nested SELECTs left out."""
        found = []
        for column in columns(tree):
            ref = self.resolve(column)
            if ref is not None:
                found.append(ref)
        return found

    def resolve(self, column: Any, start: Any = None) -> Ref | None:
        """The column of a table that a name means, also through derived tables; None for an expression."""
        select = start if start is not None else column.find_ancestor(exp.Select)
        while select is not None:
            block = self._block(select)
            if block is not None and (found := self._in_block(block, column)) is not None:
                return found
            select = select.find_ancestor(exp.Select)
        return None

    def _block(self, select: Any) -> Block | None:
        return next((b for b in self.blocks if b.tree is select), None)

    def _in_block(self, block: Block, column: Any) -> Ref | None:
        name, qualifier = str(column.name).lower(), str(column.table).lower()
        for alias, source in block.sources.items():
            if qualifier and alias != qualifier:
                continue
            if isinstance(source, str):
                if self.tables[source].place(name) is not None:
                    return Ref(block.instances[alias], source, name)
            elif (inner := self._output(source, name)) is not None:
                return inner
        return None

    def _output(self, query: Any, name: str) -> Ref | None:
        """The column that an inner query gives out under a name, where it is plain."""
        while isinstance(query, exp.SetOperation | exp.Subquery):
            query = query.this
        if not isinstance(query, exp.Select):
            return None
        for item in query.expressions:
            if isinstance(item, exp.Star):
                block = self._block(query)
                return self._in_block(block, exp.column(name)) if block else None
            if str(item.alias_or_name).lower() == name:
                inner = item.unalias()
                return self.resolve(inner, query) if isinstance(inner, exp.Column) else None
        return None


def read_query(tree: Any, tables: Mapping[str, Table], label: str) -> Reading:
    """Read a parsed query. Tables that the DDL lacks are passed over: the engine says what is wrong."""
    reading = Reading(tables)
    ctes = {str(c.alias).lower(): c.this for c in tree.find_all(exp.CTE)}
    for number, select in enumerate(tree.find_all(exp.Select)):
        reading.blocks.append(Block(number, None, select))
    for block in reading.blocks:
        _sources(block, reading, ctes, label)
    for block in reading.blocks:
        _conditions(block, reading)
    _set_outputs(tree, reading)
    reading.groups = [ref for group in tree.find_all(exp.Group) for ref in reading.refs(group)]
    reading.choices = [choice for choice in choices(tree) if reading.refs(choice)]
    return reading


def _sources(block: Block, reading: Reading, ctes: Mapping[str, Any], label: str) -> None:
    select = block.tree
    outer = select.find_ancestor(exp.Select)
    block.parent = next((b.number for b in reading.blocks if b.tree is outer), None)
    for source, side in from_items(select):
        if isinstance(source, exp.Table):
            key, alias = str(source.name).lower(), str(source.alias or source.name).lower()
            if key in ctes:
                block.sources[alias] = ctes[key]
            elif key in reading.tables:
                block.sources[alias] = key
                instance = f"{label}{block.number}.{alias}"
                block.instances[alias] = instance
                reading.instances[instance] = key
                if side in ("LEFT", "FULL"):
                    block.optional.add(instance)
        elif isinstance(source, exp.Subquery):
            block.sources[str(source.alias).lower()] = source.this


def _conditions(block: Block, reading: Reading) -> None:
    select = block.tree
    where = select.args.get("where")
    wholes = [where.this] if where is not None else []
    joins = list(select.args.get("joins") or [])
    for join in joins:
        if join.args.get("on") is not None:
            wholes.append(join.args["on"])
        for name in join.args.get("using") or []:
            _using(block, reading, str(getattr(name, "name", name)).lower())
        if str(join.method or "").upper() == "NATURAL":
            _natural(block, reading)
    having = select.args.get("having")
    if having is not None and having.this.find(exp.AggFunc) is None:
        wholes.append(having.this)
    for whole in wholes:
        for part in conjuncts(whole):
            _condition(part, block, reading)


def _condition(part: Any, block: Block, reading: Reading) -> None:
    if (
        isinstance(part, exp.EQ)
        and isinstance(part.this, exp.Column)
        and isinstance(part.expression, exp.Column)
    ):
        left, right = reading.resolve(part.this), reading.resolve(part.expression)
        if left is not None and right is not None:
            reading.merges.append((left, right))
            return
    if part.find(exp.Select) is not None:
        _with_subquery(part, reading)
        return
    refs = tuple(reading.resolve(c) for c in columns(part))
    if refs and all(ref is not None for ref in refs):
        known = tuple(ref for ref in refs if ref is not None)
        reading.atoms.append(Atom(part, block.number, known))
        for first, *others in (reading.refs(comparison) for comparison in _comparisons(part)):
            reading.compared += [(first, other) for other in others]


def _comparisons(part: Any) -> list[Any]:
    """The single comparisons of a condition: columns on the two sides of an OR are not compared."""
    nodes = [node for node in part.find_all(exp.Predicate) if node.find(exp.Column) is not None]
    inner = [n for n in nodes if not any(other is not n for other in n.find_all(exp.Predicate))]
    return inner or [part]


def _with_subquery(part: Any, reading: Reading) -> None:
    """`x IN (SELECT y ...)`, `x = (SELECT ...)`: what is compared with what the subquery gives out."""
    for node in part.find_all(exp.In, exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NEQ):
        query = node.args.get("query") if isinstance(node, exp.In) else node.expression
        inner = query
        while isinstance(inner, exp.Subquery | exp.SetOperation):
            inner = inner.this
        if not isinstance(inner, exp.Select) or not inner.expressions:
            continue
        outer = node.this
        given = inner.expressions[0].unalias()
        while isinstance(given, exp.AggFunc | exp.Distinct) and given.this is not None:
            given = given.this
        if not isinstance(outer, exp.Column) or not isinstance(given, exp.Column):
            continue
        left, right = reading.resolve(outer), reading.resolve(given, inner)
        if left is None or right is None:
            continue
        reading.compared.append((left, right))
        if isinstance(node, exp.In) and not isinstance(node.parent, exp.Not):
            reading.merges.append((left, right))


def _using(block: Block, reading: Reading, name: str) -> None:
    found = [
        Ref(block.instances[alias], source, name)
        for alias, source in block.sources.items()
        if isinstance(source, str) and reading.tables[source].place(name) is not None
    ]
    reading.merges += list(pairwise(found))


def _natural(block: Block, reading: Reading) -> None:
    names: dict[str, int] = {}
    for source in block.sources.values():
        if isinstance(source, str):
            for column in reading.tables[source].columns:
                names[column.name.lower()] = names.get(column.name.lower(), 0) + 1
    for name, count in names.items():
        if count > 1:
            _using(block, reading, name)


def _set_outputs(tree: Any, reading: Reading) -> None:
    for node in tree.find_all(exp.SetOperation):
        sides = []
        for side in (node.this, node.expression):
            while isinstance(side, exp.SetOperation | exp.Subquery):
                side = side.this
            sides.append(side.expressions if isinstance(side, exp.Select) else [])
        for left, right in zip(*sides, strict=False):
            a, b = left.unalias(), right.unalias()
            if isinstance(a, exp.Column) and isinstance(b, exp.Column):
                one, two = reading.resolve(a), reading.resolve(b)
                if one is not None and two is not None:
                    reading.soft.append((one, two))
