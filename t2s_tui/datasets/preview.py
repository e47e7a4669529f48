"""The columns of a table, its first rows, and which column is probably what: for whoever asks a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from t2s_tui.datasets.files import READERS, read_table
from t2s_tui.datasets.source import OPTIONAL, REQUIRED, RowProblem
from t2s_tui.errors import DataError

ROWS = 3

#: What others call our columns, lower case without separators; the first that is there is taken.
_CALLED: Mapping[str, tuple[str, ...]] = {
    "db_id": ("dbid", "db", "database", "databaseid", "dbname", "schemaid", "domain"),
    "context": ("context", "ddl", "schema", "createtable", "sqlcontext", "tables", "스키마"),
    "question": ("question", "utterance", "sqlprompt", "query", "prompt", "instruction", "nl", "질문"),
    "answer": ("answer", "sql", "gold", "query", "output", "completion", "response", "정답"),
    "split": ("split", "phase"),
    "dialect": ("dialect",),
    "hardness": ("hardness", "difficulty", "sqlcomplexity", "난이도"),
    "evidence": ("evidence", "knowledge", "hint"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """A table as it is: its file, its columns, its first rows, and a guess (our column -> its column)."""

    file: Path
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    guess: Mapping[str, str]

    @property
    def lacking(self) -> list[str]:
        """Our columns that it must have and does not."""
        return [name for name in REQUIRED if name not in self.columns]


def preview_table(source: str) -> Preview | None:
    """The table at `source`, in a folder its first one; None where there is none that can be read."""
    path = Path(source).expanduser()
    if path.is_dir():
        tables = sorted(file for file in path.glob("*") if file.suffix.lower() in READERS)
        path = tables[0] if tables else path
    if path.suffix.lower() not in READERS or not path.is_file():
        return None
    try:
        table = read_table(path)
        rows = tuple(item[1] for item in islice(table.rows, ROWS) if not isinstance(item, RowProblem))
    except DataError:
        return None
    return Preview(path, tuple(table.columns), rows, guess_columns(table.columns))


def guess_columns(columns: Sequence[str]) -> dict[str, str]:
    """Our column -> the column of the table that is probably it, none taken twice."""
    plain = {_plain(column): column for column in reversed(columns)}
    guess: dict[str, str] = {}
    for ours in (*REQUIRED, *OPTIONAL):
        for name in (_plain(ours), *_CALLED.get(ours, ())):
            if name in plain and plain[name] not in guess.values():
                guess[ours] = plain[name]
                break
    return guess


def check_mapping(chosen: Mapping[str, str], columns: Iterable[str]) -> dict[str, str]:
    """Our column -> what is wrong with the choice; empty when the table can be added with it."""
    known, wrong = set(columns), {}
    for ours in REQUIRED:
        of_ddl = ours == "db_id" and chosen.get("context")  # rows without one get one of their DDL
        if not chosen.get(ours) and not of_ddl:
            wrong[ours] = "every row needs it: choose its column"
    for ours, theirs in chosen.items():
        others = [name for name, other in chosen.items() if other == theirs and name != ours]
        if theirs and theirs not in known:
            wrong[ours] = f"there is no column {theirs}"
        elif theirs and others and ours not in wrong:
            wrong[ours] = f"{theirs} is {others[0]} as well"
    return wrong


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
