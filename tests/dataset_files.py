"""Small source files in each format, for tests."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DDL = "CREATE TABLE players (\n  player_id INT PRIMARY KEY AUTO_INCREMENT,\n  name VARCHAR(255)\n);"


def row(db_id: object = "1", question: str = "이름을 모두 보여줘", **more: Any) -> dict[str, Any]:
    return {
        "db_id": db_id,
        "context": DDL,
        "question": question,
        "answer": "SELECT name FROM players;",
        **more,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
    return path
