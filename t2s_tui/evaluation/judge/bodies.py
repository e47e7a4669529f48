"""The request as it is sent: what the settings make of the messages, and of an answer that cannot be read.

A preset whose answer is one word asks for a JSON object, as the reference does; one that names more fields
asks for exactly these by a JSON schema (OpenAI, "Structured Outputs"). What an endpoint refuses of it is left
out later, in `dialect.py`: the request's hash does not depend on where it went.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from t2s_tui.evaluation.judge.prompts import prompt_of
from t2s_tui.evaluation.judge.settings import JudgeSettings

#: What a reasoning model may think, beside the answer (OpenAI, "Reasoning models": reserve at least this).
REASONING_TOKENS = 25_000
_REASONING = re.compile(r"(?:.*/)?(?:o\d|gpt-5)(?!-chat)(?:[-.:]|$)", re.IGNORECASE)
_FIELDS = ("rationale", "fault", "resolve_yn")
_REPAIR = 'Your answer could not be read. Answer with {"resolve_yn": "yes"} or {"resolve_yn": "no"} only.'
_MOST_QUOTED = 2000  # characters of an unreadable answer that are sent back: they are paid for


def body_of(settings: JudgeSettings, messages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The request, in the reference's order of keys; other parameters only where they are set."""
    body: dict[str, Any] = {"model": settings.model}
    if (wanted := _format(settings)) is not None:
        body["response_format"] = wanted
    body["messages"] = [dict(message) for message in messages]
    return body | parameters_of(settings)


def parameters_of(settings: JudgeSettings) -> dict[str, Any]:
    """Temperature, seed and the most tokens, as this model takes them; empty where none is set."""
    reasoning = is_reasoning(settings)
    found: dict[str, Any] = {}
    if settings.temperature is not None and not reasoning:
        found["temperature"] = settings.temperature
    if settings.max_tokens is not None and reasoning:
        found["max_completion_tokens"] = settings.max_tokens + REASONING_TOKENS
    elif settings.max_tokens is not None:
        found["max_tokens"] = settings.max_tokens
    if settings.seed is not None:
        found["seed"] = settings.seed
    return found


def is_reasoning(settings: JudgeSettings) -> bool:
    """Whether the model thinks before it answers: what the settings say, else by the families known."""
    if settings.reasoning is not None:
        return settings.reasoning
    return _REASONING.match(settings.model) is not None


def repair_of(body: Mapping[str, Any], answer: str) -> dict[str, Any]:
    """The request that asks for an answer again, in the same conversation."""
    said = [{"role": "assistant", "content": answer[:_MOST_QUOTED]}] if answer.strip() else []
    return {**body, "messages": [*body["messages"], *said, {"role": "user", "content": _REPAIR}]}


def _format(settings: JudgeSettings) -> dict[str, Any] | None:
    text = prompt_of(settings).text
    named = [name for name in _FIELDS if f'"{name}"' in text] or ["resolve_yn"]
    wanted = settings.structured
    if wanted == "auto":
        wanted = "schema" if len(named) > 1 else "json"
    if wanted == "text":
        return None
    return {"type": "json_object"} if wanted == "json" else _schema(named)


def _schema(fields: Sequence[str]) -> dict[str, Any]:
    """The fields in this order: a model writes its reasons before its word."""
    kinds: dict[str, Any] = {name: {"type": "string"} for name in fields}
    kinds["resolve_yn"] = {"type": "string", "enum": ["yes", "no"]}
    schema = {
        "type": "object",
        "properties": kinds,
        "required": list(fields),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}
