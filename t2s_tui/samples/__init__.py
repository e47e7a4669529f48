"""The sample dataset that ships with t2s-tui: eight small databases and questions about them."""

from pathlib import Path

DATA_DIR: Path = Path(__file__).resolve().parent / "data"
"""The folder of everything that ships: `sample.jsonl` and `database/<db>/<db>.sqlite`."""

SAMPLE_FILE: Path = DATA_DIR / "sample.jsonl"
"""One question a line, with its DDL, its gold SQL and its split."""


def database_path(db_id: str) -> Path:
    """Where the SQLite database of one domain lies; it is not checked that it exists."""
    return DATA_DIR / "database" / db_id / f"{db_id}.sqlite"


__all__ = ["DATA_DIR", "SAMPLE_FILE", "database_path"]
