"""The search for a database that tells two queries apart: one pair, in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from t2s_tui.evaluation.equivalence.comparing import Outcome, compare, same
from t2s_tui.evaluation.equivalence.cut import Cut, cut_of
from t2s_tui.evaluation.equivalence.dollars import quote_dollars
from t2s_tui.evaluation.equivalence.duck_engine import DuckEngine
from t2s_tui.evaluation.equivalence.engines import Engine, SqliteEngine
from t2s_tui.evaluation.equivalence.facts import collect
from t2s_tui.evaluation.equivalence.model import Database, Queries, Rows, Table, Unsupported
from t2s_tui.evaluation.equivalence.moments import fit_moments, fix_present
from t2s_tui.evaluation.equivalence.mutants import mutants_of
from t2s_tui.evaluation.equivalence.order import loose, orders, shaky
from t2s_tui.evaluation.equivalence.reading import Reading, read_query
from t2s_tui.evaluation.equivalence.recipes import Ground, Recipes, ground_of
from t2s_tui.evaluation.equivalence.schema import tables_of
from t2s_tui.evaluation.equivalence.solver import Solver
from t2s_tui.evaluation.equivalence.thresholds import shrink_alike
from t2s_tui.sql.dialects import SqlSyntaxError, generate, parse, translate

SECONDS = 4.0  # a pair; what was tried until then counts
_REALISTIC_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Case:
    """A pair, ready for one engine."""

    engine: str  # sqlite or duckdb
    tables: Mapping[str, Table]
    queries: Queries
    trees: tuple[Any, Any]  # generated's is None where sqlglot cannot read it
    shaky: bool  # what one of the queries returns may hang on the order in which rows are read
    loose: bool  # what gold returns may, beyond what `cut` says
    limits: Mapping[int, int]  # what large limits were shrunk to
    cut: Cut | None = None  # what gold may return where it orders
    dialect: str = "sqlite"  # that the pair is written in


@dataclass
class Found:
    """What a search came to."""

    tried: int = 0
    decided: int = 0
    gold_rows: bool = False
    gold_error: str = ""
    refuted: Database | None = None
    outcome: Outcome | None = None
    place: int | None = None
    realistic_tried: int = 0
    kept: list[Rows] | None = None
    engine: str = ""
    late: bool = False


def prepare(gold: str, generated: str, dialect: str, ddl: str, engine: str, ordered: bool | None) -> Case:
    """The pair in the words of an engine. Raises Unsupported, or SqlSyntaxError for gold."""
    tables = tables_of(ddl, dialect, engine)
    gold_text = translate(gold, dialect, engine)
    try:
        generated_text = translate(generated, dialect, engine)
        generated_tree: Any = parse(generated_text, engine)
    except SqlSyntaxError as error:
        if dialect != engine:
            raise Unsupported(f"it cannot be translated to {engine}: {error.message}") from error
        generated_text, generated_tree = generated, None
    gold_tree = parse(gold_text, engine)
    if engine == "duckdb":
        if quote_dollars(gold_tree):
            gold_text = generate(gold_tree, engine)
        if generated_tree is not None and quote_dollars(generated_tree):
            generated_text = generate(generated_tree, engine)
    by_name = {table.key: table for table in tables}
    trees = [tree for tree in (gold_tree, generated_tree) if tree is not None]
    limits: Mapping[int, int] = {}
    if generated_tree is not None:
        limits = shrink_alike(trees)
        fixed = engine == "sqlite" and fix_present(trees, datetime.now(UTC).date())
        fitted = engine == "sqlite" != dialect and fit_moments(trees, by_name)
        if limits or fixed or fitted:
            gold_text, generated_text = generate(gold_tree, engine), generate(generated_tree, engine)
    counts = orders(gold_tree) if ordered is None else ordered
    cut = cut_of(gold_tree, engine)
    return Case(
        engine,
        _used(by_name, trees),
        Queries(gold_text, generated_text, counts),
        (gold_tree, generated_tree),
        any(map(shaky, trees)) or generated_tree is None,
        loose(gold_tree, cut),
        limits,
        cut,
        dialect,
    )


def _used(tables: Mapping[str, Table], trees: Sequence[Any]) -> dict[str, Table]:
    """The tables that the queries name, and those that they point at."""
    wanted = {str(t.name).lower() for tree in trees for t in tree.find_all(exp.Table)}
    found: dict[str, Table] = {}
    waiting = [name for name in tables if name in wanted]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = tables[name]
        waiting += [r.table for r in tables[name].references if r.table in tables]
    return {name: table for name, table in tables.items() if name in found}


def open_engine(case: Case) -> Engine:
    """The engine with the case's tables. Raises Unsupported when the tables cannot be made there."""
    tables = list(case.tables.values())
    try:
        return SqliteEngine(tables) if case.engine == "sqlite" else DuckEngine(tables, case.dialect)
    except Exception as error:  # each engine has errors of its own
        raise Unsupported(f"the DDL cannot be run in {case.engine}: {error}") from error


class Search:
    """Tries databases on a case until one tells the queries apart."""

    def __init__(self, case: Case, engine: Engine, seed: int, databases: int) -> None:
        self.case, self.engine = case, engine
        self._seed, self._databases = seed, databases
        self._solver = Solver()
        self._until = time.monotonic() + SECONDS
        self.ground = self._ground()

    def close(self) -> None:
        self._solver.close()

    def _ground(self) -> Ground:
        readings: list[tuple[Any, Reading]] = []
        for label, tree in zip("gp", self.case.trees, strict=True):
            if tree is not None:
                readings.append((tree, read_query(tree, self.case.tables, label)))
        return ground_of(
            self.case.tables, [r for _, r in readings], collect(readings, loose=self.case.dialect == "sqlite")
        )

    def databases(self) -> Iterator[Database]:
        """Those to try, in order."""
        recipes = Recipes(self.ground, self._seed, self._solver)
        realistic = round(self._databases * _REALISTIC_SHARE)
        yield from recipes.realistic(realistic)
        yield from recipes.strict(self._databases - realistic)

    def run(self) -> Found:
        """Try the databases in order, up to the first that refutes or on which the generated SQL fails."""
        found = Found(engine=self.engine.name, kept=[])
        for database in self.databases():
            if time.monotonic() > self._until:
                found.late = True
                break
            rows = self.engine.load(database.rows)
            outcome = compare(
                self.engine,
                self.case.queries,
                shaky=self.case.shaky,
                loose=self.case.loose,
                cut=self.case.cut,
            )
            found.tried += 1
            found.realistic_tried += database.realistic
            if outcome.gold.error:
                found.gold_error = outcome.gold.error
                if found.tried == 3 and not found.decided:
                    break
                continue
            found.gold_rows = found.gold_rows or bool(outcome.gold.rows)
            found.decided += outcome.differs is not None
            if outcome.differs:
                found.refuted, found.outcome, found.place = replace(database, rows=rows), outcome, found.tried
                break
            assert found.kept is not None
            found.kept.append(rows)
        return found

    def coverage(self, found: Found) -> tuple[int, int]:
        """(mutants of gold made, those that the tried databases tell from gold), without those that fail."""
        mutants = mutants_of(self.case.trees[0], self.case.engine)
        alive = [sql for _, sql in mutants]
        killed = failed = 0
        until = time.monotonic() + SECONDS / 4
        for rows in found.kept or []:
            if not alive or time.monotonic() > until:
                break
            self.engine.load(rows)
            gold = self.engine.run(self.case.queries.gold)
            if gold.error:
                continue
            left = []
            for sql in alive:
                result = self.engine.run(sql)
                if result.error:
                    failed += 1
                elif same(gold, result, self.case.queries.ordered):
                    left.append(sql)
                else:
                    killed += 1
            alive = left
        return len(mutants) - failed, killed

    def differs(self, rows: Rows) -> tuple[Rows, Outcome] | None:
        """The rows as the engine keeps them and what the queries return, if they still differ there."""
        kept = self.engine.load(rows)
        outcome = compare(
            self.engine, self.case.queries, shaky=self.case.shaky, loose=self.case.loose, cut=self.case.cut
        )
        return (kept, outcome) if outcome.differs and not outcome.generated.error else None
