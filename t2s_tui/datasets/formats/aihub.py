"""AI Hub 71351, "자연어 기반 질의(NL2SQL) 검색 생성 데이터": labels, annotations, a SQLite file a db_id.

The tree as downloaded: `{Training,Validation}/01.원천데이터/...` with `<db_id>.sqlite` and
`*_db_annotation.json`, `{Training,Validation}/02.라벨링데이터/...` with `TEXT_NL2SQL_label_*.json`;
unpacked, or still in its zip files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from t2s_tui.datasets.archives import is_archive, with_inner_archives
from t2s_tui.datasets.files import read_json_list
from t2s_tui.datasets.looking import first_row, has_keys, root_of
from t2s_tui.datasets.schema_ddl import ddl_of_tables_json
from t2s_tui.datasets.source import OpenSource, RawItem, RawRow, ReadOptions, RowProblem
from t2s_tui.errors import DataError

LICENSE = "AI Hub terms of use (71351): residents of Korea, no redistribution"
_LABELS = "TEXT_NL2SQL_label_*.json"
_ANNOTATIONS = "*_db_annotation.json"
_LOOKED_AT = 50  # files of other names
_SPLITS = (
    ("train", re.compile(r"training|(?:^|[/_ .-])T[LS](?:[/_ .-]|$)", re.IGNORECASE)),
    ("validation", re.compile(r"validation|(?:^|[/_ .-])V[LS](?:[/_ .-]|$)", re.IGNORECASE)),
    ("test", re.compile(r"(?:^|[/_ .-])test(?:[/_ .-]|$)", re.IGNORECASE)),
)


@dataclass
class _Found:
    """What the tree holds: label files with their split, schemas and databases by db_id, and bad rows."""

    labels: list[tuple[Path, str]] = field(default_factory=list)
    schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    databases: dict[str, Path] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)


class AiHubFormat:
    """The folder of AI Hub's NL2SQL set, or one of its label files with the rest beside it."""

    name = "aihub"
    summary = "AI Hub NL2SQL (71351): the Training/Validation tree, unpacked or with its zip files"

    def recognises(self, source: str) -> bool:
        place = Path(source).expanduser()
        if place.is_file():
            return is_label_file(place)
        if not place.is_dir():
            return False
        if next(place.rglob(_LABELS), None) is not None:
            return True
        if any(map(is_label_file, islice(place.rglob("*.json"), _LOOKED_AT))):
            return True
        names = {part.name for part in root_of(place).iterdir()} | {root_of(place).name}
        return bool(names & {"Training", "Validation"}) and any(map(is_archive, place.rglob("*.zip")))

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        place = Path(source).expanduser()
        folder = place if place.is_dir() else _tree_of(place)
        found = _look(folder, options)
        if place.is_file():
            found.labels = [(path, split) for path, split in found.labels if path == place]
        if not found.labels:
            raise DataError(
                f"{source} has no label file", f"give the folder with the files {_LABELS} of AI Hub's 71351"
            )
        return OpenSource("aihub-nl2sql", str(place.resolve()), _rows(found), LICENSE)


def is_label_file(path: Path) -> bool:
    """Whether the file has AI Hub's labels: by its name, else by the first of them."""
    if path.match(_LABELS):
        return True
    if path.suffix != ".json" or path.match(_ANNOTATIONS):
        return False
    return has_keys(first_row(path, "data"), "db_id", "utterance", "query")


def _tree_of(label: Path) -> Path:
    """The folder with a label file's schemas and databases: beside `02.라벨링데이터`, else its own."""
    inner = next((folder for folder in label.parents if folder.name.startswith("02.")), None)
    return inner.parent if inner is not None else label.parent


def _look(folder: Path, options: ReadOptions) -> _Found:
    found = _Found()
    places = with_inner_archives(folder, options.room)
    if options.databases is not None:
        places.append((options.databases, options.databases))
    for place, origin in places:
        for path in sorted(place.rglob("*")):
            if is_label_file(path):
                found.labels.append((path, _split(path, place, origin)))
            elif path.match(_ANNOTATIONS):
                _read_annotation(path, found)
            elif path.suffix == ".sqlite":
                found.databases.setdefault(path.stem, path)
    found.labels.sort(key=lambda label: [name for name, _ in _SPLITS].index(label[1]))
    return found


def _split(path: Path, place: Path, origin: Path) -> str:
    """The split that the path of a label file says, also that of the archive it was in."""
    words = f"{origin.parent.name}/{origin.name}/{path.relative_to(place).parent}/"
    words = f"{'/'.join(origin.parts[-4:])}/{words}" if origin != place else words
    return next((split for split, pattern in _SPLITS if pattern.search(words)), "train")


def _read_annotation(path: Path, found: _Found) -> None:
    for item in read_json_list(path, "data"):
        if isinstance(item, RowProblem):
            found.problems.append(item)
        elif "db_id" not in item[1]:
            found.problems.append(RowProblem(str(path), item[0], "db_id", "is missing"))
        else:
            found.schemas.setdefault(str(item[1]["db_id"]), item[1])


def _rows(found: _Found) -> Iterator[RawItem]:
    yield from found.problems
    ddls: dict[str, str] = {}
    for path, split in found.labels:
        for item in read_json_list(path, "data"):
            if isinstance(item, RowProblem):
                yield item
                continue
            line, values = item
            db_id = str(values.get("db_id"))
            if db_id not in ddls and db_id in found.schemas:
                try:
                    ddls[db_id] = ddl_of_tables_json(found.schemas[db_id], comments=True)
                except (KeyError, TypeError, ValueError, IndexError) as error:
                    reason = f"has an annotation that is no schema ({type(error).__name__})"
                    yield RowProblem(str(path), line, "db_id", reason)
                    continue
            yield RawRow(_values(values, ddls.get(db_id), found.databases.get(db_id)), str(path), line, split)


def _values(values: Mapping[str, Any], ddl: str | None, database: Path | None) -> dict[str, Any]:
    extra = {key: values[key] for key in ("utterance_id", "utterance_type") if values.get(key) is not None}
    return {
        "db_id": values.get("db_id"),
        "context": ddl,
        "question": values.get("utterance"),
        "answer": values.get("query"),
        "database": str(database.resolve()) if database else None,
        "dialect": "sqlite",
        "hardness": values.get("hardness"),
        "extra": extra,
    }
