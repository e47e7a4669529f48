"""Make a DDL smaller, so that a prompt fits and its answer is never cut (TRAPS 15).

The policy, in this order: first drop whole statements that neither the question nor the gold SQL names
(those without a table, then the last first), then drop lines from the end of what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

_NAME = r"(?:`[^`]+`|\"[^\"]+\"|\[[^\]]+\]|[\w$]+)"
_TABLE = re.compile(
    rf"\bCREATE\s+(?:\w+\s+){{0,2}}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:{_NAME}\s*\.\s*)*({_NAME})",
    re.IGNORECASE,
)
#: A literal, a quoted name, a comment, or the `;` that ends a statement.
_PIECE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|;", re.DOTALL)
_WORD = re.compile(r"[\w$]+")


def shrinkings(ddl: str, question: str, gold: str) -> list[str]:
    """Ever shorter forms of the DDL, the whole of it not among them; the last is its first line."""
    kept = statements(ddl)
    needed = _words(question) | _words(gold)
    forms = []
    for dropped in _drop_order(kept, needed):
        kept[dropped] = ""
        forms.append("".join(kept).strip("\n"))
    rest = (forms[-1] if forms else ddl).rstrip().split("\n")
    forms += ["\n".join(rest[:count]) for count in range(len(rest) - 1, 0, -1)]
    return forms


def statements(ddl: str) -> list[str]:
    """The DDL cut after each `;`, literals and comments left whole; joined they give the DDL again."""
    cuts = [match.end() for match in _PIECE.finditer(ddl) if match.group() == ";"]
    bounds = [0, *cuts, len(ddl)]
    return [ddl[start:stop] for start, stop in pairwise(bounds) if start < stop]


def _drop_order(parts: list[str], needed: set[str]) -> Iterator[int]:
    """Places of the statements that are not needed; one statement always stays."""
    names = [_table_name(part) for part in parts]
    loose = [at for at, name in enumerate(names) if name is None]
    unneeded = [at for at, name in enumerate(names) if name is not None and not name <= needed]
    spare = [*reversed(loose), *reversed(unneeded)]
    yield from spare if len(spare) < len(parts) else spare[:-1]


def _table_name(statement: str) -> set[str] | None:
    """The words of the table's name (without its schema), None when the statement makes no table."""
    match = _TABLE.search(statement)
    return _words(match.group(1)) if match else None


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
