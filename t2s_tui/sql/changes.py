"""What differs between two trees, clause by clause: sources by name, conjuncts as sets.

The trees are in the form that is shown (`canonical/registry.py`). Lines for reading are made in `diff.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from t2s_tui.sql.dialects import generate
from t2s_tui.sql.matching import in_one_order, likeness, matched

if TYPE_CHECKING:
    from sqlglot import exp


class Clause(StrEnum):
    """The part of a query that a piece is from, in the order in which they are read."""

    CTE = "CTE"
    SELECT = "SELECT"
    FROM = "FROM"
    JOIN = "JOIN"
    ON = "ON"
    WHERE = "WHERE"
    GROUP = "GROUP"
    HAVING = "HAVING"
    ORDER = "ORDER"
    LIMIT = "LIMIT"
    SET = "set operation"
    OTHER = "statement"


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of a clause in both, or in one of the queries.

    `gold` and `generated` are its text without the clause's word, None where it is not there; equal texts are
    no change. `word` stands before it, after the first of its clause `then` does. `indent` counts levels of
    nesting. The nodes are there for those who look closer.
    """

    clause: Clause
    gold: str | None
    generated: str | None
    word: str = ""
    then: str = ""
    indent: int = 0
    gold_node: exp.Expr | None = field(default=None, compare=False, repr=False)
    generated_node: exp.Expr | None = field(default=None, compare=False, repr=False)

    @property
    def same(self) -> bool:
        return self.gold == self.generated


def compare_trees(gold: exp.Expr, generated: exp.Expr, dialect: str) -> list[Change]:
    """The pieces of two queries' trees, in the order in which they are read."""
    return list(_Comparison(dialect).queries(gold, generated, 0))


class _Comparison:
    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    def _sql(self, node: exp.Expr) -> str:
        return generate(node, self._dialect).strip()

    def queries(self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int) -> Iterator[Change]:
        """Two queries, or one where the other is None."""
        from sqlglot import exp

        shapes = {_shape(node) for node in (gold, generated) if node is not None}
        if shapes == {exp.SetOperation}:
            yield from self._set_operations(gold, generated, indent)
        elif shapes == {exp.Select} and _known(gold) and _known(generated):
            yield from self._selects(gold, generated, indent)
        elif len(shapes) > 1 and gold is not None and generated is not None and exp.Expr not in shapes:
            yield from self._one_is_a_set(gold, generated, indent)
        else:
            yield self._piece(Clause.OTHER, gold, generated, indent)

    def _piece(
        self,
        clause: Clause,
        gold: exp.Expr | None,
        generated: exp.Expr | None,
        indent: int,
        write: Callable[[exp.Expr], str] | None = None,
        word: str = "",
        then: str = "",
    ) -> Change:
        """The piece of these two nodes, written by `write` where it is not just their SQL."""
        one, other = ((write or self._sql)(n) if n is not None else None for n in (gold, generated))
        return Change(clause, one, other, word, then or word, indent, gold, generated)

    def _set_operations(
        self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int
    ) -> Iterator[Change]:
        yield from self._ctes(gold, generated, indent)
        yield from self.queries(_arg(gold, "this"), _arg(generated, "this"), indent)
        yield self._piece(Clause.SET, gold, generated, indent, _set_word)
        yield from self.queries(_arg(gold, "expression"), _arg(generated, "expression"), indent)
        yield from self._tail(gold, generated, indent)

    def _one_is_a_set(self, gold: exp.Expr, generated: exp.Expr, indent: int) -> Iterator[Change]:
        """A set operation against a plain query: this one beside the operand that is more like it."""
        from sqlglot import exp

        in_gold = isinstance(gold, exp.SetOperation)
        union, other = (gold, generated) if in_gold else (generated, gold)

        def placed(of_union: exp.Expr, of_other: exp.Expr | None) -> tuple[exp.Expr | None, exp.Expr | None]:
            return (of_union, of_other) if in_gold else (of_other, of_union)

        first, second = union.args["this"], union.args["expression"]
        near = max((first, second), key=lambda side: likeness(self._sql(side), self._sql(other)))
        yield from self.queries(*placed(first, other if near is first else None), indent)
        yield self._piece(Clause.SET, *placed(union, None), indent, _set_word)
        yield from self.queries(*placed(second, other if near is second else None), indent)

    def _selects(self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int) -> Iterator[Change]:
        yield from self._ctes(gold, generated, indent)
        yield self._piece(Clause.SELECT, _head(gold), _head(generated), indent)
        yield from self._sources(gold, generated, indent)
        yield from self._conditions(Clause.WHERE, "WHERE", gold, generated, indent)
        yield from self._tail(gold, generated, indent)

    def _tail(self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int) -> Iterator[Change]:
        for clause, key in ((Clause.GROUP, "group"), (Clause.HAVING, "having"), (Clause.ORDER, "order")):
            if key == "having":
                yield from self._conditions(clause, "HAVING", gold, generated, indent)
            elif _arg(gold, key) or _arg(generated, key):
                yield self._piece(clause, _arg(gold, key), _arg(generated, key), indent)
        for key in ("limit", "offset"):
            if _arg(gold, key) or _arg(generated, key):
                yield self._piece(Clause.LIMIT, _arg(gold, key), _arg(generated, key), indent)

    def _ctes(self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int) -> Iterator[Change]:
        for one, other in matched(_expressions(gold, "with_"), _expressions(generated, "with_"), _cte_name):
            yield self._piece(Clause.CTE, one, other, indent, lambda cte: f"WITH {cte.alias} AS (")
            yield from self.queries(_arg(one, "this"), _arg(other, "this"), indent + 1)
            yield self._closing(Clause.CTE, one, other, indent)

    def _closing(self, clause: Clause, one: exp.Expr | None, other: exp.Expr | None, indent: int) -> Change:
        """The closing parenthesis of a CTE or a derived table, with the name that follows it."""

        def write(node: exp.Expr | None) -> str | None:
            if node is None:
                return None
            alias = node.this.alias if clause is not Clause.CTE else ""
            return f") AS {alias}" if alias else ")"

        return Change(clause, write(one), write(other), indent=indent)

    def _sources(self, gold: exp.Expr | None, generated: exp.Expr | None, indent: int) -> Iterator[Change]:
        """FROM and JOINs: sources of one name belong together, then those that are most alike, as far as
        they come in one order."""
        for one, other in in_one_order(matched(_places(gold), _places(generated), self._source_name)):
            yield from self._source(one, other, indent)

    def _source_name(self, place: exp.Expr) -> str:
        return self._sql(place.this)

    def _source(self, one: exp.Expr | None, other: exp.Expr | None, indent: int) -> Iterator[Change]:
        clause = _place_clause(one if one is not None else other)
        inside = _derived(one), _derived(other)
        there = [query is not None for query in inside]
        if any(there) and there == [place is not None for place in (one, other)]:
            yield self._piece(clause, one, other, indent, lambda place: self._join_head(place, "("))
            yield from self.queries(*inside, indent + 1)
            yield self._closing(clause, one, other, indent)
        else:
            yield self._piece(clause, one, other, indent, self._whole_join_head)
        yield from self._parts(Clause.ON, "  ON ", "  AND ", _arg(one, "on"), _arg(other, "on"), indent)

    def _whole_join_head(self, place: exp.Expr) -> str:
        return self._join_head(place, self._source_name(place))

    def _join_head(self, place: exp.Expr, source: str) -> str:
        from sqlglot import exp

        if isinstance(place, exp.From):
            return f"FROM {source}"
        words = [str(place.args.get(key) or "").upper() for key in ("method", "side", "kind")]
        using = place.args.get("using")
        tail = f" USING ({', '.join(generate(u, self._dialect) for u in using)})" if using else ""
        return " ".join([*(word for word in words if word), f"JOIN {source}"]) + tail

    def _conditions(
        self, clause: Clause, word: str, gold: exp.Expr | None, generated: exp.Expr | None, indent: int
    ) -> Iterator[Change]:
        key = word.lower()
        one, other = (_arg(_arg(query, key), "this") for query in (gold, generated))
        yield from self._parts(clause, f"{word} ", "  AND ", one, other, indent)

    def _parts(
        self,
        clause: Clause,
        word: str,
        then: str,
        gold: exp.Expr | None,
        generated: exp.Expr | None,
        indent: int,
    ) -> Iterator[Change]:
        pairs = matched(_conjuncts(gold), _conjuncts(generated), self._sql)
        pieces = [self._piece(clause, one, other, indent, None, word, then) for one, other in pairs]
        yield from sorted(pieces, key=lambda piece: not piece.same)


def _shape(node: exp.Expr) -> type:
    from sqlglot import exp

    if isinstance(node, exp.SetOperation):
        return exp.SetOperation
    return exp.Select if isinstance(node, exp.Select) else exp.Expr


def _known(select: exp.Expr | None) -> bool:
    """Whether the SELECT has no clause but those that are compared: nothing may be left out."""
    known = {"with_", "distinct", "expressions", "from_", "joins", "where", "group", "having", "order"}
    known |= {"limit", "offset", "kind", "operation_modifiers"}
    return select is None or not any(value for key, value in select.args.items() if key not in known)


def _head(select: exp.Expr | None) -> exp.Expr | None:
    from sqlglot import exp

    if select is None:
        return None
    args = {key: select.args.get(key) for key in ("distinct", "kind")}
    return exp.Select(expressions=select.expressions, **args).copy()


def _arg(node: exp.Expr | None, key: str) -> exp.Expr | None:
    return node.args.get(key) if node is not None else None


def _expressions(query: exp.Expr | None, key: str) -> list[exp.Expr]:
    clause = _arg(query, key)
    return list(clause.expressions) if clause is not None else []


def _places(select: exp.Expr | None) -> list[exp.Expr]:
    """FROM and the JOINs of a SELECT."""
    if select is None:
        return []
    first = select.args.get("from_")
    return [*([first] if first is not None else []), *(select.args.get("joins") or [])]


def _place_clause(place: exp.Expr | None) -> Clause:
    from sqlglot import exp

    return Clause.FROM if isinstance(place, exp.From) else Clause.JOIN


def _derived(place: exp.Expr | None) -> exp.Expr | None:
    """The query of a derived table."""
    from sqlglot import exp

    if place is None or not isinstance(place.this, exp.Subquery):
        return None
    return place.this.this if isinstance(place.this.this, exp.Query) else None


def _cte_name(cte: exp.Expr) -> str:
    return cte.alias


def _set_word(node: exp.Expr) -> str:
    return node.key.upper() + ("" if node.args.get("distinct") else " ALL")


def _conjuncts(condition: exp.Expr | None) -> list[exp.Expr]:
    from sqlglot import exp

    found: list[exp.Expr] = []
    waiting = [condition] if condition is not None else []
    while waiting:
        here = waiting.pop()
        if type(here) is exp.And:
            waiting += [here.args["expression"], here.this]
        else:
            found.append(here)
    return found
