"""From pieces that differ to faults: which piece of which clause means which fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from t2s_tui.sql.changes import Change, Clause, compare_trees
from t2s_tui.sql.dialects import generate
from t2s_tui.sql.faults import Fault

_COMPARISONS = (
    exp.EQ,
    exp.NEQ,
    exp.LT,
    exp.LTE,
    exp.GT,
    exp.GTE,
    exp.Like,
    exp.ILike,
    exp.Glob,
    exp.Is,
    exp.In,
    exp.Between,
    exp.RegexpLike,
)


def faults_in(changes: Iterable[Change], dialect: str) -> tuple[Fault, ...]:
    """The faults that the pieces show, each once, in the order of the pieces."""
    found: list[Fault] = []
    for block in _blocks(changes):
        found += _in_block(block, dialect)
    return tuple(dict.fromkeys(found))


def _blocks(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The pieces of one SELECT together: from its SELECT up to the next, and what stands between alone."""
    block: list[Change] = []
    for change in changes:
        if change.clause in (Clause.SELECT, Clause.SET, Clause.CTE, Clause.OTHER) and block:
            yield block
            block = []
        block.append(change)
    if block:
        yield block


def _in_block(block: list[Change], dialect: str) -> list[Fault]:
    head = block[0]
    if head.clause is Clause.SELECT and (head.gold is None or head.generated is None):
        # A whole SELECT on one side only: the set operation, CTE or derived table around it is the fault.
        return [Fault.SUBQUERY] if head.indent else []
    found = _sources(block)
    for change in block:
        if change.same:
            continue
        match change.clause:
            case Clause.SET:
                found.append(Fault.SET_OPERATION)
            case Clause.CTE:
                found.append(Fault.SUBQUERY)
            case Clause.OTHER:
                found.append(Fault.OTHER)
            case Clause.SELECT:
                found += _projection(change, dialect)
            case Clause.WHERE:
                found += _condition(change, dialect)
            case Clause.GROUP:
                found.append(Fault.GROUPING)
            case Clause.HAVING:
                found.append(Fault.HAVING)
            case Clause.ORDER:
                found.append(Fault.ORDERING)
            case Clause.LIMIT:
                found.append(Fault.LIMIT)
    return found


def _sources(block: list[Change]) -> list[Fault]:
    """Faults of FROM and JOIN: tables by name, whether they stand first or are joined."""
    places = [c for c in block if c.clause in (Clause.FROM, Clause.JOIN)]
    gold, generated = (
        [t for c in places if (t := _table(node(c)))] for node in (_gold_node, _generated_node)
    )
    missing, extra = _without(gold, generated), _without(generated, gold)
    wrong = min(len(missing), len(extra))
    found = [Fault.WRONG_TABLE] if wrong else []
    found += [Fault.MISSING_JOIN] if len(missing) > wrong else []
    found += [Fault.REDUNDANT_JOIN] if len(extra) > wrong else []
    both = [c for c in places if c.gold is not None and c.generated is not None]
    same = [c for c in both if _table(c.gold_node) == _table(c.generated_node)]
    if any(_side(c.gold_node) != _side(c.generated_node) for c in same):
        found.append(Fault.JOIN_TYPE)
    conditions = [c for c in block if c.clause is Clause.ON and not c.same]
    on_both = [c for c in conditions if c.gold is not None and c.generated is not None]
    if (conditions and not missing and not extra) or (on_both and not wrong):
        found.append(Fault.JOIN_CONDITION)
    return found


def _gold_node(change: Change) -> exp.Expr | None:
    return change.gold_node


def _generated_node(change: Change) -> exp.Expr | None:
    return change.generated_node


def _table(place: exp.Expr | None) -> str:
    if place is None:
        return ""
    return place.this.name if isinstance(place.this, exp.Table) else "(query)"


def _side(place: exp.Expr | None) -> str:
    return str(place.args.get("side") or "").upper() if place is not None else ""


def _without(these: list[str], those: list[str]) -> list[str]:
    """These, less one for each equal one of those."""
    left = list(those)
    kept = []
    for item in these:
        if item in left:
            left.remove(item)
        else:
            kept.append(item)
    return kept


def _projection(change: Change, dialect: str) -> list[Fault]:
    gold, generated = change.gold_node, change.generated_node
    if gold is None or generated is None:
        return []
    found = []
    if bool(gold.args.get("distinct")) != bool(generated.args.get("distinct")):
        found.append(Fault.DISTINCT)
    shown, wanted = ([generate(_value(e), dialect) for e in node.expressions] for node in (generated, gold))
    if shown == wanted:
        return found
    missing = [e for e in map(_value, gold.expressions) if generate(e, dialect) not in shown]
    extra = [e for e in map(_value, generated.expressions) if generate(e, dialect) not in wanted]
    aggregated = any(map(_calls, missing)) or any(map(_calls, extra))
    plain = [_argument(e, dialect) for e in missing], [_argument(e, dialect) for e in extra]
    if aggregated:
        found.append(Fault.AGGREGATE)
    if not aggregated or sorted(plain[0]) != sorted(plain[1]):
        found.append(Fault.PROJECTION)
    return found


def _value(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Alias) else node


def _calls(node: exp.Expr) -> bool:
    return isinstance(node, exp.Func) and not isinstance(node, exp.Connector | exp.Case | exp.Cast)


def _argument(node: exp.Expr, dialect: str) -> str:
    """What a function is applied to; of anything else itself."""
    while _calls(node) and isinstance(node.this, exp.Expr):
        node = node.this
        if isinstance(node, exp.Distinct) and node.expressions:
            node = node.expressions[0]
    return generate(node, dialect)


def _condition(change: Change, dialect: str) -> list[Fault]:
    gold, generated = change.gold_node, change.generated_node
    if gold is None or generated is None:
        only = gold if gold is not None else generated
        if only is not None and _between_columns(only):
            return [Fault.JOIN_CONDITION]
        nested = [Fault.SUBQUERY] if only is not None and only.find(exp.Query) else []
        return [*nested, Fault.FILTER_MISSING if gold is not None else Fault.FILTER_EXTRA]
    nested_in = [node.find(exp.Select) for node in (gold, generated)]
    if all(nested_in):
        return _nested(gold, generated, dialect)
    if any(nested_in):
        return [Fault.SUBQUERY]
    return _compared(gold, generated, dialect)


def _nested(gold: exp.Expr, generated: exp.Expr, dialect: str) -> list[Fault]:
    """Conditions that both have a query in them: around it, then in it."""
    outside = [_hidden(node, dialect) for node in (gold, generated)]
    queries = [_outermost(node) for node in (gold, generated)]
    assert all(queries)
    inside = list(faults_in(compare_trees(queries[0], queries[1], dialect), dialect))  # type: ignore[arg-type]
    if outside[0] == outside[1]:
        return inside or [Fault.SUBQUERY]
    about_one = _subject(gold, dialect) == _subject(generated, dialect)
    return [Fault.OPERATOR, *inside] if about_one else [Fault.SUBQUERY]


def _outermost(node: exp.Expr) -> exp.Expr | None:
    found = node.find(exp.Select, exp.SetOperation)
    return found


def _hidden(node: exp.Expr, dialect: str) -> str:
    """The condition with its outermost query taken out."""
    copy = node.copy()
    query = _outermost(copy)
    if query is not None and query.parent is not None:
        query.replace(exp.Null())
    return generate(copy, dialect)


def _compared(gold: exp.Expr, generated: exp.Expr, dialect: str) -> list[Fault]:
    if isinstance(gold, exp.Or) or isinstance(generated, exp.Or):
        return _compared_chains(gold, generated, dialect)
    one, other = _without_not(gold), _without_not(generated)
    if isinstance(one, _COMPARISONS) and isinstance(other, _COMPARISONS):
        if _subject(one, dialect) == _subject(other, dialect):
            same_kind = type(one) is type(other) and isinstance(gold, exp.Not) == isinstance(
                generated, exp.Not
            )
            values = _values(one, dialect) != _values(other, dialect)
            lists = {type(one), type(other)} == {exp.EQ, exp.In}
            found = [] if same_kind or (lists and values) else [Fault.OPERATOR]
            return [*found, *([Fault.VALUE] if values or not found else [])]
        if _between_columns(one) and _between_columns(other):
            return [Fault.JOIN_CONDITION]
    return [Fault.FILTER_MISSING, Fault.FILTER_EXTRA]


def _compared_chains(gold: exp.Expr, generated: exp.Expr, dialect: str) -> list[Fault]:
    """OR chains: what their members differ in; where only AND and OR differ, the operator."""
    members = [{generate(m, dialect) for m in _members(node)} for node in (gold, generated)]
    if members[0] == members[1]:
        return [Fault.OPERATOR]
    missing, extra = members[0] - members[1], members[1] - members[0]
    if len(missing) == len(extra) == 1:
        pair = [
            next(m for m in _members(node) if generate(m, dialect) in of)
            for node, of in ((gold, missing), (generated, extra))
        ]
        return _compared(pair[0], pair[1], dialect)
    found = [Fault.FILTER_MISSING] if missing else []
    return found + ([Fault.FILTER_EXTRA] if extra else [])


def _members(node: exp.Expr) -> list[exp.Expr]:
    inner = node.this if isinstance(node, exp.Paren) else node
    if isinstance(inner, exp.And | exp.Or):
        return [*_members(inner.this), *_members(inner.expression)]
    return [inner]


def _without_not(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Not | exp.Paren):
        node = node.this
    return node


def _subject(node: exp.Expr, dialect: str) -> str:
    return generate(_without_not(node).this, dialect)


def _values(node: exp.Expr, dialect: str) -> list[str]:
    """What the subject is compared with, without the signs of LIKE."""
    parts = [node.args.get(key) for key in ("expression", "low", "high", "query")]
    texts = [generate(part, dialect) for part in [*parts, *node.expressions] if isinstance(part, exp.Expr)]
    return sorted(text.replace("%", "").replace("*", "") for text in texts)


def _between_columns(node: exp.Expr) -> bool:
    sides = (node.args.get("this"), node.args.get("expression"))
    columns = [side for side in sides if isinstance(side, exp.Column)]
    return isinstance(node, exp.EQ) and len(columns) == 2 and columns[0].table != columns[1].table
