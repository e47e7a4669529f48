"""Auditing from the Datasets room: its form, its end, its findings in the rows, and its summary."""

from __future__ import annotations

from functools import partial

from screens.audit_form import AuditForm
from screens.audit_summary import AuditSummaryScreen
from screens.dataset_jobs import DatasetJobs
from screens.row_table import RowTable
from screens.row_tokens import local_models
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.table import AuditTable, read_audit
from t2s_tui.errors import NotFound
from t2s_tui.jobs.board import JobView
from t2s_tui.prompts.templates import list_templates
from t2s_tui.records import Dataset


class DatasetAudit(DatasetJobs):
    """A room that audits the dataset that is meant. Subclasses say which one and open it."""

    def _open_filtered(self, dataset: Dataset, query: str) -> None:
        """Show the rows of the dataset that the filter leaves."""
        raise NotImplementedError

    def action_audit(self) -> None:
        """Ask what to look at, then start the audit in the background."""
        dataset = self._meant
        if dataset is None:
            return
        prompts = [template.name for template in list_templates(self.workspace)]
        form = AuditForm(dataset.name, local_models(self.workspace), prompts)
        self.app.push_screen(form, self._start_audit)

    def _start_audit(self, request: AuditRequest | None) -> None:
        if request is not None:
            self._start_work("audit", request.model_dump(mode="json"))

    def _work_done(self, view: JobView) -> None:
        result = view.status.result or {}
        if view.job.kind == "audit" and "with_findings" in result:
            words = f"{result['with_findings']:,} of {result['rows']:,} rows have findings: v shows them"
            self.notify(f"{view.job.title}: {words}", timeout=8, markup=False)
        else:
            super()._work_done(view)

    def _dataset_changed(self, view: JobView) -> None:
        if view.job.kind == "audit":
            self._read_audit()
        else:
            super()._dataset_changed(view)

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
