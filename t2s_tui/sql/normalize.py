"""One canonical form for queries that differ only in how they are written.

Used to show a difference without its noise and for the metric `normalized`. Every rule (see `rules.py`,
`names.py`) keeps the meaning; what they cannot decide they leave alone, so two forms that differ may still
mean the same. "Does not parse" is a state here, `Unparsed`, and never an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from t2s_tui.sql.dialects import Position, SqlSyntaxError, Unparsed, generate, parse
from t2s_tui.sql.pretty import clause_lines
from t2s_tui.sql.schema import schema_mapping

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Position", "Unparsed", "normal_tree", "normalize", "pretty"]


def normalize(sql: str, dialect: str, ddl: str | None = None) -> str | Unparsed:
    """The canonical form on one line. `ddl` (same dialect) lets columns and stars be resolved."""
    try:
        return generate(normal_tree(sql, dialect, ddl), dialect)
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def pretty(sql: str, dialect: str) -> str | Unparsed:
    """The statement as it is, one clause a line, not normalised."""
    try:
        return "\n".join(clause_lines(parse(sql, dialect), dialect))
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def normal_tree(sql: str, dialect: str, ddl: str | None = None) -> exp.Expr:
    """The tree of the canonical form. Raises SqlSyntaxError. What is no query stays as it was parsed."""
    from sqlglot import exp

    tree = parse(sql, dialect)
    if not isinstance(tree, exp.Query):
        return tree
    try:
        return _normal(tree, dialect, ddl)
    except RecursionError as error:
        raise SqlSyntaxError("nested too deeply", Position(1, 1)) from error


def _normal(tree: exp.Expr, dialect: str, ddl: str | None) -> exp.Expr:
    from t2s_tui.sql import names, rules

    schema = schema_mapping(ddl, dialect)
    tree = names.strings_in_double_quotes(tree, dialect, schema)
    tree = names.lower_identifiers(tree, dialect)
    tree = rules.plain_join_words(tree)
    tree = rules.plain_order_words(tree)
    tree = names.resolve_columns(tree, dialect, schema)
    tree = names.inline_order_aliases(tree)
    tree = names.drop_output_aliases(tree)
    tree = names.name_tables(tree)
    tree = names.drop_lone_qualifiers(tree)
    tree = names.unquote_plain_names(tree, dialect)
    tree = rules.drop_parentheses(tree)
    if "collate" not in (ddl or "").lower():
        tree = rules.order_comparisons(tree, dialect)
    tree = rules.order_lists(tree, dialect)
    return rules.order_conjuncts(tree, dialect)
