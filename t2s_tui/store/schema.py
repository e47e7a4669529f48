"""The store's schema as numbered migrations. `PRAGMA user_version` says which one a file has.

A migration that has shipped is never edited: a change is a new one at the end.
"""

from __future__ import annotations

import sqlite3

from t2s_tui.errors import WorkspaceError

MIGRATIONS: tuple[str, ...] = (
    # 1: the first landing
    """
    CREATE TABLE datasets (
        name TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        format TEXT NOT NULL,
        dialect TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        splits TEXT NOT NULL,
        dropped INTEGER NOT NULL,
        created_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE runs (
        name TEXT PRIMARY KEY,
        dataset TEXT NOT NULL,
        split TEXT NOT NULL,
        model TEXT NOT NULL,
        recipe TEXT NOT NULL,
        job_id TEXT NOT NULL,
        adapter_path TEXT,
        summary TEXT NOT NULL,
        created_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE prediction_sets (
        name TEXT PRIMARY KEY,
        dataset TEXT NOT NULL,
        split TEXT NOT NULL,
        model TEXT NOT NULL,
        adapter TEXT,
        prompt TEXT NOT NULL,
        decoding TEXT NOT NULL,
        total INTEGER NOT NULL,
        job_id TEXT NOT NULL,
        created_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE predictions (
        set_name TEXT NOT NULL REFERENCES prediction_sets(name) ON DELETE CASCADE,
        example_id TEXT NOT NULL,
        raw TEXT NOT NULL,
        sql TEXT NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        new_tokens INTEGER NOT NULL,
        stopped TEXT NOT NULL,
        seconds REAL NOT NULL,
        PRIMARY KEY (set_name, example_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE verdicts (
        set_name TEXT NOT NULL REFERENCES prediction_sets(name) ON DELETE CASCADE,
        example_id TEXT NOT NULL,
        metric TEXT NOT NULL,
        outcome TEXT NOT NULL,
        why TEXT NOT NULL,
        evidence TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (set_name, example_id, metric)
    ) STRICT, WITHOUT ROWID;
    """,
    # 2: a dataset's licence, and what was done to it
    """
    ALTER TABLE datasets ADD COLUMN license TEXT NOT NULL DEFAULT '';
    ALTER TABLE datasets ADD COLUMN history TEXT NOT NULL DEFAULT '[]';
    """,
    # 3: the databases of a dataset and what was in them
    """
    ALTER TABLE datasets ADD COLUMN databases TEXT NOT NULL DEFAULT '{}';
    """,
)

VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of an open file, 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the file to VERSION, one transaction a migration; raises WorkspaceError if it is newer."""
    version = version_of(connection)
    if version > VERSION:
        raise WorkspaceError(
            f"The workspace {path} was made by a newer t2s-tui (schema {version}, this one knows {VERSION})",
            "upgrade t2s-tui, or choose another folder with --workspace",
        )
    while version < VERSION:
        # BEGIN IMMEDIATE first, then look again: another process may have migrated meanwhile.
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = version_of(connection)
            if version < VERSION:
                for statement in MIGRATIONS[version].split(";"):
                    if statement.strip():
                        connection.execute(statement)
                version += 1
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
