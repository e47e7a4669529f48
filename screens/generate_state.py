"""What the Generate screen keeps and computes: drafts, the row of a question, running SQL. No Textual."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.errors import DataError, T2SError
from t2s_tui.generation.models import BUNDLED, list_models
from t2s_tui.records import Dataset, Example, TrainingRun
from t2s_tui.workspace import Workspace

NO_ADAPTER = "none"
_STOPS = {
    "eos": "it ended by itself",
    "statement": "the statement was complete",
    "length": "it was cut at the limit of new tokens",
    "endpoint": "the endpoint ended it",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a person chose and typed. `dataset` and `example` name the row it was taken from."""

    model: str = BUNDLED
    adapter: str = NO_ADAPTER
    prompt: str = "book"
    dialect: str = "sqlite"
    question: str = ""
    ddl: str = ""
    dataset: str = ""
    example: str = ""

    @property
    def values(self) -> dict[str, str]:
        """What stands in the fields and editors."""
        return {name: value for name, value in asdict(self).items() if name not in ("dataset", "example")}


def draft_path(workspace: Workspace) -> Path:
    """Where what was typed is kept between two starts of the workbench."""
    return workspace.root / "drafts" / "generate.json"


def load_draft(workspace: Workspace) -> Draft:
    """The draft of the last time, a fresh one where there is none. An unreadable one is as good as none."""
    try:
        values = json.loads(draft_path(workspace).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return Draft()
    if not isinstance(values, dict):
        return Draft()
    known = asdict(Draft())
    return replace(Draft(), **{k: v for k, v in values.items() if k in known and isinstance(v, str)})


def save_draft(workspace: Workspace, draft: Draft) -> None:
    """Replace the draft on disk, at once or not at all. Raises DataError when the disk refuses."""
    path = draft_path(workspace)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        partial.write_text(json.dumps(asdict(draft), ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise DataError(
            f"The draft of the question could not be saved ({error.strerror or error})",
            "free some space; what you typed stays on the screen",
        ) from error


def find_example(workspace: Workspace, dataset: str, example_id: str) -> Example:
    """The row. Raises NotFound or DataError when it is not there."""
    found = open_examples(workspace, dataset).find(example_id)
    if found is None:
        raise DataError(f"{dataset} has no row {example_id} any more", "take another with r")
    return found


def stop_words(stopped: str) -> str:
    """Why decoding ended, for a person."""
    return _STOPS.get(stopped, stopped)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a query: `ran` is the SQL as SQLite got it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    seconds: float
    ran: str

    @property
    def words(self) -> str:
        """`3 rows in 2 ms`."""
        count = f"first {len(self.rows):,} rows" if self.truncated else f"{len(self.rows):,} rows"
        count = "1 row" if len(self.rows) == 1 and not self.truncated else count
        return f"{count} in {self.seconds * 1000:.0f} ms"


def run_sql(sql: str, dialect: str, database: str | None) -> Ran:
    """Run a model's SQL read-only on a SQLite database, translated if it is in another dialect.

    Raises T2SError: there is no database, the SQL is refused, does not parse, fails, or takes too long.
    """
    from t2s_tui.evaluation.sandbox import QueryRefused, run_query
    from t2s_tui.sql.dialects import translate
    from t2s_tui.sql.guard import refuse_reason

    if not sql.strip():
        raise DataError("There is no SQL to run", "press f5 to ask for some")
    if database is None:
        raise DataError("This question has no database to run on", "take a row that has one with r")
    reason = refuse_reason(sql, dialect)
    if reason:
        raise QueryRefused(f"The SQL was refused: {reason}")
    ran = translate(sql, dialect, "sqlite")
    result = run_query(Path(database), ran)
    return Ran(result.columns, result.rows, result.truncated, result.seconds, ran)


def error_words(error: BaseException) -> str:
    """One sentence; whatever is unexpected keeps its type."""
    return str(error) if isinstance(error, T2SError) else f"Unexpected {type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to choose from in this workspace."""

    models: tuple[str, ...] = (BUNDLED,)
    runs: tuple[TrainingRun, ...] = ()  # those with a finished adapter, newest first
    prompts: tuple[str, ...] = ("book",)
    dialects: tuple[str, ...] = ("sqlite",)
    datasets: tuple[Dataset, ...] = ()
    predictions: tuple[str, ...] = ()  # names that are taken

    @property
    def adapters(self) -> tuple[str, ...]:
        """`none`, then the runs."""
        return (NO_ADAPTER, *(run.name for run in self.runs))

    def run(self, name: str) -> TrainingRun | None:
        """The finished run of that name."""
        return next((run for run in self.runs if run.name == name), None)


def read_known(workspace: Workspace) -> Known:
    """Look through the workspace. Raises T2SError."""
    from t2s_tui.prompts.templates import list_templates
    from t2s_tui.sql.dialects import DIALECTS

    with workspace.store() as store:
        runs, datasets, sets = store.runs.all(), store.datasets.all(), store.predictions.sets()
    listed = [ref.spec for ref in list_models(workspace)]
    return Known(
        models=tuple(dict.fromkeys([BUNDLED, *listed, *(run.model for run in runs)])),
        runs=tuple(run for run in reversed(runs) if run.adapter_path is not None),
        prompts=tuple(template.name for template in list_templates(workspace)),
        dialects=tuple(DIALECTS),
        datasets=tuple(datasets),
        predictions=tuple(made.name for made in sets),
    )
