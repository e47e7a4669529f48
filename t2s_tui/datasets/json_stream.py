"""The items of a JSON list, read as they come: a file of any size costs the memory of one item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from t2s_tui.errors import DataError

_CHUNK = 1 << 20  # characters
_SPACE = " \t\r\n"


def items(file: TextIO, path: Path, key: str | None = None) -> Iterator[tuple[int, Any]]:
    """(line on which it begins, from 1; the value) of each item of the list that the file is.

    With `key` the file is an object and the list is its value there (`{"Dataset": {}, "data": [...]}`).
    Raises DataError, with the line, where the text is no such JSON.
    """
    return _Reader(file, path).items(key)


class _Reader:
    """A window on the text: `text[at:]` is what has been read and not used yet."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._decoder = json.JSONDecoder()
        self._text, self._at, self._ended = "", 0, False
        self._line, self._counted = 1, 0  # the line of `text[counted]`

    def items(self, key: str | None) -> Iterator[tuple[int, Any]]:
        self._enter(key)
        self._expect("[")
        while self._peek() != "]":
            line = self._here()
            yield line, self._value()
            if self._peek() == ",":
                self._at += 1
            elif self._peek() != "]":
                raise self._wrong("the list does not go on")

    def _enter(self, key: str | None) -> None:
        """Go to the value of `key` in the object that the file is."""
        if key is None:
            return
        self._expect("{")
        while self._peek() != "}":
            name = self._value()
            self._expect(":")
            if name == key:
                return
            self._value()
            if self._peek() == ",":
                self._at += 1
        raise self._wrong(f"there is no {key!r}")

    def _expect(self, char: str) -> None:
        if self._peek() != char:
            raise self._wrong(f"a {char} is missing")
        self._at += 1

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._fill(_CHUNK):
                return self._text[self._at : self._at + 1]

    def _value(self) -> Any:
        self._peek()
        size = _CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._fill(size):
                    size *= 2  # a large item is looked at few times
                    continue
                raise self._wrong(str(error).split(":")[0]) from error
            # A number may go on behind the window.
            if end == len(self._text) and self._fill(size):
                continue
            self._at = end
            return value

    def _fill(self, size: int) -> bool:
        """Read on, letting go of what was used; False at the end of the file."""
        more = "" if self._ended else self._file.read(size)
        self._ended = not more
        if not more:
            return False
        self._here()
        self._text, self._at, self._counted = self._text[self._at :] + more, 0, 0
        return True

    def _here(self) -> int:
        """The line on which we are."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _wrong(self, why: str) -> DataError:
        return DataError(
            f"{self._path} is no valid JSON (line {self._here()}: {why})",
            "repair it, or give one object a line as .jsonl",
        )
