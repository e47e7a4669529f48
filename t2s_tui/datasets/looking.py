"""A quick look at what a source holds, to recognise its layout. Nothing here raises for a bad file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from t2s_tui.datasets.files import READERS, read_json_list, read_table
from t2s_tui.datasets.source import RowProblem
from t2s_tui.errors import T2SError

_DATA = (".json", ".jsonl")


def first_row(path: Path, key: str | None = None) -> dict[str, Any]:
    """The first row of a table (of the list at `key`); empty where there is none."""
    try:
        if path.suffix.lower() not in READERS or not path.is_file():
            return {}
        rows = read_json_list(path, key) if key else read_table(path).rows
        found = next((item for item in rows if not isinstance(item, RowProblem)), None)
    except (T2SError, OSError, ValueError):
        return {}
    return dict(found[1]) if found else {}


def has_keys(row: dict[str, Any], *keys: str) -> bool:
    """Whether the row has all of these."""
    return all(key in row for key in keys)


def root_of(folder: Path) -> Path:
    """The folder, or the one that it only wraps: downloads often come in a folder of their own."""
    here = folder
    while here.is_dir():
        inside = [p for p in here.iterdir() if not p.name.startswith((".", "__MACOSX"))]
        if len(inside) != 1 or not inside[0].is_dir():
            return here
        here = inside[0]
    return folder


def data_files(place: Path) -> list[Path]:
    """The JSON files of a folder, or the file itself, by name."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        return []
    return sorted(p for p in place.iterdir() if p.suffix.lower() in _DATA and p.is_file())
