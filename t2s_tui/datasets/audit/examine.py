"""One row at a time: what its DDL, its gold and its question say of themselves. No other row is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from t2s_tui.datasets.audit.findings import AuditedRow, Finding
from t2s_tui.datasets.audit.language import language
from t2s_tui.datasets.audit.ports import GoldRunner, TokenCounter
from t2s_tui.datasets.audit.similar import bands, key, letters
from t2s_tui.errors import JobStopped
from t2s_tui.records import Example
from t2s_tui.sql.dialects import SqlSyntaxError, parse, parse_all
from t2s_tui.sql.features import Features, features
from t2s_tui.sql.hardness import hardness
from t2s_tui.sql.masked import masked
from t2s_tui.sql.schema import tables_in
from t2s_tui.sql.unknown_names import UnknownNames, unknown_names

_KNOWN_DDLS = 2048  # rows of one database bring the same DDL again and again
_KNOWN_RUNS = 4096
_KNOWN_STATEMENTS = 16_384


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept in memory of examined rows, as numpy arrays with one value a row: some 170 bytes each.

    `golds` are 64-bit keys of the golds' texts; `shapes` are equal for golds that may be the same after
    normalisation, 0 where there is none. `lengths` (rows, 5) are characters of question, gold and DDL, then
    joins and nesting. `found` says whether a row has a finding.
    """

    questions: Any
    bands: Any
    golds: Any
    shapes: Any
    lengths: Any
    languages: Any
    found: Any

    @classmethod
    def joined(cls, parts: Sequence[Figures]) -> Figures:
        """The figures of several stretches of rows, one after the other."""
        names = [each.name for each in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Examined:
    """Some rows in their order. `counts` are rows: by feature of SQL, by outcome of gold, by dialect."""

    rows: list[AuditedRow]
    figures: Figures
    counts: dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class _Ddl:
    """What a DDL declares, None where that is not sure; `problem` is where and why it does not parse."""

    schema: dict[str, frozenset[str]] | None
    problem: Finding | None
    language: str


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a statement that parses says, whatever its literals. `problem`: why it is no gold."""

    problem: str = ""
    unknown: UnknownNames = field(default_factory=UnknownNames)
    hardness: str = ""
    features: Features = field(default_factory=Features)
    shape: int = 0


class Examiner:
    """Examines rows with what it was given: a runner of golds, a counter of tokens, or neither."""

    def __init__(
        self,
        runner: GoldRunner | None = None,
        counter: TokenCounter | None = None,
        *,
        block_size: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._runner = runner
        self._counter = counter
        self._block_size = block_size
        self._stopped = stopped
        self._ran = lru_cache(maxsize=_KNOWN_RUNS)(runner.run) if runner is not None else None

    def close(self) -> None:
        """End what runs the golds."""
        if self._runner is not None:
            self._runner.close()

    def examine(self, examples: Sequence[Example]) -> Examined:
        """Everything that can be said of the rows by themselves. Raises JobStopped between two of them."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in ("features", "golds", "dialects")}
        tokens = self._counter.count(examples) if self._counter is not None else [-1] * len(examples)
        golds = [_golds(example) for example in examples]
        rows = []
        for example, (gold, findings), length in zip(examples, golds, tokens, strict=True):
            if self._stopped():
                raise JobStopped
            rows.append(self._row(example, gold, findings, length, counts["golds"]))
            counts["features"].update(gold.features.used)
            counts["dialects"][example.dialect] += 1
        return Examined(rows, _figures(examples, rows, [gold for gold, _ in golds]), counts)

    def _row(
        self, example: Example, gold: _Statement, said: list[Finding], tokens: int, runs: Counter[str]
    ) -> AuditedRow:
        ddl = _ddl(example.ddl, example.dialect)
        findings = [*([ddl.problem] if ddl.problem else []), *said, *self._run(example, runs)]
        if self._block_size is not None and tokens > self._block_size:
            findings.append(Finding("cut", "prompt", f"{tokens} tokens, {self._block_size} fit"))
        return AuditedRow(
            number=example.number,
            findings=tuple(findings),
            hardness=example.hardness or gold.hardness,
            joins=gold.features.joins,
            nesting=gold.features.nesting,
            aggregates=gold.features.aggregates,
            question_language=language(example.question),
            ddl_language=ddl.language,
            tokens=tokens,
        )

    def _run(self, example: Example, counts: Counter[str]) -> Iterator[Finding]:
        if self._ran is None:
            counts["not run"] += 1
        elif example.database is None:
            counts["no database"] += 1
        else:
            for where, sql in _all_golds(example):
                ran = self._ran(example.database, sql, example.dialect)
                counts[ran.outcome] += where == "gold"
                if ran.outcome in ("fails", "empty", "large"):
                    yield Finding(f"gold-{ran.outcome}", where, ran.detail)


def _figures(examples: Sequence[Example], rows: Sequence[AuditedRow], golds: Sequence[_Statement]) -> Figures:
    texts = [" ".join(example.gold.rstrip("; \n").split()) for example in examples]
    lengths = [
        (len(e.question), len(e.gold), len(e.ddl), gold.features.joins, gold.features.nesting)
        for e, gold in zip(examples, golds, strict=True)
    ]
    return Figures(
        questions=np.array([key(letters(example.question)) for example in examples], dtype=np.uint64),
        bands=bands([example.question for example in examples]),
        golds=np.array([key(text) for text in texts], dtype=np.uint64),
        shapes=np.array([gold.shape for gold in golds], dtype=np.uint64),
        lengths=np.array(lengths, dtype=np.int32),
        languages=np.array([row.question_language for row in rows], dtype="U2"),
        found=np.array([bool(row.findings) for row in rows]),
    )


def _all_golds(example: Example) -> Iterator[tuple[str, str]]:
    yield "gold", example.gold
    for number, sql in enumerate(example.accepted, start=1):
        yield f"accepted {number}", sql


@lru_cache(maxsize=_KNOWN_DDLS)
def _ddl(ddl: str, dialect: str) -> _Ddl:
    from sqlglot import exp

    said = language(ddl)
    try:
        trees = parse_all(ddl, dialect)
        tables = tables_in(ddl, dialect)
    except SqlSyntaxError as error:
        return _Ddl(None, Finding("ddl-syntax", f"ddl {error.position}", f"{dialect}: {error.message}"), said)
    if not tables:
        return _Ddl(None, Finding("ddl-syntax", "ddl", f"{dialect}: it declares no table"), said)
    # A statement that sqlglot keeps as it is, and CREATE TABLE AS, declare what is not seen here.
    hidden = any(
        isinstance(tree, exp.Command)
        or (isinstance(tree, exp.Create) and not isinstance(tree.this, exp.Schema))
        for tree in trees
    )
    schema = {t.name.lower(): frozenset(c.name.lower() for c in t.columns) for t in tables}
    return _Ddl(None if hidden else schema, None, said)


def _golds(example: Example) -> tuple[_Statement, list[Finding]]:
    """What the gold says, and the findings of all accepted ones."""
    first, findings = _Statement(), []
    for where, sql in _all_golds(example):
        try:
            said = _read(sql, example.ddl, example.dialect)
        except SqlSyntaxError as error:
            place = f"{where} {error.position}"
            findings.append(Finding("gold-syntax", place, f"{example.dialect}: {error.message}"))
            continue
        if said.problem:
            findings.append(Finding("gold-syntax", where, said.problem))
        for table in said.unknown.tables:
            findings.append(Finding("unknown-table", where, f"the DDL has no table {table}"))
        for column in said.unknown.columns:
            findings.append(Finding("unknown-column", where, f"the DDL has no column {column}"))
        if where == "gold":
            first = said
    return first, findings


def _read(sql: str, ddl: str, dialect: str) -> _Statement:
    """What a statement says. Raises SqlSyntaxError with the place in the text as it is."""
    hidden = masked(sql)
    try:
        return _statement(hidden, ddl, dialect)
    except SqlSyntaxError:
        if hidden == sql:
            raise
        return _statement(sql, ddl, dialect)


@lru_cache(maxsize=_KNOWN_STATEMENTS)
def _statement(sql: str, ddl: str, dialect: str) -> _Statement:
    from sqlglot import exp

    tree = parse(sql, dialect)
    if not isinstance(tree, exp.Query):
        return _Statement(f"it is no query but {tree.key.upper()}")
    schema = _ddl(ddl, dialect).schema
    try:
        made = features(tree)
        return _Statement(
            unknown=unknown_names(tree, schema, dialect) if schema is not None else UnknownNames(),
            hardness=hardness(tree),
            features=made,
            shape=key(" ".join([str(made.selects), *made.tables])) or 1,
        )
    except (RecursionError, AttributeError, KeyError, TypeError, ValueError) as error:
        # sqlglot's trees are odd in odd places: one row must not end the audit of all others.
        return _Statement(f"it cannot be taken apart ({type(error).__name__}: {error})")
