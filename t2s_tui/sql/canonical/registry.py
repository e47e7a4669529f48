"""The rules of the canonical form by name, in the order in which they are applied.

Three levels, each with the rules of those before it:

- `shown`: sound rules that keep what the writer did in sight; what a person reads is in this form.
- `proof`: sound rules that take queries apart, too. Equal forms are a proof that two queries mean the same.
- `realistic`: rules that are sound under ASSUMPTIONS which a DDL states and no engine enforces.

Sound means: the same bag of rows in the same order of columns on every database that the DDL allows, with
NULLs and duplicates. Where SQL leaves the result open (ties at a LIMIT, bare columns of a group), the same
set of results that it allows. sqlglot's `optimize` and `simplify` are not among the rules: the one hides what
the writer did, the other folds constants in ways that SQLite's types and NULL do not bear out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp

from t2s_tui.sql.canonical import (
    conditions,
    grouping,
    joins,
    names,
    operators,
    redundant,
    sets,
    subqueries,
)
from t2s_tui.sql.canonical.context import ASSUMPTIONS, Context
from t2s_tui.sql.canonical.shape import resolved

Level = Literal["shown", "proof", "realistic"]
LEVELS: tuple[Level, ...] = ("shown", "proof", "realistic")

_ROUNDS = 6  # what one rule opens for another is done after fewer rounds in practice


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, what it does to a tree, and the first level that has it.

    `on` are kinds of nodes without which it has nothing to do (none: it always may). Rules that are `placed`
    need every column to carry its source, and no star. Rules of `again` are applied in rounds until the form
    stands still: each can open the way for another.
    """

    name: str
    apply: Callable[[exp.Expr, Context], exp.Expr]
    on: tuple[type[exp.Expr], ...] = ()
    level: Level = "shown"
    placed: bool = False
    again: bool = False


def _structural(
    name: str,
    apply: Callable[[exp.Expr, Context], exp.Expr],
    *on: type[exp.Expr],
    level: Level = "shown",
) -> Rule:
    """A rule about whole queries: it needs columns with their source, and is applied in rounds."""
    return Rule(name, apply, on, level, placed=True, again=True)


def _named(apply: Callable[[exp.Expr, Context], exp.Expr]) -> Callable[[exp.Expr, Context], exp.Expr]:
    """A rule that puts a query into another one, and names given anew: both may have had the same."""
    return lambda tree, context: names.name_tables(apply(tree, context))


_ASKED = (exp.In, exp.Exists)

RULES: tuple[Rule, ...] = (
    Rule("strings in double quotes", lambda t, c: names.strings_in_double_quotes(t, c.dialect, c.schema)),
    Rule("lower case", lambda t, c: names.lower_identifiers(t, c.dialect)),
    Rule("plain join words", lambda t, c: operators.plain_join_words(t), (exp.Join,)),
    Rule("plain order words", lambda t, c: operators.plain_order_words(t), (exp.Ordered,)),
    Rule("columns with their table", lambda t, c: names.resolve_columns(t, c.dialect, c.schema)),
    Rule("order by alias", lambda t, c: names.inline_order_aliases(t), (exp.Order,)),
    Rule("output aliases", lambda t, c: names.drop_output_aliases(t)),
    Rule("table aliases", lambda t, c: names.name_tables(t)),
    Rule(
        "plain values",
        conditions.plain_values,
        (exp.If, exp.Count, exp.Min, exp.Max, exp.Coalesce, exp.Offset),
    ),
    Rule("between", conditions.between_as_comparisons, (exp.Between,)),
    Rule("not", conditions.push_not, (exp.Not,)),
    Rule("constants", conditions.constants_of_the_columns_type),
    Rule("in and or", conditions.members_in_one_list, (exp.In, exp.Or, exp.And)),
    Rule("thresholds", conditions.whole_number_thresholds, (exp.GTE, exp.LTE, exp.Between, exp.Not)),
    Rule("casts", conditions.casts_that_change_nothing, (exp.Cast,)),
    Rule("duplicates in sets", sets.duplicates_in_sets, (exp.SetOperation,), again=True),
    Rule("exists", grouping.exists_of_anything, _ASKED, again=True),
    Rule("order that says nothing", grouping.order_that_says_nothing, (exp.Order,), again=True),
    _structural("right joins", joins.right_joins_as_left, exp.Join),
    _structural("left joins that filter", joins.left_joins_that_filter, exp.Join),
    _structural(
        "except and intersect", _named(sets.except_as_not_in), exp.Except, exp.Intersect, level="proof"
    ),
    _structural("union as or", sets.union_as_or, exp.Union, level="proof"),
    _structural("ctes", _named(subqueries.ctes_used_once), exp.CTE, level="proof"),
    _structural("derived tables", subqueries.plain_derived_tables, exp.Subquery, level="proof"),
    _structural("exists as in", subqueries.exists_as_in, exp.Exists, level="proof"),
    _structural("in as join", subqueries.in_as_join, exp.In, level="proof"),
    _structural("joins", joins.canonical_joins, exp.Join),
    _structural("rows with themselves", redundant.joins_of_a_row_with_itself, exp.Join),
    _structural("joins that add nothing", redundant.joins_that_add_nothing, exp.Join),
    _structural("always true", redundant.conditions_that_always_hold, exp.Where, exp.Having),
    _structural("not null", redundant.not_null_that_holds, exp.Is),
    _structural("having", grouping.conditions_before_groups, exp.Having),
    _structural("group", grouping.smallest_group, exp.Group),
    _structural("group as distinct", grouping.groups_as_distinct, exp.Group),
    _structural("distinct", grouping.distinct_that_drops_nothing, exp.Distinct),
    _structural("counts", grouping.counts_of_rows, exp.Count),
    Rule("order of sets", sets.order_of_sets, (exp.SetOperation,)),
    Rule("output aliases", lambda t, c: names.drop_output_aliases(t), (exp.Alias,)),
    Rule("table aliases", lambda t, c: names.name_tables(t)),
    Rule("joins", joins.canonical_joins, (exp.Join,), placed=True),
    Rule("lone qualifiers", lambda t, c: names.drop_lone_qualifiers(t)),
    Rule("quotes", lambda t, c: names.unquote_plain_names(t, c.dialect)),
    Rule("parentheses", lambda t, c: operators.drop_parentheses(t), (exp.Paren,)),
    Rule("operands", lambda t, c: t if c.collated else operators.order_comparisons(t, c.dialect)),
    Rule("lists", lambda t, c: operators.order_lists(t, c.dialect), (exp.In,)),
    Rule("conjuncts", lambda t, c: operators.order_conjuncts(t, c.dialect), (exp.And, exp.Or)),
)


def canonical(
    tree: exp.Expr, context: Context, level: Level, without: frozenset[str] = frozenset()
) -> exp.Expr:
    """The canonical form of a query's tree, which is changed; `without` names rules to leave out."""
    context = _without_ctes(tree, context)
    last = LEVELS.index(level)
    chosen = [r for r in RULES if LEVELS.index(r.level) <= last and r.name not in without]
    first_again = next((n for n, rule in enumerate(chosen) if rule.again), len(chosen))
    tree = _applied(tree, context, chosen[:first_again])
    before = ""
    for _ in range(_ROUNDS):
        tree = _applied(tree, context, [rule for rule in chosen if rule.again])
        now = str(tree.sql())
        if now == before:
            break
        before = now
    return _applied(tree, context, [rule for rule in chosen[first_again:] if not rule.again])


def _applied(tree: exp.Expr, context: Context, rules: list[Rule]) -> exp.Expr:
    """The tree after these rules in turn. What kinds of nodes there are is looked up once: what a rule brings
    in is for the next round."""
    kinds = {type(node) for node in tree.walk()}
    placed = resolved(tree)
    for rule in rules:
        there = not rule.on or any(issubclass(kind, rule.on) for kind in kinds)
        if there and (placed or not rule.placed):
            tree = rule.apply(tree, context)
    return tree


def _without_ctes(tree: exp.Expr, context: Context) -> Context:
    """A CTE that has the name of a table is not that table: nothing is known of it."""
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    if not named & set(context.facts):
        return context
    return replace(context, facts={k: v for k, v in context.facts.items() if k not in named})


def every_assumption() -> frozenset[str]:
    """The names of all assumptions: what the realistic level may take for granted."""
    return frozenset(ASSUMPTIONS)
