"""Secrets stay out of what a job writes: values of *_API_KEY and *_TOKEN become their variable's name."""

from __future__ import annotations

import os
import re
from typing import Any, TextIO

_NAME = re.compile(r"(_API_KEY|_TOKEN)$")
_SHORTEST = 6  # a shorter value is no secret, and would blank ordinary words


class Redactor:
    """Replaces the secrets of this process's environment in text and in plain JSON values."""

    def __init__(self) -> None:
        found = {
            value: name
            for name, value in os.environ.items()
            if _NAME.search(name) and len(value.strip()) >= _SHORTEST
        }
        # The longest first: one secret may hold another.
        self._secrets = sorted(found.items(), key=lambda item: -len(item[0]))

    def text(self, text: str) -> str:
        for value, name in self._secrets:
            if value in text:
                text = text.replace(value, f"[{name}]")
        return text

    def value(self, value: Any) -> Any:
        """The same for strings anywhere inside dicts and lists."""
        if not self._secrets:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


class RedactedStream:
    """A text stream that writes line by line with secrets replaced. Everything else is the inner stream's."""

    def __init__(self, inner: TextIO, redactor: Redactor) -> None:
        self._inner = inner
        self._redactor = redactor
        self._rest = ""

    def write(self, text: str) -> int:
        # Whole lines only: a secret could come in two writes.
        lines = (self._rest + text).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(("\n", "\r")) else ""
        if lines:
            self._inner.write(self._redactor.text("".join(lines)))
        return len(text)

    def flush(self) -> None:
        if self._rest:
            self._inner.write(self._redactor.text(self._rest))
            self._rest = ""
        self._inner.flush()

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
