"""A chat completion as it came over the wire. Nothing about its shape is trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t2s_tui.evaluation.judge.backoff import redact

_TOKENS = ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion: its text, its whole JSON without any key in it, its usage, and the headers."""

    text: str
    raw: Mapping[str, Any]
    usage: dict[str, int]
    headers: Mapping[str, str]


def read_completion(content: bytes, headers: Mapping[str, str], key: str) -> Answer:
    """The answer in a body. Raises ValueError, in words, for a body that is no chat completion."""
    try:
        raw = _clean(json.loads(content), key)
    except (ValueError, RecursionError):
        raise ValueError("the answer was not JSON") from None
    if not isinstance(raw, dict):
        raise ValueError("the answer was no chat completion")
    message = _message(raw)
    if message is None:
        error = raw.get("error")
        why = error.get("message") if isinstance(error, Mapping) else error
        raise ValueError(f"the answer was no chat completion{f' ({why})' if why else ''}"[:300])
    text = _text(message.get("content"))
    usage = raw.get("usage")
    counts = usage if isinstance(usage, Mapping) else {}
    kept = {name: counts[name] for name in _TOKENS if _is_count(counts.get(name))}
    return Answer(text, {**raw, "usage": kept}, kept, headers)


def _clean(value: Any, key: str) -> Any:
    """Without the key, and without halves of characters, which can be escaped in JSON but not be written."""
    if isinstance(value, str):
        return redact(value.encode("utf-8", "replace").decode("utf-8"), key)
    if isinstance(value, list):
        return [_clean(each, key) for each in value]
    if isinstance(value, dict):
        return {_clean(name, key): _clean(each, key) for name, each in value.items()}
    return value


def _message(raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = raw.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    return message if isinstance(message, Mapping) else None


def _text(content: object) -> str:
    """The text of a message: a string, or parts of which some are text."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
