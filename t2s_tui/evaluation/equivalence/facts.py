"""Constants, patterns and thresholds of both queries, by the column that they are compared with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.implied import digits, implied, lettered, parted
from t2s_tui.evaluation.equivalence.model import Facts, Value
from t2s_tui.evaluation.equivalence.reading import Reading, Ref

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)
_PATTERNS = (exp.Like, exp.ILike, exp.Glob, exp.RegexpLike, exp.SimilarTo)
_CALCULATIONS = (exp.Sum, exp.Avg, exp.Add, exp.Sub, exp.Mul, exp.Div)
_NUMBER_WORDS = ("9.5", "10", "2", "100")  # text that sorts otherwise as a number
_LARGEST_COUNT = 12  # larger thresholds cannot be reached with small databases: see thresholds.py


def collect(readings: Iterable[tuple[Any, Reading]], *, loose: bool = False) -> Facts:
    """The facts of queries that were read, each with its tree. `loose`: see Facts."""
    facts = Facts(loose=loose)
    for tree, reading in readings:
        for node in tree.walk():
            if isinstance(node, _COMPARISONS):
                _comparison(node, reading, facts)
            elif isinstance(node, exp.In):
                _add(reading.refs(node.this), node.expressions, facts)
            elif isinstance(node, exp.Between):
                for end in (node.args["low"], node.args["high"]):
                    _add(reading.refs(node.this), [*implied(node.this, end), end], facts)
            elif isinstance(node, _PATTERNS):
                _pattern(node, reading, facts)
            elif isinstance(node, exp.Limit | exp.Offset):
                _count(node.expression, facts)
                _page(node.parent, facts)
            elif isinstance(node, exp.Case) and node.this is not None:
                _add(reading.refs(node.this), [i.this for i in node.args.get("ifs") or []], facts)
            elif isinstance(node, exp.Cast | exp.TryCast) and node.to.this in exp.DataType.NUMERIC_TYPES:
                words = [exp.Literal.string(n) for n in _NUMBER_WORDS]
                _add(reading.refs(node.this), [*digits(node.this), *words], facts)
            elif isinstance(node, exp.StrPosition | exp.Replace):
                _add(reading.refs(node.this), [*node.find_all(exp.Literal), *parted(node)], facts)
            if isinstance(node, _CALCULATIONS):
                _calculation(node, reading, facts)
            if isinstance(node, exp.Substring):
                _add(reading.refs(node.this), lettered(node), facts)
            elif isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
                facts.distinct |= {ref.home for ref in reading.refs(node.this)}
            elif isinstance(node, exp.Select | exp.SetOperation) and node.args.get("distinct"):
                facts.alike = True
        for left, right in (*reading.merges, *reading.soft, *reading.compared):
            facts.same.append((left.home, right.home))
    return facts


def _calculation(node: Any, reading: Reading, facts: Facts) -> None:
    """A text that is added up or calculated with speaks of numbers."""
    for part in (node.this, node.expression):
        ref = reading.resolve(part) if isinstance(part, exp.Column) else None
        place = reading.tables[ref.table].place(ref.column) if ref is not None else None
        if ref is not None and place is not None and reading.tables[ref.table].columns[place].kind == "text":
            _add([ref], [exp.Literal.string(number) for number in _NUMBER_WORDS], facts)


def _comparison(node: Any, reading: Reading, facts: Facts) -> None:
    sides = (node.this, node.expression)
    for one, other in (sides, sides[::-1]):
        if one.find(exp.AggFunc, exp.Window) is not None:
            _threshold(one, other, reading, facts)
        refs = reading.refs(one)
        if refs:
            _add(refs, [*implied(one, other), other, one], facts)
    for column in (s for s in sides if isinstance(s, exp.Column) and s.this.args.get("quoted")):
        # SQLite takes a quoted name that no column has for a string (trap 27).
        if reading.resolve(column) is None:
            others = [s for s in sides if s is not column]
            _add(reading.refs(others[0]), [exp.Literal.string(column.name)], facts)


def _threshold(aggregate: Any, other: Any, reading: Reading, facts: Facts) -> None:
    """`COUNT(*) > 3`, `SUM(x) >= 100`: a number of rows, or a value for the column that is added up."""
    if aggregate.find(exp.Count) is not None:
        _count(other, facts)
    else:
        _add(reading.refs(aggregate), [*implied(aggregate, other), other], facts)


def _count(tree: Any, facts: Facts) -> None:
    for literal in tree.find_all(exp.Literal) if tree is not None else ():
        value = value_of(literal)
        if isinstance(value, int) and 0 <= value <= _LARGEST_COUNT:
            facts.counts.append(value)


def _page(query: Any, facts: Facts) -> None:
    """The last row that a LIMIT behind an OFFSET lets through."""
    parts = [query.args.get(name) for name in ("limit", "offset")]
    ends = [value_of(p.expression) for p in parts if p is not None and isinstance(p.expression, exp.Literal)]
    if len(ends) == 2 and all(isinstance(end, int) for end in ends):
        last = int(str(ends[0])) + int(str(ends[1]))
        if last <= _LARGEST_COUNT and last not in facts.counts:
            facts.counts.insert(0, last)


def _pattern(node: Any, reading: Reading, facts: Facts) -> None:
    for ref in reading.refs(node.this):
        for literal in node.expression.find_all(exp.Literal) if node.expression is not None else ():
            text = str(literal.this)
            if isinstance(node, exp.Glob):
                text = text.replace("%", "").replace("*", "%").replace("?", "_")
            elif isinstance(node, exp.RegexpLike | exp.SimilarTo):
                text = "%" + "".join(c for c in text if c.isalnum() or c in " -_") + "%"
            facts.patterns.setdefault(ref.home, []).append(text)


def _add(refs: list[Ref], trees: Iterable[Any], facts: Facts) -> None:
    values = [v for tree in trees if tree is not None for v in _literals(tree)]
    for ref in refs:
        known = facts.constants.setdefault(ref.home, [])
        known += [v for v in values if v not in known]


def _literals(tree: Any) -> list[Value]:
    """The literals of an expression, nested SELECTs left out; a sign belongs to its number."""
    found: list[Value] = []
    waiting = [tree]
    while waiting:
        here = waiting.pop()
        if isinstance(here, exp.Literal):
            value = value_of(here)
            found.append(-value if isinstance(here.parent, exp.Neg) and not isinstance(value, str) else value)
        elif isinstance(here, exp.Boolean):
            found.append(int(bool(here.this)))
        elif not isinstance(here, exp.Select):
            waiting += list(here.iter_expressions())
    return found


def value_of(literal: Any) -> Value:
    """The Python value of a literal."""
    text = str(literal.this)
    if literal.is_string:
        return text
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
