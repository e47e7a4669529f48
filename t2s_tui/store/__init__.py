"""The workspace's SQLite store: one small repository a record.

Jobs are not here: a job's folder is the only truth about it (see t2s_tui/jobs).
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from types import TracebackType

from t2s_tui.errors import WorkspaceError
from t2s_tui.store.datasets import Datasets
from t2s_tui.store.predictions import Predictions
from t2s_tui.store.runs import Runs
from t2s_tui.store.schema import migrate
from t2s_tui.store.verdicts import Verdicts

_BUSY_MS = 15_000


class Store:
    """One connection in WAL mode, with the repositories over it. Use it in a `with`, in one thread.

    Raises WorkspaceError when the file cannot be opened, is no database, or is newer than this code.
    """

    def __init__(self, path: Path) -> None:
        self.connection = _connect(path)
        self.datasets = Datasets(self.connection)
        self.runs = Runs(self.connection)
        self.predictions = Predictions(self.connection)
        self.verdicts = Verdicts(self.connection)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, str(path.parent))
    except sqlite3.Error as error:
        connection.close()
        raise _unusable(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. SQLite does not wait here for another process that does the same: we do."""
    give_up = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _unusable(path: Path, error: sqlite3.Error) -> WorkspaceError:
    return WorkspaceError(
        f"The store {path} cannot be used ({error})",
        "check that the disk has room and that you may write there",
    )
