"""Reading the judge's answer: `{"resolve_yn": "yes"}` or `"no"`; last a bare yes or no (trap 30).

What cannot be read is neither. Not read: what a model thinks before it answers, an object that is cut off and
all that is in it, and an answer that says both.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from t2s_tui.text import nfc

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
_THOUGHT_START = re.compile(r"<(?:think|thinking|reasoning)>.*", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```\w*")
_YES = ("yes", "y", "예", "네", "맞음", "맞습니다", "그렇습니다")
_NO = ("no", "n", "아니오", "아니요", "아님", "아닙니다", "틀림", "틀립니다")
_WORDS = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
_AROUND = ".,!\"'`*_()。 \t\r\n"
_NAMED = re.compile(
    r"[\s\"'`*]*(?:resolve_yn|(?:the |my )?(?:answer|verdict)|답|답변|정답|판정)"
    r"[\s\"'`*]*(?:[:=]|\bis\b|[은는])[\s\"'`*:]*(\w+)[\s\"'`*.!]*",
    re.IGNORECASE,
)
_PYTHON = re.compile(r"\{\s*'resolve_yn'\s*:\s*'(\w+)'\s*,?\s*\}", re.IGNORECASE)
_RATIONALES = ("rationale", "reason", "explanation", "why")
_BEGUN = re.compile(r'\{\s*("|$)')
_DECODER = json.JSONDecoder()


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
    said = _spoken(text)
    if (rows := _objects(said)) is None:
        return Word(None)
    found = [(yes, row) for row in rows if (yes := _verdict(row)) is not None]
    words = {yes for yes, _ in found}
    if len(words) == 1:
        yes, row = found[-1]
        return Word(yes, _rationale(row), _fault(row))
    return Word(None if words else _bare(said))


def _spoken(text: str) -> str:
    """The answer without the thoughts before it. Some templates keep the opening mark."""
    rest = _THOUGHT.sub("", text)
    *_, rest = _THOUGHT_END.split(rest)
    return _THOUGHT_START.sub("", rest)


def _objects(text: str) -> list[dict[str, Any]] | None:
    """The JSON objects in a text that are in no other; None where one begins and does not end well."""
    found = []
    at = text.find("{")
    while at >= 0:
        try:
            row, end = _DECODER.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            if _BEGUN.match(text, at):
                return None
            end = at + 1
        else:
            found.append(row)
        at = text.find("{", end)
    return found


def _verdict(row: dict[str, Any]) -> bool | None:
    return next((_yes_or_no(v) for k, v in row.items() if k.strip().casefold() == "resolve_yn"), None)


def _yes_or_no(value: Any) -> bool | None:
    return _WORDS.get(nfc(value).strip(_AROUND).casefold()) if isinstance(value, str) else None


def _bare(text: str) -> bool | None:
    """The word that is the whole answer, with its name at most: small local judges answer so."""
    words = nfc(_FENCE.sub("", text)).strip()
    named = _NAMED.fullmatch(words) or _PYTHON.fullmatch(words)
    return _yes_or_no(named[1] if named else words)


def _rationale(found: dict[str, Any]) -> str:
    return next(
        (str(found[k]) for k in _RATIONALES if isinstance(found.get(k), str) and found[k].strip()), ""
    )


def _fault(found: dict[str, Any]) -> str:
    said = found.get("fault")
    word = said.strip().casefold() if isinstance(said, str) else ""
    return "" if word == "none" else word
