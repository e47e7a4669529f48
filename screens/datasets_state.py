"""What the Datasets room says of a dataset, as plain values. No Textual here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.text import Text

from screens.inspect_state import SetRow, read_sets
from screens.row_table import RowTable
from t2s_tui.commands.dataset_words import history_in_words
from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.audit.findings import KINDS
from t2s_tui.datasets.audit.table import read_audit
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.marks import read_marks
from t2s_tui.errors import DataError
from t2s_tui.records import Dataset, Example
from t2s_tui.text import ago
from t2s_tui.workspace import Workspace
from widgets.grid import Cell, Column
from widgets.section import visible
from widgets.theme import DIM, PASS, WARN

PROBLEMS_SHOWN = 200
NO_DATASET = (
    "No dataset yet.\nPress a and type sample (English) or sample-ko (Korean), or the path of a file."
)
FILTER_HINT = "words  db:game  split:eval  join:>=2  hard:extra  finding:leak  -not"


@dataclass(frozen=True, slots=True)
class Health:
    """What an audit made of a dataset. `current` is False when the rows have changed since.

    `rows` have a finding; `by_kind` says how many rows have each.
    """

    rows: int
    by_kind: Mapping[str, int]
    current: bool


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """A dataset in the list, with its health (None: never audited)."""

    dataset: Dataset
    health: Health | None


def read_catalogue(workspace: Workspace) -> list[CatalogueRow]:
    """All datasets; an audit that cannot be read counts as none."""
    with workspace.store() as store:
        datasets = store.datasets.all()
    return [CatalogueRow(dataset, _health(workspace, dataset)) for dataset in datasets]


def _health(workspace: Workspace, dataset: Dataset) -> Health | None:
    try:
        audit = read_audit(workspace.dataset_dir(dataset.name))
    except DataError:
        return None
    if audit is None:
        return None
    found = audit.summary
    return Health(found["with_findings"], found["findings"], audit.is_of(dataset.fingerprint))


def open_table(workspace: Workspace, dataset: Dataset) -> RowTable:
    """The rows of a dataset, its audit if that is of them, its marks. Raises NotFound or DataError."""
    examples = open_examples(workspace, dataset.name)
    folder = workspace.dataset_dir(dataset.name)
    try:
        audit = read_audit(folder)
    except DataError:
        audit = None  # damaged: the rows can be read all the same, and audited again
    if audit is not None and (not audit.is_of(dataset.fingerprint) or len(audit) != len(examples)):
        audit = None
    return RowTable(dataset, examples, audit, read_marks(folder, dataset.fingerprint))


def catalogue_columns(narrow: bool) -> list[Column]:
    """The list of datasets; a narrow screen leaves dialect and age out."""
    columns = [Column("name"), Column("rows", 10, right=True), Column("health", 20)]
    return columns if narrow else [*columns, Column("dialect", 9), Column("added", 10)]


def dataset_cells(row: CatalogueRow, now: float, narrow: bool) -> list[Cell]:
    """name, rows, health, dialect, added."""
    dataset = row.dataset
    cells: list[Cell] = [dataset.name, f"{dataset.size:,}", health_words(row.health)]
    return cells if narrow else [*cells, dataset.dialect, ago(dataset.created_at, now)]


def health_words(health: Health | None) -> Text:
    """`not audited`, `clean`, `12 of 112 rows`, `rows changed`."""
    if health is None:
        return Text("not audited", style=DIM)
    if not health.current:
        return Text("rows changed", style=DIM)
    if not health.rows:
        return Text("clean", style=PASS)
    return Text(f"{health.rows:,} with findings", style=WARN)


def splits_words(dataset: Dataset) -> str:
    """`train 700 · eval 112`."""
    return " · ".join(f"{name} {count}" for name, count in dataset.splits.items())


def facts(pairs: list[tuple[str, str]]) -> Text:
    """`name   value` lines with the values under each other; empty values are left out."""
    pairs = [(name, value) for name, value in pairs if value]
    width = max((len(name) for name, _ in pairs), default=0)
    text = Text()
    for name, value in pairs:
        text.append(f"{name:<{width}}  ", style="dim").append(visible(value)).append("\n")
    return text


def dataset_text(row: CatalogueRow, now: float) -> Text:
    """Everything the catalogue knows of one dataset, and what can be done with it."""
    dataset, health = row.dataset, row.health
    text = Text().append(dataset.name, style="bold").append("\n\n")
    text.append_text(
        facts(
            [
                ("rows", f"{dataset.size:,}"),
                ("splits", splits_words(dataset)),
                ("dialect", dataset.dialect),
                (
                    "dropped",
                    f"{dataset.dropped} of the source's rows" if dataset.dropped else "no row of the source",
                ),
                ("source", dataset.source),
                ("format", dataset.format),
                ("fingerprint", dataset.fingerprint),
                ("added", ago(dataset.created_at, now)),
                ("license", dataset.license),
                *(("made", step) for step in history_in_words(dataset)),
                ("audit", health_words(health).plain),
            ]
        )
    )
    text.append("\n")
    if health is not None and health.by_kind:
        width = max(len(f"{count:,}") for count in health.by_kind.values())
        for kind, count in health.by_kind.items():
            text.append(f"  {count:>{width},}  ", style="bold").append(f"{kind:<15} ")
            text.append(f"{KINDS[kind]}\n", style="dim")
        text.append("\n")
    for key, words in (
        ("enter", "read its rows"),
        ("A", "audit it" if health is None or not health.current else "audit it again"),
        *([("v", "read its audit")] if health is not None else []),
        ("d", "split it"),
        ("e", "write it to a file"),
        ("3", "train a model on it"),
        ("4", "ask a model its questions"),
    ):
        text.append(f"{key:>5}", style="bold").append(f"  {words}\n")
    return text


def sets_with(workspace: Workspace, example: Example, dataset: str) -> list[SetRow]:
    """The prediction sets, newest first, that have an answer for this row."""
    with workspace.store() as store:
        names = set(store.predictions.sets_with(example.id))
    return [row for row in read_sets(workspace) if row.made.dataset == dataset and row.made.name in names]


def report_words(report: AddReport) -> str:
    """`ko: 112 rows (train 112) added, 3 rows dropped`."""
    dataset = report.dataset
    done = "added" if report.added else "was there already, nothing changed"
    words = f"{dataset.name}: {dataset.size} rows ({splits_words(dataset)}) {done}"
    if report.added and dataset.dropped:
        words += f", {dataset.dropped} {'row' if dataset.dropped == 1 else 'rows'} dropped"
    return words


def problems_text(report: AddReport) -> Text:
    """Every dropped row with its place and reason, the first 200 of them."""
    text = Text()
    for problem in report.problems[:PROBLEMS_SHOWN]:
        # The folder is known and long: the name, the line and the reason are what people look for.
        named = replace(problem, file=Path(problem.file).name or problem.file)
        text.append(visible(str(named))).append("\n")
    if len(report.problems) > PROBLEMS_SHOWN:
        text.append(f"… and {len(report.problems) - PROBLEMS_SHOWN} more\n", style="dim")
    for note in report.notes:
        text.append(visible(note), style="dim").append("\n")
    return text
