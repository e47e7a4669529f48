"""Checkpoints that can be trusted: a COMPLETE marker with the hash of every file, checked before use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

MARKER = "COMPLETE"
_PREFIX = "checkpoint-"


def seal(folder: Path) -> None:
    """Write the marker: name, size and sha256 of every file, flushed to disk after the files themselves."""
    files = {}
    for path in _files(folder):
        _flush(path)
        files[str(path.relative_to(folder))] = {"bytes": path.stat().st_size, "sha256": _sha256(path)}
    scratch = folder / f".{MARKER}"
    scratch.write_text(json.dumps({"version": 1, "files": files}, indent=1) + "\n", encoding="utf-8")
    _flush(scratch)
    scratch.rename(folder / MARKER)
    _flush(folder)


def problem(folder: Path) -> str | None:
    """Why the checkpoint cannot be used, None when it is complete and unchanged."""
    try:
        marker: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        expected: dict[str, Any] = marker["files"]
        for name, facts in expected.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != facts["bytes"]:
                return f"{name} is missing or cut off"
            if _sha256(path) != facts["sha256"]:
                return f"{name} was changed"
    except FileNotFoundError:
        return "it was not finished"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its marker cannot be read ({error})"
    return None


def step_of(folder: Path) -> int:
    """The optimizer step after which the checkpoint was made."""
    return int(folder.name.removeprefix(_PREFIX))


def last_complete(run_dir: Path) -> tuple[Path | None, list[tuple[Path, str]]]:
    """The newest usable checkpoint, None without one, and the newer ones that cannot be used, with why."""
    bad: list[tuple[Path, str]] = []
    for folder in sorted(_checkpoints(run_dir), key=step_of, reverse=True):
        why = problem(folder)
        if why is None:
            return folder, bad
        bad.append((folder, why))
    return None, bad


def remove_all(run_dir: Path) -> None:
    """Remove every checkpoint: the training is done."""
    for folder in _checkpoints(run_dir):
        remove(folder)


def remove(folder: Path) -> None:
    """Remove one checkpoint, its marker first: a half-removed one is never taken for complete."""
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder)


def any_left(run_dir: Path) -> bool:
    """Whether there is a checkpoint, complete or not."""
    return bool(_checkpoints(run_dir))


def _checkpoints(run_dir: Path) -> list[Path]:
    return [
        path
        for path in run_dir.glob(f"{_PREFIX}*")
        if path.is_dir() and path.name.removeprefix(_PREFIX).isdigit()
    ]


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name not in (MARKER, f".{MARKER}")
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
