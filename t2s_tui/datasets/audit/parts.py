"""Examined rows on disk, a part at a time: an audit that was stopped goes on where it was.

<dataset>/audit-parts/about.json    whose parts they are
                      000000.npz    the first rows: their figures, and the rest of them as JSON
                      ...

Plain numbers and JSON, nothing that runs when it is read.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import count
from pathlib import Path
from typing import IO, Any

import numpy as np

from t2s_tui.datasets.audit.examine import Examined, Figures
from t2s_tui.datasets.audit.findings import AuditedRow, Finding
from t2s_tui.errors import WorkspaceError

_FOLDER = "audit-parts"
_ROW = tuple(each.name for each in fields(AuditedRow) if each.name != "findings")
_FIGURES = tuple(each.name for each in fields(Figures))


class Parts:
    """The parts of one audit. Use it in a `with`; `finished` takes them away.

    `about` says what the results depend on: parts of anything else are no use and are taken away. A second
    audit of the dataset at the same time keeps its parts in another `folder`, which is gone when it ends.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._dataset = folder
        self._about = json.loads(json.dumps(dict(about)))
        self.folder = folder / _FOLDER
        self._lock: IO[str] | None = None
        self._count = 0

    def __enter__(self) -> Parts:
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock = (self.folder / "lock").open("a")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.folder = Path(tempfile.mkdtemp(prefix=".audit-", dir=self._dataset))
            self._take_up()
        except OSError as error:
            raise _refused(self.folder, error) from error
        return self

    def __exit__(self, *error: object) -> None:
        if self.folder.name != _FOLDER or self._count == 0:
            self.finished()
        if self._lock is not None:
            self._lock.close()

    def __iter__(self) -> Iterator[Examined]:
        for number in range(self._count):
            yield _read(self._file(number))

    def add(self, part: Examined) -> None:
        """Keep the next part. Raises WorkspaceError when the disk refuses."""
        path = self._file(self._count)
        draft = path.with_suffix(".draft")
        figures = {name: getattr(part.figures, name) for name in _FIGURES}
        try:
            with draft.open("wb") as file:
                np.savez(file, said=np.frombuffer(_said(part), dtype=np.uint8), **figures)
            draft.replace(path)
        except OSError as error:
            raise _refused(self.folder, error) from error
        self._count += 1

    def rows(self) -> Iterator[AuditedRow]:
        """The rows of all parts, in the order of the dataset."""
        for part in self:
            yield from part.rows

    def finished(self) -> None:
        """The results are where they belong: nothing is to be taken up again."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _take_up(self) -> None:
        """Count what an audit of the same has left; take away what another one has."""
        about = self.folder / "about.json"
        try:
            same = json.loads(about.read_text(encoding="utf-8")) == self._about
        except (OSError, ValueError):
            same = False
        if not same:
            for path in self.folder.glob("*.npz"):
                path.unlink()
            about.write_text(json.dumps(self._about, ensure_ascii=False), encoding="utf-8")
        self._count = next(number for number in count() if not _whole(self._file(number)))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"


def joined(parts: list[Examined]) -> Examined:
    """Several stretches as one."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in parts[0].counts}
    for part in parts:
        for name, counted in part.counts.items():
            counts[name].update(counted)
    figures = Figures.joined([part.figures for part in parts])
    return Examined([row for part in parts for row in part.rows], figures, counts)


def databases_stamp(paths: Iterable[str]) -> str:
    """A hash of size and time of change of each database file: a gold may return something else then."""
    stamp = hashlib.sha256()
    for path in sorted(paths):
        try:
            stat = Path(path).stat()
            stamp.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        except OSError:
            stamp.update(f"{path} is gone\n".encode())
    return stamp.hexdigest()


def _said(part: Examined) -> bytes:
    rows = [
        [[[f.kind, f.where, f.detail] for f in row.findings], *(getattr(row, name) for name in _ROW)]
        for row in part.rows
    ]
    return json.dumps({"rows": rows, "counts": part.counts}, ensure_ascii=False).encode()


def _read(path: Path) -> Examined:
    with np.load(path, allow_pickle=False) as kept:
        said = json.loads(kept["said"].tobytes())
        figures = Figures(*(kept[name] for name in _FIGURES))
    rows = [
        AuditedRow(
            findings=tuple(Finding(*finding) for finding in findings), **dict(zip(_ROW, values, strict=True))
        )
        for findings, *values in said["rows"]
    ]
    return Examined(rows, figures, {name: Counter(counts) for name, counts in said["counts"].items()})


def _whole(path: Path) -> bool:
    """Whether the part is there; it is written beside its place, so what is there is whole."""
    return path.is_file() and zipfile.is_zipfile(path)


def _refused(folder: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The audit could not be kept in {folder} ({error.strerror or error})",
        "free some space or check the permissions, then run it again",
    )
