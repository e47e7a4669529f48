"""SQLite databases that come with examples: found by name, checked to be readable, opened read-only."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from t2s_tui.errors import DataError

_PIECE = 1 << 20
_WHOLE = 64 << 20  # bytes up to which all of a database is read for its fingerprint
_SAMPLES = 64


def find_database(folder: Path, db_id: str) -> Path | None:
    """`<db>/<db>.sqlite`, `<db>.sqlite` or `<db>.db` in `folder`, None where there is none."""
    # A db_id comes from a file: one such as "../x" must not lead out of the folder.
    if Path(db_id).name != db_id:
        return None
    for candidate in (
        folder / db_id / f"{db_id}.sqlite",
        folder / f"{db_id}.sqlite",
        folder / f"{db_id}.db",
        folder / db_id / f"{db_id}.db",
    ):
        if candidate.is_file():
            return candidate.resolve()
    return None


def check_database(path: Path) -> None:
    """Raises DataError unless `path` opens read-only as a SQLite database with at least one table."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            tables = connection.execute(
                "SELECT COUNT(*) FROM sqlite_master WHERE type IN ('table', 'view')"
            ).fetchone()[0]
        finally:
            connection.close()
    except (sqlite3.Error, ValueError) as error:
        raise DataError(
            f"The database {path} cannot be read as SQLite ({error})",
            "replace the file, or leave the databases out",
        ) from error
    if not tables:
        raise DataError(f"The database {path} has no tables", "replace the file, or leave the databases out")


def fingerprint_of(path: Path) -> str:
    """16 hex digits of what is in the file. Of one larger than 64 MB the size, both ends and samples between.

    Raises OSError.
    """
    content = hashlib.sha256()
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        content.update(size.to_bytes(8))
        last = max(0, size - _PIECE)
        step = _PIECE if size <= _WHOLE else last // _SAMPLES
        for start in [*range(0, last, step), last]:
            file.seek(start)
            content.update(file.read(_PIECE))
    return content.hexdigest()[:16]


def changed_databases(known: Mapping[str, str]) -> list[str]:
    """Which of these databases (path -> fingerprint) are gone or are not what they were."""
    return [path for path, fingerprint in known.items() if _now(path) != fingerprint]


def _now(path: str) -> str:
    try:
        return fingerprint_of(Path(path))
    except OSError:
        return ""


class DatabaseFinder:
    """Finds the database of each row; a file is checked once however many rows use it."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None and not folder.is_dir():
            raise DataError(
                f"There is no folder {folder}",
                "give the folder that holds <db>/<db>.sqlite, <db>.sqlite or <db>.db",
            )
        self._folder = folder.absolute() if folder is not None else None
        self._checked: set[Path] = set()
        self._by_column: dict[tuple[str, Path | None], str | None] = {}
        self._by_id: dict[str, str | None] = {}

    @property
    def without_database(self) -> list[str]:
        """The db_ids that the folder had nothing for."""
        return [db_id for db_id, found in self._by_id.items() if found is None]

    def fingerprints(self) -> dict[str, str]:
        """Path -> fingerprint of every database that a row has."""
        return {str(path): _now(str(path)) for path in sorted(self._checked)}

    def of_column(self, value: str, beside: Path | None) -> str | None:
        """The absolute path of what a `database` column names, as seen from the source; None without a file.

        Raises DataError when there is a file that is no SQLite database.
        """
        key = (value, beside)
        if key not in self._by_column:
            self._by_column[key] = self._look(Path(value).expanduser(), beside)
        return self._by_column[key]

    def _look(self, given: Path, beside: Path | None) -> str | None:
        for base in (self._folder, beside, Path.cwd()):
            if base is not None and (base / given).is_file():
                return self._usable((base / given).resolve())
        return None

    def of_id(self, db_id: str) -> str | None:
        """The absolute path of the database that the folder holds for `db_id`, None without one."""
        if self._folder is None:
            return None
        if db_id not in self._by_id:
            found = find_database(self._folder, db_id)
            self._by_id[db_id] = self._usable(found) if found else None
        return self._by_id[db_id]

    def _usable(self, path: Path) -> str:
        if path not in self._checked:
            check_database(path)
            self._checked.add(path)
        return str(path)
