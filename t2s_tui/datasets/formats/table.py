"""Tables with the columns db_id, context, question, answer (the layout of ko_text2sql), or in a known shape.

CSV, JSON lines, a JSON list or Parquet; one file, or a folder with one file a split.
Optional columns: split, dialect, database (a path to a SQLite file).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from t2s_tui.datasets.files import READERS, FileRows, read_table
from t2s_tui.datasets.formats.shapes import in_shape, shape_of
from t2s_tui.datasets.looking import root_of
from t2s_tui.datasets.source import (
    OpenSource,
    RawItem,
    RawRow,
    ReadOptions,
    RowProblem,
    check_columns,
    split_of_stem,
)
from t2s_tui.errors import DataError

_SPLIT_ORDER = ("train", "dev", "valid", "validation", "eval", "test")


class TableFormat:
    """A file or a folder of files."""

    name = "table"
    summary = (
        "CSV, TSV, JSONL, JSON or Parquet, or a folder of them: db_id, context, question, answer; gretel's, "
        "sql-create-context's or Spider's columns; `text` or `messages`; any others by --map"
    )

    def recognises(self, source: str) -> bool:
        return Path(source).expanduser().exists() or Path(source).suffix.lower() in READERS

    def open(self, source: str, options: ReadOptions) -> OpenSource:
        path = Path(source).expanduser()
        if not path.exists():
            raise DataError(f"There is no file or folder {path}", "check the path")
        files = _files(path) if path.is_dir() else [path]
        # Every file is opened and its columns are checked before the first row is taken.
        opened = [(file, _open(file, options.column_map)) for file in files]
        return OpenSource(_name(path), str(path.resolve()), _rows(opened))


def _files(folder: Path) -> list[Path]:
    """The tables in `folder`, else those in its `data` folder: train first, then by name."""
    for place in (folder, folder / "data", root_of(folder)):
        found = [file for file in place.glob("*") if file.suffix.lower() in READERS and file.is_file()]
        if found:
            return sorted(found, key=_file_order)
    raise DataError(
        f"The folder {folder} holds no table", f"put files into it that end in {', '.join(READERS)}"
    )


def _file_order(file: Path) -> tuple[int, str]:
    split = split_of_stem(file.stem)
    return (_SPLIT_ORDER.index(split) if split else len(_SPLIT_ORDER), file.name)


def _open(file: Path, column_map: Mapping[str, str]) -> FileRows:
    """The file's rows under our column names, whatever shape they come in."""
    table = read_table(file)
    shape = shape_of(table.columns, column_map)
    if shape is None:
        check_columns(str(file), table.columns, column_map)
    rows = (
        item if isinstance(item, RowProblem) else (item[0], in_shape(item[1], shape, column_map))
        for item in table.rows
    )
    return FileRows(table.columns, rows, table.unit)


def _rows(opened: list[tuple[Path, FileRows]]) -> Iterator[RawItem]:
    for file, table in opened:
        split = split_of_stem(file.stem) or "train"
        for item in table.rows:
            if isinstance(item, RowProblem):
                yield item
                continue
            place, values = item
            yield RawRow(values, str(file), place, split, table.unit, file.absolute().parent)


def _name(path: Path) -> str:
    """The file's stem, or its folder's name where the stem only names a split."""
    path = path.resolve()
    if path.is_dir():
        return path.name
    return (path.parent.name or path.stem) if split_of_stem(path.stem) else path.stem
