"""A query as lines, one clause a line: what a person reads and what the diff compares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from t2s_tui.sql.dialects import generate

if TYPE_CHECKING:
    from sqlglot import exp

_INDENT = "  "
_WIDE = 72  # a derived table longer than this gets lines of its own


def clause_lines(tree: exp.Expr, dialect: str) -> list[str]:
    """The lines of a statement. Joined by spaces they are the statement again."""
    from sqlglot import exp

    if isinstance(tree, exp.SetOperation):
        return list(_set_operation(tree, dialect))
    if isinstance(tree, exp.Select):
        return list(_select(tree, dialect))
    return generate(tree, dialect).splitlines()


def _select(tree: exp.Select, dialect: str) -> Iterator[str]:
    """Clauses that this does not know by name make it fall back to one line: nothing is ever left out."""
    from sqlglot import exp

    known = {
        "with_",
        "distinct",
        "expressions",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "limit",
    }
    known |= {"offset", "kind", "hint", "operation_modifiers"}
    if any(value for key, value in tree.args.items() if key not in known) or tree.args.get("hint"):
        yield generate(tree, dialect)
        return
    yield from _ctes(tree, dialect)
    head = exp.Select(
        expressions=tree.expressions, distinct=tree.args.get("distinct"), kind=tree.args.get("kind")
    )
    yield generate(head.copy(), dialect)
    if source := tree.args.get("from_"):
        yield from _source("FROM ", source.this, dialect)
    for join in tree.args.get("joins") or []:
        yield from _join(join, dialect)
    yield from _conditions("WHERE", tree.args.get("where"), dialect)
    yield from _tail(tree, dialect)


def _tail(tree: exp.Expr, dialect: str) -> Iterator[str]:
    for key in ("group", "having", "order", "limit", "offset"):
        clause = tree.args.get(key)
        if clause is None:
            continue
        if key == "having":
            yield from _conditions("HAVING", clause, dialect)
        else:
            yield generate(clause, dialect).strip()


def _ctes(tree: exp.Expr, dialect: str) -> Iterator[str]:
    with_ = tree.args.get("with_")
    if with_ is None:
        return
    word = "WITH RECURSIVE " if with_.args.get("recursive") else "WITH "
    for number, cte in enumerate(with_.expressions):
        last = number == len(with_.expressions) - 1
        columns = ", ".join(generate(c, dialect) for c in cte.args["alias"].args.get("columns") or [])
        alias = generate(cte.args["alias"].this, dialect) + (f"({columns})" if columns else "")
        yield f"{word if number == 0 else ''}{alias} AS ("
        yield from (_INDENT + line for line in clause_lines(cte.this, dialect))
        yield ")" if last else "),"


def _source(word: str, source: exp.Expr, dialect: str, tail: str = "") -> Iterator[str]:
    from sqlglot import exp

    text = generate(source, dialect)
    inside = source.this if isinstance(source, exp.Subquery) else None
    extra = [k for k, v in source.args.items() if v and k not in ("this", "alias")]
    if inside is None or extra or len(text) <= _WIDE:
        yield f"{word}{text}{tail}"
        return
    yield f"{word}("
    yield from (_INDENT + line for line in clause_lines(inside, dialect))
    alias = source.args.get("alias")
    yield f"){' AS ' + generate(alias, dialect) if alias else ''}{tail}"


def _join(join: exp.Join, dialect: str) -> Iterator[str]:
    whole, on = generate(join, dialect).strip(), join.args.get("on")
    tail = f" ON {generate(on, dialect)}" if on is not None else ""
    if not whole.endswith(tail):
        yield whole
        return
    head, source = whole.removesuffix(tail), generate(join.this, dialect)
    if head.endswith(source):
        yield from _source(head.removesuffix(source), join.this, dialect)
    else:
        yield head
    if on is not None:
        first, *rest = _conjuncts(on, dialect)
        yield f"{_INDENT}ON {first}"
        yield from (f"{_INDENT}AND {part}" for part in rest)


def _conditions(word: str, clause: exp.Expr | None, dialect: str) -> Iterator[str]:
    if clause is None:
        return
    first, *rest = _conjuncts(clause.this, dialect)
    yield f"{word} {first}"
    yield from (f"{_INDENT}AND {part}" for part in rest)


def _conjuncts(condition: exp.Expr, dialect: str) -> list[str]:
    from sqlglot import exp

    parts: list[str] = []
    waiting = [condition]
    while waiting:
        here = waiting.pop()
        if type(here) is exp.And:
            waiting += [here.expression, here.this]
        else:
            parts.append(generate(here, dialect))
    return parts


def _set_operation(tree: exp.SetOperation, dialect: str) -> Iterator[str]:
    from sqlglot import exp

    yield from _ctes(tree, dialect)
    yield from clause_lines(tree.this, dialect)
    word = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}.get(type(tree))
    every = "" if tree.args.get("distinct") else " ALL"
    yield f"{word or type(tree).__name__.upper()}{every}"
    yield from clause_lines(tree.expression, dialect)
    yield from _tail(tree, dialect)
