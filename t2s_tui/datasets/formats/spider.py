"""Spider 1.0 and Spider-KO: `tables.json`, `train_spider.json`, `dev.json`, `database/<db>/<db>.sqlite`.

Yu et al. 2018, https://yale-lily.github.io/spider. Spider-KO has the same records with Korean questions. The
DDL is made of `tables.json`, hardness by Spider's own rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from t2s_tui.datasets.databases import find_database
from t2s_tui.datasets.files import read_table
from t2s_tui.datasets.looking import data_files, first_row, has_keys, root_of
from t2s_tui.datasets.schema_ddl import ddl_of_tables_json, keys_of_database
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem, split_of_prefix
from t2s_tui.errors import DataError

LICENSE = "CC BY-SA 4.0"
_TABLES = ("tables.json", "dev_tables.json", "train_tables.json", "test_tables.json")
_FOLDERS = ("database", "databases", "test_database", "dev_databases", "train_databases")
_ORDER = ("train", "dev", "valid", "validation", "eval", "test")


class SpiderFormat:
    """A folder in Spider's layout, or one of its question files."""

    name = "spider"
    summary = "Spider or Spider-KO: a folder with tables.json, train*.json, dev.json and database/"

    def recognises(self, source: str) -> bool:
        place = Path(source).expanduser()
        return any(is_question_file(file) for file in data_files(_root(place)))

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        place = _root(Path(source).expanduser())
        files = [file for file in data_files(place) if is_question_file(file)]
        if not files:
            raise DataError(
                f"{source} has no file with Spider's questions",
                "give the folder that holds tables.json and train_spider.json or dev.json",
            )
        folder = place if place.is_dir() else place.parent
        schemas = Schemas(folder, options.databases)
        files.sort(key=lambda file: (_ORDER.index(split_of(file)), file.name))
        return OpenSource(folder.resolve().name, str(place.resolve()), _rows(files, schemas), LICENSE)


def is_question_file(file: Path) -> bool:
    """Whether the first row of the file is a question of Spider."""
    if file.name in _TABLES:
        return False
    row = first_row(file)
    return has_keys(row, "db_id", "question", "query") and not has_keys(row, "context")


def split_of(file: Path) -> str:
    """The split that a question file's name says; `train` for train_others.json and the like."""
    found = split_of_prefix(file.stem) or "train"
    return "dev" if found in ("validation", "valid") else found


class Schemas:
    """DDL and database of each db_id of a folder in the layout of Spider (and of BIRD)."""

    def __init__(self, folder: Path, databases: Path | None = None, others: Sequence[Path] = ()) -> None:
        self._folder = folder
        places = (databases, *(folder / name for name in _FOLDERS), *others)
        self._places = [p for p in places if p and p.is_dir()]
        self._entries: dict[str, Mapping[str, Any]] = {}
        self._ddls: dict[str, str] = {}
        self._found: dict[str, str | None] = {}
        for name in _TABLES:
            if (folder / name).is_file():
                self._entries |= _read_tables(folder / name)
        if not self._entries and not self._places:
            raise DataError(
                f"The folder {folder} has neither tables.json nor a folder of databases",
                "put Spider's tables.json beside the questions, or name the databases with --databases",
            )

    def ddl(self, db_id: str) -> str | None:
        """The DDL of a database: of tables.json, else of the database itself; None without either.

        Spider's tables.json names only the first column of a key of several; the database has the others.
        """
        if db_id not in self._ddls:
            entry, database = self._entries.get(db_id), self.database(db_id)
            if entry is not None:
                self._ddls[db_id] = _ddl(entry, db_id, self._folder, database)
            elif database is not None:
                from t2s_tui.datasets.schema_ddl import ddl_of_database

                self._ddls[db_id] = ddl_of_database(Path(database))
            else:
                return None
        return self._ddls[db_id]

    def database(self, db_id: str) -> str | None:
        """The absolute path of the database, None where there is none."""
        if db_id not in self._found:
            found = next((f for place in self._places if (f := find_database(place, db_id))), None)
            self._found[db_id] = str(found) if found else None
        return self._found[db_id]


def _root(place: Path) -> Path:
    return root_of(place) if place.is_dir() else place


def _read_tables(file: Path) -> dict[str, Mapping[str, Any]]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        return {str(entry["db_id"]): entry for entry in entries}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file} is no list of schemas as Spider writes them ({type(error).__name__}: {error})",
            "download it again",
        ) from error


def _ddl(entry: Mapping[str, Any], db_id: str, folder: Path, database: str | None) -> str:
    try:
        return ddl_of_tables_json(entry, keys=_keys(database))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(
            f"The schema of {db_id} in {folder} is not as Spider writes them ({type(error).__name__})",
            "download tables.json again",
        ) from error


def _keys(database: str | None) -> Mapping[str, Sequence[str]]:
    """The database's primary keys; none where it cannot be read (said where its rows are wanted)."""
    try:
        return keys_of_database(Path(database)) if database else {}
    except DataError:
        return {}


def _rows(files: list[Path], schemas: Schemas) -> Iterator[RawItem]:
    for file in files:
        split = split_of(file)
        for item in read_table(file).rows:
            if isinstance(item, RowProblem):
                yield item
                continue
            line, values = item
            yield RawRow(spider_values(values, schemas), str(file), line, split)


def spider_values(values: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """A question of Spider under our column names."""
    db_id, gold = str(values.get("db_id")), values.get("query")
    korean = values.get("question_ko")
    found = {
        "db_id": values.get("db_id"),
        "context": schemas.ddl(db_id),
        "question": korean or values.get("question"),
        "answer": gold,
        "database": schemas.database(db_id),
        "dialect": "sqlite",
        "hardness": spider_hardness(gold) if isinstance(gold, str) else "",
    }
    english = values.get("question_en") or (values.get("question") if korean else None)
    return found | ({"extra": {"question_en": english}} if isinstance(english, str) else {})


@lru_cache(maxsize=4096)
def spider_hardness(sql: str) -> str:
    """easy, medium, hard or extra; empty for what does not parse."""
    from t2s_tui.sql.dialects import SqlSyntaxError, parse
    from t2s_tui.sql.hardness import hardness

    try:
        return hardness(parse(sql, "sqlite"))
    except SqlSyntaxError:
        return ""
