"""Work on a dataset from the Datasets room: a job, its progress in its own place, its stop and its end."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from textual.widgets import Static

from screens.dataset_reader import DatasetReader
from t2s_tui.jobs import launcher
from t2s_tui.jobs.board import JobView
from t2s_tui.records import Dataset, Job, RunState
from t2s_tui.text import duration

#: Jobs that are about one dataset and shown over its list, with their words while they run.
WORK = {"audit": "audit of", "split": "split of", "clean": "a version of", "export": "export of"}


class DatasetJobs(DatasetReader):
    """A room that has a dataset worked on. Subclasses say which one is meant and what an end means."""

    def __init__(self) -> None:
        super().__init__()
        self._started: set[str] = set()  # jobs whose end is told here

    @property
    def _meant(self) -> Dataset | None:
        """The dataset that is open, or under the cursor of the catalogue."""
        raise NotImplementedError

    def _work_done(self, view: JobView) -> None:
        """A job that was started here is done: say what came of it."""

    def _dataset_changed(self, view: JobView) -> None:
        """A job about the dataset that is open has ended, whoever started it."""

    # -- starting and stopping ----------------------------------------------------------------

    def _start_work(self, kind: str, request: dict[str, Any]) -> None:
        title = f"{kind} {request['dataset']}"
        self.fetch(kind, partial(launcher.submit, self.workspace, kind, title, request), self._work_started)

    def _work_started(self, job: Job) -> None:
        self._started.add(job.id)
        self.bench.read_board()
        self._show_work()

    def action_stop_work(self) -> None:
        """Stop what runs on this dataset: it stays as it was, and the results of its last audit too."""
        view = self._running_work()
        if view is None:
            return

        def stopped(_: JobView) -> None:
            self.notify(f"The {view.job.kind} was asked to stop.", markup=False)
            self.bench.read_board()

        self.fetch("stop", partial(launcher.stop, self.workspace, view.job.id), stopped)

    def _running_work(self) -> JobView | None:
        """The job on the dataset that is meant, while it runs."""
        dataset = self._meant
        if dataset is None:
            return None
        running = (v for v in self.bench.jobs if v.job.kind in WORK and not v.status.state.ended)
        return next((v for v in running if v.job.request.get("dataset") == dataset.name), None)

    # -- its progress and its end -------------------------------------------------------------

    def _tick(self) -> None:
        super()._tick()
        if self.is_current:
            self._show_work()

    def _show_work(self) -> None:
        """What is being made of the dataset, under the title of the list; no line while nothing is."""
        words, line = self._work_words(), self.query_one("#work-line", Static)
        if line.display != bool(words):
            line.display = bool(words)
            self.refresh_bindings()
        if words:
            line.update(f"{'*' if self.bench.ascii_only else '⠿'} {words}", layout=False)

    def _work_words(self) -> str:
        view = self._running_work()
        if view is None:
            return ""
        status = view.status
        done = (
            f"{status.label}  {status.done:,}/{status.total:,}"
            if status.total
            else status.label or "starting"
        )
        eta = status.figures.get("eta_seconds")
        left = f"  {duration(eta)} left" if isinstance(eta, int | float) and eta >= 1 else ""
        passed = duration(time.time() - (status.started_at or view.job.created_at))
        what = f"{WORK[view.job.kind]} {view.job.request.get('dataset')}"
        return f"{what}  {done}  {passed}{left}  A stops it"

    def jobs_changed(self, changed: list[JobView]) -> None:
        self._show_work()
        for view in changed:
            if view.job.kind not in WORK or not view.status.state.ended:
                continue
            if view.job.id in self._started:
                self._started.discard(view.job.id)
                self._tell_end(view)
            if self._table is not None and view.job.request.get("dataset") == self._table.dataset.name:
                self._dataset_changed(view)

    def _tell_end(self, view: JobView) -> None:
        if view.status.state is RunState.DONE:
            self._work_done(view)
        elif view.status.error:
            words = f"{view.job.title} {view.status.state}: {view.status.error}"
            self.notify(words, severity="error", timeout=12, markup=False)
        elif view.status.state is RunState.STOPPED:
            self.notify(f"{view.job.title} was stopped: nothing was changed.", markup=False)
