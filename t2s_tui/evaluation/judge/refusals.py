"""What the words of a refusal mean: that nothing will be answered any more, or not this request ever."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from t2s_tui.errors import ModelError
from t2s_tui.evaluation.judge.settings import JudgeSettings

_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated")
_AGAIN = "run the same command again: the verdicts so far are kept"
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
_NUMBERS = re.compile(r"limit:?\s*([\d,]+)\D+requested:?\s*([\d,]+)", re.IGNORECASE)


def words_of(error: Any) -> str:
    """The server's own sentence, in one line. It may hold the key."""
    body = error.body
    message = body.get("message") or body.get("detail") if isinstance(body, Mapping) else None
    return " ".join(str(message or error.message or "no reason given").split())[:300]


def ends_run(status: int, body: object, words: str, where: str, settings: JudgeSettings) -> ModelError | None:
    """The error that ends the run; None where the refusal is about one request.

    A 403 as HTML comes from something before the endpoint that dislikes one request's text (a firewall that
    sees SQL, say), and ends nothing.
    """
    if status == 401:
        return ModelError(
            f"The judge at {where} refuses the key ({words})",
            f"put a valid key into {settings.api_key_env} and {_AGAIN}",
        )
    if status == 402 or _codes(body) & set(_QUOTA):
        return ModelError(
            f"The quota of the judge at {where} is used up ({words})", f"top it up and {_AGAIN}"
        )
    if status == 403 and isinstance(body, Mapping):
        return ModelError(
            f"The judge at {where} does not permit this ({words})",
            f"use a key that may ask {settings.model!r}, or another model, and {_AGAIN}",
        )
    if status == 404 and _is_about_the_model(body, words):
        return ModelError(
            f"The judge at {where} has no model {settings.model!r} ({words})",
            f"name one that it has with --judge-model and {_AGAIN}",
        )
    if status == 404:
        return ModelError(
            f"There is no chat endpoint at {where}/chat/completions ({words})",
            f"name its base URL with --judge-url (it often ends in /v1) and {_AGAIN}",
        )
    return None


def never_fits(words: str) -> bool:
    """Whether a rate limit was refused to a request that is larger than the whole limit."""
    numbers = _NUMBERS.search(words)
    if numbers is None:
        return _TOO_LARGE.search(words) is not None
    limit, requested = (int(number.replace(",", "")) for number in numbers.groups())
    return requested > limit


def _codes(body: object) -> set[str]:
    return {str(body.get(name)) for name in ("code", "type")} if isinstance(body, Mapping) else set()


def _is_about_the_model(body: object, words: str) -> bool:
    return "model_not_found" in _codes(body) or "model" in words.lower()
