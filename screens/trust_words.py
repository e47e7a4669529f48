"""How far the verdicts agree, as lines under the review queue. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from t2s_tui.evaluation.trust import Corrected, Table
from widgets.section import wrapped
from widgets.theme import DIM


def trust_lines(made: Sequence[Table], shown: int, found: Corrected | None, width: int) -> list[Text]:
    """A line for every two metrics, the 2 x 2 table of the one that is `shown`, the corrected accuracy."""
    if not made:
        return wrapped(
            Text("No two metrics have a word on the same row: E in Inspect runs more.", DIM), width, "  "
        )
    lines = [Text(f"  {'':<24}{'agree':>7}{'kappa':>7}{'rows':>7}", DIM)]
    for index, table in enumerate(made):
        kappa = "–" if table.kappa is None else f"{table.kappa:.2f}"
        words = f"{table.a} · {table.b}"
        line = Text(f"  {words:<24}{100 * table.agreement:>6.1f}%{kappa:>7}{table.count:>7}")
        line.stylize("bold" if index == shown else "")
        lines.append(line)
    lines += [Text(""), *table_lines(made[shown])]
    if found is not None:
        advice = ": s draws some for you." if found.share is None else "."
        lines += [Text(""), *wrapped(Text(found.words + advice), width, "  ", "  ")]
    return lines


def table_lines(table: Table) -> list[Text]:
    """The counts of both yes, one yes, none."""
    head = Text(f"  {'':<16}{table.b + ' yes':>16}{'no':>8}", DIM)
    first = Text(f"  {table.a + ' yes':<16}{table.both:>16}{table.only_a:>8}")
    second = Text(f"  {table.a + ' no':<16}{table.only_b:>16}{table.neither:>8}")
    return [head, first, second]
