"""Exact match: the same text."""

from __future__ import annotations

import re

from t2s_tui.evaluation.judged import Judged, Pair, failed, passed
from t2s_tui.text import nfc

#: Quoted runs and comments: a space or line break inside them means something.
_KEPT = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*\n?|/\*.*?\*/)", re.DOTALL)


def exact_form(sql: str) -> str:
    """What exact match compares: NFC, trimmed, whitespace runs as one space, no trailing `;`.

    Nothing else is folded: case, quotes, aliases and spaces inside quotes count. It is a plain lower bound.
    """
    parts = _KEPT.split(nfc(sql).strip().rstrip("; \t\r\n"))
    return "".join(part if i % 2 else re.sub(r"\s+", " ", part) for i, part in enumerate(parts))


def judge_exact(pair: Pair) -> Judged:
    """Pass when the two texts are the same up to whitespace and the final semicolon."""
    if exact_form(pair.gold) == exact_form(pair.generated):
        return passed("the same text")
    return failed("differs as text" if pair.generated.strip() else "there is no SQL")
