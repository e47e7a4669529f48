"""What one endpoint takes of a request, learned from what it refuses.

JSON schema -> JSON mode -> plain text        a step down for a 400 that names response_format
max_tokens <-> max_completion_tokens          once, for a 400 that names them
temperature, seed                             left out after a 400 that names them
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFUSALS = (400, 404, 415, 422, 501)
_LADDER = ("json_schema", "json_object", "text")
_FORMAT_WORDS = ("response_format", "json_schema", "json_object", "structured output")
_UNKNOWN = ("support", "unknown", "unrecognized", "unexpected", "not permitted", "extra")
_LIMITS = ("max_tokens", "max_completion_tokens")
_OPTIONAL = ("temperature", "seed")


class Dialect:
    """One for each endpoint and run. `learned` says in words what it does not take."""

    def __init__(self) -> None:
        self._rung = 0
        self._renamed: dict[str, str] = {}
        self._dropped: set[str] = set()

    def spoken(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as this endpoint takes it, as far as is known."""
        said = {self._renamed.get(k, k): v for k, v in body.items() if k not in self._dropped}
        at = max(self._rung, _rung_of(said))
        if _LADDER[at] == "text":
            said.pop("response_format", None)
        elif at != _rung_of(said):
            said["response_format"] = {"type": _LADDER[at]}
        return said

    def learn(self, sent: Mapping[str, Any], status: int, words: str) -> bool:
        """Whether the refusal of what was `sent` is about its form: `spoken` then asks for less."""
        if status not in _REFUSALS:
            return False
        words = words.lower()
        if "response_format" in sent and any(word in words for word in _FORMAT_WORDS):
            self._rung = max(self._rung, _rung_of(sent) + 1)
            return True
        if not any(word in words for word in _UNKNOWN):
            return False  # it is about the value, not the name
        for name, other in (_LIMITS, _LIMITS[::-1]):
            if name in sent and name in words and name not in self._renamed.values():
                self._renamed = {name: other}
                return True
        for name in _OPTIONAL:
            if name in sent and name in words:
                self._dropped.add(name)
                return True
        return False

    @property
    def learned(self) -> str:
        """For a person: `plain text only, no temperature`; empty where all is taken."""
        parts = [("", "JSON mode only", "plain text only")[self._rung]] if self._rung else []
        parts += [f"{other} for {name}" for name, other in self._renamed.items()]
        parts += [f"no {name}" for name in sorted(self._dropped)]
        return ", ".join(parts)


def _rung_of(body: Mapping[str, Any]) -> int:
    wanted = body.get("response_format")
    return _LADDER.index(wanted["type"]) if isinstance(wanted, Mapping) else len(_LADDER) - 1
