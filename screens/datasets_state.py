"""What the Datasets room shows, as plain values: rows, details, filters. No Textual here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from t2s_tui.datasets.add import AddReport
from t2s_tui.datasets.catalogue import ExampleTable
from t2s_tui.datasets.filter import matches
from t2s_tui.records import Dataset, Example
from t2s_tui.text import ago
from widgets.section import visible
from widgets.sql_view import sql_text

CHUNK = 500  # rows read at once by the filter; between chunks it looks whether it is still wanted
PROBLEMS_SHOWN = 200


def dataset_cells(dataset: Dataset, now: float) -> list[str]:
    """name, rows, dialect, added."""
    return [dataset.name, f"{dataset.size}", dataset.dialect, ago(dataset.created_at, now)]


def example_cells(example: Example) -> list[str]:
    """number, split, database, question."""
    return [f"{example.number}", example.split, example.db_id, example.question]


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


def dataset_text(dataset: Dataset, now: float) -> Text:
    """Everything the catalogue knows of one dataset, and what can be done with it."""
    text = Text().append(dataset.name, style="bold").append("\n\n")
    text.append_text(
        facts(
            [
                ("rows", f"{dataset.size}"),
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
            ]
        )
    )
    text.append("\n")
    for key, words in (
        ("enter", "read its rows"),
        ("3", "train a model on it"),
        ("4", "ask a model its questions"),
    ):
        text.append(f"{key:>5}", style="bold").append(f"  {words}\n")
    return text


def example_text(example: Example) -> Text:
    """One row in full: the question, the gold SQL, the DDL, and where it came from."""
    text = Text()
    _heading(text, "Question", f"#{example.number}   {example.split}   db {example.db_id}")
    text.append(visible(example.question)).append("\n\n")
    _heading(text, "Gold SQL", example.dialect)
    text.append_text(sql_text(example.gold)).append("\n\n")
    _heading(text, "DDL", example.dialect)
    text.append_text(sql_text(example.ddl)).append("\n\n")
    _heading(text, "Origin", "")
    database = example.database or "none came with it"
    if example.database and not Path(example.database).exists():
        database = f"{example.database} (it is no longer there)"
    text.append_text(facts([("from", example.origin), ("database", database), ("id", example.id)]))
    return text


def _heading(text: Text, title: str, note: str) -> None:
    text.append(title, style="bold")
    if note:
        text.append(f"   {visible(note)}", style="dim")
    text.append("\n")


def matching_rows(table: ExampleTable, query: str, wanted: Callable[[], bool]) -> list[int] | None:
    """The indexes of the rows that the filter leaves; None when nobody wants them any more."""
    found: list[int] = []
    for start in range(0, len(table), CHUNK):
        if not wanted():
            return None
        rows = table.rows(start, start + CHUNK)
        found.extend(start + at for at, example in enumerate(rows) if matches(example, query))
    return found


def place_of(rows: list[int] | None, index: int) -> int:
    """Where row `index` is in the filtered list: itself or the next that is left, else the last."""
    if rows is None:
        return index
    return next((at for at, row in enumerate(rows) if row >= index), max(0, len(rows) - 1))


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
