"""The evidence of an equivalence verdict: rows on which two queries differ, or how hard none were found.

Pure functions from plain JSON to lines of Text. The JSON is what the equivalence engine keeps: class,
databases, coverage, both readings, and a counterexample whose tables say which of their rows matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from t2s_tui.records import Outcome
from widgets.evidence import MAX_ROWS, Result, flow, marks, result_of, table_lines
from widgets.section import paragraph, visible, wrapped
from widgets.theme import DIM, WARN, verdict_sign


def equivalence_note(outcome: Outcome, evidence: Mapping[str, Any]) -> str:
    """`refuted: data · 2 rows · database 3 of 40 · coverage 97%`."""
    kind, found = str(evidence.get("class") or ""), evidence.get("counterexample")
    tables = found.get("tables", ()) if isinstance(found, Mapping) else ()
    if outcome is Outcome.FAIL:
        rows = sum(len(t.get("rows", ())) for t in tables)
        parts = [f"refuted: {kind}" if kind else "refuted", _count(rows, "row") if rows else "empty tables"]
    else:
        parts = [{"not-refuted": "not refuted"}.get(kind, kind) or str(outcome)]
    databases, number = evidence.get("databases"), evidence.get("database")
    if databases:
        parts.append(f"database {number} of {databases}" if number else _count(int(databases), "database"))
    coverage = evidence.get("coverage")
    if isinstance(coverage, int | float):
        parts.append(f"coverage {100 * coverage:.0f}%")
    return " · ".join(parts)


def equivalence_lines(
    evidence: Mapping[str, Any], width: int, *, cap: int = MAX_ROWS, ascii_only: bool = False
) -> list[Text]:
    """The tables with the rows that matter marked, both results with the differing rows marked, the readings.

    `cap` is how many rows of a table are drawn. Empty where the evidence has none of this.
    """
    found = evidence.get("counterexample")
    lines = counterexample_lines(found, width, cap, ascii_only) if isinstance(found, Mapping) else []
    readings = _readings(evidence, width, ascii_only)
    if lines and readings:
        lines.append(Text(""))
    lines += readings
    mutants = evidence.get("mutants")
    if isinstance(mutants, Mapping) and mutants.get("made"):
        words = f"these databases tell gold from {mutants.get('killed')} of its {mutants.get('made')} mutants"
        lines += wrapped(Text(words, style=DIM), width, "  ", "  ")
    if engine := evidence.get("engine"):
        seed = f"  seed {evidence['seed']}" if "seed" in evidence else ""
        lines += wrapped(Text(visible(f"{engine}{seed}"), style=DIM), width, "  ", "  ")
    return lines


def counterexample_lines(found: Mapping[str, Any], width: int, cap: int, ascii_only: bool) -> list[Text]:
    """The tables in a row, then both results; more below where the width ends."""
    blocks = [_table(table, cap, ascii_only) for table in found.get("tables", ())]
    gold, other = result_of(found.get("gold")), result_of(found.get("pred"))
    left, right = _signs(gold, other, ascii_only)
    results = [
        _result("gold", found.get("gold"), gold, left, other, cap),
        _result("generated", found.get("pred"), other, right, gold, cap),
    ]
    return flow([*blocks, flow(results, width)], width)  # the two results stay together


def replay_script(evidence: Mapping[str, Any], gold: str, generated: str) -> str | None:
    """SQL that builds the counterexample and runs both queries on it; None where there is none."""
    found = evidence.get("counterexample")
    if not isinstance(found, Mapping) or not found.get("ddl"):
        return None
    statements = [str(part).rstrip("; \n") + ";" for part in (*found["ddl"], *found.get("inserts", ()))]
    # What ran may be a translation of what was written: the evidence has it.
    ran = evidence.get("ran")
    ran = ran if isinstance(ran, Mapping) else {}
    queries = [
        str(ran.get(side) or written).rstrip("; \n") + ";"
        for side, written in (("gold", gold), ("generated", generated))
    ]
    return "\n".join([*statements, "-- gold", queries[0], "-- generated", queries[1]])


def _signs(gold: Result | None, other: Result | None, ascii_only: bool) -> tuple[list[str], list[str]]:
    if gold is None or other is None:
        return [" "] * len(gold.rows if gold else ()), [" "] * len(other.rows if other else ())
    left, right = marks(gold, other, ordered=True)
    if ascii_only:
        left, right = ([sign.replace("↕", "^") for sign in side] for side in (left, right))
    return left, right


def _table(table: Mapping[str, Any], cap: int, ascii_only: bool) -> list[Text]:
    result = result_of(table)
    name = Text.assemble(("  " + visible(str(table.get("name", ""))), "bold"))
    if result is None:
        return [name]
    if not result.rows:
        return [name, Text("  (empty)", style=DIM)]
    marked, sign = set(table.get("marked", ())), ">" if ascii_only else "▸"
    signs = [sign if index in marked else " " for index in range(len(result.rows))]
    return [name, *table_lines(result, signs, None, cap)]


def _result(
    name: str, part: object, result: Result | None, signs: Sequence[str], against: Result | None, cap: int
) -> list[Text]:
    title = Text.assemble((f"  {name}", "bold"))
    if result is not None:
        return [title, *table_lines(result, signs, against, cap)]
    error = part.get("error") if isinstance(part, Mapping) else None
    return [title, *paragraph(str(error), 40, "yellow")] if error else []


def _readings(evidence: Mapping[str, Any], width: int, ascii_only: bool) -> list[Text]:
    """Both readings, in one line where they say the same."""
    strict, realistic = evidence.get("strict"), evidence.get("realistic")
    if strict == realistic:
        return _reading("both", strict, width, ascii_only)
    return [
        line
        for name, reading in (("strict", strict), ("realistic", realistic))
        for line in _reading(name, reading, width, ascii_only)
    ]


def _reading(name: str, reading: object, width: int, ascii_only: bool) -> list[Text]:
    if not isinstance(reading, Mapping) or reading.get("outcome") not in set(Outcome):
        return []
    outcome = Outcome(reading["outcome"])
    head = Text("  ").append_text(verdict_sign(outcome, ascii_only)).append(f" {name:<10}")
    words = " ".join(visible(str(reading.get("why") or outcome)).split())
    style = WARN if outcome is Outcome.UNKNOWN else ""
    return wrapped(Text(words, style=style), width, head, " " * head.cell_len)


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
