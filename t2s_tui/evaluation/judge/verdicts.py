"""Reading the judge's answer: `{"resolve_yn": "yes"}` or `"no"`; last a bare yes or no (trap 30)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from t2s_tui.text import nfc

_OBJECT = re.compile(r"\{.*?\}", re.DOTALL)
_FENCE = re.compile(r"```\w*")
_WORDS = {"yes": True, "no": False, "예": True, "네": True, "아니오": False, "아니요": False}
_RATIONALES = ("rationale", "reason", "explanation", "why")


@dataclass(frozen=True, slots=True)
class Word:
    """What the judge said. `yes` is None when the answer cannot be read: missing, and never a no.

    `fault` is the leading one in the judge's own word, where the prompt asks for it.
    """

    yes: bool | None
    rationale: str = ""
    fault: str = ""


def read_answer(text: str) -> Word:
    """The judge's word. Text around the JSON object (a code fence, say) is passed over."""
    for candidate in (text.strip(), *_OBJECT.findall(text)):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and (yes := _yes_or_no(found.get("resolve_yn"))) is not None:
            return Word(yes, _rationale(found), _fault(found))
    return Word(_bare(text))


def _yes_or_no(value: Any) -> bool | None:
    return _WORDS.get(nfc(value).strip().casefold()) if isinstance(value, str) else None


def _bare(text: str) -> bool | None:
    """The word that is the whole answer, without a fence and punctuation: small local judges answer so."""
    words = _FENCE.sub("", text).split()
    return _yes_or_no(words[0].strip(".,!\"'`*。")) if len(words) == 1 else None


def _rationale(found: dict[str, Any]) -> str:
    return next(
        (str(found[k]) for k in _RATIONALES if isinstance(found.get(k), str) and found[k].strip()), ""
    )


def _fault(found: dict[str, Any]) -> str:
    said = found.get("fault")
    word = said.strip().casefold() if isinstance(said, str) else ""
    return "" if word == "none" else word
