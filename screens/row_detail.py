"""The detail of one row: question, findings, gold, its result, tables, tokens, origin, one by one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rich.text import Text

from screens.inspect_state import sql_lines
from screens.row_reading import GoldRun, RowReading
from screens.row_tokens import CutRow, Piece
from t2s_tui.datasets.used_tables import TableText
from widgets.evidence import table_lines
from widgets.line_view import LineView, Part
from widgets.section import paragraph, visible, wrapped
from widgets.sql_view import sql_text
from widgets.theme import BOLD, DIM, WARN

RESULT_LINES = 12
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class RowDetail(LineView):
    """Sections over a `RowReading`. Whether all tables and the tokens are shown is the person's choice."""

    def __init__(self) -> None:
        super().__init__("question", "findings", "gold", "result", "tables", "tokens", "origin")
        self._reading: RowReading | None = None
        self._all_tables = False
        self._ascii = False

    def show(self, reading: RowReading, ascii_only: bool) -> None:
        """Show the row from its top; the same one again stays where the person has scrolled to."""
        before, self._reading, self._ascii = self._reading, reading, ascii_only
        example = reading.example
        parts = {
            "question": Part("Question", row_note(reading), partial(question_lines, reading)),
            "findings": findings_part(reading, ascii_only),
            "gold": Part("Gold SQL", gold_note(reading), partial(gold_lines, reading)),
            "tables": self._tables(reading),
            "origin": Part("Origin", "", partial(origin_lines, reading)),
        }
        if before is None or before.index != reading.index:
            self.scroll_to_top()
            words = "r runs it" if example.database else "no database came with this row"
            parts["result"] = Part("Result", words, lambda _: [])
        self.set_parts(parts)

    def clear(self) -> None:
        self._reading = None
        super().clear()

    def show_word(self, section: str, words: str) -> None:
        """A line in the place of the `result` or the `tokens` while there is nothing else to show."""
        self.set_part(section, Part(section.capitalize(), words, lambda _: []))

    def show_result(self, ran: GoldRun) -> None:
        """What gold returned."""
        note = f"{ran.result.size} · {ran.seconds:.2f} s" if ran.result else f"{ran.seconds:.2f} s"
        self.set_part("result", Part("Result", note, partial(result_lines, ran)))

    def show_tokens(self, cut: CutRow) -> None:
        """The prompt and the answer as tokens."""
        draw = partial(token_lines, cut, ascii_only=self._ascii)
        self.set_part("tokens", Part("Tokens", token_note(cut), draw))

    def hide_tokens(self) -> None:
        self.set_part("tokens", None)

    def toggle_tables(self) -> None:
        """Open every table, or only those that the gold uses."""
        self._all_tables = not self._all_tables
        if self._reading is not None:
            self.set_part("tables", self._tables(self._reading))

    def _tables(self, reading: RowReading) -> Part:
        draw = partial(ddl_lines, reading.tables, self._all_tables, ascii_only=self._ascii)
        return Part("Tables", tables_note(reading, self._all_tables), draw)


def row_note(reading: RowReading) -> str:
    """`#47  eval · game · hard · 2 joins · 412 tokens`."""
    example, figures = reading.example, reading.figures
    parts = [example.split, example.db_id, str(figures.get("hardness") or example.hardness)]
    for name, one, many in (("joins", "join", "joins"), ("nesting", "nested query", "nested queries")):
        if count := figures.get(name):
            parts.append(f"{count} {one if count == 1 else many}")
    if (tokens := figures.get("tokens", -1)) >= 0:
        parts.append(f"{tokens} tokens")
    return " · ".join(part for part in parts if part)


def question_lines(reading: RowReading, width: int) -> list[Text]:
    """The question; the evidence and what else the source says of the row below it, dim."""
    example = reading.example
    lines = paragraph(example.question, width)
    facts = [("evidence", example.evidence), *example.extra.items()]
    for name, value in facts:
        if value:
            text = Text(f"{visible(name)}: {visible(value)}", style=DIM)
            lines += wrapped(text, width, "  ", "    ")
    return lines


def findings_part(reading: RowReading, ascii_only: bool) -> Part | None:
    """What the audit found in the row, None where that is nothing."""
    if not reading.findings:
        return None
    count = len(reading.findings)
    title = Text(f"{count} {'finding' if count == 1 else 'findings'}", style=BOLD + WARN)
    return Part(title, "", partial(finding_lines, reading, ascii_only=ascii_only))


def finding_lines(reading: RowReading, width: int, *, ascii_only: bool) -> list[Text]:
    """A finding a line: its kind, then where and what."""
    lines: list[Text] = []
    for found in reading.findings or ():
        head = Text("  ! " if ascii_only else "  ▲ ", style=WARN)
        text = Text.assemble((found.kind, BOLD), "  ", visible(found.detail))
        if found.where:
            text.append(f"  ({visible(found.where)})", style=DIM)
        lines += wrapped(text, width, head, "    ")
    return lines


def gold_note(reading: RowReading) -> str:
    """The dialect, and how many other golds are as right."""
    others = len(reading.example.accepted)
    more = f" · {others} more accepted" if others else ""
    return f"{reading.example.dialect}{more}"


def gold_lines(reading: RowReading, width: int) -> list[Text]:
    """The statement highlighted; the other accepted ones as they are written."""
    lines = sql_lines(reading.gold, width)
    if reading.trouble:
        lines += wrapped(Text(visible(reading.trouble), style=WARN), width, "  ! ", "    ")
    for other in reading.example.accepted:
        lines += [Text("  or", style=DIM), *sql_lines(other, width)]
    return lines


def result_lines(ran: GoldRun, width: int) -> list[Text]:
    """The rows as a table, or why there are none."""
    if ran.result is None:
        return wrapped(Text(visible(ran.trouble), style=WARN), width, "  ! ", "    ")
    lines = table_lines(ran.result, [" "] * len(ran.result.rows), None, RESULT_LINES)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def tables_note(reading: RowReading, every: bool) -> str:
    """`2 of 5 used, * their columns · t opens all`."""
    used = sum(table.used for table in reading.tables)
    count = sum(bool(table.name) for table in reading.tables)
    words = f"{used} of {count} used" + (", * their columns" if used else "")
    return words if used in (0, count) else f"{words} · t {'closes the others' if every else 'opens all'}"


def ddl_lines(tables: tuple[TableText, ...], every: bool, width: int, *, ascii_only: bool) -> list[Text]:
    """Tables that the gold uses stand open, their used columns marked; the others are a line each."""
    opened, closed = ("v ", "> ") if ascii_only else ("▾ ", "▸ ")
    lines: list[Text] = []
    for table in tables:
        if table.name and not table.used and not every and any(other.used for other in tables):
            lines.append(
                _fitted(Text(f"  {closed}{visible(table.name)}  {_columns(table)}", style=DIM), width)
            )
            continue
        for at, line in enumerate(table.lines):
            used = at in table.used_lines
            head = Text(f"  {opened}") if at == 0 else Text("  * " if used else "    ")
            text = sql_text(line)
            if used:
                text.stylize(BOLD)
            lines += wrapped(text, width, head, "      ")
    return lines


def _columns(table: TableText) -> str:
    return f"{table.columns} column" if table.columns == 1 else f"{table.columns} columns"


def _fitted(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    return line


def token_note(cut: CutRow) -> str:
    """`412: 380 of the prompt, 32 scored`."""
    whole = cut.prompt_tokens + cut.answer_tokens
    return f"{whole}: {cut.prompt_tokens} of the prompt, {cut.answer_tokens} scored"


def token_lines(cut: CutRow, width: int, *, ascii_only: bool) -> list[Text]:
    """The prompt dim, the scored answer bold behind a bar; `|` between tokens, a raised count at a piece
    that took several."""
    bar, border = ("| ", "|") if ascii_only else ("▌ ", "│")
    lines = wrapped(_pieces(cut.prompt, border, ascii_only), width, "  ", "  ")
    for line in lines:
        line.stylize(DIM)
    answer = _pieces(cut.answer[:-1], border, ascii_only)
    answer.append(border, DIM)
    if cut.answer:
        answer.append(cut.answer[-1][0], "reverse")
    scored = wrapped(answer, width, bar, bar)
    for line in scored:
        line.stylize(BOLD, len(bar))
    how = Text(f"prompt {cut.prompt_name}, tokenizer of {visible(cut.model)}", style=DIM)
    return [*wrapped(how, width, "  ", "  "), *lines, *scored]


def _pieces(pieces: tuple[Piece, ...], border: str, ascii_only: bool) -> Text:
    text = Text()
    for at, (piece, count) in enumerate(pieces):
        if at and not text.plain.endswith("\n"):
            text.append(border, DIM)
        shown = visible(piece) if piece.strip("\n") else ""
        text.append(shown)
        if count > 1:
            text.append(f"^{count}" if ascii_only else str(count).translate(_SUPERSCRIPT), DIM)
        if breaks := piece.count("\n"):
            text.append(("~" if ascii_only else "⏎") * breaks, DIM).append("\n")
    return text


def origin_lines(reading: RowReading, width: int) -> list[Text]:
    """Where the row came from, its database and its id."""
    example = reading.example
    database = example.database or "none came with it"
    if example.database and not Path(example.database).exists():
        database = f"{example.database} (it is no longer there)"
    lines: list[Text] = []
    for name, value in (("from", example.origin), ("database", database), ("id", example.id)):
        lines += wrapped(Text(visible(value)), width, Text(f"  {name:<9}", style=DIM), " " * 11)
    return lines
