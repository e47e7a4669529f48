"""A dataset in the layout of Spider 1.0: what the scripts of that benchmark and of its relatives read.

tables.json    train_spider.json    dev.json    [SPLIT.json ...]    database/<db>/<db>.sqlite
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from t2s_tui.errors import DataError, T2SError, UsageError
from t2s_tui.records import Example
from t2s_tui.sql.dialects import SqlSyntaxError
from t2s_tui.sql.schema import Table, tables_in

_FILES = {"train": "train_spider.json", "dev": "dev.json", "eval": "dev.json", "validation": "dev.json"}
#: The words that Spider has for types, by the beginnings of SQL's.
_TYPES = (
    (
        "number",
        ("int", "bigint", "smallint", "tinyint", "mediumint", "real", "float", "double", "dec", "num"),
    ),
    ("time", ("date", "time", "year")),
    ("boolean", ("bool",)),
)


@dataclass(frozen=True, slots=True)
class SpiderExport:
    """Rows written; databases copied; db_ids whose DDL does not parse, which tables.json therefore lacks."""

    rows: int
    databases: int
    without_schema: tuple[str, ...]


def write_spider(folder: Path, examples: Iterable[Example]) -> SpiderExport:
    """Write the layout into a folder that is not there yet, all of it or nothing.

    A database's tables are those of all DDLs of its rows. Raises UsageError when the folder is there,
    DataError for a db_id that cannot be a folder, T2SError when the disk refuses.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already", "name a folder that is not")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        made = _write(draft, examples)
        draft.rename(folder)
    except OSError as error:
        raise T2SError(
            f"{folder} cannot be written ({error.strerror or error})", "choose another place with --to"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _write(folder: Path, examples: Iterable[Example]) -> SpiderExport:
    (folder / "database").mkdir(parents=True)
    schemas: dict[str, dict[str, Table]] = {}
    copied: set[str] = set()
    seen: set[int] = set()
    rows = 0
    with ExitStack() as stack:
        lists: dict[str, _JsonList] = {}
        for example in examples:
            rows += 1
            name = _FILES.get(example.split, f"{example.split}.json")
            if name not in lists:
                lists[name] = stack.enter_context(_JsonList(folder / name))
            record = {"db_id": example.db_id, "question": example.question, "query": example.gold}
            lists[name].add(record | ({"hardness": example.hardness} if example.hardness else {}))
            schema = hash((example.db_id, example.ddl))
            if schema not in seen:
                seen.add(schema)
                schemas.setdefault(example.db_id, {}).update(_tables(example))
            if example.database is not None and example.db_id not in copied:
                copied.add(example.db_id)
                _copy(Path(example.database), folder, example.db_id)
    described = [_described(db_id, list(tables.values())) for db_id, tables in schemas.items() if tables]
    text = json.dumps(described, ensure_ascii=False, indent=1)
    (folder / "tables.json").write_text(text + "\n", encoding="utf-8")
    return SpiderExport(rows, len(copied), tuple(db_id for db_id, tables in schemas.items() if not tables))


class _JsonList:
    """A JSON list that is written an item at a time."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._before = "[\n"

    def __enter__(self) -> _JsonList:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.write("\n]\n")
        self._file.close()

    def add(self, record: dict[str, str]) -> None:
        self._file.write(self._before + json.dumps(record, ensure_ascii=False))
        self._before = ",\n"


def _copy(database: Path, folder: Path, db_id: str) -> None:
    if Path(db_id).name != db_id:
        raise DataError(f"The db_id {db_id!r} cannot be the name of a folder", "export another form")
    target = folder / "database" / db_id / f"{db_id}.sqlite"
    target.parent.mkdir()
    shutil.copyfile(database, target)


def _tables(example: Example) -> dict[str, Table]:
    try:
        return {table.name: table for table in tables_in(example.ddl, example.dialect)}
    except SqlSyntaxError:
        return {}


def _described(db_id: str, tables: list[Table]) -> dict[str, Any]:
    """A database as tables.json has it: columns by number, `*` before all, keys as such numbers."""
    columns: list[tuple[int, str, str]] = [(-1, "*", "text")]
    places: dict[tuple[str, str], int] = {}
    keys: list[int] = []
    for number, table in enumerate(tables):
        # Spider names the first column of a key of several.
        key = next((column for column in table.columns if column.primary_key), None)
        for column in table.columns:
            places[table.name.lower(), column.name.lower()] = len(columns)
            if column is key:
                keys.append(len(columns))
            columns.append((number, column.name, _type(column.type)))
    return {
        "db_id": db_id,
        "table_names_original": [table.name for table in tables],
        "table_names": [_spoken(table.name) for table in tables],
        "column_names_original": [[table, name] for table, name, _ in columns],
        "column_names": [[table, _spoken(name)] for table, name, _ in columns],
        "column_types": [kind for _, _, kind in columns],
        "primary_keys": keys,
        "foreign_keys": [list(pair) for pair in _foreign_keys(tables, places)],
    }


def _foreign_keys(tables: list[Table], places: dict[tuple[str, str], int]) -> Iterator[tuple[int, int]]:
    primary = {t.name.lower(): [c.name for c in t.columns if c.primary_key] for t in tables}
    for table in tables:
        for key in table.foreign_keys:
            theirs = key.columns or primary.get(key.table.lower(), [])
            for own, other in zip(key.own, theirs, strict=False):
                pair = (
                    places.get((table.name.lower(), own.lower())),
                    places.get((key.table.lower(), other.lower())),
                )
                if pair[0] is not None and pair[1] is not None:
                    yield pair[0], pair[1]


def _type(declared: str) -> str:
    word = declared.lower()
    return next((name for name, begins in _TYPES if word.startswith(begins)), "text")


def _spoken(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())
