"""One canonical form for queries that differ only in how they are written.

Used to show a difference without its noise and for the metric `normalized`. Every rule (see `canonical/`)
keeps the meaning; what they cannot decide they leave alone, so two forms that differ may still mean the same.
"Does not parse" is a state here, `Unparsed`, and never an exception.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from t2s_tui.sql.dialects import Position, SqlSyntaxError, Unparsed, generate, parse
from t2s_tui.sql.pretty import clause_lines

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = [
    "Level",
    "Position",
    "Unparsed",
    "canonical_tree",
    "normal_forms",
    "normal_tree",
    "normalize",
    "pretty",
]

Level = Literal["shown", "proof", "realistic"]


def normalize(
    sql: str,
    dialect: str,
    ddl: str | None = None,
    level: Level = "proof",
    without: Collection[str] = (),
    assumed: Collection[str] | None = None,
) -> str | Unparsed:
    """The canonical form on one line, at a level of `canonical/registry.py`.

    `ddl` (same dialect) lets columns and stars be resolved and tells of keys. `without` names rules to leave
    out. `assumed` names what the level `realistic` takes for granted: all of ASSUMPTIONS if it is None.
    Equal forms at `shown` or `proof` mean equal results: bags of rows, columns by position.
    """
    try:
        return generate(normal_tree(sql, dialect, ddl, level, without, assumed), dialect)
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def normal_forms(
    gold: str, generated: str, dialect: str, ddl: str | None = None, ordered: bool | None = None
) -> tuple[str | Unparsed, str | Unparsed]:
    """The canonical forms at `proof` of two queries; equal forms prove that the two mean the same.

    `ordered` says whether the order of rows matters (None: when gold's own outermost query orders). Where it
    does not, an outermost ORDER BY without a LIMIT says nothing.
    """
    trees = [_tree_or_state(sql, dialect) for sql in (gold, generated)]
    if ordered is None:
        ordered = isinstance(trees[0], Unparsed) or orders_rows(trees[0])

    def form(tree: exp.Expr | Unparsed) -> str | Unparsed:
        if isinstance(tree, Unparsed):
            return tree
        try:
            return generate(
                canonical_tree(tree if ordered else unordered(tree), dialect, ddl, "proof"), dialect
            )
        except SqlSyntaxError as error:
            return Unparsed(error.position, error.message)

    return form(trees[0]), form(trees[1])


def _tree_or_state(sql: str, dialect: str) -> exp.Expr | Unparsed:
    try:
        return parse(sql, dialect)
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def orders_rows(tree: exp.Expr) -> bool:
    """Whether the outermost query says in which order its rows come."""
    return tree.args.get("order") is not None


def unordered(tree: exp.Expr) -> exp.Expr:
    """The tree without an outermost ORDER BY that cuts nothing."""
    if not orders_rows(tree) or tree.args.get("limit") or tree.args.get("offset"):
        return tree
    copy = tree.copy()
    copy.set("order", None)
    return copy


def pretty(sql: str, dialect: str) -> str | Unparsed:
    """The statement as it is, one clause a line, not normalised."""
    try:
        return "\n".join(clause_lines(parse(sql, dialect), dialect))
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def normal_tree(
    sql: str,
    dialect: str,
    ddl: str | None = None,
    level: Level = "shown",
    without: Collection[str] = (),
    assumed: Collection[str] | None = None,
) -> exp.Expr:
    """The tree of the canonical form. Raises SqlSyntaxError. What is no query stays as it was parsed."""
    return canonical_tree(parse(sql, dialect), dialect, ddl, level, without, assumed)


def canonical_tree(
    tree: exp.Expr,
    dialect: str,
    ddl: str | None = None,
    level: Level = "shown",
    without: Collection[str] = (),
    assumed: Collection[str] | None = None,
    order: tuple[str, ...] = (),
) -> exp.Expr:
    """The canonical form of a parsed tree, which is changed. Raises SqlSyntaxError where it nests too deep.

    `order` names tables: joins keep to it where they can, so that two forms can be read side by side.
    """
    from sqlglot import exp

    if not isinstance(tree, exp.Query):
        return tree
    from t2s_tui.sql.canonical.context import context_of
    from t2s_tui.sql.canonical.registry import canonical, every_assumption

    granted: frozenset[str] = frozenset()
    if level == "realistic":
        granted = every_assumption() if assumed is None else frozenset(assumed)
    try:
        context = replace(context_of(dialect, ddl, granted), order=order)
        return canonical(tree, context, level, frozenset(without))
    except RecursionError as error:
        raise SqlSyntaxError("nested too deeply", Position(1, 1)) from error
