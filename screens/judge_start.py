"""Asking a judge: about a set, about one row again, about those without an answer."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.confirm import ConfirmScreen
from screens.evaluate_form import EvaluateForm
from screens.job_actions import JobActions
from screens.judge_requests import Asked
from screens.judge_state import judge_name
from t2s_tui.evaluation.left import MISSING
from t2s_tui.evaluation.request import EvaluateRequest
from t2s_tui.jobs.launcher import submit
from t2s_tui.records import Job, Outcome


class JudgeStart(JobActions):
    """A room that shows evaluations with a judge, and the requests of the one that is selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("E", "evaluate", "start"),
        Binding("a", "ask_again", "ask again", key_display="a/A"),
        Binding("A", "ask_missing", "ask the missing again", show=False),
    ]
    _set_name: str | None = None
    _wanted: str = ""  # the job to show once it is there
    _asked: list[Asked]

    def _chosen_request(self) -> Asked | None:
        """The request under the cursor."""
        raise NotImplementedError

    def action_evaluate(self) -> None:
        """Ask a judge about this set: what has its verdict already is not asked again."""
        view = self._selected()
        name = self._set_name or (str(view.job.request.get("predictions", "")) if view else "")
        if not name:
            self.notify("Open a prediction set in Inspect first (5): a there comes back here.", markup=False)
            return
        form = EvaluateForm(self.workspace, name, view.job.request if view else {}, only_judge=True)
        self.app.push_screen(form, self._submit)

    def _submit(self, request: EvaluateRequest | None) -> None:
        if request is None:
            return

        def started(job: Job) -> None:
            self._wanted = job.id
            self.bench.read_board()

        title = f"evaluate {request.predictions}"
        start = partial(submit, self.workspace, "evaluate", title, request.model_dump(mode="json"))
        self.fetch("submit", start, started)

    def action_ask_again(self) -> None:
        """Ask about the row under the cursor once more, also where the journal has an answer."""
        if (one := self._chosen_request()) is not None:
            example = one.example
            self._again(f"Ask about #{example.number} again?", [example.id], reuse=False)

    def action_ask_missing(self) -> None:
        """Ask again what has no word that counts, and nothing else."""
        missing = sum(one.outcome is Outcome.MISSING for one in self._asked)
        if missing:
            self._again(f"Ask the {missing} without an answer again?", [MISSING], reuse=True)
        else:
            self.notify("No request is without an answer.", markup=False)

    def _again(self, question: str, only: list[str], *, reuse: bool) -> None:
        view = self._selected()
        if view is None:
            return
        request = EvaluateRequest.model_validate(view.job.request)
        assert request.judge is not None
        judge = request.judge.model_copy(update={"reuse": reuse})
        again = request.model_copy(update={"metrics": ["judge"], "only": only, "judge": judge, "redo": False})

        def act(yes: bool | None) -> None:
            if yes:
                self._submit(again)

        self.app.push_screen(ConfirmScreen(question, judge_name(view.job.request)), act)
