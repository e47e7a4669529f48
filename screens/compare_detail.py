"""Gold, and what two models made of it, each against gold."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from screens.compare_state import Paired, verdict_note
from screens.inspect_state import sql_lines
from t2s_tui.evaluation.review import load_verdicts
from t2s_tui.records import Example, Prediction, Verdict
from t2s_tui.workspace import Workspace
from widgets.detail import Detail
from widgets.section import Section, paragraph
from widgets.sql_diff import BESIDE, DiffMode, SqlDiff, SqlPair, read_pair
from widgets.theme import DIM


@dataclass(frozen=True, slots=True)
class Side:
    """One model's answer: None where it has none (yet)."""

    name: str
    prediction: Prediction | None
    verdict: Verdict | None
    pair: SqlPair | None


@dataclass(frozen=True, slots=True)
class BothAnswers:
    """All that the detail shows of one example."""

    example: Example
    metric: str
    a: Side
    b: Side

    def as_sql(self) -> str:
        """Gold, A and B as one piece of SQL with comments that say which is which."""
        parts = [f"-- #{self.example.number} gold\n{self.example.gold}"]
        for letter, side in (("A", self.a), ("B", self.b)):
            sql = side.prediction.sql if side.prediction else ""
            parts.append(f"-- {letter} {side.name}\n{sql}")
        return "\n".join(parts)


def read_both(workspace: Workspace, paired: Paired, example: Example) -> BothAnswers:
    """Read the evidence and make the two diffs: tens of milliseconds, so not where the screen is drawn."""
    sides = []
    for made, answers in zip((paired.a, paired.b), paired.answers, strict=True):
        prediction = answers.get(example.id)
        verdict = load_verdicts(workspace, made.name, example.id).get(paired.metric)
        pair = read_pair(example.gold, prediction.sql, example.dialect, example.ddl) if prediction else None
        sides.append(Side(made.name, prediction, verdict, pair))
    return BothAnswers(example, paired.metric, sides[0], sides[1])


class CompareDetail(Detail):
    """Question, gold, A and B one below the other."""

    def __init__(self) -> None:
        self._question, self._gold = Section(id="question"), Section(id="gold")
        self._a, self._b = SqlDiff(id="diff-a"), SqlDiff(id="diff-b")
        super().__init__(self._question, self._gold, self._a, self._b)
        self._both: BothAnswers | None = None
        self._mode = DiffMode.NORMALISED
        self._ascii = False

    def show(self, both: BothAnswers, ascii_only: bool) -> None:
        """Show the example from its top; the same one again stays where the person has scrolled to."""
        before, self._both, self._ascii = self._both, both, ascii_only
        if before is None or before.example.id != both.example.id:
            self.scroll_home(animate=False, immediate=True)
        example = both.example
        self._question.show("Question", "", lambda width: paragraph(example.question, width))
        self._gold.show("Gold", "as written", lambda width: sql_lines(example.gold, width))
        self._show_sides()

    def clear(self) -> None:
        self._both = None
        super().clear()

    def next_view(self) -> None:
        """The next view of the diffs, passing over side by side where it has no room."""
        room = self._a.content_size.width or self.size.width - 2
        views = [v for v in DiffMode if v is not DiffMode.BESIDE or room >= BESIDE]
        at = views.index(self._mode) if self._mode in views else -1
        self._mode = views[(at + 1) % len(views)]
        self._show_sides()

    def _show_sides(self) -> None:
        if self._both is None:
            return
        for letter, side, section in (("A", self._both.a, self._a), ("B", self._both.b, self._b)):
            title = Text.assemble((f"{letter} {side.name}", "bold"))
            word = verdict_note(side.verdict, self._both.metric, self._ascii)
            if side.pair is None:
                section.show(title, "", lambda width: [Text("  no prediction for this row", style=DIM)])
            else:
                section.show_pair(title, side.pair, self._mode, lead=word, with_gold=False)
