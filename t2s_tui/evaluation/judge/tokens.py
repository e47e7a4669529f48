"""How many tokens a text has: by tiktoken where it has the model's vocabulary at hand, else an estimate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_SECONDS = 5.0  # that a vocabulary may take to come from the network, the first time
_FRAME_TOKENS = 8  # of a chat message around its text


@lru_cache(maxsize=8)
def counter(model: str) -> tuple[Callable[[str], int], bool]:
    """How many tokens a text has for that model, and whether that is exact."""
    encoding = _encoding(model)
    if encoding is None:
        return about_tokens, False
    return lambda text: len(encoding.encode(text, disallowed_special=())), True


def request_tokens(body: Mapping[str, Any]) -> int:
    """About how many tokens a chat request has."""
    count, _ = counter(str(body["model"]))
    return sum(count(str(message["content"])) + _FRAME_TOKENS for message in body["messages"])


def about_tokens(text: str) -> int:
    """Four ASCII characters a token, one of any other script: on the safe side for Korean."""
    wide = len(text) - len(text.encode("ascii", "ignore"))
    return wide + (len(text) - wide + 3) // 4


def _encoding(model: str) -> Any:
    """The encoding; None where it is unknown or does not come in time: tiktoken would wait for ever."""
    found: list[Any] = []

    def load() -> None:
        try:
            import tiktoken

            found.append(tiktoken.encoding_for_model(model))
        except Exception:  # an unknown model; a vocabulary that cannot be fetched; a broken cache
            return

    thread = threading.Thread(target=load, name="tiktoken", daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return found[0] if found else None
