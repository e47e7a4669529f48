"""Arrow IPC stream files: written a batch at a time, at once or not at all; read as a memory map.

`pa.array` would import pandas, which costs a second and has no place in the drawing process: columns are
built from buffers here.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa

from t2s_tui.errors import WorkspaceError

_CODES = {pa.int64(): "q", pa.float64(): "d"}


class MappedFile:
    """A stream file in memory as far as it is looked at. `table` copies nothing."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or pa.ArrowException when the file cannot be read."""
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Only the heads of the batches are looked at. With the kernel's reading ahead they bring in most of a
        # file that is not in memory yet: a million rows took 2.4 s, and take 0.2 s without.
        self._advise("MADV_RANDOM")
        try:
            self.table: pa.Table = pa.ipc.open_stream(pa.py_buffer(self._map)).read_all()
        finally:
            self._advise("MADV_NORMAL")
            self.release()

    def release(self) -> None:
        """Give the pages that were looked at back to the kernel; looking again brings them again."""
        self._advise("MADV_DONTNEED")

    def _advise(self, how: str) -> None:
        with suppress(ValueError, OSError, AttributeError):  # no madvise on this platform: it is a hint
            self._map.madvise(getattr(mmap, how))


def write_stream(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write the batches to `path` in place of what is there.

    Raises WorkspaceError when the disk refuses. Whatever the iterable raises leaves the old file as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with _disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_stream(sink, schema) as stream:
                for batch in batches:
                    stream.write_batch(batch)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def record_batch(columns: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """One batch of the values, a sequence a field of the schema: texts, int64 or float64."""
    made = [column(values, field) for values, field in zip(columns, schema, strict=True)]
    return pa.record_batch(made, schema=schema)


def column(values: Sequence[Any], field: pa.Field) -> pa.Array:
    """The values as Arrow. None is allowed in nullable fields of text."""
    if code := _CODES.get(field.type):
        return pa.Array.from_buffers(field.type, len(values), [None, pa.py_buffer(array(code, values))])
    texts = [b"" if value is None else value.encode() for value in values]
    offsets = pa.py_buffer(array("i", accumulate(map(len, texts), initial=0)))
    present = None
    if field.nullable:
        bits = bytearray((len(values) + 7) // 8)
        for at, value in enumerate(values):
            bits[at // 8] |= (value is not None) << at % 8
        present = pa.py_buffer(bytes(bits))
    return pa.StringArray.from_buffers(len(values), offsets, pa.py_buffer(b"".join(texts)), present)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """A disk that is full or may not be written becomes one WorkspaceError."""
    try:
        yield
    except OSError as error:
        raise WorkspaceError(
            f"{folder} could not be written ({error.strerror or error})",
            "free some space or check the permissions, then run the same command again",
        ) from error
