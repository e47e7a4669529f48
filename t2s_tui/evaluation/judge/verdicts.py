"""Reading the judge's answer: `{"resolve_yn": "yes"}` or `"no"`, and nothing else (trap 30)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_OBJECT = re.compile(r"\{.*?\}", re.DOTALL)
_RATIONALES = ("rationale", "reason", "explanation", "why")


@dataclass(frozen=True, slots=True)
class Word:
    """What the judge said. `yes` is None when the answer cannot be read: missing, and never a no."""

    yes: bool | None
    rationale: str = ""


def read_answer(text: str) -> Word:
    """The judge's word. Text around the JSON object (a code fence, say) is passed over."""
    for candidate in (text.strip(), *_OBJECT.findall(text)):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and (yes := _yes_or_no(found.get("resolve_yn"))) is not None:
            return Word(yes, _rationale(found))
    return Word(None)


def _yes_or_no(value: Any) -> bool | None:
    if not isinstance(value, str):
        return None
    return {"yes": True, "no": False}.get(value.strip().casefold())


def _rationale(found: dict[str, Any]) -> str:
    return next(
        (str(found[k]) for k in _RATIONALES if isinstance(found.get(k), str) and found[k].strip()), ""
    )
