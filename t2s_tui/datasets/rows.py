"""From a raw row to an Example: what is missing or no text is dropped, counted and reported."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from t2s_tui.datasets import dialect as dialects
from t2s_tui.datasets.catalogue import IdMaker
from t2s_tui.datasets.databases import DatabaseFinder
from t2s_tui.datasets.schema_ddl import ddl_of_database
from t2s_tui.datasets.source import REQUIRED, RawItem, RawRow, RowProblem
from t2s_tui.records import Example
from t2s_tui.text import nfc

_VOTERS = 1000  # rows that decide the dialect of those without a mark of their own


class _Bad(Exception):
    """A value that cannot be used: `field`, `reason`."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(field, reason)


@dataclass(frozen=True, slots=True)
class RowRules:
    """How rows become examples. `dialect` and `known_dialects` are names; no dialect means: recognise it."""

    dialect: str | None
    known_dialects: frozenset[str]
    databases: DatabaseFinder


class RowChecker:
    """Turns raw rows into examples, one at a time, and keeps what it dropped."""

    def __init__(self, rules: RowRules) -> None:
        self._rules = rules
        self._ids = IdMaker()
        self._used: Counter[str] = Counter()
        self._ddls: dict[str, str] = {}  # database -> what it declares
        self._fallback = rules.dialect or dialects.DEFAULT
        self.problems: list[RowProblem] = []
        self.dropped = 0

    @property
    def dialect(self) -> str:
        """The dialect of most of the examples made so far."""
        return self._used.most_common(1)[0][0] if self._used else self._fallback

    def examples(self, items: Iterable[RawItem]) -> Iterator[Example]:
        """The good rows as examples, numbered from 1 in the order of the source."""
        number = 0
        for item in map(self._with_ddl, self._after_vote(iter(items))):
            problems = [item] if isinstance(item, RowProblem) else _missing(item)
            if not problems and isinstance(item, RawRow):
                try:
                    yield self._example(item, number + 1)
                    number += 1
                    continue
                except _Bad as bad:
                    problems = [_problem(item, bad.field, bad.reason)]
            self.problems += problems
            self.dropped += 1

    def _after_vote(self, items: Iterator[RawItem]) -> Iterator[RawItem]:
        """The same items, once the first of them have decided the dialect of the rest."""
        if self._rules.dialect is not None:
            return items
        head = list(islice(items, _VOTERS))
        ddls = (item.values.get("context") for item in head if isinstance(item, RawRow))
        self._fallback = dialects.vote(ddl for ddl in ddls if isinstance(ddl, str))
        return chain(head, items)

    def _with_ddl(self, item: RawItem) -> RawItem:
        """A row without a DDL of its own gets that of its database."""
        if isinstance(item, RowProblem) or not _is_missing(item.values.get("context")):
            return item
        try:
            database = self._database(item, _db_id(item.values.get("db_id")))
        except _Bad:
            return item
        if database is None:
            return item
        if database not in self._ddls:
            self._ddls[database] = ddl_of_database(Path(database))
        return replace(item, values={**item.values, "context": self._ddls[database]})

    def _example(self, row: RawRow, number: int) -> Example:
        db_id = _db_id(row.values["db_id"])
        ddl, question, gold = (_text(field, row.values[field]) for field in REQUIRED[1:])
        split = row.values.get("split")
        dialect = self._dialect(row, ddl)
        example = Example(
            id=self._ids.make(db_id, ddl, question, gold),
            number=number,
            split=row.split if _is_missing(split) else _text("split", split).strip(),
            db_id=db_id,
            question=question,
            ddl=ddl,
            gold=gold,
            dialect=dialect,
            database=self._database(row, db_id),
            origin=f"{Path(row.file).name}:{row.line}",
            accepted=_texts("accepted", row.values.get("accepted")),
            hardness=_optional("hardness", row.values.get("hardness")),
            evidence=_optional("evidence", row.values.get("evidence")),
            extra=_extra(row.values.get("extra")),
        )
        self._used[dialect] += 1
        return example

    def _dialect(self, row: RawRow, ddl: str) -> str:
        """What the call says, else the row, else the marks in its DDL, else the dataset's vote."""
        if self._rules.dialect is not None:
            return self._rules.dialect
        said = row.values.get("dialect")
        if not _is_missing(said):
            name = _text("dialect", said).strip().lower()
            if name not in self._rules.known_dialects:
                raise _Bad(
                    "dialect",
                    f"is {name!r}, which is none of {', '.join(sorted(self._rules.known_dialects))}",
                )
            return name
        return dialects.recognise(ddl) or self._fallback

    def _database(self, row: RawRow, db_id: str) -> str | None:
        value = row.values.get("database")
        if _is_missing(value):
            return self._rules.databases.of_id(db_id)
        path = _text("database", value).strip()
        found = self._rules.databases.of_column(path, row.folder)
        if found is None:
            raise _Bad("database", f"names {path!r}, where there is no file")
        return found


def _missing(row: RawRow) -> list[RowProblem]:
    return [
        _problem(row, field, "is missing" if field not in row.values else "is empty")
        for field in REQUIRED
        if _is_missing(row.values.get(field))
    ]


def _problem(row: RawRow, field: str, reason: str) -> RowProblem:
    return RowProblem(row.file, row.line, field, reason, row.unit)


def _is_missing(value: Any) -> bool:
    """None, NaN (what pandas writes for nothing) and blank text."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and not value.strip())


def _text(field: str, value: Any) -> str:
    """The text in NFC; raises _Bad for what is none."""
    if not isinstance(value, str):
        raise _Bad(field, f"is no text but {type(value).__name__} {str(value)[:40]}")
    if not value.isascii():
        value = nfc(value)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _Bad(field, "has half of a surrogate pair, which is no text") from error
    return str(value)


def _optional(field: str, value: Any) -> str:
    return "" if _is_missing(value) else _text(field, value).strip()


def _texts(field: str, value: Any) -> tuple[str, ...]:
    """A list of texts, or one text."""
    if _is_missing(value):
        return ()
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple):
        raise _Bad(field, f"is no list of texts but {type(value).__name__} {str(value)[:40]}")
    return tuple(_text(field, v) for v in values)


def _extra(value: Any) -> dict[str, str]:
    """A mapping of texts, or a map of Parquet as pairs; other values are written as JSON."""
    if _is_missing(value):
        return {}
    if isinstance(value, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        value = dict(value)
    if not isinstance(value, Mapping):
        raise _Bad("extra", f"is no mapping but {type(value).__name__} {str(value)[:40]}")
    texts = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in value.items()}
    return {_text("extra", str(k)): _text("extra", v) for k, v in texts.items()}


def _db_id(value: Any) -> str:
    """Ids are compared as text: 1, 1.0 (an int column that once held a NaN) and "1" are the same."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _Bad("db_id", f"is no id but {type(value).__name__} {str(value)[:40]}")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _text("db_id", str(value)).strip()
