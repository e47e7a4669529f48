"""What is wrong with a generated query, in names that can be counted: the fault taxonomy.

Several faults a prediction, the leading one first: the one whose repair would most likely make it right. They
are read off the pieces in which the two queries differ (`changes.py`) and off the evidence: the text after
the SQL, the engine's error, the class of a refutation. After NL2SQL-BUGs (arXiv 2503.11984), in fewer kinds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from t2s_tui.sql.dialects import SqlSyntaxError, parse
from t2s_tui.sql.diff import clearest_changes
from t2s_tui.sql.normalize import orders_rows, unordered
from t2s_tui.sql.schema import schema_mapping
from t2s_tui.sql.unknown_names import unknown_names

if TYPE_CHECKING:
    from sqlglot import exp


class Fault(StrEnum):
    """The faults in the order in which they lead: what makes all else moot comes first."""

    EMPTY = "empty"
    RUN_ON = "run-on text"
    SYNTAX = "syntax"
    UNKNOWN_TABLE = "unknown table"
    UNKNOWN_COLUMN = "unknown column"
    SET_OPERATION = "set operation"
    WRONG_TABLE = "wrong table"
    MISSING_JOIN = "missing join"
    JOIN_TYPE = "join type"
    JOIN_CONDITION = "join condition"
    REDUNDANT_JOIN = "redundant join"
    SUBQUERY = "subquery"
    FILTER_MISSING = "filter missing"
    FILTER_EXTRA = "filter extra"
    OPERATOR = "operator"
    VALUE = "value"
    AGGREGATE = "aggregate"
    GROUPING = "grouping"
    HAVING = "having"
    PROJECTION = "projection"
    DISTINCT = "distinct"
    ORDERING = "ordering"
    LIMIT = "limit"
    OTHER = "other"


#: One line of help for each fault.
HELP: Mapping[Fault, str] = {
    Fault.EMPTY: "there is no SQL in the answer",
    Fault.RUN_ON: "the answer goes on after the SQL, or holds several statements",
    Fault.SYNTAX: "the SQL does not parse, or the engine refuses to read it",
    Fault.UNKNOWN_TABLE: "it names a table that the DDL does not have",
    Fault.UNKNOWN_COLUMN: "it names a column that its tables do not have",
    Fault.SET_OPERATION: "UNION, INTERSECT or EXCEPT is missing, too many, or another one",
    Fault.WRONG_TABLE: "it reads another table in place of the right one",
    Fault.MISSING_JOIN: "a table that is needed is not joined",
    Fault.JOIN_TYPE: "LEFT where an inner join is right, or the other way round",
    Fault.JOIN_CONDITION: "the right tables are joined on the wrong columns",
    Fault.REDUNDANT_JOIN: "it joins a table that is not needed",
    Fault.SUBQUERY: "a nested query is missing, too many, or built another way",
    Fault.FILTER_MISSING: "a condition of WHERE is not there",
    Fault.FILTER_EXTRA: "WHERE has a condition that nobody asked for",
    Fault.OPERATOR: "a condition compares in the wrong way (> for >=, LIKE for =)",
    Fault.VALUE: "a condition compares with the wrong constant",
    Fault.AGGREGATE: "COUNT, SUM or another function is wrong, missing or too many",
    Fault.GROUPING: "GROUP BY has other columns, is missing or too many",
    Fault.HAVING: "the condition on groups is wrong, missing or too many",
    Fault.PROJECTION: "SELECT shows other columns, or in another order",
    Fault.DISTINCT: "DISTINCT is missing or too many",
    Fault.ORDERING: "ORDER BY is wrong, missing or too many",
    Fault.LIMIT: "LIMIT or OFFSET is wrong, missing or too many",
    Fault.OTHER: "it differs in a way that has no name here",
}

_ORDER = {fault: number for number, fault in enumerate(Fault)}
#: What keeps a query from running, or what is no query at all.
_FATAL = frozenset(fault for fault, number in _ORDER.items() if number <= _ORDER[Fault.UNKNOWN_COLUMN])
_NAMED = {str(fault): fault for fault in Fault}
_ENGINE = (
    (re.compile(r"no such table|table .* (does not|doesn't) exist|unknown table", re.I), Fault.UNKNOWN_TABLE),
    (
        re.compile(r"no such column|unknown column|ambiguous column|column .* not found", re.I),
        Fault.UNKNOWN_COLUMN,
    ),
    (re.compile(r"syntax error|unrecognized token|incomplete input|parser error", re.I), Fault.SYNTAX),
    (re.compile(r"no such function|misuse of aggregate|wrong number of arguments", re.I), Fault.AGGREGATE),
    (re.compile(r"only execute one statement", re.I), Fault.RUN_ON),
)
#: What a refutation of this class points at, where the queries differ there.
_REFUTED = {
    "tie": (Fault.LIMIT, Fault.ORDERING),
    "null": (Fault.JOIN_TYPE, Fault.FILTER_MISSING, Fault.OPERATOR, Fault.AGGREGATE),
    "empty": (Fault.AGGREGATE, Fault.GROUPING),
    "orphan": (Fault.REDUNDANT_JOIN, Fault.MISSING_JOIN, Fault.JOIN_TYPE),
}


def faults_of(
    gold: str,
    generated: str,
    dialect: str,
    ddl: str | None = None,
    *,
    raw: str = "",
    error: str = "",
    refutation: str = "",
    ordered: bool | None = None,
) -> tuple[Fault, ...]:
    """The faults of a query that is known to be wrong, the leading one first; ("other",) where none is seen.

    `raw` is the whole answer of the model; `error` and `refutation` as for `with_evidence`. `ordered`: as for
    `diff.compare`.
    """
    after = _text_after(raw)
    if not generated.strip():
        return (Fault.EMPTY, *((Fault.RUN_ON,) if after else ()))
    written, lasting = _written(gold, generated, dialect, ddl, ordered)
    fatal = [fault for fault in written if fault in _FATAL]
    ranked = sorted(set(written), key=lambda fault: (fault not in lasting, _ORDER[fault]))
    fatal.sort(key=_ORDER.__getitem__)
    named = dict.fromkeys([*fatal, *ranked, *([Fault.RUN_ON] if after else [])])
    return with_evidence(tuple(named), error, refutation) or (Fault.OTHER,)


def with_evidence(faults: Sequence[str], error: str = "", refutation: str = "") -> tuple[Fault, ...]:
    """The faults that are to be seen between the texts, in the order that the evidence gives them.

    `error` is what an engine said: it names a fault of its own. `refutation` is the class that equivalence
    found (data, null, tie, empty, orphan): where it points at one of the faults, that one made the rows
    differ, and leads. What keeps a query from running at all leads before both.
    """
    seen = [_NAMED[name] for name in faults if name in _NAMED]
    said = [fault for pattern, fault in _ENGINE if error and pattern.search(error)][:1]
    first = [fault for fault in _REFUTED.get(refutation, ()) if fault in seen]
    fatal = [fault for fault in (*seen, *said) if fault in _FATAL and fault is not Fault.RUN_ON]
    fatal.sort(key=_ORDER.__getitem__)
    named = list(dict.fromkeys([*fatal, *said, *first, *seen]))
    return tuple(fault for fault in named if fault is not Fault.OTHER or len(named) == 1)


def count_faults(faults: Iterable[Iterable[str]], *, leading: bool = True) -> dict[str, int]:
    """fault -> how many predictions have it (as their leading one), the most frequent first."""
    counts: Counter[str] = Counter()
    for names in faults:
        own = [str(name) for name in dict.fromkeys(names)]
        counts.update(own[:1] if leading else own)
    order = {str(fault): number for fault, number in _ORDER.items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], order.get(item[0], len(order)), item[0])))


def _text_after(raw: str) -> str:
    from t2s_tui.sql.statements import text_after_statement

    return text_after_statement(raw) if raw.strip() else ""


@lru_cache(maxsize=512)
def _written(
    gold: str, generated: str, dialect: str, ddl: str | None, ordered: bool | None
) -> tuple[tuple[Fault, ...], frozenset[Fault]]:
    """The faults that are to be seen, and those of them that no assumption about the data explains away."""
    from t2s_tui.sql.fault_rules import faults_in

    try:
        tree = parse(generated, dialect)
    except SqlSyntaxError as error:
        several = "statements" in error.message
        fault = Fault.RUN_ON if several else Fault.SYNTAX
        return (fault,), frozenset((fault,))
    unknown = _unknown(tree, dialect, ddl)
    try:
        right = parse(gold, dialect)
        if not (orders_rows(right) if ordered is None else ordered):
            right, tree = unordered(right), unordered(tree)
        shown = faults_in(clearest_changes(right, tree, dialect, ddl), dialect)
        rest = faults_in(clearest_changes(right, tree, dialect, ddl, "realistic"), dialect)
    except SqlSyntaxError:
        return unknown, frozenset(unknown)
    return (*unknown, *shown), frozenset((*unknown, *rest))


def _unknown(tree: exp.Expr, dialect: str, ddl: str | None) -> tuple[Fault, ...]:
    schema = schema_mapping(ddl, dialect)
    if schema is None:
        return ()
    names = unknown_names(tree, schema, dialect)
    tables = (Fault.UNKNOWN_TABLE,) if names.tables else ()
    return tables + ((Fault.UNKNOWN_COLUMN,) if names.columns else ())
