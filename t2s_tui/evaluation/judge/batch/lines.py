"""The lines of a batch: requests in its input file, and what its output and error files say of each."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from t2s_tui.evaluation.judge.answers import Answer, read_completion
from t2s_tui.evaluation.judge.backoff import redact
from t2s_tui.evaluation.judge.batch.api import CANCELLED, EXPIRED
from t2s_tui.evaluation.judge.tokens import request_tokens
from t2s_tui.evaluation.judge.transport import ANSWER, RATE_LIMIT, REQUEST, SERVER

#: What one input file may hold (OpenAI, "Batch API", 2024 to 2026).
MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
_RETRIED = (408, 409, 425, 429)


@dataclass(frozen=True, slots=True)
class Item:
    """A request that waits for a batch, by its key in the journal. `tokens`: about how many it has;
    `size`: bytes of its line."""

    key: str
    tokens: int
    size: int
    repeat: int


def item_of(key: str, body: Mapping[str, Any], repeat: int) -> Item:
    """The item of a request."""
    return Item(key, request_tokens(body), len(request_line(key, body)), repeat)


@dataclass(frozen=True, slots=True)
class Space:
    """What may still go into a batch."""

    tokens: float = float("inf")
    money: float = float("inf")
    requests: int = MOST_REQUESTS
    size: int = MOST_BYTES


@dataclass(slots=True)
class InputFile:
    """A batch's input: a temporary file of request lines, which is gone when the process dies.

    `body` gives a request as it is to be sent, `worst` what so many tokens may cost at most.
    """

    body: Callable[[Item], Mapping[str, Any]]
    worst: Callable[[int], float]
    file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    items: list[Item] = field(default_factory=list)
    size: int = 0
    tokens: int = 0
    money: float = 0.0
    _hash: Any = field(default_factory=hashlib.sha256)

    def fill(self, waiting: deque[Item], space: Space) -> None:
        """Take from the front of `waiting` what there is space for."""
        while waiting and len(self.items) < space.requests:
            item = waiting[0]
            line, worst = request_line(item.key, self.body(item)), self.worst(item.tokens)
            if (
                self.size + len(line) > space.size
                or self.tokens + item.tokens > space.tokens
                or self.money + worst > space.money
            ):
                return
            self._add(waiting.popleft(), line, worst)

    def _add(self, item: Item, line: bytes, worst: float) -> None:
        self.file.write(line)
        self._hash.update(line)
        self.items.append(item)
        self.size += len(line)
        self.tokens += item.tokens
        self.money += worst

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    @property
    def hash(self) -> str:
        """SHA-256 of the content."""
        return str(self._hash.hexdigest())


def request_line(key: str, body: Mapping[str, Any]) -> bytes:
    """One line of an input file."""
    line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Result:
    """What a file says of one request: its answer, or the class and the words of why there is none.

    `status` is that of HTTP, 0 where there was none; `error` the endpoint's error as it came, which may hold
    the key; `again`: whether another batch may go better. `kind` is empty where there is an answer.
    """

    key: str
    answer: Answer | None
    kind: str = ""
    words: str = ""
    status: int = 0
    error: Mapping[str, Any] = field(default_factory=dict)
    again: bool = False


def custom_ids(files: Iterable[IO[bytes]]) -> Iterator[str]:
    """Of which requests the files speak."""
    for line in _lines(files):
        if (found := _record(line)) is not None:
            yield found["custom_id"]


def read_results(files: Iterable[IO[bytes]], secret: str) -> Iterator[Result | None]:
    """The results in the files, no answer or words with the secret; None for a line that cannot be read."""
    for line in _lines(files):
        yield _result(line, secret)


def _lines(files: Iterable[IO[bytes]]) -> Iterator[bytes]:
    for file in files:
        file.seek(0)
        yield from (line for line in file if line.strip())


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("custom_id"), str) else None


def _result(line: bytes, secret: str) -> Result | None:
    found = _record(line)
    if found is None:
        return None
    key, response, error = found["custom_id"], found.get("response"), found.get("error")
    if isinstance(response, dict):
        return _responded(key, response, secret)
    return _errored(key, error if isinstance(error, dict) else {}, secret)


def _responded(key: str, response: Mapping[str, Any], secret: str) -> Result:
    status, body = response.get("status_code"), response.get("body")
    if status == 200:
        try:
            return Result(key, read_completion(json.dumps(body).encode(), {}, secret))
        except ValueError as unread:
            return Result(key, None, ANSWER, redact(str(unread), secret), status, again=True)
    code = status if isinstance(status, int) else 0
    error = body.get("error") if isinstance(body, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    kind = RATE_LIMIT if code == 429 else SERVER if code >= 500 else REQUEST
    words = redact(f"HTTP {code}: {_message(error)}", secret)
    return Result(key, None, kind, words, code, error, again=code in _RETRIED or code >= 500)


def _errored(key: str, error: Mapping[str, Any], secret: str) -> Result:
    code = str(error.get("code") or "")
    kind = {"batch_expired": EXPIRED, "batch_cancelled": CANCELLED}.get(code, SERVER)
    words = redact(f"{code}: {_message(error)}" if code else _message(error), secret)
    return Result(key, None, kind, words, error=error, again=kind != CANCELLED)


def _message(error: Mapping[str, Any]) -> str:
    words = " ".join(str(error.get("message") or "no reason given").split())[:300]
    return words.encode("utf-8", "replace").decode()  # halves of characters cannot be written down
