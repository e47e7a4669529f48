"""What is made of the dataset that is meant: other splits, a file, a version without the marked rows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from screens.confirm import ConfirmScreen
from screens.dataset_audit import DatasetAudit
from screens.export_form import ExportForm
from screens.split_form import SplitForm
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.clean import CleanRequest, next_version
from t2s_tui.datasets.export_request import ExportRequest
from t2s_tui.datasets.marks import write_marks
from t2s_tui.datasets.split_request import SplitRequest
from t2s_tui.jobs.board import JobView
from t2s_tui.prompts.templates import list_templates
from t2s_tui.records import Dataset
from widgets.filter_line import FilterBar

_MOST_DATABASES = 20_000  # of a dataset: more are no list to choose from


class DatasetVersions(DatasetAudit):
    """A room that splits, exports and cleans. Subclasses say what happens with a new dataset."""

    def _go_to_dataset(self, name: str) -> None:
        """Stand on the new dataset in the catalogue."""
        raise NotImplementedError

    # -- other splits -------------------------------------------------------------------------

    def action_split(self) -> None:
        """Ask how, then deal the rows out in the background."""
        dataset = self._meant
        if dataset is None:
            return

        def read() -> list[str]:
            column = open_examples(self.workspace, dataset.name).arrow["db_id"]
            names = column.unique()
            return sorted(names.to_pylist()) if len(names) <= _MOST_DATABASES else []

        def ask(databases: list[str]) -> None:
            self.app.push_screen(SplitForm(dataset, databases), self._start_split)

        self.fetch("databases", read, ask)

    def _start_split(self, request: SplitRequest | None) -> None:
        if request is not None:
            self._keep_marks()
            self._start_work("split", request.model_dump(mode="json"))

    # -- a file -------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Ask where to and which rows, then write them in the background."""
        dataset = self._meant
        if dataset is None:
            return
        self._keep_marks()
        query = self.query_one(FilterBar).query_text if self._table is not None else ""
        prompts = [template.name for template in list_templates(self.workspace)]
        self.app.push_screen(ExportForm(dataset, query, prompts), self._ask_export)

    def _ask_export(self, request: ExportRequest | None) -> None:
        if request is None:
            return

        def start(yes: bool | None = True) -> None:
            if yes:
                self._start_work("export", request.model_dump(mode="json"))

        if request.to.exists():
            question = f"Replace {request.to.name}?"
            self.app.push_screen(ConfirmScreen(question, f"{request.to} is there already."), start)
        else:
            start()

    # -- a version without the marked rows ----------------------------------------------------

    def action_version(self) -> None:
        """Ask, then write the rows that are not marked as a dataset of their own."""
        table, count = self._table, len(self._marked)
        if table is None or not count:
            return
        dataset = table.dataset

        def names() -> set[str]:
            with self.workspace.store() as store:
                return {known.name for known in store.datasets.all()}

        def ask(taken: set[str]) -> None:
            into = next_version(dataset.name, taken)
            rows = "1 marked row" if count == 1 else f"{count:,} marked rows"
            self.app.push_screen(
                ConfirmScreen(
                    f"Make {into} without {rows}?",
                    f"{dataset.name} stays as it is: {into} has {dataset.size - count:,} of its "
                    f"{dataset.size:,} rows, and remembers which went.",
                ),
                partial(self._make, dataset, into, frozenset(self._marked)),
            )

        self.fetch("names", names, ask)

    def _make(self, dataset: Dataset, into: str, marked: frozenset[int], yes: bool | None) -> None:
        if not yes:
            return
        # The job reads the marks where they are kept: a million numbers are no request.
        folder = self.workspace.dataset_dir(dataset.name)
        request = CleanRequest(dataset=dataset.name, into=into, marked=True)
        self.fetch(
            "marks",
            partial(write_marks, folder, dataset.fingerprint, marked),
            lambda _: self._start_work("clean", request.model_dump(mode="json")),
        )

    # -- what came of it ----------------------------------------------------------------------

    def _work_done(self, view: JobView) -> None:
        result = view.status.result or {}
        if view.job.kind == "split":
            splits = " · ".join(f"{name} {rows:,}" for name, rows in result["splits"].items())
            self.notify(f"{result['dataset']}: {splits}", timeout=8, markup=False)
        elif view.job.kind == "export":
            rows = "1 row" if result["rows"] == 1 else f"{result['rows']:,} rows"
            notes = "".join(f"\n{note}" for note in result["notes"])
            self.notify(f"Wrote {rows} to {Path(result['file'])}.{notes}", timeout=12, markup=False)
        elif view.job.kind == "clean":
            words = f"{result['dataset']}: {result['rows']:,} rows, without {result['dropped']:,}"
            self.notify(f"{words} that were marked", timeout=8, markup=False)
            if self._meant is not None and self._meant.name == view.job.request["dataset"]:
                self._go_to_dataset(result["dataset"])  # else the person is at something else by now
        else:
            super()._work_done(view)
