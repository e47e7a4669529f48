"""The evidence of the verdicts on one prediction, a metric at a time, and below it what each metric said."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from screens.evidence_words import evidence_note, evidence_of, first_step, steps_of, verdict_lines
from t2s_tui.records import Verdict
from widgets.detail import Detail
from widgets.frame import Pane
from widgets.section import Section
from widgets.theme import verdict_sign


class EvidencePane(Pane):
    """`step` goes to the next metric's evidence; the choice stays from row to row where there is any."""

    DEFAULT_CSS = """
    EvidencePane { height: auto; max-height: 60%; }
    EvidencePane Detail { height: auto; max-height: 100%; }
    """

    def __init__(self) -> None:
        self._evidence, self._verdicts = Section(id="evidence"), Section(id="verdicts")
        self._detail = Detail(self._evidence, self._verdicts)
        super().__init__(self._detail, title="Evidence", id="evidence-pane", classes="-detail")
        self._said: Mapping[str, Verdict] = {}
        self._chosen = ""
        self._ascii = False
        self._of = ""

    def show(self, of: str, verdicts: Mapping[str, Verdict], ascii_only: bool) -> None:
        """Show the verdicts on the example `of`; the same one again stays where it is scrolled to."""
        if of != self._of:
            self._detail.scroll_home(animate=False, immediate=True)
        self._of, self._said, self._ascii = of, verdicts, ascii_only
        self._draw()

    def clear(self) -> None:
        """Show nothing."""
        self._said = {}
        self._detail.clear()
        self.pane_title = "Evidence"

    @property
    def metric(self) -> str:
        """Whose evidence is shown; empty where no metric has any."""
        return self._chosen if self._chosen in steps_of(self._said) else first_step(self._said)

    def step(self, by: int = 1) -> bool:
        """The evidence of the next metric. False where there is no other."""
        steps = steps_of(self._said)
        if len(steps) < 2:
            return False
        self._chosen = steps[(steps.index(self.metric) + by) % len(steps)]
        self._detail.scroll_home(animate=False, immediate=True)
        self._draw()
        return True

    def _draw(self) -> None:
        said, metric, ascii_only = self._said, self.metric, self._ascii
        steps = steps_of(said)
        place = f"   {steps.index(metric) + 1} of {len(steps)}: v steps" if len(steps) > 1 else ""
        self.pane_title = f"Evidence{place}"
        if metric:
            verdict = said[metric]
            head = Text.assemble((f"{metric.capitalize()} ", "bold"))
            head.append_text(verdict_sign(verdict.outcome, ascii_only))
            self._evidence.show(
                head, evidence_note(verdict), lambda width: evidence_of(verdict, width, ascii_only=ascii_only)
            )
        else:
            self._evidence.clear()
        self._verdicts.show("Verdicts", "", lambda width: verdict_lines(said, width, ascii_only, metric))
