"""BIRD and its mini-dev: `dev.json` with evidence, `dev_tables.json`, `dev_databases/<db>/<db>.sqlite`.

Li et al. 2023, https://bird-bench.github.io. The evidence is knowledge that the question needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from t2s_tui.datasets.archives import is_archive, unpacked
from t2s_tui.datasets.files import read_table
from t2s_tui.datasets.formats.spider import Schemas, split_of
from t2s_tui.datasets.looking import data_files, first_row, has_keys, root_of
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem
from t2s_tui.errors import DataError

_DIALECTS = {"mysql": "mysql", "postgresql": "postgres", "sqlite": "sqlite"}


class BirdFormat:
    """A folder in BIRD's layout, or one of its question files."""

    name = "bird"
    summary = "BIRD or mini-dev: a folder with dev.json, dev_tables.json and dev_databases/"

    def recognises(self, source: str) -> bool:
        return bool(_questions(Path(source).expanduser())[1])

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        folder, files = _questions(Path(source).expanduser())
        if not files:
            raise DataError(
                f"{source} has no file with BIRD's questions",
                "give the folder that holds dev.json and dev_databases",
            )
        schemas = Schemas(folder, options.databases, _packed_databases(folder, options.room))
        return OpenSource(
            folder.resolve().name,
            str(Path(source).expanduser().resolve()),
            _rows(files, schemas),
            "CC BY-SA 4.0",
        )


def _packed_databases(folder: Path, room: Path | None) -> list[Path]:
    """The databases of `dev_databases.zip`, which BIRD's download has beside the questions."""
    archives = (
        [p for p in sorted(folder.glob("*_databases.zip")) if is_archive(p)] if room is not None else []
    )
    return [root_of(unpacked(archive, room)) for archive in archives if room is not None]


def _questions(place: Path) -> tuple[Path, list[Path]]:
    root = root_of(place) if place.is_dir() else place
    files = [f for f in data_files(root) if has_keys(first_row(f), "db_id", "question", "SQL")]
    return (root if root.is_dir() else root.parent), files


def _rows(files: list[Path], schemas: Schemas) -> Iterator[RawItem]:
    for file in files:
        split = split_of(file)
        dialect = next((ours for word, ours in _DIALECTS.items() if word in file.stem.lower()), "sqlite")
        for item in read_table(file).rows:
            if isinstance(item, RowProblem):
                yield item
                continue
            line, values = item
            yield RawRow(_values(values, schemas, dialect), str(file), line, split)


def _values(values: Mapping[str, Any], schemas: Schemas, dialect: str) -> dict[str, Any]:
    db_id = str(values.get("db_id"))
    found = {
        "db_id": values.get("db_id"),
        "context": schemas.ddl(db_id),
        "question": values.get("question"),
        "answer": values.get("SQL"),
        "database": schemas.database(db_id),
        "dialect": dialect,
        "hardness": values.get("difficulty"),
        "evidence": values.get("evidence"),
    }
    number = values.get("question_id")
    return found | ({"extra": {"question_id": str(number)}} if number is not None else {})
