"""Gold against generated: signs, and what changed bold and underlined. Unified, side by side, or raw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import zip_longest

from rich.style import Style
from rich.text import Text

from t2s_tui.sql.dialects import Unparsed
from t2s_tui.sql.diff import DiffLine, compare, side_by_side
from widgets.section import Section, visible, wrapped
from widgets.sql_view import sql_text
from widgets.theme import DIM, FAIL, PASS, WARN

BESIDE = 76  # cells a pane needs for two columns that can be read
_MARK = Style(bold=True, underline=True)
_WHOLE = Style(bold=True)  # a line that is new as a whole: its sign says so, underlining it all says nothing
_COLOURS = {"-": FAIL, "+": PASS, " ": DIM}


class DiffMode(Enum):
    """What a person can look at, in the order in which the key steps through them."""

    NORMALISED = "normalised"
    BESIDE = "side by side"
    RAW = "as written"


@dataclass(frozen=True, slots=True)
class SqlPair:
    """Gold and one generated SQL with what sqlglot makes of them. No `lines` when one does not parse.

    Where the two are the same only as far as the data is as the tables state it, `assumptions` says so.
    """

    gold: str
    generated: str
    dialect: str
    lines: tuple[DiffLine, ...]
    gold_unparsed: Unparsed | None = None
    generated_unparsed: Unparsed | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing is left of the difference after normalisation."""
        return bool(self.lines) and all(line.sign == " " for line in self.lines)


@lru_cache(maxsize=512)
def read_pair(gold: str, generated: str, dialect: str, ddl: str | None = None) -> SqlPair:
    """Normalise and diff, tens of milliseconds; kept for the rows a person comes back to.

    What does not parse is a state of the pair, not an error.
    """
    diff = compare(gold, generated, dialect, ddl)
    broken = diff.gold_unparsed, diff.generated_unparsed
    lines = () if any(broken) else diff.lines
    return SqlPair(gold, generated, dialect, lines, *broken, diff.assumptions)


class SqlDiff(Section):
    """The diff as a section of a detail pane."""

    def show_pair(
        self,
        title: str | Text,
        pair: SqlPair,
        mode: DiffMode,
        *,
        lead: Text | None = None,
        with_gold: bool = True,
    ) -> None:
        """Show the pair under `lead`, if there is one; the note says which view it is, in which dialect.

        Without `with_gold` the view as written leaves gold out: it stands elsewhere.
        """

        def note(width: int) -> str:
            words = f"{view_of(pair, mode, width).value} · {pair.dialect}"
            if pair.assumptions:
                return f"{words} · the same, if"
            return f"{words} · the same once normalised" if pair.same else words

        def draw(width: int) -> list[Text]:
            before = wrapped(lead, width, "  ", "  ") if lead is not None else []
            before += assumption_lines(pair, width)
            return [*before, *pair_lines(pair, mode, width, with_gold=with_gold)]

        self.show(title, note, draw)


def assumption_lines(pair: SqlPair, width: int) -> list[Text]:
    """What must be true of the data for the two to be the same, one line each; none where nothing must."""
    return [
        line for words in pair.assumptions for line in wrapped(Text(words, style=WARN), width, "if ", "   ")
    ]


def view_of(pair: SqlPair, mode: DiffMode, width: int) -> DiffMode:
    """What is really shown: side by side needs the width, and what does not parse is shown as written."""
    if not pair.lines:
        return DiffMode.RAW
    return DiffMode.NORMALISED if mode is DiffMode.BESIDE and width < BESIDE else mode


def pair_lines(pair: SqlPair, mode: DiffMode, width: int, *, with_gold: bool = True) -> list[Text]:
    """The pair in this view at this width."""
    match view_of(pair, mode, width):
        case DiffMode.NORMALISED:
            return unified_lines(pair.lines, width)
        case DiffMode.BESIDE:
            return beside_lines(pair.lines, width)
        case DiffMode.RAW:
            gold = _raw("gold", pair.gold, pair.gold_unparsed, width)
            generated = _raw("generated", pair.generated, pair.generated_unparsed, width)
            return [*gold, *generated] if with_gold or pair.gold_unparsed else generated


def unified_lines(lines: Sequence[DiffLine], width: int) -> list[Text]:
    """One column: `-` only in gold, `+` only in generated, what is unchanged dim."""
    drawn: list[Text] = []
    for line in lines:
        drawn += _diff_line(line, width)
    return drawn


def _diff_line(line: DiffLine, width: int) -> list[Text]:
    style = _COLOURS[line.sign]
    mark = _WHOLE if all(changed for _, changed in line.spans) else _MARK
    text = Text()
    for piece, changed in line.spans:
        text.append(visible(piece) if piece.strip() else piece, style + mark if changed else style)
    indent = len(text.plain) - len(text.plain.lstrip(" "))
    body = text[indent:] if indent else text
    first = Text(f"{line.sign} ", style=style).append(" " * indent)
    return wrapped(body, width, first, Text("  " + " " * (indent + 2)))


def beside_lines(lines: Sequence[DiffLine], width: int) -> list[Text]:
    """Two columns, gold left and generated right, with runs of `-` set beside the runs of `+` after them."""
    column = (width - 3) // 2
    drawn = [_join(Text("  gold", style="bold"), Text("  generated", style="bold"), column)]
    for gold, generated in side_by_side(lines):
        pieces = [_diff_line(line, column) if line is not None else [] for line in (gold, generated)]
        drawn += [_join(a, b, column) for a, b in zip_longest(*pieces, fillvalue=Text(""))]
    return drawn


def _join(left: Text, right: Text, column: int) -> Text:
    line = left.copy()
    line.append(" " * max(0, column - line.cell_len))
    return line.append(" │ ", DIM).append_text(right)


def _raw(name: str, sql: str, unparsed: Unparsed | None, width: int) -> list[Text]:
    head = Text(f"  {name}", style="bold")
    if not sql.strip():
        return [head.append("  empty", WARN)]
    lines = [head]
    if unparsed is not None:
        lines += wrapped(Text(visible(str(unparsed)), style=WARN), width, "  ! ", "    ")
    text = sql_text(sql)
    if unparsed is not None:
        _point(text, unparsed.position.line, unparsed.position.column)
    for line in text.split("\n", allow_blank=True):
        lines += wrapped(line, width, "    ", "      ")
    return lines


def _point(text: Text, line: int, column: int) -> None:
    """Underline the character at that place, both from 1; the last one where the place is past the end."""
    starts = [0, *(i + 1 for i, c in enumerate(text.plain) if c == "\n")]
    at = starts[min(line, len(starts)) - 1] + column - 1
    at = min(at, len(text.plain) - 1)
    if at >= 0:
        text.stylize("bold underline reverse", at, at + 1)
