"""WikiSQL: `SPLIT.jsonl` with index triples beside `SPLIT.tables.jsonl` and `SPLIT.db`.

Or, as on the Hub, rows that hold their table.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from t2s_tui.datasets.files import read_table
from t2s_tui.datasets.formats.wikisql_tables import OwnDatabase, TableFiles, WikiTable, gold_sql
from t2s_tui.datasets.looking import first_row, has_keys, root_of
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem, split_of_prefix
from t2s_tui.errors import DataError

LICENSE = "BSD-3-Clause"
_SUFFIXES = (".jsonl", ".json", ".parquet")
_WRONG = (KeyError, TypeError, ValueError, IndexError, DataError)

#: A split's name, a name for messages, and its rows with their places as often as they are asked for.
Split = tuple[str, str, Callable[[], Iterable[tuple[int, Any] | RowProblem]]]


class WikiSqlFormat:
    """A folder with WikiSQL's files, or one question file with its tables beside it."""

    name = "wikisql"
    summary = "WikiSQL: SPLIT.jsonl with SPLIT.tables.jsonl, or rows with their table inside"

    def recognises(self, source: str) -> bool:
        return bool(_files(Path(source).expanduser()))

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        place = Path(source).expanduser()
        files = _files(place)
        if not files:
            raise DataError(
                f"{source} has no file with WikiSQL's questions", "give the folder that holds train.jsonl"
            )
        name = root_of(place).resolve().name if place.is_dir() else place.parent.resolve().name
        rows = _all_rows(files, options.room)
        return OpenSource(name, str(place.resolve()), rows, LICENSE)


def is_inlined(columns: Iterable[str]) -> bool:
    """Whether rows with these columns are WikiSQL's with the table inside (the Hub's form)."""
    return {"question", "table", "sql"} <= set(columns)


def inlined_rows(splits: Iterable[Split], folder: Path | None, unit: Any = "row") -> Iterator[RawItem]:
    """The rows of splits whose rows hold their tables, which are written into `folder` first."""
    splits = list(splits)
    tables: dict[str, WikiTable] = {}
    with TableFiles(folder) as files:
        for _, _, read in splits:
            for item in read():
                table = {} if isinstance(item, RowProblem) else _inlined_table(item[1])
                if table and str(table.get("id")) not in tables:
                    try:
                        tables[str(table.get("id"))] = files.add(table, table.get("rows") or ())
                    except _WRONG:
                        continue  # said of each of its rows below
    for split, where, read in splits:
        for item in read():
            if isinstance(item, RowProblem):
                yield item
                continue
            place, values = item
            key = str(_inlined_table(values).get("id"))
            yield _row(values, tables.get(key), key, where, place, split, unit)


def _inlined_table(values: Mapping[str, Any]) -> Mapping[str, Any]:
    table = values.get("table")
    return table if isinstance(table, Mapping) else {}


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place] if _is_questions(place) else []
    if not place.is_dir():
        return []
    root = root_of(place)
    # One folder a split is a layout that is met as well.
    folders = [root, *sorted(p for p in root.iterdir() if p.is_dir() and split_of_prefix(p.name))]
    return [f for folder in folders for f in sorted(folder.iterdir()) if _is_questions(f)]


def _is_questions(file: Path) -> bool:
    if file.suffix.lower() not in _SUFFIXES or file.name.endswith(".tables.jsonl"):
        return False
    row = first_row(file)
    sql = row.get("sql")
    has_table = "table_id" in row or "table" in row
    return has_table and isinstance(sql, Mapping) and has_keys(dict(sql), "sel", "agg", "conds")


def _all_rows(files: list[Path], room: Path | None) -> Iterator[RawItem]:
    for file in files:
        split = split_of_prefix(file.stem) or "train"
        if "table" in first_row(file):
            folder = _folder(room, file, [file])
            unit = read_table(file).unit
            yield from inlined_rows([(split, str(file), partial(_items, file))], folder, unit)
        else:
            yield from _with_tables(file, split, room)


def _with_tables(file: Path, split: str, room: Path | None) -> Iterator[RawItem]:
    beside = file.with_name(f"{file.stem}.tables.jsonl")
    if not beside.is_file():
        raise DataError(
            f"{file} has questions without their tables",
            f"put {beside.name} of the same download beside it",
        )
    own = file.with_suffix(".db")
    parts = [beside, own] if own.is_file() else [beside]
    tables, problems = _read_tables(beside, own if own.is_file() else None, _folder(room, file, parts))
    yield from problems
    for item in read_table(file).rows:
        if isinstance(item, RowProblem):
            yield item
            continue
        line, values = item
        key = str(values.get("table_id"))
        yield _row(values, tables.get(key), key, str(file), line, split, "line")


def _read_tables(
    path: Path, own: Path | None, folder: Path | None
) -> tuple[dict[str, WikiTable], list[RowProblem]]:
    """The tables by id. Their rows come from WikiSQL's own database where it is there."""
    tables: dict[str, WikiTable] = {}
    problems: list[RowProblem] = []
    with ExitStack() as stack:
        database = stack.enter_context(OwnDatabase(own)) if own is not None else None
        try:
            fold = database is None or database.lower_case()
        except sqlite3.Error as error:
            raise DataError(f"The database {own} cannot be read ({error})", "download it again") from error
        files = stack.enter_context(TableFiles(folder, fold_case=fold))
        for item in read_table(path).rows:
            if isinstance(item, RowProblem):
                problems.append(item)
                continue
            line, values = item
            try:
                rows = database.rows(values["id"]) if database is not None else None
                tables[str(values["id"])] = files.add(values, rows or values.get("rows") or ())
            except (*_WRONG, sqlite3.Error) as error:
                problems.append(RowProblem(str(path), line, "", f"the table cannot be used ({error})"))
    return tables, problems


def _row(
    values: Mapping[str, Any],
    table: WikiTable | None,
    key: str,
    where: str,
    line: int,
    split: str,
    unit: Any,
) -> RawItem:
    if table is None:
        return RowProblem(where, line, "table_id", f"names {key!r}, which is no table here", unit)
    try:
        gold = gold_sql(table, values["sql"])
    except _WRONG as error:
        return RowProblem(where, line, "sql", f"cannot be read ({type(error).__name__}: {error})", unit)
    question = values.get("question")
    found = {
        "db_id": key,
        "context": table.ddl,
        "question": question.strip() if isinstance(question, str) else question,
        "answer": gold,
        "database": table.database,
        "dialect": "sqlite",
        "extra": {"title": table.title} if table.title else {},
    }
    return RawRow(found, where, line, split, unit)


def _folder(room: Path | None, file: Path, parts: list[Path]) -> Path | None:
    """Where the databases of a file go: named by what they are made of."""
    if room is None:
        return None
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as opened:
            while piece := opened.read(1 << 20):
                digest.update(piece)
    return room / f"wikisql-{file.stem[:40]}-{digest.hexdigest()[:12]}"


def _items(file: Path) -> Iterator[tuple[int, Any] | RowProblem]:
    return read_table(file).rows
