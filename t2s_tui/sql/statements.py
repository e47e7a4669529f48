"""The first statement in what a model wrote.

Models go on after the answer: they repeat it under new headings, wrap it in code fences, explain it. The
reference takes the text up to its end, the next `###` heading or the stop (issue 2). A `;` inside a
literal, a quoted name or a comment ends nothing.
"""

from __future__ import annotations

import re

_FENCE = "```"
_HEADING = "###"
_OPENING_FENCE = re.compile(
    r"```[^\S\n]*(?:sql|sqlite|mysql|postgres(?:ql)?)?[^\S\n]*(?:\n|\b|$)", re.IGNORECASE
)
_LEADING_HEADING = re.compile(r"\s*###[^\n]*(?:\n|$)")
_STARTS_LIKE_SQL = re.compile(
    r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/|;)\s*)*\(*\s*"
    r"(?:select|with|values|insert|update|delete|replace|create|drop|alter|pragma|attach|explain)\b",
    re.IGNORECASE | re.DOTALL,
)
_HEADING_LINE = re.compile(r"\n[^\S\n]*###")


def first_statement(raw: str) -> str:
    """The first SQL statement of a model's answer, trimmed, without a code fence and without its `;`.

    It ends at the first `;` outside literals and comments, at the next `###` heading, at a closing code
    fence, or with the text. A heading that the answer opens with is skipped, as is prose before a fence.
    Empty when there is none.
    """
    body = _body(raw)
    return body[: _end(body)[0]].strip()


def text_after_statement(raw: str) -> str:
    """What a model wrote after its first statement and that statement's own `;` and code fence."""
    body = _body(raw)
    end = _end(body)[0]
    return body[end:].lstrip("; \t\r\n").removeprefix(_FENCE).strip() if body[:end].strip() else ""


def statement_complete(text: str) -> bool:
    """Whether more text can no longer change `first_statement(text)`: decoding may stop here."""
    body = _body(text)
    end, ended = _end(body)
    return ended and bool(body[:end].strip())


def _body(raw: str) -> str:
    """From where the statement starts: after an opening fence, a leading heading and empty statements."""
    text = raw
    fence = text.find(_FENCE)
    if fence >= 0 and not _STARTS_LIKE_SQL.match(text[:fence]):
        opening = _OPENING_FENCE.match(text, fence)
        text = text[opening.end() if opening else fence + len(_FENCE) :]
    while leading := _LEADING_HEADING.match(text):
        if leading.end() >= len(text):
            return ""
        text = text[leading.end() :]
    return text.lstrip("; \t\r\n")


def _end(text: str) -> tuple[int, bool]:
    """Where the statement at the start of `text` ends, and whether something ended it."""
    at = 0
    while at < len(text):
        char = text[at]
        if char == ";" or text.startswith((_FENCE, _HEADING), at):
            return at, True
        if char in "'\"`":
            at, broken = _after_quoted(text, at)
            if broken:
                return at, True
        elif text.startswith("--", at):
            newline = text.find("\n", at)
            at = len(text) if newline < 0 else newline
        elif text.startswith("/*", at):
            close = text.find("*/", at + 2)
            at = len(text) if close < 0 else close + 2
        else:
            at += 1
    return len(text), False


def _after_quoted(text: str, start: int) -> tuple[int, bool]:
    """The index after the quoted run at `start`, or (index of a heading line inside it, True).

    A doubled quote stays inside. So does a backslashed one directly before a letter or digit, as in
    MySQL's 'it\\'s': nothing else can follow a closing quote without a space. A heading on a line of its
    own inside an open quote means that the model never closed it.
    """
    quote = text[start]
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == quote:
            if text.startswith(quote, at + 1):
                at += 2
                continue
            escaped = quote != "`" and text[at - 1] == "\\" and at - 1 > start
            if not (escaped and at + 1 < len(text) and text[at + 1].isalnum()):
                return at + 1, False
        elif char == "\n" and _HEADING_LINE.match(text, at):
            return at, True
        at += 1
    return len(text), False
