"""Queries beside others that mean the same for a reason, in words that no canonical form brings together.

Each rewrite holds under SQL's three-valued logic and SQLite's types on every database that the DDL allows;
where one would not hold with NULLs, a guard stands in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.random_queries import QueryMaker, Schema
from tests.restyled import restyled

#: What means the same, one query first.
Same = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """A table, one whose rows point at it, and columns by what they hold. All but keys may be NULL."""

    ddl: str
    parent: str
    key: str
    number: str  # integer, of the parent
    text: str
    day: str
    child: str
    own: str  # the child's key
    link: str
    amount: str  # integer, of the child
    kind: str  # text, of the child


FAMILIES = (
    Family(
        "CREATE TABLE users (user_id INTEGER PRIMARY KEY, age INTEGER, city TEXT, joined DATE);"
        "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users"
        " (user_id),"
        " total INTEGER, status TEXT);",
        "users", "user_id", "age", "city", "joined", "orders", "order_id", "user_id", "total", "status",
    ),
    Family(
        "CREATE TABLE P_T (Cd TEXT NOT NULL PRIMARY KEY, `N 1` INTEGER, T2 TEXT UNIQUE, D3 DATE NOT NULL);"
        "CREATE TABLE V_R (r INTEGER PRIMARY KEY, f TEXT REFERENCES P_T (Cd), q INTEGER NOT NULL, z TEXT);",
        "P_T", "Cd", "`N 1`", "T2", "D3", "V_R", "r", "f", "q", "z",
    ),
    Family(  # one table that points at itself
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, pay INTEGER, name TEXT NOT NULL, hired DATE,"
        " boss INTEGER REFERENCES staff (id));",
        "staff", "id", "pay", "name", "hired", "staff", "id", "boss", "pay", "name",
    ),
    Family(  # nothing but keys declared: links are only seen in the queries
        "CREATE TABLE ap (ap_no INTEGER PRIMARY KEY, lvl INT, nm VARCHAR(20), opened DATE);"
        "CREATE TABLE fl (fl_no INTEGER PRIMARY KEY, ap_no INT, dl INT, cls VARCHAR(9));",
        "ap", "ap_no", "lvl", "nm", "opened", "fl", "fl_no", "ap_no", "dl", "cls",
    ),
)  # fmt: skip


class Rewriter:
    """Makes pairs from a family; the same seed makes the same ones."""

    def __init__(self, family: Family, rng: random.Random) -> None:
        self.family = family
        self._rng = rng

    def on_parent(self, alias: str) -> Same:
        """A condition on a row of the parent, in two ways."""
        return self._condition(alias, self.family.number, self.family.text)

    def on_child(self, alias: str) -> Same:
        """A condition on a row of the child, in two ways."""
        return self._condition(alias, self.family.amount, self.family.kind)

    def count(self) -> int:
        """A small number, of rows."""
        return self._rng.randint(1, 4)

    def _condition(self, alias: str, number: str, text: str) -> Same:
        one, other = self._atom(alias, number, text)
        if self._rng.random() < 0.6:
            return one, other
        left, right = self._atom(alias, number, text)
        return self._rng.choice(
            (
                (f"{one} AND {left}", f"NOT (NOT ({other}) OR NOT ({right}))"),
                (f"({one} OR {left})", f"NOT (NOT ({other}) AND NOT ({right}))"),
                (f"NOT ({one} AND {left})", f"(NOT ({other}) OR NOT ({right}))"),
            )
        )

    def _atom(self, alias: str, number: str, text: str) -> Same:
        n, t = f"{alias}.{number}", f"{alias}.{text}"
        k, more = self._rng.randint(-2, 40), self._rng.randint(1, 9)
        word = self._rng.choice(("red", "Seoul", "50%", "가나"))
        return self._rng.choice(
            (
                (f"{n} > {k}", f"{n} >= {k + 1}"),
                (f"{n} > {k}", f"{n} + {more} > {k + more}"),
                (f"{n} * 2 <= {2 * k}", f"NOT {n} > {k}"),
                (f"{n} <> {k}", f"({n} < {k} OR {n} > {k})"),
                (f"{n} BETWEEN {k} AND {k + more}", f"{n} >= {k} AND NOT {n} > {k + more}"),
                (f"{n} = {k}", f"CASE {n} WHEN {k} THEN 1 WHEN NULL THEN 2 ELSE {n} IS NULL AND NULL END"),
                (f"{n} IN ({k}, {k + more})", f"CASE WHEN {n} IS NOT NULL THEN EXISTS (SELECT 1 FROM"
                 f" (SELECT {k} AS v UNION ALL SELECT {k + more}) AS l WHERE l.v = {n}) END"),
                (f"COALESCE({n}, {k}) > {k}", f"CASE WHEN {n} IS NULL THEN 0 ELSE {n} > {k} END"),
                (f"IFNULL({n}, 0) >= 1", f"({n} >= 1 AND {n} IS NOT NULL)"),
                (f"{t} = '{word}'", f"({t} >= '{word}' AND {t} <= '{word}')"),
                (f"{t} LIKE '{word[:2]}%'", f"LOWER(SUBSTR({t}, 1, {len(word[:2])})) = LOWER('{word[:2]}')"),
                (f"{t} IS NULL", f"CASE WHEN {t} IS NOT NULL THEN 0 ELSE 1 END = 1"),
                (f"{t} IS NOT NULL", f"NOT LENGTH({t}) IS NULL"),
                (f"COALESCE({t}, '') <> ''", f"LENGTH({t}) > 0 AND {t} IS NOT NULL"),
                (f"IIF({t} = '{word}', 1, 0) = 0", f"{t} IS NOT '{word}'"),
                (f"LENGTH({t}) > {more}", f"LENGTH({t} || 'x') - 1 > {more}"),
            )
        )  # fmt: skip


Rewrite = Callable[[Rewriter], Same]


def _in_and_exists(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.text} FROM {f.parent} p WHERE p.{f.key} IN (SELECT c.{f.link} FROM {f.child} c WHERE"
        f" {a})",
        f"SELECT p.{f.text} FROM {f.parent} p WHERE EXISTS (SELECT 1 FROM {f.child} c"
        f" WHERE c.{f.link} = p.{f.key} AND ({b}))",
    )


def _in_and_join(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.key}, p.{f.number} FROM {f.parent} p"
        f" WHERE p.{f.key} IN (SELECT c.{f.link} FROM {f.child} c WHERE {a})",
        f"SELECT DISTINCT p.{f.key}, p.{f.number} FROM {f.child} c JOIN {f.parent} p ON c.{f.link} ="
        f" p.{f.key}"
        f" WHERE {b}",
    )


def _not_in_and_not_exists(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.key} FROM {f.parent} p WHERE p.{f.key} NOT IN"
        f" (SELECT c.{f.link} FROM {f.child} c WHERE c.{f.link} IS NOT NULL AND ({a}))",
        f"SELECT p.{f.key} FROM {f.parent} p WHERE NOT EXISTS (SELECT 1 FROM {f.child} c"
        f" WHERE c.{f.link} = p.{f.key} AND ({b}))",
    )


def _anti_join(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.text} FROM {f.parent} p LEFT JOIN {f.child} c ON c.{f.link} = p.{f.key} AND ({a})"
        f" WHERE c.{f.own} IS NULL",
        f"SELECT p.{f.text} FROM {f.parent} p WHERE (SELECT COUNT(*) FROM {f.child} c"
        f" WHERE p.{f.key} = c.{f.link} AND ({b})) = 0",
    )


def _except(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT p.{f.key} FROM {f.parent} p WHERE {a} EXCEPT SELECT c.{f.link} FROM {f.child} c",
        f"SELECT p.{f.key} FROM {f.parent} p WHERE ({b})"
        f" AND NOT EXISTS (SELECT 1 FROM {f.child} c WHERE c.{f.link} = p.{f.key})",
    )


def _intersect(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT p.{f.key} FROM {f.parent} p WHERE {a} INTERSECT SELECT c.{f.link} FROM {f.child} c",
        f"SELECT p.{f.key} FROM {f.parent} p WHERE p.{f.key} IN (SELECT {f.link} FROM {f.child}) AND ({b})",
    )


def _count_of_subquery(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT COUNT(*) FROM {f.parent} p WHERE {a}",
        f"SELECT COUNT(*) FROM (SELECT p.{f.key}, p.{f.text} FROM {f.parent} p WHERE {b}) AS q",
    )


def _sum_of_cases(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT COUNT(CASE WHEN {a} THEN p.{f.key} END) FROM {f.parent} p",
        f"SELECT COALESCE(SUM(IIF({b}, 1, 0)), 0) FROM {f.parent} p",
    )


def _filter(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT c.{f.link}, COUNT(*) FILTER (WHERE {a}) FROM {f.child} c GROUP BY c.{f.link}",
        f"SELECT c.{f.link}, SUM(CASE WHEN {b} THEN 1 ELSE 0 END) FROM {f.child} c GROUP BY 1",
    )


def _percentage(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT CAST(SUM(CASE WHEN {a} THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(*) FROM {f.parent} p",
        f"SELECT AVG(CASE WHEN {b} THEN 100.0 ELSE 0 END) FROM {f.parent} p",
    )


def _inlined_cte(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"WITH q AS (SELECT p.{f.key} AS k, p.{f.text} AS t FROM {f.parent} p WHERE {a})"
        f" SELECT q.t, c.{f.amount} FROM q JOIN {f.child} c ON c.{f.link} = q.k",
        f"SELECT p.{f.text}, c.{f.amount} FROM {f.child} c, {f.parent} p WHERE p.{f.key} = c.{f.link} AND"
        f" ({b})",
    )


def _split_in_three(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    (one, other) = r.on_parent("p")
    shown = f"SELECT p.{f.text}, p.{f.number} FROM {f.parent} p WHERE"
    parts = (f"({other})", f"NOT ({one})", f"({other}) IS NULL")
    return f"{shown} {a}", " UNION ALL ".join(f"{shown} ({b}) AND {part}" for part in parts)


def _having_and_outer_where(r: Rewriter) -> Same:
    f, (a, b), n = r.family, r.on_child("c"), r.count()
    return (
        f"SELECT c.{f.link}, COUNT(*) FROM {f.child} c WHERE {a} GROUP BY c.{f.link} HAVING COUNT(*) >= {n}",
        f"SELECT k, n FROM (SELECT c.{f.link} AS k, COUNT(c.{f.own}) AS n FROM {f.child} c WHERE {b} GROUP"
        f" BY 1)"
        f" AS g WHERE n > {n - 1}",
    )


def _largest(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    n = f"p.{f.number}"
    return (
        f"SELECT {n} FROM {f.parent} p WHERE ({a}) AND {n} IS NOT NULL ORDER BY {n} DESC LIMIT 1",
        f"SELECT m FROM (SELECT MAX({n}) AS m FROM {f.parent} p WHERE {b}) AS q WHERE m IS NOT NULL",
    )


def _all_that_are_largest(r: Rewriter) -> Same:
    f = r.family
    return (
        f"SELECT {f.key} FROM {f.parent} WHERE {f.number} = (SELECT MAX({f.number}) FROM {f.parent})",
        f"SELECT k FROM (SELECT {f.key} AS k, {f.number} AS n, RANK() OVER (ORDER BY {f.number} DESC) AS"
        f" place"
        f" FROM {f.parent}) AS q WHERE place = 1 AND n IS NOT NULL",
    )


def _none_is_larger(r: Rewriter) -> Same:
    f = r.family
    return (
        f"SELECT p.{f.text} FROM {f.parent} p WHERE p.{f.number} = (SELECT MAX({f.number}) FROM {f.parent})",
        f"SELECT p.{f.text} FROM {f.parent} p LEFT JOIN {f.parent} q ON q.{f.number} > p.{f.number}"
        f" WHERE q.{f.key} IS NULL AND p.{f.number} IS NOT NULL",
    )


def _row_number_and_limit(r: Rewriter) -> Same:
    f, (a, b), n = r.family, r.on_parent("p"), r.count()
    order = f"p.{f.number} DESC, p.{f.key}"
    return (
        f"SELECT p.{f.key}, p.{f.text} FROM {f.parent} p WHERE {a} ORDER BY {order} LIMIT {n}",
        f"SELECT k, t FROM (SELECT p.{f.key} AS k, p.{f.text} AS t, ROW_NUMBER() OVER (ORDER BY {order}) AS"
        f" place"
        f" FROM {f.parent} p WHERE {b}) AS q WHERE place <= {n} ORDER BY place",
    )


def _page(r: Rewriter) -> Same:
    f, n = r.family, r.count()
    return (
        f"SELECT {f.own} FROM {f.child} ORDER BY {f.own} LIMIT {n} OFFSET 1",
        f"SELECT k FROM (SELECT {f.own} AS k, ROW_NUMBER() OVER (ORDER BY {f.own}) AS place FROM {f.child})"
        f" AS q"
        f" WHERE place BETWEEN 2 AND {n + 1} ORDER BY k",
    )


def _cut_where_rows_tie(r: Rewriter) -> Same:
    f, (a, b), n = r.family, r.on_parent("p"), r.count()
    return (
        f"SELECT p.{f.text} FROM {f.parent} p WHERE {a} ORDER BY p.{f.number} LIMIT {n}",
        f"SELECT t FROM (SELECT p.{f.text} AS t, p.{f.number} AS n FROM {f.parent} p WHERE {b}) AS q"
        f" ORDER BY n ASC LIMIT {n}",
    )


def _self_join(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_parent("p")
    return (
        f"SELECT p.{f.text}, p.{f.day} FROM {f.parent} p WHERE {a}",
        f"SELECT o.{f.text}, p.{f.day} FROM {f.parent} p JOIN {f.parent} o ON o.{f.key} = p.{f.key} WHERE"
        f" {b}",
    )


def _counted_children(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.key}, COUNT(c.{f.own}) FROM {f.parent} p LEFT JOIN {f.child} c"
        f" ON c.{f.link} = p.{f.key} AND ({a}) GROUP BY p.{f.key}",
        f"SELECT p.{f.key}, (SELECT COUNT(*) FROM {f.child} c WHERE c.{f.link} = p.{f.key} AND ({b}))"
        f" FROM {f.parent} p",
    )


def _joined_groups(r: Rewriter) -> Same:
    f = r.family
    return (
        f"SELECT p.{f.text}, SUM(c.{f.amount}) FROM {f.parent} p JOIN {f.child} c ON c.{f.link} = p.{f.key}"
        f" GROUP BY p.{f.key}, p.{f.text}",
        f"SELECT p.{f.text}, g.s FROM (SELECT {f.link} AS k, SUM({f.amount}) AS s FROM {f.child} GROUP BY"
        f" {f.link})"
        f" AS g JOIN {f.parent} p ON p.{f.key} = g.k",
    )


def _average(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT AVG(c.{f.amount}) FROM {f.child} c WHERE {a}",
        f"SELECT SUM(c.{f.amount}) * 1.0 / COUNT(c.{f.amount}) FROM {f.child} c WHERE {b}",
    )


def _distinct_counts(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT COUNT(DISTINCT c.{f.link}) FROM {f.child} c WHERE {a}",
        f"SELECT COUNT(*) FROM (SELECT c.{f.link} FROM {f.child} c WHERE ({b}) AND c.{f.link} IS NOT NULL"
        f" GROUP BY c.{f.link}) AS q",
    )


def _two_kinds(r: Rewriter) -> Same:
    f = r.family
    return (
        f"SELECT {f.kind} FROM {f.child} GROUP BY {f.kind} HAVING COUNT(DISTINCT {f.link}) > 1",
        f"SELECT {f.kind} FROM {f.child} GROUP BY {f.kind} HAVING MIN({f.link}) <> MAX({f.link})",
    )


def _turned_outer_join(r: Rewriter) -> Same:
    f, (a, b) = r.family, r.on_child("c")
    return (
        f"SELECT p.{f.text}, c.{f.amount} FROM {f.parent} p LEFT JOIN {f.child} c ON c.{f.link} = p.{f.key}"
        f" AND ({a})",
        f"SELECT p.{f.text}, q.n FROM (SELECT c.{f.link} AS k, c.{f.amount} AS n FROM {f.child} c WHERE {b})"
        f" AS q"
        f" RIGHT JOIN {f.parent} p ON p.{f.key} = q.k",
    )


def _nested(r: Rewriter) -> Same:
    f, (a, b), (one, other) = r.family, r.on_parent("p"), r.on_parent("p")
    return (
        f"SELECT p.{f.text} FROM {f.parent} p WHERE ({a}) AND ({one})",
        f"SELECT p.{f.text} FROM (SELECT * FROM (SELECT * FROM {f.parent}) AS p WHERE {b}) AS p WHERE"
        f" {other}",
    )


def _windows(r: Rewriter) -> Same:
    f = r.family
    return (
        f"SELECT c.{f.own}, COUNT(*) OVER (PARTITION BY c.{f.link}) FROM {f.child} c"
        f" WHERE c.{f.link} IS NOT NULL",
        f"SELECT c.{f.own}, g.n FROM {f.child} c JOIN (SELECT {f.link} AS k, COUNT(*) AS n FROM {f.child}"
        f" GROUP BY {f.link}) AS g ON g.k = c.{f.link}",
    )


def _shown(r: Rewriter) -> Same:
    f = r.family
    n, t, d = f.number, f.text, f.day
    return (
        f"SELECT {n} * 2, COALESCE({t}, 'none'), CASE WHEN {n} > 3 THEN 'much' ELSE 'little' END FROM"
        f" {f.parent}"
        f" WHERE STRFTIME('%Y', {d}) = '2020'",
        f"SELECT {n} + {n}, CASE WHEN {t} IS NULL THEN 'none' ELSE {t} END, IIF({n} >= 4, 'much', 'little')"
        f" FROM {f.parent} WHERE CAST(STRFTIME('%Y', {d}) AS INTEGER) = 2020",
    )


def _ages(r: Rewriter) -> Same:
    f, years = r.family, 10 * r.count()
    age = f"STRFTIME('%Y', 'now') - STRFTIME('%Y', {f.day})"
    return (
        f"SELECT {f.key} FROM {f.parent} WHERE {age} > {years}",
        f"SELECT {f.key} FROM (SELECT {f.key}, {age} AS age FROM {f.parent}) AS q WHERE age >= {years + 1}",
    )


REWRITES: tuple[Rewrite, ...] = (
    _in_and_exists, _in_and_join, _not_in_and_not_exists, _anti_join, _except, _intersect, _count_of_subquery,
    _sum_of_cases, _filter, _percentage, _inlined_cte, _split_in_three, _having_and_outer_where, _largest,
    _all_that_are_largest, _none_is_larger, _row_number_and_limit, _page, _cut_where_rows_tie, _self_join,
    _counted_children, _joined_groups, _average, _distinct_counts, _two_kinds, _turned_outer_join, _nested,
    _windows, _shown, _ages,
)  # fmt: skip


def wrapped(schema: Schema, rng: random.Random) -> Same:
    """A query of any shape beside the same one wrapped up, split in three, or as another hand writes it."""
    maker = QueryMaker(schema, rng)
    width = rng.choice((1, 2))
    query = maker.select(width)
    names = [f"c{at}" for at in range(width)]
    shown = ", ".join(names)
    cte = f"WITH q({shown}) AS ({query})"
    test = rng.choice(("c0 > 1", "c0 = 'a'", "c0 BETWEEN 1 AND 2", "c0 IN (1, 'b')"))
    parts = (test, f"NOT ({test})", f"({test}) IS NULL")
    return query, rng.choice(
        (
            f"SELECT * FROM ({query}) AS q",
            f"{cte} SELECT {shown} FROM q",
            f"{query} UNION ALL SELECT * FROM ({query}) AS q WHERE 1 = 0",
            cte + " UNION ALL ".join(f" SELECT {shown} FROM q WHERE {part}" for part in parts),
            restyled(query, [*schema, *(c for columns in schema.values() for c in columns)], rng),
        )
    )
