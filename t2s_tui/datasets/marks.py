"""Rows that a person has marked, kept beside the dataset: a line that breaks must not lose them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from t2s_tui.datasets.arrow import int_array
from t2s_tui.errors import WorkspaceError

FILE_NAME = "marks.json"


def read_marks(folder: Path, fingerprint: str) -> set[int]:
    """The indexes of the marked rows of the dataset of that fingerprint; none when it has changed since."""
    try:
        kept = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if kept["fingerprint"] != fingerprint:
            return set()
        return {int(number) - 1 for number in kept["numbers"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()  # none were kept, or not by us


def marked_numbers(folder: Path, fingerprint: str) -> pa.Array:
    """The numbers of the marked rows, rising, as a filter wants them (int64)."""
    return int_array(index + 1 for index in sorted(read_marks(folder, fingerprint)))


def write_marks(folder: Path, fingerprint: str, marked: Iterable[int]) -> None:
    """Keep these, in place of what was kept before. Raises WorkspaceError when the disk refuses."""
    path = folder / FILE_NAME
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    numbers = [index + 1 for index in sorted(marked)]
    try:
        if not numbers:
            path.unlink(missing_ok=True)
            return
        partial.write_text(json.dumps({"fingerprint": fingerprint, "numbers": numbers}), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise WorkspaceError(
            f"The marks could not be kept in {folder} ({error.strerror or error})",
            "free some space or check the permissions",
        ) from error
