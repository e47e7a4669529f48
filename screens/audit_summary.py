"""An audit as a whole: counts by finding and distributions; enter on a line filters the rows to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from t2s_tui.datasets.audit.findings import KINDS
from widgets.grid import Cell, Column, Grid
from widgets.theme import BOLD, DIM, WARN

_BAR = 20  # cells of a share of all rows
#: Title of a distribution, its key in the summary, and the filter field of its values.
_DISTRIBUTIONS = (
    ("hardness", "hardness", "hard"),
    ("joins", "joins", "join"),
    ("nested queries", "nesting", "nest"),
    ("aggregates", "aggregates", "agg"),
    ("questions in", "question_language", "lang"),
    ("DDL in", "ddl_language", ""),
    ("dialect", "dialects", "dialect"),
    ("SQL uses", "features", ""),
    ("golds run", "golds", ""),
)


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """A line of the view. `query` is the filter that gives its rows, empty where there is none."""

    title: str
    value: str
    rows: int | None = None
    note: str = ""
    query: str = ""


def summary_lines(summary: Mapping[str, Any]) -> list[SummaryLine]:
    """The findings, worst first, then the distributions, the token lengths and the unusual rows."""
    lines = [
        SummaryLine("findings" if at == 0 else "", kind, rows, KINDS[kind], f"finding:{kind}")
        for at, (kind, rows) in enumerate(summary["findings"].items())
    ] or [SummaryLine("findings", "none", 0)]
    for title, key, field in _DISTRIBUTIONS:
        for at, (value, rows) in enumerate(summary[key].items()):
            query = f"{field}:{value}" if field else ""
            lines.append(SummaryLine(title if at == 0 else "", value, rows, "", query))
    lines += _token_lines(summary["tokens"])
    for at, odd in enumerate(summary["unusual"]):
        number = odd["number"]
        lines.append(
            SummaryLine("unusual" if at == 0 else "", f"#{number}", None, odd["why"], f"row:{number}")
        )
    return lines


def _token_lines(tokens: Mapping[str, Any] | None) -> list[SummaryLine]:
    if not tokens:
        return []
    lines = [
        SummaryLine("tokens" if name == "median" else "", words, None, f"{tokens[name]:,}", query)
        for name, words, query in (
            ("median", "median", ""),
            ("p95", "95% up to", f"tokens:>{tokens['p95']}"),
            ("most", "most", f"tokens:{tokens['most']}"),
        )
    ]
    if tokens["block_size"]:
        cut = f"longer than {tokens['block_size']:,}"
        lines.append(SummaryLine("", cut, tokens["cut"], "", f"tokens:>{tokens['block_size']}"))
    return lines


def summary_head(dataset: str, summary: Mapping[str, Any], current: bool) -> str:
    """`ko   112 rows, 12 with findings   audited in 3.1 s`."""
    parts = [
        dataset,
        f"{summary['rows']:,} rows, {summary['with_findings']:,} with findings",
        f"audited in {summary.get('seconds', 0):g} s",
    ]
    return "   ".join([*parts, *([] if current else ["of the rows as they were: audit again"])])


class AuditSummaryScreen(ModalScreen[str | None]):
    """The lines over the screen. Closes with the filter of the line under the cursor, or with None."""

    DEFAULT_CSS = """
    AuditSummaryScreen { align: center middle; }
    AuditSummaryScreen > Vertical {
        width: 110; max-width: 98%; height: auto; max-height: 94%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    AuditSummaryScreen .summary--head { text-style: bold; height: 1; }
    AuditSummaryScreen .summary--keys { color: $text-muted; height: 1; }
    AuditSummaryScreen Grid { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,v,q", "dismiss", "close")]

    def __init__(self, dataset: str, summary: Mapping[str, Any], *, current: bool, ascii_only: bool) -> None:
        super().__init__()
        self._head = summary_head(dataset, summary, current)
        self._rows = max(1, int(summary["rows"]))
        self._lines = summary_lines(summary)
        self._current = current
        self._block = "#" if ascii_only else "▇"

    def compose(self) -> ComposeResult:
        keys = "enter shows the rows  j/k move  esc close" if self._current else "j/k move  esc close"
        with Vertical():
            yield Static(self._head, classes="summary--head", markup=False)
            yield Grid(self._columns())
            yield Static(keys, classes="summary--keys", markup=False)

    def _columns(self) -> list[Column]:
        return [
            Column("", 14),
            Column("", 16),
            Column("rows", 9, right=True),
            Column("", 6, right=True),
            Column(""),
        ]

    def on_mount(self) -> None:
        grid = self.query_one(Grid)
        grid.styles.height = min(len(self._lines) + 1, max(4, self.app.size.height * 94 // 100 - 5))
        grid.show(len(self._lines), self._cells)

    def _cells(self, at: int) -> Sequence[Cell]:
        line = self._lines[at]
        if line.rows is None:
            return (Text(line.title, BOLD), line.value, "", "", Text(line.note, DIM))
        share = line.rows / self._rows
        last = Text(self._block * max(1, round(share * _BAR)) if line.rows else "")
        found = line.query.startswith("finding:")
        if line.note:
            last = Text(line.note, DIM)
        value = Text(line.value, WARN) if found else line.value
        return (Text(line.title, BOLD), value, f"{line.rows:,}", f"{100 * share:.1f}%", last)

    def on_grid_opened(self, message: Grid.Opened) -> None:
        message.stop()
        query = self._lines[message.row].query
        if query and self._current:
            self.dismiss(query)
