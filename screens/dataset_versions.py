"""A new version of the dataset that is open, without the rows that are marked."""

from __future__ import annotations

import time
from functools import partial

from screens.confirm import ConfirmScreen
from screens.dataset_audit import DatasetAudit
from t2s_tui.datasets.clean import Cleaned, Cleaning, clean_dataset, next_version
from t2s_tui.records import Dataset
from t2s_tui.text import duration


class DatasetVersions(DatasetAudit):
    """A room that can leave the marked rows out. Subclasses say what happens with the new dataset."""

    def __init__(self) -> None:
        super().__init__()
        self._making: tuple[str, float] | None = None  # the version that is written, and since when

    def _go_to_dataset(self, name: str) -> None:
        """Stand on the new dataset in the catalogue."""
        raise NotImplementedError

    def action_version(self) -> None:
        """Ask, then write the rows that are not marked as a dataset of their own."""
        table, count = self._table, len(self._marked)
        if table is None or not count or self._making is not None:
            return
        dataset = table.dataset
        cleaning = Cleaning(numbers=[index + 1 for index in sorted(self._marked)])

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
                partial(self._make, dataset, cleaning, into),
            )

        self.fetch("names", names, ask)

    def _make(self, dataset: Dataset, cleaning: Cleaning, into: str, yes: bool | None) -> None:
        if not yes:
            return
        self._making = (into, time.monotonic())
        self._show_work()
        work = partial(clean_dataset, self.workspace, dataset.name, cleaning, into=into)
        self.fetch("version", work, self._made, self._not_made)

    def _made(self, cleaned: Cleaned) -> None:
        self._making = None
        dataset = cleaned.dataset
        words = f"{dataset.name}: {dataset.size:,} rows, without {cleaned.rows:,} that were marked"
        self.notify(words, timeout=8, markup=False)
        self._show_work()
        self._go_to_dataset(dataset.name)

    def _not_made(self, _: Exception) -> None:
        self._making = None  # the toast says why
        self._show_work()

    def _work_words(self) -> str:
        if self._making is not None:
            into, since = self._making
            return f"making {into}  {duration(time.monotonic() - since)}"
        return super()._work_words()
