"""The audit of one dataset: every row by itself, then all rows with one another, then the results on disk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from t2s_tui.datasets.audit import ranking
from t2s_tui.datasets.audit.cross import NONE, Keys, Shared, compare, in_another_split
from t2s_tui.datasets.audit.examine import Examined, Figures
from t2s_tui.datasets.audit.findings import AuditedRow, Finding
from t2s_tui.datasets.audit.pairs import PairFindings
from t2s_tui.datasets.audit.parts import Parts, databases_stamp, joined
from t2s_tui.datasets.audit.ports import MakeGoldRunner, MakeTokenCounter
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.similar import THRESHOLD
from t2s_tui.datasets.audit.summary import Tally, by_kind
from t2s_tui.datasets.audit.table import VERSION, write_audit
from t2s_tui.datasets.audit.workers import STRETCH, Setup, Workers
from t2s_tui.datasets.catalogue import ExampleTable, read_examples
from t2s_tui.datasets.databases import changed_databases
from t2s_tui.datasets.locks import catalogue_lock
from t2s_tui.errors import DataError
from t2s_tui.progress import Progress, stop_if_asked
from t2s_tui.workspace import Workspace

_ODDEST = 20
_SAY_EVERY = 2000
_STRETCHES, _KEEP = 10, 5.0  # stretches, or seconds, after which what was examined is kept on disk


def audit_dataset(
    workspace: Workspace,
    request: AuditRequest,
    progress: Progress,
    *,
    run_golds: MakeGoldRunner | None = None,
    count_tokens: MakeTokenCounter | None = None,
    counted_by: str = "",
) -> dict[str, Any]:
    """Audit a dataset and keep the results beside it; returns the summary (see summary.py).

    Raises NotFound, DataError when the dataset changes meanwhile, JobStopped on request: then the results of
    the last audit stay, and the same audit asked for again goes on where this one was. `counted_by` is said
    with the request: other tokens are other results.
    """
    started = time.monotonic()
    with workspace.store() as store:
        dataset = store.datasets.get(request.dataset)
    folder = workspace.dataset_dir(dataset.name)
    table = read_examples(folder)
    setup = Setup(folder, run_golds if request.run_golds else None, count_tokens, request.block_size)
    about = {
        "version": VERSION,
        "fingerprint": dataset.fingerprint,
        "request": request.model_dump(mode="json", exclude={"processes"}),
        "counted_by": counted_by,
        "databases": databases_stamp(dataset.databases),
    }
    with (
        Parts(folder, about) as parts,
        Workers(setup, len(table), request.processes, progress.stop_requested) as workers,
    ):
        audit = _Audit(table, progress)
        audit.examine(workers, parts)
        audit.compare(workers)
        summary = audit.summary(request) | {
            "changed_databases": changed_databases(dataset.databases),
            "seconds": round(time.monotonic() - started, 1),
        }
        with catalogue_lock(workspace), workspace.store() as store:
            if store.datasets.get(dataset.name).fingerprint != dataset.fingerprint:
                raise DataError(f"The dataset {dataset.name} was changed during its audit", "audit it again")
            write_audit(folder, audit.rows(parts), fingerprint=dataset.fingerprint, summary=summary)
        parts.finished()
    return summary


class _Waiting:
    """Stretches on their way to the disk, several to a part: also when the work is stopped between two."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stretches: list[Examined] = []
        self._kept = time.monotonic()

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(self, *error: object) -> None:
        self._keep()

    def add(self, stretch: Examined) -> None:
        self._stretches.append(stretch)
        if len(self._stretches) == _STRETCHES or time.monotonic() - self._kept > _KEEP:
            self._keep()

    def _keep(self) -> None:
        if self._stretches:
            self._parts.add(joined(self._stretches))
        self._stretches, self._kept = [], time.monotonic()


class _Audit:
    """One audit as it goes: numbers of every row in memory, the rows themselves in files."""

    _figures: Figures
    _shared: Shared
    _odd: tuple[Any, Any]

    def __init__(self, table: ExampleTable, progress: Progress) -> None:
        self._table, self._progress = table, progress
        self._tally = Tally()
        self._kinds: Counter[str] = Counter()
        self._splits, splits = table.codes("split")
        self._databases, databases = table.codes("db_id")
        self._split_of, self._database_of = np.array(splits), np.array(databases)

    def examine(self, workers: Workers, parts: Parts) -> None:
        """Every row by itself; the rows go to `parts`, their figures stay. What is there already is taken."""
        figures: list[Figures] = []
        for part in parts:
            self._took(part, figures)
        begun = done = sum(len(part.found) for part in figures)
        first = 0.0  # when the first stretch was done: processes take a while to start
        with _Waiting(parts) as waiting:
            for number, stretch in enumerate(workers.examine(begun, len(self._table)), start=1):
                waiting.add(stretch)
                self._took(stretch, figures)
                done += len(stretch.rows)
                first = first or time.monotonic()
                pace = (time.monotonic() - first) / max(1, done - begun - STRETCH)
                left = round(pace * (len(self._table) - done), 1) if number > 5 else None
                self._step(done, "look at each row", left=left)
        self._figures = Figures.joined(figures)
        self._odd = ranking.unusual(self._figures.lengths)

    def _took(self, part: Examined, figures: list[Figures]) -> None:
        figures.append(part.figures)
        self._tally.add(part)
        for row in part.rows:
            self._kinds.update(row.kinds.split())

    def compare(self, workers: Workers) -> None:
        """All rows with one another."""
        keys = Keys(self._split_of, self._database_of, self._figures.questions, self._figures.bands)
        golds = self._normal_golds(workers)
        questions = self._table.arrow["question"]

        def question(row: int) -> str:
            return str(questions[row].as_py())

        def say(pairs: int) -> None:
            self._table.release()
            stop_if_asked(self._progress)
            self._progress.step(len(self._table), len(self._table), f"compare {pairs:,} pairs of questions")

        self._shared = compare(keys, golds, question, say)
        for kind, others in self._shared.columns().items():
            self._kinds[kind] = int((others != NONE).sum())
            self._figures.found[others != NONE] = True
        self._pairs = PairFindings(self._shared, keys, self._figures.golds, self._splits, self._databases)
        self._foreign = self._other_language()

    def rows(self, parts: Parts) -> Iterator[AuditedRow]:
        """The rows with everything that was found, in the order of the dataset."""
        scores = self._odd[0]
        main = self._tally.main_language
        for index, row in enumerate(parts.rows()):
            found = [*row.findings, *self._pairs.of(index)]
            if self._foreign[index]:
                language = row.question_language
                found.append(Finding("language", "question", f"it is in {language}, most are in {main}"))
            whole = replace(row, findings=tuple(found))
            if index % _SAY_EVERY == 0:
                self._step(index, "write the results")
            yield replace(whole, worst=round(whole.weight + float(scores[index]), 4))
        self._step(len(self._table), "write the results")

    def summary(self, request: AuditRequest) -> dict[str, Any]:
        """The audit as a whole (see summary.py)."""
        tokens = self._tally.tokens(
            tokenizer=request.tokenizer, prompt=request.prompt, block_size=request.block_size
        )
        return {
            "rows": len(self._table),
            "databases": len(self._databases),
            "splits": {name: int((self._split_of == code).sum()) for code, name in enumerate(self._splits)},
            "findings": by_kind(self._kinds),
            "with_findings": int(self._figures.found.sum()),
            **self._tally.summary(),
            "max_rows": request.max_rows,
            "near": THRESHOLD,
            "tokens": tokens,
            "unusual": self._unusual(),
        }

    def _normal_golds(self, workers: Workers) -> Any:
        """64-bit keys of the golds, normalised where another split has a gold of the same shape.

        Normalising is the dearest step of all, so it is left out where nothing could come of it, and a gold
        that several rows of a database have is normalised once.
        """
        figures = self._figures
        elsewhere = in_another_split(figures.shapes, self._split_of) != NONE
        rows = np.flatnonzero(elsewhere & (figures.shapes != 0))
        alike = figures.golds[rows] ^ self._database_of[rows].astype(np.uint64)
        _, first, group = np.unique(alike, return_index=True, return_inverse=True)
        chosen = rows[first].tolist()
        tasks = [chosen[at : at + STRETCH] for at in range(0, len(chosen), STRETCH)]
        found: list[int] = []
        for some in workers.normal_golds(tasks):
            found += some
            self._step(len(found), "normalise golds", total=len(chosen))
        golds = figures.golds.copy()
        golds[rows] = np.array(found, dtype=np.uint64)[group]
        return golds

    def _other_language(self) -> Any:
        main = self._tally.main_language
        foreign = (self._figures.languages != main) & (self._figures.languages != "") & bool(main)
        self._kinds["language"] = int(foreign.sum())
        self._figures.found[foreign] = True
        return foreign

    def _unusual(self) -> list[dict[str, Any]]:
        scores, columns = self._odd
        lengths = self._figures.lengths
        middle = np.median(lengths, axis=0)
        odd = [at for at in np.argsort(-scores, kind="stable")[:_ODDEST].tolist() if columns[at] >= 0]
        return [
            {"number": at + 1, "why": ranking.words(lengths[at].tolist(), middle.tolist(), int(columns[at]))}
            for at in odd
        ]

    def _step(self, done: int, label: str, *, total: int | None = None, left: float | None = None) -> None:
        stop_if_asked(self._progress)
        figures = {"eta_seconds": left} if left is not None else {}
        self._progress.step(done, len(self._table) if total is None else total, label, **figures)
