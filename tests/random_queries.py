"""Random queries over a schema: joins, conditions, groups, nested queries, set operations."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

#: table -> columns
Schema = Mapping[str, Sequence[str]]


class QueryMaker:
    """Makes queries that SQLite runs; the same seed makes the same ones."""

    def __init__(self, schema: Schema, rng: random.Random) -> None:
        self._schema = schema
        self._rng = rng
        self._names = 0

    def query(self) -> str:
        """A SELECT, or two in a set operation."""
        if self._rng.random() < 0.2:
            width = self._rng.choice((1, 1, 2))
            word = self._rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
            return f"{self.select(width)} {word} {self.select(width)}"
        return self.select(self._rng.choice((1, 2, 3)))

    def select(self, width: int, outer: Sequence[str] = (), depth: int = 0) -> str:
        """A SELECT of so many columns; `outer` are columns of enclosing queries."""
        rng = self._rng
        sources, source = self._sources(depth)
        here = [c for columns in sources for c in columns]
        where = [self._condition(here, outer, depth) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        shape = rng.random()
        if shape < 0.25 and depth < 2:
            keys = rng.sample(here, min(len(here), rng.choice((1, 1, 2, 3))))
            shown = [rng.choice([*keys, self._aggregate(here), self._aggregate(here)]) for _ in range(width)]
            tail += f" GROUP BY {', '.join(keys)}"
            if rng.random() < 0.5:
                tail += (
                    f" HAVING {self._aggregate(here)} {rng.choice(('>', '>=', '<', '='))} {rng.randint(0, 3)}"
                )
                if rng.random() < 0.3:
                    tail += f" AND {rng.choice(keys)} {rng.choice(('= 1', 'IS NULL', '<> 2'))}"
        elif shape < 0.35:
            shown = [self._aggregate(here) for _ in range(width)]
        else:
            shown = [rng.choice(here) for _ in range(width)]
        distinct = "DISTINCT " if rng.random() < 0.2 else ""
        return f"SELECT {distinct}{', '.join(shown)} FROM {source}{tail}"

    def _sources(self, depth: int) -> tuple[list[list[str]], str]:
        rng = self._rng
        made: list[list[str]] = []
        text = ""
        for number in range(rng.choice((1, 1, 2, 2, 3) if depth == 0 else (1, 1, 2))):
            self._names += 1
            alias = f"t{self._names}"
            table = rng.choice(list(self._schema))
            columns = [f"{alias}.{c}" for c in self._schema[table]]
            body = table
            if depth == 0 and rng.random() < 0.1:
                kept = rng.sample(list(self._schema[table]), 2)
                columns = [f"{alias}.{c}" for c in kept]
                word = rng.choice(("", "", "DISTINCT "))
                body = f"(SELECT {word}{', '.join(kept)} FROM {table} WHERE {kept[0]} IS NOT NULL)"
            if number:
                word = rng.choice(
                    ("JOIN", "JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
                )
                there = [c for found in made for c in found]
                pairs = [
                    f"{rng.choice(columns)} = {rng.choice(there)}" for _ in range(rng.choice((1, 1, 1, 2)))
                ]
                more = [self._condition(columns + there, (), 2)] if rng.random() < 0.15 else []
                text += f" {word} {body} AS {alias} ON {' AND '.join(pairs + more)}"
            else:
                text = f"{body} AS {alias}"
            made.append(columns)
        return made, text

    def _condition(self, here: Sequence[str], outer: Sequence[str], depth: int) -> str:
        rng = self._rng
        a = rng.choice(here)
        value = rng.choice(("0", "1", "2", "'1'", "'a'", "'b'"))
        simple = [
            f"{a} {rng.choice(('=', '<>', '<', '<=', '>', '>='))} {value}",
            f"{a} = {rng.choice(here)}",
            f"{a} IS NULL",
            f"{a} IS NOT NULL",
            f"{a} {rng.choice(('', 'NOT '))}IN ({value}, 2, 'b')",
            f"{a} {rng.choice(('', 'NOT '))}BETWEEN 1 AND 2",
            f"({a} = {value} OR {rng.choice(here)} = {rng.choice(('1', '2'))})",
            f"NOT ({a} > 1 AND {rng.choice(here)} = {value})",
            f"{a} LIKE 'a%'",
        ]
        if depth >= 2 or rng.random() < 0.75:
            return rng.choice(simple)
        no = rng.choice(("", "", "NOT "))
        nested = self.select(1, [*here, *outer], depth + 1)
        if rng.random() < 0.5:
            return f"{a} {no}IN ({nested})"
        self._names += 1
        table = rng.choice(list(self._schema))
        alias = f"t{self._names}"
        linked = f"{alias}.{rng.choice(list(self._schema[table]))} = {a}"
        more = f" AND {self._condition([f'{alias}.{c}' for c in self._schema[table]], (), 2)}"
        return f"{no}EXISTS (SELECT 1 FROM {table} AS {alias} WHERE {linked}{rng.choice(('', more))})"

    def _aggregate(self, here: Sequence[str]) -> str:
        column = self._rng.choice(here)
        return self._rng.choice(
            (
                "COUNT(*)",
                f"COUNT({column})",
                f"COUNT(DISTINCT {column})",
                f"MAX({column})",
                f"MIN(DISTINCT {column})",
                f"SUM({column})",
            )
        )
