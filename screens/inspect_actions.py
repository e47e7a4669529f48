"""What a person does to the verdicts of the open set: overrule them, evaluate, watch them fill in."""

from __future__ import annotations

import time
from functools import partial

from screens.base import WorkbenchScreen
from screens.evaluate_form import EvaluateForm
from screens.inspect_state import concerns, last_judge
from screens.note import NoteScreen
from t2s_tui.evaluation.human import Word, put_back, say
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.evaluation.review import Review, ReviewRow, load_review, refresh_outcomes
from t2s_tui.jobs.board import JobView
from t2s_tui.jobs.launcher import submit
from t2s_tui.records import Job, Outcome, Verdict

_LIVE = 1.0  # seconds between two looks at the verdicts of a running evaluation


class VerdictScreen(WorkbenchScreen):
    """A room over one prediction set. Subclasses say which row is meant, draw, and bind the keys."""

    def __init__(self) -> None:
        super().__init__()
        self._review: Review | None = None
        self._wanted: str | None = None  # the set that is open or being opened
        self._undo: list[tuple[str, str, int, Verdict | None]] = []
        self._stale = False
        self._started_here: set[str] = set()

    def on_mount(self) -> None:
        self.set_interval(_LIVE, self._live)

    @property
    def _row(self) -> ReviewRow | None:
        """The prediction that is meant."""
        raise NotImplementedError

    def _show_review(self, review: Review) -> None:
        """Draw what was read."""
        raise NotImplementedError

    def _load(self, name: str) -> None:
        self.fetch("review", partial(load_review, self.workspace, name), self._show_review)

    # -- a person's verdict -------------------------------------------------------------------

    @property
    def drawn(self) -> str:
        """How a person comes upon the rows of this room: kept with the verdict, for calibration."""
        return "inspect"

    def action_human(self, word: str) -> None:
        """Record that this prediction is right or wrong, whatever the metrics say."""
        if self._row is not None:
            self._say(self._row, Word(Outcome(word), drawn=self.drawn))

    def action_noted(self, word: str) -> None:
        """The same with a note: why it is right or wrong."""
        row = self._row
        if row is None:
            return
        said = "right" if word == Outcome.PASS else "wrong"

        def write(note: str | None) -> None:
            if note is not None:
                self._say(row, Word(Outcome(word), note, self.drawn))

        self.app.push_screen(NoteScreen(f"#{row.example.number} is {said}, because"), write)

    def _say(self, row: ReviewRow, word: Word) -> None:
        if self._review is None:
            return
        name, example = self._review.made.name, row.example

        def done(before: Verdict | None) -> None:
            self._undo.append((name, example.id, example.number, before))
            self.said(row)
            self._refresh_verdicts()

        # A name of its own: a second verdict must not overtake the first one's undo.
        write = partial(say, self.workspace, name, example.id, word)
        self.fetch(f"human {time.monotonic_ns()}", write, done)

    def said(self, row: ReviewRow) -> None:
        """A person's verdict on the row is recorded."""

    def action_undo(self) -> None:
        """Take the last verdict of a person back."""
        if not self._undo:
            self.notify("Nothing to undo.", markup=False)
            return
        name, example_id, number, before = self._undo.pop()

        def done(_: None) -> None:
            words = "your verdict is taken back"
            if before is not None:
                words = f"your verdict is {'right' if before.outcome is Outcome.PASS else 'wrong'} again"
            self.notify(f"#{number}: {words}", markup=False)
            self._refresh_verdicts()

        write = partial(put_back, self.workspace, name, example_id, before)
        self.fetch(f"human {time.monotonic_ns()}", write, done)

    # -- evaluating ---------------------------------------------------------------------------

    def action_evaluate(self) -> None:
        """Choose metrics and start an evaluation in the background."""
        if self._review is None:
            return
        has_database = any(row.example.database for row in self._review.rows)
        name, last = self._review.made.name, last_judge(self.bench.jobs)
        form = EvaluateForm(self.workspace, name, last, has_database=has_database)
        self.app.push_screen(form, self._submit)

    def _submit(self, request: EvaluateRequest | None) -> None:
        if request is None:
            return
        title = f"evaluate {request.predictions}"
        start = partial(submit, self.workspace, "evaluate", title, request.model_dump(mode="json"))
        self.fetch("submit", start, self._started)

    def _started(self, job: Job) -> None:
        self._started_here.add(job.id)
        self.notify(f"{job.title} has started: the verdicts fill in here.", markup=False)
        self.bench.read_board()

    def jobs_changed(self, changed: list[JobView]) -> None:
        if self._wanted is not None and any(concerns(view, self._wanted) for view in changed):
            self._stale = True
        for view in changed:
            if view.job.id in self._started_here and view.status.state.ended:
                self._started_here.discard(view.job.id)
                if view.status.error:
                    words = f"{view.job.title} {view.status.state}: {view.status.error}"
                    self.notify(words, severity="error", timeout=12, markup=False)

    def _live(self) -> None:
        if self._stale and self.is_current and self._review is not None:
            self._stale = False
            if self._review.complete:
                self._refresh_verdicts()
            else:
                self._load(self._review.made.name)

    def _refresh_verdicts(self) -> None:
        if self._review is not None:
            self.fetch("review", partial(refresh_outcomes, self.workspace, self._review), self._show_review)
