"""How long to wait before asking again, and how to keep the key out of what is written down."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from random import Random

_FIRST, _MOST = 0.5, 30.0  # seconds
_MOST_ASKED_FOR = 300.0
_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|key|org|proj)-[\w*.\-]{6,}|(?<=Bearer )[\w.~+/=*\-]+")


def pause(attempt: int, headers: Mapping[str, str] | None, random: Random) -> float:
    """Seconds before try number `attempt` + 1 (from 1): what Retry-After says, else full jitter.

    Full jitter (AWS, "Exponential Backoff And Jitter", 2015): uniform in 0 .. min(30, 0.5 * 2^attempt), so
    that requests refused together do not come back together.
    """
    asked = retry_after(headers)
    if asked is not None:
        return min(asked, _MOST_ASKED_FOR)
    return random.uniform(0.0, min(_MOST, _FIRST * 2**attempt))


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """The header's seconds, from a number or a date; None where there is none that can be read."""
    value = (headers or {}).get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def redact(text: str, key: str) -> str:
    """The text without the key, nor anything that looks like one: servers quote keys in their errors."""
    if len(key) >= 4:
        text = text.replace(key, "***")
    return _LOOKS_LIKE_A_KEY.sub("***", text)
