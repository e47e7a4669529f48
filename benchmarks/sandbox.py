"""A query in the killable child, with limits and an authorizer, against sqlite3 in this process with none."""

from __future__ import annotations

import json
import sqlite3

from benchmarks.figures import Figure, median_seconds
from t2s_tui.evaluation.sandbox import Sandbox
from t2s_tui.samples import SAMPLE_FILE, database_path


def measure() -> list[Figure]:
    rows = [json.loads(line) for line in SAMPLE_FILE.read_text("utf-8").splitlines()]
    golds = [row["answer"].rstrip("; ") for row in rows if row["db_id"] == "game"]
    path = database_path("game")
    with Sandbox() as sandbox:
        ours = median_seconds(lambda: [sandbox.run(path, sql) for sql in golds])
    plain = sqlite3.connect(path)
    theirs = median_seconds(lambda: [plain.execute(sql).fetchall() for sql in golds])
    plain.close()
    return [
        Figure(
            f"{len(golds)} golds of the game database", "s", ours, theirs, "sqlite3 without any protection"
        )
    ]
