"""Splits that never tear a database apart, and the one shuffle.

The reference (the book's notebook) drops incomplete rows, shuffles with
`DataFrame.sample(frac=1, random_state=42)` and holds out `db_id == 1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from t2s_tui.datasets.catalogue import ExampleTable, read_examples, write_examples
from t2s_tui.datasets.locks import catalogue_lock
from t2s_tui.errors import UsageError
from t2s_tui.records import Dataset, Example
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace, check_name

SEED = 42

_T = TypeVar("_T")


def shuffled(rows: Sequence[_T], seed: int = SEED) -> list[_T]:
    """The rows in the order that `pandas.DataFrame.sample(frac=1, random_state=seed)` gives them.

    NumPy keeps the stream of its legacy RandomState frozen, so the order is the same on every machine.
    """
    import numpy as np

    return [rows[at] for at in np.random.RandomState(seed).permutation(len(rows)).tolist()]


def split_by_database(
    workspace: Workspace, name: str, holdout: Sequence[str], train: str = "train", evaluation: str = "eval"
) -> Dataset:
    """Move every row of the held-out databases to the split `evaluation` and all others to `train`.

    The order, ids and numbers of the rows stay. Ids are compared as text. Raises UsageError when a held-out
    database is not in the dataset, or when nothing would be left on one side.
    """
    train, evaluation = check_name(train, "split"), check_name(evaluation, "split")
    if train == evaluation:
        raise UsageError(f"Both splits are called {train!r}", "give them two names")
    wanted = {nfc(str(db_id)).strip() for db_id in holdout}
    with catalogue_lock(workspace), workspace.store() as store:
        dataset = store.datasets.get(name)
        folder = workspace.dataset_dir(name)
        table = read_examples(folder)
        _check_holdout(name, wanted, table)
        # The file remembers what was added, so that adding the same source again is known as a repeat.
        added = table.added_fingerprint or dataset.fingerprint
        rows = _relabelled(table, wanted, train, evaluation)
        written = write_examples(folder, rows, {"t2s.added": added})
        changed = replace(dataset, splits=written.splits, fingerprint=written.fingerprint)
        store.datasets.put(changed)
    return changed


def _check_holdout(name: str, wanted: set[str], table: ExampleTable) -> None:
    present = table.db_counts()
    shown = ", ".join(list(present)[:20]) + (", ..." if len(present) > 20 else "")
    absent = sorted(wanted - present.keys())
    if absent:
        raise UsageError(
            f"The dataset {name!r} has no database {', '.join(absent)} (it has: {shown})",
            "hold out one or more of those",
        )
    if not wanted:
        raise UsageError("No database is held out", f"name at least one of {shown}")
    if wanted == present.keys():
        raise UsageError(
            f"Holding out every database of {name!r} leaves no row to train on (it has: {shown})",
            "hold out fewer, or add a dataset with more databases",
        )


def _relabelled(table: ExampleTable, wanted: set[str], train: str, evaluation: str) -> Iterator[Example]:
    for example in table:
        yield replace(example, split=evaluation if example.db_id in wanted else train)
