"""What is asked of an export, the rows that are meant, and the export itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from t2s_tui.datasets import export
from t2s_tui.datasets.audit.table import current_audit
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.export_spider import write_spider
from t2s_tui.datasets.filter import Rows, filtered_rows
from t2s_tui.datasets.marks import marked_numbers
from t2s_tui.errors import UsageError
from t2s_tui.progress import Progress, counted
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace


class ExportRequest(BaseModel):
    """Rows of one dataset as a file, for `spider` a folder.

    `form` is one of export.FORMS (None: by the ending), `split` and `query` say which rows; `prompt` is the
    template of `text-csv` and `messages`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    to: Path
    form: str | None = None
    split: str | None = None
    query: str = ""
    prompt: str = "book"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `notes` are sentences about what could not be."""

    to: Path
    form: str
    rows: int
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rendering:
    """How a row becomes the column `text`, and how it becomes chat messages: the part of the prompts."""

    text: export.Render
    messages: export.Messages


@dataclass(frozen=True, slots=True)
class Sized:
    """Rows that are read once; `most` is how many there are at the most."""

    rows: Iterable[Example]
    most: int

    def __iter__(self) -> Iterator[Example]:
        return iter(self.rows)


def chosen_rows(workspace: Workspace, name: str, split: str | None, query: str) -> Sized:
    """The rows of a split that a filter leaves, read as they are taken. Raises NotFound or UsageError.

    `is:marked` means the rows that are marked in the workbench.
    """
    with workspace.store() as store:
        dataset = store.datasets.get(name)
    if split is not None and split not in dataset.splits:
        raise UsageError(f"{name} has no split {split!r}", f"it has {', '.join(dataset.splits)}")
    table = open_examples(workspace, name)
    if not query.strip():
        found = table.split(split) if split is not None else table
        return Sized(found, len(found))
    folder = workspace.dataset_dir(name)
    audit = current_audit(folder, dataset.fingerprint)
    marked = marked_numbers(folder, dataset.fingerprint)
    rows = Rows(table.arrow, audit.arrow if audit is not None else None, marked)
    left = table.at(filtered_rows(rows, query))
    table.release()
    return Sized(left if split is None else _of_split(left, split), len(left))


def export_dataset(
    workspace: Workspace, request: ExportRequest, progress: Progress, rendering: Rendering
) -> Exported:
    """Write the rows. Raises NotFound, UsageError, T2SError when the disk refuses, JobStopped on request.

    A failure or a stop leaves what was at the place before.
    """
    form = export.form_of(request.to, request.form)
    chosen = chosen_rows(workspace, request.dataset, request.split, request.query)
    examples = counted(chosen, chosen.most, "write the rows", progress)
    if form == "spider":
        made = write_spider(request.to, examples)
        return Exported(request.to, form, made.rows, _lacking(made.without_schema))
    if form == "csv":
        rows = export.write_csv(request.to, examples)
    elif form == "text-csv":
        rows = export.write_csv(request.to, examples, rendering.text)
    elif form == "jsonl":
        rows = export.write_jsonl(request.to, examples)
    elif form == "parquet":
        rows = export.write_parquet(request.to, examples)
    else:
        rows = export.write_messages(request.to, examples, rendering.messages)
    return Exported(request.to, form, rows)


def _of_split(examples: Iterable[Example], split: str) -> Iterator[Example]:
    return (example for example in examples if example.split == split)


def _lacking(without_schema: tuple[str, ...]) -> list[str]:
    if not without_schema:
        return []
    shown = ", ".join(without_schema[:5]) + (", ..." if len(without_schema) > 5 else "")
    return [f"tables.json lacks {len(without_schema)} databases whose DDL declares no table: {shown}."]
