"""Gold against generated: as data, clause by clause, and as lines with the changed tokens marked.

Three questions, each answered by itself: whether the two are proved to mean the same, whether they mean the
same as far as what a DDL states is also true of the data (and which of ASSUMPTIONS that takes), and what is
left to see between them. Texts of which one does not parse are compared as they are, token by token.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from t2s_tui.sql.changes import Change, Clause, compare_trees
from t2s_tui.sql.dialects import SqlSyntaxError, Unparsed, generate, parse
from t2s_tui.sql.normalize import Level, canonical_tree, orders_rows, unordered

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = [
    "Change",
    "Clause",
    "DiffLine",
    "QueryDiff",
    "compare",
    "diff_lines",
    "diff_sql",
    "diff_text",
    "side_by_side",
]

Sign = Literal[" ", "-", "+"]
_TOKEN = re.compile(r"\s+|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\w+(?:\.\w+)*|<>|!=|<=|>=|\|\||.", re.DOTALL)
_ALIKE = 0.5  # lines less alike than this are a removal and an addition, not one changed line
_INDENT = "  "


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


@dataclass(frozen=True, slots=True)
class QueryDiff:
    """How two queries differ.

    `same` is "proof" when their canonical forms are equal, "realistic" when they are equal under
    `assumptions` (words for a person, the fewest that do), else empty. `lines` are what a person reads: no
    line has a sign where the two are the same. `changes` are the pieces as they are written, also where an
    assumption explains what differs. Texts that do not parse have no `changes`.
    """

    changes: tuple[Change, ...]
    lines: tuple[DiffLine, ...]
    same: Literal["", "proof", "realistic"] = ""
    assumptions: tuple[str, ...] = ()
    gold_unparsed: Unparsed | None = None
    generated_unparsed: Unparsed | None = None

    @property
    def changed(self) -> tuple[Change, ...]:
        """The pieces that are written differently."""
        return tuple(change for change in self.changes if not change.same)


@lru_cache(maxsize=512)
def compare(
    gold: str, generated: str, dialect: str, ddl: str | None = None, ordered: bool | None = None
) -> QueryDiff:
    """The difference of two queries. Takes some 20 ms; the last results are kept.

    `ordered` says whether the order of rows matters (None: when gold's own outermost query orders). Where it
    does not, an outermost ORDER BY without a LIMIT says nothing.
    """
    left, right = _parsed(gold, dialect), _parsed(generated, dialect)
    if isinstance(left, Unparsed) or isinstance(right, Unparsed):
        broken = [side if isinstance(side, Unparsed) else None for side in (left, right)]
        lines = diff_lines(gold.strip().splitlines(), generated.strip().splitlines())
        return QueryDiff((), tuple(lines), "", (), *broken)
    try:
        return _compare(left, right, dialect, ddl, orders_rows(left) if ordered is None else ordered)
    except SqlSyntaxError:
        return QueryDiff((), tuple(diff_lines(gold.strip().splitlines(), generated.strip().splitlines())))


def diff_sql(gold: str, generated: str, dialect: str, ddl: str | None = None) -> list[DiffLine]:
    """The lines of the diff; lines that are all " " mean no difference is left after normalising."""
    return list(compare(gold, generated, dialect, ddl).lines)


def side_by_side(lines: Sequence[DiffLine]) -> list[tuple[DiffLine | None, DiffLine | None]]:
    """Lines as (gold, generated): an unchanged line on both sides, runs of "-" beside the runs of "+" after
    them, None where a side has no line."""
    rows: list[tuple[DiffLine | None, DiffLine | None]] = []
    minus: list[DiffLine] = []
    plus: list[DiffLine] = []
    for line in [*lines, None]:
        if line is None or line.sign == " " or (line.sign == "-" and plus):
            rows += zip_longest(minus, plus)
            minus, plus = [], []
        if line is not None and line.sign == " ":
            rows.append((line, line))
        elif line is not None:
            (minus if line.sign == "-" else plus).append(line)
    return rows


def diff_text(diff: QueryDiff) -> str:
    """The diff as text, one line a line with its sign; what was assumed stands above it."""
    head = [f"  the same if {' and '.join(diff.assumptions)}"] if diff.assumptions else []
    return "\n".join([*head, *(f"{line.sign} {line.text}".rstrip() for line in diff.lines)])


def _parsed(sql: str, dialect: str) -> exp.Expr | Unparsed:
    try:
        return parse(sql, dialect)
    except SqlSyntaxError as error:
        return Unparsed(error.position, error.message)


def _compare(gold: exp.Expr, generated: exp.Expr, dialect: str, ddl: str | None, ordered: bool) -> QueryDiff:
    if not ordered:
        gold, generated = unordered(gold), unordered(generated)

    def equal(level: Level, assumed: Collection[str] | None = None) -> bool:
        one, other = (
            generate(canonical_tree(tree.copy(), dialect, ddl, level, (), assumed), dialect)
            for tree in (gold, generated)
        )
        return one == other

    if equal("proof"):
        itself = clearest_changes(gold, gold, dialect, ddl)
        return QueryDiff(itself, tuple(_lines(itself)), "proof")
    changes = clearest_changes(gold, generated, dialect, ddl)
    if equal("realistic"):
        itself = clearest_changes(gold, gold, dialect, ddl)
        return QueryDiff(changes, tuple(_lines(itself)), "realistic", _fewest(equal))
    return QueryDiff(changes, tuple(_lines(changes)))


#: Rules that look at the whole query: where only one of two queries gives them occasion, they make pieces
#: differ that were written alike.
_OF_THE_WHOLE = (
    "counts",
    "group",
    "group as distinct",
    "distinct",
    "not null",
    "left joins that filter",
    "joins that add nothing",
    "rows with themselves",
)


def clearest_changes(
    gold: exp.Expr, generated: exp.Expr, dialect: str, ddl: str | None, level: Level = "shown"
) -> tuple[Change, ...]:
    """The pieces of two trees in forms that can be read side by side: joins in gold's order, columns with
    their table in both where one needs it; with or without the rules that look at the whole, whichever
    leaves fewer pieces that differ."""
    from sqlglot import exp

    order = tuple(dict.fromkeys(table.name.lower() for table in gold.find_all(exp.Table)))
    alone = all(len(list(tree.find_all(exp.Table))) == 1 for tree in (gold, generated))
    base = () if alone else ("lone qualifiers",)

    def changes(*without: str) -> tuple[Change, ...]:
        left, right = (
            canonical_tree(tree.copy(), dialect, ddl, level, (*base, *without), order=order)
            for tree in (gold, generated)
        )
        return tuple(compare_trees(left, right, dialect))

    def differing(found: tuple[Change, ...]) -> int:
        return sum(not change.same for change in found)

    whole = changes()
    return whole if differing(whole) <= 1 else min(whole, changes(*_OF_THE_WHOLE), key=differing)


def _fewest(equal: object) -> tuple[str, ...]:
    """The words of the assumptions that are needed: each is left out as long as the forms stay equal."""
    from t2s_tui.sql.canonical.context import ASSUMPTIONS

    assert callable(equal)
    needed = list(ASSUMPTIONS)
    for name in ASSUMPTIONS:
        fewer = [other for other in needed if other != name]
        if equal("realistic", frozenset(fewer)):
            needed = fewer
    return tuple(ASSUMPTIONS[name] for name in needed)


def _lines(changes: Sequence[Change]) -> Iterator[DiffLine]:
    """The changes as lines; the first piece of a clause on each side has its word, the others its `then`."""
    begun: dict[Sign, set[tuple[int, str]]] = {"-": set(), "+": set()}
    for change in changes:
        pad = _INDENT * change.indent
        place = (change.indent, str(change.clause))
        if change.clause not in (Clause.ON, Clause.WHERE, Clause.HAVING):
            # A new source or clause: what follows at this depth begins anew.
            for side in begun.values():
                side -= {known for known in side if known[0] >= change.indent}
        words = {}
        for sign, text in (("-", change.gold), ("+", change.generated)):
            if text is not None:
                first = place not in begun[sign]  # type: ignore[index]
                begun[sign].add(place)  # type: ignore[index]
                words[sign] = pad + (change.word if first else change.then)
        if change.gold is not None and change.generated is not None:
            left, right = words["-"] + change.gold, words["+"] + change.generated
            if change.same:
                yield DiffLine(" ", ((left, False),))
            else:
                yield from _changed(left, right)
        elif change.gold is not None:
            yield DiffLine("-", ((words["-"] + change.gold, True),))
        elif change.generated is not None:
            yield DiffLine("+", ((words["+"] + change.generated, True),))


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
    left, right = ([t for t in _TOKEN.findall(line) if not t.isspace()] for line in (a, b))
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


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
