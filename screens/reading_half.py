"""One prediction beside the list it is in: question and diff above, the evidence of its verdicts below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from screens.evidence_pane import EvidencePane
from screens.example_detail import ExampleDetail, Reading
from widgets.frame import Pane


class ReadingHalf(Vertical):
    """Two panes that scroll apart: the evidence stays in sight, however long the diff is."""

    SCOPED_CSS = False  # the width of the screen decides
    DEFAULT_CSS = """
    ReadingHalf { width: 3fr; height: 1fr; }
    .-narrow ReadingHalf { display: none; }
    .-narrow.-in-detail ReadingHalf { display: block; width: 1fr; }
    ReadingHalf.-zoomed-out { display: none; }
    """

    def compose(self) -> ComposeResult:
        with Pane(title="Example", id="detail", classes="-detail"):
            yield ExampleDetail()
        yield EvidencePane()

    @property
    def example(self) -> ExampleDetail:
        """Question, diff, tables."""
        return self.query_one(ExampleDetail)

    @property
    def evidence(self) -> EvidencePane:
        """The verdicts."""
        return self.query_one(EvidencePane)

    def show(self, reading: Reading | None, ascii_only: bool) -> None:
        """Show the prediction; None shows nothing."""
        self.query_one("#detail", Pane).pane_title = reading.title if reading else "Example"
        if reading is None:
            self.example.clear()
            self.evidence.clear()
        else:
            self.example.show(reading)
            self.evidence.show(reading.row.example.id, reading.verdicts, ascii_only)

    def fit_zoom(self) -> None:
        """Take no room while the pane that has the whole screen is not one of these."""
        self.set_class(all(pane.has_class("-zoomed-out") for pane in self.query(Pane)), "-zoomed-out")
        # The evidence has 60% of the height at most, and all of it when it has the screen.
        self.evidence.styles.max_height = (
            "100%" if self.query_one("#detail").has_class("-zoomed-out") else "60%"
        )
