"""One row at a time: what its DDL, its gold and its question say of themselves. No other row is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from t2s_tui.datasets.audit.findings import AuditedRow, Finding
from t2s_tui.datasets.audit.language import language
from t2s_tui.datasets.audit.ports import GoldRunner, TokenCounter
from t2s_tui.datasets.audit.similar import bands, key, letters
from t2s_tui.datasets.audit.statements import Statement, read_ddl, read_statement
from t2s_tui.errors import JobStopped
from t2s_tui.records import Example
from t2s_tui.sql.dialects import SqlSyntaxError

_KNOWN_RUNS = 4096


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
        rows: dict[int, AuditedRow] = {}
        for at in sorted(range(len(examples)), key=lambda at: examples[at].database or ""):
            # One database after the other: the sandbox opens each once.
            if self._stopped():
                raise JobStopped
            example, (gold, findings) = examples[at], golds[at]
            rows[at] = self._row(example, gold, findings, tokens[at], counts["golds"])
            counts["features"].update(gold.features.used)
            counts["dialects"][example.dialect] += 1
        in_order = [rows[at] for at in range(len(examples))]
        return Examined(in_order, _figures(examples, in_order, [gold for gold, _ in golds]), counts)

    def _row(
        self, example: Example, gold: Statement, said: list[Finding], tokens: int, runs: Counter[str]
    ) -> AuditedRow:
        ddl = read_ddl(example.ddl, example.dialect)
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


def _figures(examples: Sequence[Example], rows: Sequence[AuditedRow], golds: Sequence[Statement]) -> Figures:
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


def _golds(example: Example) -> tuple[Statement, list[Finding]]:
    """What the gold says, and the findings of all accepted ones."""
    first, findings = Statement(), []
    for where, sql in _all_golds(example):
        try:
            said = read_statement(sql, example.ddl, example.dialect)
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
