"""Whether two queries differ on the database that is loaded, ties and unordered reads taken into account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from t2s_tui.evaluation.equivalence.cut import Cut, allows
from t2s_tui.evaluation.equivalence.engines import MAX_ROWS, Engine
from t2s_tui.evaluation.equivalence.model import Queries, Result, Row

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one database. `differs` None: it says nothing (gold failed, or is not settled there).

    `tie`: the results differ in what an unordered read may bring first.
    """

    differs: bool | None
    gold: Result
    generated: Result
    tie: bool = False


def value_key(value: Any) -> Any:
    """What makes two values the same: 1 and 1.0 are, NULL is NULL, text is compared exactly."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return repr(value)
        rounded = round(value, _DIGITS)
        return int(rounded) if rounded == int(rounded) else float(f"{rounded:.12g}")
    if isinstance(value, bytes):
        return ("blob", value)
    return value


def row_key(row: Row) -> tuple[Any, ...]:
    """A row as it is compared."""
    return tuple(("s", v) if isinstance(v, str) else value_key(v) for v in row)


def same(left: Result, right: Result, ordered: bool) -> bool:
    """Whether two results are the same: bags of rows, columns by position; lists where order counts."""
    if len(left.columns) != len(right.columns) or len(left.rows) != len(right.rows):
        return False
    a, b = [row_key(r) for r in left.rows], [row_key(r) for r in right.rows]
    return a == b if ordered else Counter(a) == Counter(b)


def compare(
    engine: Engine, queries: Queries, *, shaky: bool, loose: bool = True, cut: Cut | None = None
) -> Outcome:
    """Run both on the loaded database. `shaky`, `loose`: see Case.

    Where gold orders, `cut` says what it may return, and anything else is a difference. Otherwise
    a difference counts only where gold returns the same whichever way the tables are read; else only what
    no reading of gold can explain does: another number of rows, or other rows where nothing is cut off.
    """
    gold, generated = engine.run(queries.gold), engine.run(queries.generated)
    if gold.error or len(gold.rows) > MAX_ROWS:
        return Outcome(None, gold, generated)
    if generated.error:
        return Outcome(None if generated.slow else True, gold, generated)
    alike = same(gold, generated, queries.ordered)
    if alike and not shaky:
        return Outcome(False, gold, generated)
    if cut is not None and not (wider := engine.run(cut.sql)).error:
        return _legal(engine, queries, cut, wider, gold, generated, loose)
    turned_gold = engine.run(queries.gold, backwards=True)
    turned = engine.run(queries.generated, backwards=True)
    others = [turned_gold]
    if same(gold, turned_gold, queries.ordered):
        if alike and (turned.error or same(turned_gold, turned, queries.ordered)):
            return Outcome(False, turned_gold, turned, tie=True)
        others += engine.readings(queries.gold) if loose else ()
        if all(same(gold, other, queries.ordered) for other in others):
            if alike:
                return Outcome(True, turned_gold, turned, tie=True)
            return Outcome(True, gold, generated, tie=not same(generated, turned, queries.ordered))
    if alike:
        return Outcome(None, gold, generated, tie=True)
    # Gold itself hangs on the order of reading here. Sure is how many rows, and which where none is cut.
    if len(gold.columns) != len(generated.columns):
        return Outcome(True, gold, generated)
    counts = {len(result.rows) for result in (gold, *others)}
    if len(counts) == 1 and len(generated.rows) not in counts:
        return Outcome(True, gold, generated, tie=True)
    if queries.ordered and all(same(gold, other, False) for other in others):
        differs = not same(gold, generated, False)
        return Outcome(differs or None, gold, generated, tie=not differs)
    return Outcome(None, gold, generated, tie=True)


def _legal(
    engine: Engine,
    queries: Queries,
    cut: Cut,
    wider: Result,
    gold: Result,
    generated: Result,
    loose: bool,
) -> Outcome:
    """By the set of results that gold allows: the other must stay in it, whichever way rows are read."""
    if not allows(cut, wider, gold, queries.ordered, row_key):
        return Outcome(None, gold, generated)  # its keys do not say how gold is ordered: nothing is sure
    if not allows(cut, wider, generated, queries.ordered, row_key):
        return Outcome(not loose or _settled(engine, cut, wider), gold, generated)
    turned = engine.run(queries.generated, backwards=True)
    if turned.error or allows(cut, wider, turned, queries.ordered, row_key):
        return Outcome(False, gold, generated)
    return Outcome(not loose or _settled(engine, cut, wider), gold, turned, tie=True)


def _settled(engine: Engine, cut: Cut, wider: Result) -> bool | None:
    """True where the rows that gold cuts from are the same in every order of reading, else None."""
    return all(same(wider, other, False) for other in engine.readings(cut.sql)) or None
