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

_ROUNDS = 3  # what one rule opens for another is done after so many rounds in practice


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, what it does to a tree, and the first level that has it.

    Rules of `again` are applied in rounds until the form stands still: each can open the way for another.
    """

    name: str
    apply: Callable[[exp.Expr, Context], exp.Expr]
    level: Level = "shown"
    again: bool = False


RULES: tuple[Rule, ...] = (
    Rule("strings in double quotes", lambda t, c: names.strings_in_double_quotes(t, c.dialect, c.schema)),
    Rule("lower case", lambda t, c: names.lower_identifiers(t, c.dialect)),
    Rule("plain join words", lambda t, c: operators.plain_join_words(t)),
    Rule("plain order words", lambda t, c: operators.plain_order_words(t)),
    Rule("columns with their table", lambda t, c: names.resolve_columns(t, c.dialect, c.schema)),
    Rule("order by alias", lambda t, c: names.inline_order_aliases(t)),
    Rule("output aliases", lambda t, c: names.drop_output_aliases(t)),
    Rule("table aliases", lambda t, c: names.name_tables(t)),
    Rule("plain values", conditions.plain_values),
    Rule("between", conditions.between_as_comparisons),
    Rule("not", conditions.push_not),
    Rule("constants", conditions.constants_of_the_columns_type),
    Rule("in and or", conditions.members_in_one_list),
    Rule("thresholds", conditions.whole_number_thresholds),
    Rule("casts", conditions.casts_that_change_nothing),
    Rule("duplicates in sets", sets.duplicates_in_sets, again=True),
    Rule("exists", grouping.exists_of_anything, again=True),
    Rule("order that says nothing", grouping.order_that_says_nothing, again=True),
    Rule("right joins", joins.right_joins_as_left, again=True),
    Rule("left joins that filter", joins.left_joins_that_filter, again=True),
    Rule("except and intersect", sets.except_as_not_in, "proof", again=True),
    Rule("union as or", sets.union_as_or, "proof", again=True),
    Rule("ctes", subqueries.ctes_used_once, "proof", again=True),
    Rule("derived tables", subqueries.plain_derived_tables, "proof", again=True),
    Rule("exists as in", subqueries.exists_as_in, "proof", again=True),
    Rule("in as join", subqueries.in_as_join, "proof", again=True),
    Rule("joins", joins.canonical_joins, again=True),
    Rule("rows with themselves", redundant.joins_of_a_row_with_itself, again=True),
    Rule("joins that add nothing", redundant.joins_that_add_nothing, again=True),
    Rule("always true", redundant.conditions_that_always_hold, again=True),
    Rule("not null", redundant.not_null_that_holds, again=True),
    Rule("having", grouping.conditions_before_groups, again=True),
    Rule("group", grouping.smallest_group, again=True),
    Rule("group as distinct", grouping.groups_as_distinct, again=True),
    Rule("distinct", grouping.distinct_that_drops_nothing, again=True),
    Rule("counts", grouping.counts_of_rows, again=True),
    Rule("order of sets", sets.order_of_sets),
    Rule("output aliases", lambda t, c: names.drop_output_aliases(t)),
    Rule("table aliases", lambda t, c: names.name_tables(t)),
    Rule("joins", joins.canonical_joins),
    Rule("lone qualifiers", lambda t, c: names.drop_lone_qualifiers(t)),
    Rule("quotes", lambda t, c: names.unquote_plain_names(t, c.dialect)),
    Rule("parentheses", lambda t, c: operators.drop_parentheses(t)),
    Rule("operands", lambda t, c: t if c.collated else operators.order_comparisons(t, c.dialect)),
    Rule("lists", lambda t, c: operators.order_lists(t, c.dialect)),
    Rule("conjuncts", lambda t, c: operators.order_conjuncts(t, c.dialect)),
)


def canonical(
    tree: exp.Expr, context: Context, level: Level, without: frozenset[str] = frozenset()
) -> exp.Expr:
    """The canonical form of a query's tree, which is changed; `without` names rules to leave out."""
    context = _without_ctes(tree, context)
    last = LEVELS.index(level)
    chosen = [r for r in RULES if LEVELS.index(r.level) <= last and r.name not in without]
    done = False
    for rule in chosen:
        if not rule.again:
            tree = rule.apply(tree, context)
        elif not done:
            tree = _in_rounds(tree, context, [r for r in chosen if r.again])
            done = True
    return tree


def _in_rounds(tree: exp.Expr, context: Context, rules: list[Rule]) -> exp.Expr:
    if not resolved(tree):
        rules = [rule for rule in rules if rule.name in ("duplicates in sets", "exists")]
    before = ""
    for _ in range(_ROUNDS):
        for rule in rules:
            tree = rule.apply(tree, context)
        now = str(tree.sql())
        if now == before:
            break
        before = now
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
