"""Auditing from the Datasets room: the job, its progress in its own place, its end, and its summary."""

from __future__ import annotations

import time
from functools import partial

from textual.widgets import Static

from screens.audit_form import AuditForm
from screens.audit_summary import AuditSummaryScreen
from screens.dataset_reader import DatasetReader
from screens.row_table import RowTable
from screens.row_tokens import local_models
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.table import AuditTable, read_audit
from t2s_tui.errors import NotFound
from t2s_tui.jobs import launcher
from t2s_tui.jobs.board import JobView
from t2s_tui.prompts.templates import list_templates
from t2s_tui.records import Dataset, Job, RunState
from t2s_tui.text import duration


class DatasetAudit(DatasetReader):
    """A room that audits the dataset that is meant. Subclasses say which one and open it."""

    def __init__(self) -> None:
        super().__init__()
        self._auditing: set[str] = set()  # jobs whose end is told here

    @property
    def _meant(self) -> Dataset | None:
        """The dataset that is open, or under the cursor of the catalogue."""
        raise NotImplementedError

    def _open_filtered(self, dataset: Dataset, query: str) -> None:
        """Show the rows of the dataset that the filter leaves."""
        raise NotImplementedError

    # -- the job ------------------------------------------------------------------------------

    def action_audit(self) -> None:
        """Ask what to look at, then start the audit in the background."""
        dataset = self._meant
        if dataset is None:
            return
        prompts = [template.name for template in list_templates(self.workspace)]
        form = AuditForm(dataset.name, local_models(self.workspace), prompts)
        self.app.push_screen(form, self._start_audit)

    def _start_audit(self, request: AuditRequest | None) -> None:
        if request is None:
            return
        title = f"audit {request.dataset}"
        start = partial(launcher.submit, self.workspace, "audit", title, request.model_dump(mode="json"))
        self.fetch("audit", start, self._audit_started)

    def _audit_started(self, job: Job) -> None:
        self._auditing.add(job.id)
        self.bench.read_board()
        self._show_work()

    def action_stop_audit(self) -> None:
        """Stop the audit that runs: the results of the last one stay."""
        view = self._running_audit()
        if view is not None:
            self.fetch("audit", partial(launcher.stop, self.workspace, view.job.id), self._audit_stopped)

    def _audit_stopped(self, _: JobView) -> None:
        self.notify("The audit was asked to stop.", markup=False)
        self.bench.read_board()

    def _running_audit(self) -> JobView | None:
        """The audit of the dataset that is meant, while it runs."""
        dataset = self._meant
        if dataset is None:
            return None
        audits = (v for v in self.bench.jobs if v.job.kind == "audit" and not v.status.state.ended)
        return next((v for v in audits if v.job.request.get("dataset") == dataset.name), None)

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
            line.update(f"{'*' if self.bench.ascii_only else '⠿'} {words}")

    def _work_words(self) -> str:
        view = self._running_audit()
        if view is None:
            return ""
        status = view.status
        done = f"{status.label}  {status.done:,}/{status.total:,}" if status.total else "starting"
        passed = duration(time.time() - (status.started_at or view.job.created_at))
        return f"audit of {view.job.request.get('dataset')}  {done}  {passed}  A stops it"

    def jobs_changed(self, changed: list[JobView]) -> None:
        self._show_work()
        for view in changed:
            if view.job.kind != "audit" or not view.status.state.ended:
                continue
            if view.job.id in self._auditing:
                self._auditing.discard(view.job.id)
                self._tell_end(view)
            if self._table is not None and view.job.request.get("dataset") == self._table.dataset.name:
                self._read_audit()

    def _tell_end(self, view: JobView) -> None:
        result = view.status.result or {}
        if view.status.state is RunState.DONE and "with_findings" in result:
            words = f"{result['with_findings']:,} of {result['rows']:,} rows have findings: v shows them"
            self.notify(f"{view.job.title}: {words}", timeout=8, markup=False)
        elif view.status.error:
            words = f"{view.job.title} {view.status.state}: {view.status.error}"
            self.notify(words, severity="error", timeout=12, markup=False)

    # -- its results --------------------------------------------------------------------------

    def _table_of(self, dataset: Dataset) -> RowTable:
        """The rows with their audit, read in a thread."""
        raise NotImplementedError

    def _read_audit(self) -> None:
        """The rows that are open have a new audit: same rows, same marks, same place."""
        table = self._table
        if table is None:
            return

        def show(again: RowTable) -> None:
            if self._table is table:
                self._table = again
                self._fit_columns()
                self._find_rows()
                self._read_row()
                self.refresh_bindings()

        self.fetch("rows", partial(self._table_of, table.dataset), show)

    def action_summary(self) -> None:
        """The audit as a whole; enter there filters the rows."""
        dataset = self._meant
        if dataset is None:
            return

        def read() -> AuditTable:
            audit = read_audit(self.workspace.dataset_dir(dataset.name))
            if audit is None:
                raise NotFound(f"{dataset.name} has not been audited", "press A to audit it")
            return audit

        def show(audit: AuditTable) -> None:
            current = audit.is_of(dataset.fingerprint)
            screen = AuditSummaryScreen(
                dataset.name, audit.summary, current=current, ascii_only=self.bench.ascii_only
            )
            self.app.push_screen(screen, take)

        def take(query: str | None) -> None:
            if query is not None:
                self._open_filtered(dataset, query)

        self.fetch("summary", read, show)
