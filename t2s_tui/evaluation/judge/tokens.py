"""How many tokens a text has: by tiktoken where it has the model's vocabulary at hand, else an estimate."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=8)
def counter(model: str) -> tuple[Callable[[str], int], bool]:
    """How many tokens a text has for that model, and whether that is exact."""
    try:
        import tiktoken

        encoding = tiktoken.encoding_for_model(model)
    except Exception:  # an unknown model; a vocabulary that cannot be fetched; a broken cache
        return about_tokens, False
    return lambda text: len(encoding.encode(text, disallowed_special=())), True


def about_tokens(text: str) -> int:
    """Four ASCII characters a token, one of any other script: on the safe side for Korean."""
    wide = len(text) - len(text.encode("ascii", "ignore"))
    return wide + (len(text) - wide + 3) // 4
