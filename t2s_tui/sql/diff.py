"""Gold against generated: line by line after normalising and pretty printing, then by tokens inside lines.

Texts of which one does not parse are compared as they are, token by token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from t2s_tui.sql.dialects import SqlSyntaxError
from t2s_tui.sql.normalize import normal_tree
from t2s_tui.sql.pretty import clause_lines

Sign = Literal[" ", "-", "+"]
_TOKEN = re.compile(r"\s+|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\w+(?:\.\w+)*|<>|!=|<=|>=|\|\||.", re.DOTALL)
_ALIKE = 0.5  # lines less alike than this are a removal and an addition, not one changed line


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line. `sign` is "-" only in gold, "+" only in generated, " " in both.

    `spans` join to the line; a span is (text, changed), where changed marks what differs inside the line.
    """

    sign: Sign
    spans: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.spans)


def diff_sql(gold: str, generated: str, dialect: str, ddl: str | None = None) -> list[DiffLine]:
    """The diff of two queries; lines that are all " " mean no difference is left after normalising."""
    try:
        left = clause_lines(normal_tree(gold, dialect, ddl), dialect)
        right = clause_lines(normal_tree(generated, dialect, ddl), dialect)
    except SqlSyntaxError:
        left, right = gold.strip().splitlines(), generated.strip().splitlines()
    return diff_lines(left, right)


def diff_lines(left: Sequence[str], right: Sequence[str]) -> list[DiffLine]:
    """The diff of two lists of lines."""
    found: list[DiffLine] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [DiffLine(" ", ((line, False),)) for line in left[i1:i2]]
        else:
            found += _replaced(left[i1:i2], right[j1:j2])
    return found


def _replaced(left: Sequence[str], right: Sequence[str]) -> list[DiffLine]:
    """Removed and added lines. Lines that resemble each other stand together, their tokens marked."""
    found: list[DiffLine] = []
    waiting = list(right)
    for line in left:
        best = max(waiting, key=lambda other: _likeness(line, other), default=None)
        if best is None or _likeness(line, best) < _ALIKE:
            found.append(DiffLine("-", ((line, True),)))
            continue
        at = waiting.index(best)
        found += [DiffLine("+", ((other, True),)) for other in waiting[:at]]
        found += _changed(line, best)
        waiting = waiting[at + 1 :]
    return found + [DiffLine("+", ((other, True),)) for other in waiting]


def _likeness(a: str, b: str) -> float:
    """Two lines of the same clause are alike from the start; else by their tokens, 0..1."""
    same_clause = a.split(maxsplit=1)[:1] == b.split(maxsplit=1)[:1] and a[:1] == b[:1]
    ratio = SequenceMatcher(None, _words(a), _words(b), autojunk=False).ratio()
    return max(_ALIKE, ratio) if same_clause and a.lstrip()[:4] != "AND " else ratio


def _words(line: str) -> list[str]:
    return [t for t in _TOKEN.findall(line) if not t.isspace()]


def _changed(gold: str, generated: str) -> list[DiffLine]:
    left, right = _TOKEN.findall(gold), _TOKEN.findall(generated)
    minus: list[tuple[str, bool]] = []
    plus: list[tuple[str, bool]] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        _add(minus, "".join(left[i1:i2]), tag != "equal")
        _add(plus, "".join(right[j1:j2]), tag != "equal")
    return [DiffLine("-", tuple(minus)), DiffLine("+", tuple(plus))]


def _add(spans: list[tuple[str, bool]], text: str, changed: bool) -> None:
    if not text:
        return
    if spans and spans[-1][1] == changed:
        spans[-1] = (spans[-1][0] + text, changed)
    else:
        spans.append((text, changed))
