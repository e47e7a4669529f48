"""The evidence of an execution verdict: both results as aligned tables, what differs marked.

Pure functions from plain JSON to lines of Text. Rows and values are equal when execution accuracy says so;
a row is marked only where the other result is known whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.style import Style
from rich.text import Text

from t2s_tui.evaluation.result_rows import row_key, value_key
from t2s_tui.text import clip, one_line
from widgets.section import paragraph, visible, wrapped
from widgets.theme import BOLD, DIM, FAIL, PASS, WARN

MAX_ROWS = 8  # lines of a table in the detail pane; the whole of it is one key away
MAX_CELL = 24  # cells of the widest column
_GAP = 3
_STYLES: Mapping[str, Style] = {"-": FAIL, "+": PASS, "▸": BOLD, ">": BOLD}

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One query's result as the evidence keeps it: at most its first rows, and how many there were."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    count: int
    truncated: bool = False  # the query was stopped at its row cap: there are more than `count`

    @property
    def whole(self) -> bool:
        return self.count <= len(self.rows) and not self.truncated

    @property
    def size(self) -> str:
        if self.truncated:
            return f"more than {self.count:,} rows"
        return f"{self.count:,} row" if self.count == 1 else f"{self.count:,} rows"


def result_of(part: object) -> Result | None:
    """The result in one side of the evidence; None where there is none (an error, another metric)."""
    if not isinstance(part, Mapping) or "columns" not in part:
        return None
    rows = tuple(tuple(row) for row in part.get("rows", ()))
    count = int(part.get("count", len(rows)))
    return Result(tuple(map(str, part["columns"])), rows, count, bool(part.get("truncated")))


def marks(gold: Result, other: Result, *, ordered: bool = False) -> tuple[list[str], list[str]]:
    """A sign a row of each: `-` only in gold, `+` only in the other.

    `↕` marks the rows that stand elsewhere where both have the same ones and `ordered` says that it matters.
    """
    left, right = [row_key(r) for r in gold.rows], [row_key(r) for r in other.rows]
    if gold.whole and other.whole and Counter(left) == Counter(right):
        moved = ["↕" if ordered and a != b else " " for a, b in zip(left, right, strict=True)]
        return moved, list(moved)
    return (
        _only(left, right, "-") if other.whole else [" "] * len(left),
        _only(right, left, "+") if gold.whole else [" "] * len(right),
    )


def _only(mine: Sequence[Row], theirs: Sequence[Row], sign: str) -> list[str]:
    left = Counter(theirs)
    signs = []
    for key in mine:
        signs.append(" " if left[key] > 0 else sign)
        left[key] -= 1
    return signs


def table_lines(result: Result, signs: Sequence[str], against: Result | None, cap: int) -> list[Text]:
    """The table with a sign column; of a longer one the marked rows first, `…` where rows are left out."""
    if not result.columns:
        return [Text("  (no columns)", style=DIM)]
    shown = _choose(signs, cap)
    cells = [[_cell(v) for v in result.rows[i]] for i in shown]
    widths, right = _shape(result, cells)
    lines = [_line(" ", [Text(one_line(c), style="underline") for c in result.columns], widths, right)]
    before = -1
    for index, row in zip(shown, cells, strict=True):
        if index > before + 1:
            lines.append(Text(f"  … {_rows(index - before - 1)}", style=DIM))
        before = index
        changed = _changed(result.rows[index], index, against) if signs[index] in "-+" else set()
        style = _STYLES.get(signs[index], DIM)
        for column, cell in enumerate(row):
            cell.stylize(style)
            if column in changed:
                cell.stylize("bold underline")
        lines.append(_line(signs[index], row, widths, right, style))
    if not result.rows:
        lines.append(Text("  (no rows)", style=DIM))
    left_out = result.count - (before + 1)
    if left_out > 0 and result.rows:
        lines.append(Text(f"  … {_rows(left_out)}", style=DIM))
    return lines


def _rows(count: int) -> str:
    return f"{count:,} more row" if count == 1 else f"{count:,} more rows"


def _choose(signs: Sequence[str], cap: int) -> list[int]:
    """Which rows to draw, in their order: those that are marked, then the others from the top."""
    if len(signs) <= cap:
        return list(range(len(signs)))
    marked = [i for i, s in enumerate(signs) if s != " "]
    plain = [i for i, s in enumerate(signs) if s == " "]
    return sorted((marked + plain)[:cap])


def _changed(row: Row, index: int, against: Result | None) -> set[int]:
    """Columns whose value is not what stands at the same place of the other result."""
    other = against.rows[index] if against and index < len(against.rows) else ()
    if len(other) != len(row):
        return set(range(len(row)))
    same = [value_key(a) == value_key(b) for a, b in zip(row, other, strict=True)]
    return {i for i, equal in enumerate(same) if not equal} or set(range(len(row)))


def _cell(value: Any) -> Text:
    if value is None:
        return Text("NULL", style="italic")
    if isinstance(value, str):
        text = one_line(value)
        # Text that reads like a number is quoted: '1' and 1 differ, and a reader must see it.
        return Text(clip(repr(text) if _number_like(text) or not text else text, MAX_CELL))
    return Text(clip(f"{value:.10g}" if isinstance(value, float) else str(value), MAX_CELL))


def _number_like(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shape(result: Result, cells: Sequence[Sequence[Text]]) -> tuple[list[int], list[bool]]:
    """(width, right-aligned) of each column: numbers stand right."""
    widths, right = [], []
    for i, name in enumerate(result.columns):
        column = [row[i].cell_len for row in cells if i < len(row)]
        widths.append(min(MAX_CELL, max([Text(one_line(name)).cell_len, *column])))
        values = [row[i] for row in result.rows if i < len(row) and row[i] is not None]
        right.append(bool(values) and all(isinstance(v, int | float) for v in values))
    return widths, right


def _line(
    sign: str, row: Sequence[Text], widths: Sequence[int], right: Sequence[bool], style: Any = ""
) -> Text:
    line = Text(f"{sign} ", style="", no_wrap=True)
    line.stylize(style, 0, 1)
    for cell, width, at_right in zip(row, widths, right, strict=False):
        cell = cell.copy()
        cell.truncate(width, overflow="ellipsis")
        pad = Text(" " * (width - cell.cell_len))
        line.append_text(pad + cell if at_right else cell + pad)
        line.append("  ")
    return line


def evidence_lines(
    evidence: Mapping[str, Any],
    width: int,
    *,
    cap: int = MAX_ROWS,
    ordered: bool = False,
    same: bool = False,
    ascii_only: bool = False,
) -> list[Text]:
    """Both results side by side where they fit, else one below the other; the error where one failed.

    `ordered` says that the same rows in another order are a difference, `same` that the metric found none:
    a mode may pass rows that are not the same to the letter. Notes of the metric come last, and why a pass
    is weak.
    """
    gold, other = result_of(evidence.get("gold")), result_of(evidence.get("generated"))
    signs: tuple[list[str], list[str]] = ([" "] * len(gold.rows) if gold else [], [])
    if other and gold and not same:
        signs = marks(gold, other, ordered=ordered)
    elif other:
        signs = (signs[0], [" "] * len(other.rows))
    if ascii_only:
        signs = ([s.replace("↕", "^") for s in signs[0]], [s.replace("↕", "^") for s in signs[1]])
    left = _side("gold", evidence.get("gold"), gold, signs[0], other, cap, width)
    right = _side("generated", evidence.get("generated"), other, signs[1], gold, cap, width)
    weak = (f"a weak pass: {reason}" for reason in evidence.get("weak_because", ()))
    notes = [
        line
        for note in (*evidence.get("notes", ()), *weak)
        for line in wrapped(Text(visible(str(note)), style=WARN), width, "  ! ", "    ")
    ]
    return [*flow([left, right], width), *notes]


def flow(blocks: Sequence[Sequence[Text]], width: int) -> list[Text]:
    """Blocks of lines side by side as far as they fit, the others below, an empty line between the rows."""
    lines: list[Text] = []
    band: list[Text] = []
    for block in blocks:
        if not block:
            continue
        column = max((line.cell_len for line in band), default=-_GAP) + _GAP
        if band and column + max(line.cell_len for line in block) <= width:
            band = _beside(band, block, column)
            continue
        lines += [*band, Text("")] if band else []
        band = [line.copy() for line in block]
    return [_clipped(line, width) for line in (*lines, *band)]


def _side(
    name: str,
    part: object,
    result: Result | None,
    signs: Sequence[str],
    against: Result | None,
    cap: int,
    width: int,
) -> list[Text]:
    if result is not None:
        title = Text.assemble((f"  {name}", "bold"), (f"  {result.size}", DIM))
        return [title, *table_lines(result, signs, against, cap)]
    if isinstance(part, Mapping) and part.get("error"):
        lines = paragraph(str(part["error"]), min(width, 60))
        for line in lines:
            line.stylize(WARN)
        return [Text.assemble((f"  {name}", "bold"), ("  did not run", WARN)), *lines]
    return []


def _clipped(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def _beside(left: Sequence[Text], right: Sequence[Text], column: int) -> list[Text]:
    lines = []
    for i in range(max(len(left), len(right))):
        line = left[i].copy() if i < len(left) else Text("")
        line.append(" " * (column - line.cell_len))
        if i < len(right):
            line.append_text(right[i])
        lines.append(line)
    return lines
