"""What the repositories share: transactions, JSON columns, errors in words."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from t2s_tui.errors import WorkspaceError


def to_json(value: Mapping[str, Any]) -> str:
    """One line of JSON, keys in their own order."""
    return json.dumps(dict(value), ensure_ascii=False)


def from_json(text: str) -> dict[str, Any]:
    """The object that `to_json` wrote."""
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing. A full or read-only disk becomes one WorkspaceError."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.OperationalError as error:
        raise WorkspaceError(
            f"The workspace could not be written ({error})",
            "free some space or check the permissions, then run the same command again",
        ) from error
