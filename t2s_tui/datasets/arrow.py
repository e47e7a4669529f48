"""Arrow values built from buffers.

`pa.array` and `pa.scalar` import pandas, which costs the drawing process a second and has no place in it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate

import pyarrow as pa


def int_array(values: Iterable[int]) -> pa.Array:
    """The numbers as an int64 array."""
    numbers = array("q", values)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def int_scalar(value: int) -> pa.Scalar:
    """The number as an int64 scalar."""
    return int_array((value,))[0]


def string_array(values: Sequence[str]) -> pa.StringArray:
    """The texts as an Arrow array."""
    texts = [value.encode() for value in values]
    offsets = array("i", accumulate(map(len, texts), initial=0))
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


def index_array(values: array[int]) -> pa.Array:
    """Row indexes (`array("I")`) as Arrow has them, nothing copied."""
    return pa.Array.from_buffers(pa.uint32(), len(values), [None, pa.py_buffer(values)])


def indexes_of(values: pa.Array) -> array[int]:
    """An Arrow array of row indexes as `array("I")`, copied by the block."""
    plain = values.cast(pa.uint32())
    found = array("I")
    data = plain.buffers()[1]
    if len(plain) and data is not None:
        found.frombytes(memoryview(data)[plain.offset * 4 : (plain.offset + len(plain)) * 4])
    return found
