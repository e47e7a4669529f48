"""A file that says which split each row goes to.

A line is `ID SPLIT`, or `db:DB_ID SPLIT` for all rows of a database; `#` begins a comment. What is said of a
row holds before what is said of its database.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.datasets.catalogue import ExampleTable
from t2s_tui.errors import DataError, UsageError
from t2s_tui.text import nfc


@dataclass(frozen=True, slots=True)
class SplitList:
    """What a list says: row or `db:DB_ID` -> (line, split)."""

    path: Path
    wanted: Mapping[str, tuple[int, str]]

    def apply(self, name: str, table: ExampleTable, rest: str | None) -> tuple[list[str], array[int]]:
        """The names of the splits, and for each row of the dataset its place among them.

        Raises DataError for a line about what is not there, UsageError when rows lack and there is no `rest`.
        """
        names = list(
            dict.fromkeys([*(split for _, split in self.wanted.values()), *([rest] if rest else [])])
        )
        places = {what: names.index(split) for what, (_, split) in self.wanted.items()}
        databases, of_database = table.codes("db_id")
        default = names.index(rest) if rest else -1
        by_database = [places.get(f"db:{database}", default) for database in databases]
        met = {f"db:{database}" for database in databases}
        codes = array("i")
        missing = ""
        for example_id, database in zip(table.texts("id"), of_database, strict=True):
            if example_id in places:
                met.add(example_id)
            code = places.get(example_id, by_database[database])
            missing = missing or (example_id if code < 0 else "")
            codes.append(code)
        for what, (line, _) in self.wanted.items():
            if what not in met:
                raise DataError(f"{self.path}, line {line}: {name!r} has no row {what}", "take it out")
        if missing:
            raise UsageError(
                f"{self.path} says nothing of {codes.count(-1):,} of {len(table):,} rows "
                f"(the first: {missing})",
                "list them too, or name the split of all others with --rest",
            )
        return names, codes


def read_list(path: Path) -> SplitList:
    """The list in a file. Raises DataError with the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"The list {path} cannot be read ({error})", "give a UTF-8 text file") from error
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, start=1):
        words = nfc(line.partition("#")[0]).rsplit(maxsplit=1)
        if not words:
            continue
        if len(words) != 2:
            raise DataError(
                f"{path}, line {number}: it is not `ID SPLIT`", "name a row or db:NAME, and a split"
            )
        what = words[0].strip()
        if what in found and found[what][1] != words[1]:
            raise DataError(f"{path}, line {number}: {what} was in {found[what][1]} before", "list it once")
        found[what] = (number, words[1])
    return SplitList(path, found)
