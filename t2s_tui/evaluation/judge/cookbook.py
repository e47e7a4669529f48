"""Request and result files in the shape of the OpenAI cookbook's `api_request_parallel_processor.py`.

A request file has a chat body a line, with an optional `metadata`. A result file has `[request, answer]` or
`[request, answer, metadata]` a line, where the answer is a list of errors for a request that failed, and the
order is that in which answers came. Users come from there; its files come in and go out unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a result file: the request, its answer (None where it failed), and why it failed."""

    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    error: str
    metadata: Any = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none of the above."""

    number: int
    reason: str


def read_results(lines: Iterable[str]) -> Iterator[Line | BadLine]:
    """The lines of a result file, bad ones with their number and reason."""
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield _line(number, text)


def _line(number: int, text: str) -> Line | BadLine:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return BadLine(number, f"is no JSON ({error})")
    if not isinstance(value, list) or not 2 <= len(value) <= 3 or not isinstance(value[0], dict):
        return BadLine(number, "is no [request, answer] or [request, answer, metadata]")
    request = {k: v for k, v in value[0].items() if k != "metadata"}
    metadata = value[2] if len(value) == 3 else value[0].get("metadata")
    answer = value[1]
    if isinstance(answer, dict) and answer.get("choices"):
        return Line(request, answer, "", metadata)
    return Line(request, None, _error(answer), metadata)


def _error(answer: Any) -> str:
    """What went wrong: the last of a list of errors, or an error body that was saved as an answer."""
    last = answer[-1] if isinstance(answer, list) and answer else answer
    if isinstance(last, dict):
        inner = last.get("error", last)
        last = inner.get("message", inner) if isinstance(inner, dict) else inner
    return str(last or "no answer")[:300]


def read_requests(lines: Iterable[str]) -> Iterator[tuple[Mapping[str, Any], Any] | BadLine]:
    """(body, metadata) of a request file, bad lines with their number and reason."""
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield BadLine(number, f"is no JSON ({error})")
            continue
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            yield BadLine(number, "is no chat body with `messages`")
            continue
        yield {k: v for k, v in body.items() if k != "metadata"}, body.get("metadata")


def content_of(body: Mapping[str, Any]) -> str:
    """What identifies a request whatever its model and parameters: the text of its messages."""
    messages = body.get("messages") or []
    return "\n".join(str(m.get("content", "")) for m in messages if isinstance(m, Mapping)).strip()


def request_line(body: Mapping[str, Any], metadata: Any = None) -> str:
    """One line of a request file."""
    return json.dumps(
        {**body, **({"metadata": metadata} if metadata is not None else {})}, ensure_ascii=False
    )
