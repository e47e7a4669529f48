"""Splits that never tear a database apart unless told to, and the one shuffle.

The reference (the book's notebook) drops incomplete rows, shuffles with
`DataFrame.sample(frac=1, random_state=42)` and holds out `db_id == 1`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from t2s_tui.datasets.assign import assign_databases, deal, rank
from t2s_tui.datasets.audit.table import AuditTable, current_audit
from t2s_tui.datasets.catalogue import ExampleTable, read_examples, write_examples
from t2s_tui.datasets.locks import catalogue_lock
from t2s_tui.datasets.marks import read_marks, write_marks
from t2s_tui.datasets.split_list import read_list
from t2s_tui.errors import UsageError
from t2s_tui.progress import Progress, Quiet, counted
from t2s_tui.records import Dataset, Example
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace, check_name

SEED = 42
_SHOWN = 20

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The split of every row: the names, and for each row the place of its own among them."""

    names: Sequence[str]
    codes: Sequence[int]


Choose = Callable[[ExampleTable, AuditTable | None], Assignment]


def shuffled(rows: Sequence[_T], seed: int = SEED) -> list[_T]:
    """The rows in the order that `pandas.DataFrame.sample(frac=1, random_state=seed)` gives them.

    NumPy keeps the stream of its legacy RandomState frozen, so the order is the same on every machine.
    """
    import numpy as np

    return [rows[at] for at in np.random.RandomState(seed).permutation(len(rows)).tolist()]


def split_by_database(
    workspace: Workspace,
    name: str,
    holdout: Sequence[str],
    train: str = "train",
    evaluation: str = "eval",
    *,
    progress: Progress | None = None,
) -> Dataset:
    """Move every row of the held-out databases to the split `evaluation` and all others to `train`.

    Ids are compared as text. Raises UsageError when a held-out database is not in the dataset, or when
    nothing would be left on one side; JobStopped through `progress`: then the dataset stays as it was.
    """
    if train == evaluation:
        raise UsageError(f"Both splits are called {train!r}", "give them two names")
    wanted = {nfc(str(db_id)).strip() for db_id in holdout}

    def choose(table: ExampleTable, audit: AuditTable | None) -> Assignment:
        databases, codes = table.codes("db_id")
        _check_holdout(name, wanted, databases)
        places = [int(db_id in wanted) for db_id in databases]
        return Assignment((train, evaluation), array("i", (places[code] for code in codes)))

    how = {"by": "holdout", "databases": sorted(wanted)}
    return _split(workspace, name, choose, how, progress=progress)


def split_by_ratio(
    workspace: Workspace,
    name: str,
    weights: Mapping[str, float],
    *,
    seed: int = SEED,
    allow_leak: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Deal the rows out by the shares of `weights` (split name -> weight).

    Whole databases go to the splits, so that the shares hold at every hardness as nearly as that allows. With
    `allow_leak` rows do, stratified over database and hardness; those that ask a database the same question
    stay together. Raises UsageError for weights that cannot be, or where a split would be empty.
    """
    _check_weights(weights)

    def choose(table: ExampleTable, audit: AuditTable | None) -> Assignment:
        hardnesses = _hardnesses(table, audit, progress)
        if allow_leak:
            return _by_rows(table, hardnesses, weights, seed)
        return _by_databases(name, table, hardnesses, weights, seed)

    by = "rows" if allow_leak else "databases"
    how = {"by": by, "weights": dict(weights), "seed": seed, "allow_leak": allow_leak}
    return _split(workspace, name, choose, how, progress=progress)


def split_by_list(
    workspace: Workspace,
    name: str,
    listed: Path,
    *,
    rest: str | None = None,
    allow_leak: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Give each row the split that a file says (see split_list.py); those it does not list go to `rest`.

    Raises DataError for a line that is wrong or names what is not there, UsageError when rows are not listed
    and there is no `rest`, or when a database would be in two splits and `allow_leak` is not set.
    """
    wanted = read_list(listed)

    def choose(table: ExampleTable, audit: AuditTable | None) -> Assignment:
        return Assignment(*wanted.apply(name, table, rest))

    how = {"by": "list", "file": listed.name, "rest": rest, "allow_leak": allow_leak}
    return _split(workspace, name, choose, how, refuse_leaks=not allow_leak, progress=progress)


def _split(
    workspace: Workspace,
    name: str,
    choose: Choose,
    how: Mapping[str, Any],
    *,
    refuse_leaks: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Write the dataset anew with its rows in other splits; their order, ids, numbers and marks stay."""
    with catalogue_lock(workspace), workspace.store() as store:
        dataset = store.datasets.get(name)
        folder = workspace.dataset_dir(name)
        table = read_examples(folder)
        made = choose(table, current_audit(folder, dataset.fingerprint))
        for split in made.names:
            check_name(split, "split")
        _check_parts(name, made)
        if refuse_leaks:
            _check_leaks(name, table, made)
        # The file remembers what was added, so that adding the same source again is known as a repeat.
        added = table.added_fingerprint or dataset.fingerprint
        marked = read_marks(folder, dataset.fingerprint)
        rows = counted(_relabelled(table, made), len(table), "write the rows", progress or Quiet())
        written = write_examples(folder, rows, {"t2s.added": added})
        # A split looks at all rows anew: what an earlier one did is past.
        history = (*(step for step in dataset.history if step["step"] != "split"), {"step": "split", **how})
        changed = replace(dataset, splits=written.splits, fingerprint=written.fingerprint, history=history)
        store.datasets.put(changed)
        if marked:
            write_marks(folder, changed.fingerprint, marked)
    return changed


def _relabelled(table: ExampleTable, made: Assignment) -> Iterator[Example]:
    for example, code in zip(table, made.codes, strict=True):
        yield replace(example, split=made.names[code])


def _by_databases(
    name: str, table: ExampleTable, hardnesses: Iterable[str], weights: Mapping[str, float], seed: int
) -> Assignment:
    databases, codes = table.codes("db_id")
    if len(databases) < len(weights):
        raise UsageError(
            f"{name!r} has {len(databases)} databases for {len(weights)} splits, and one in two is a leak",
            "name fewer splits, or split rows with --allow-leak",
        )
    rows: dict[str, Counter[str]] = {database: Counter() for database in databases}
    for code, hardness in zip(codes, hardnesses, strict=True):
        rows[databases[code]][hardness] += 1
    found = assign_databases(rows, weights, seed)
    names = list(weights)
    places = [names.index(found[database]) for database in databases]
    return Assignment(names, array("i", (places[code] for code in codes)))


def _by_rows(
    table: ExampleTable, hardnesses: Iterable[str], weights: Mapping[str, float], seed: int
) -> Assignment:
    """Groups of rows with one question, in the order of their strata and of chance within, dealt out."""
    import numpy as np

    strata: dict[tuple[str, str], int] = {}
    stratum_of, chances = array("i"), array("Q")
    rows = zip(table.texts("db_id"), table.texts("question"), hardnesses, strict=True)
    for database, question, hardness in rows:
        stratum_of.append(strata.setdefault((database, hardness), len(strata)))
        chances.append(rank(seed, f"{database}\x1f{_folded(question)}"))
    chance, first, group, sizes = np.unique(
        np.array(chances), return_index=True, return_inverse=True, return_counts=True
    )
    by_name = np.empty(len(strata), dtype=np.int64)
    by_name[[strata[stratum] for stratum in sorted(strata)]] = np.arange(len(strata))
    order = np.lexsort((chance, by_name[np.array(stratum_of)[first]]))
    dealt = np.empty(len(order), dtype=np.int64)
    dealt[order] = list(deal(sizes[order].tolist(), weights))
    return Assignment(list(weights), array("i", dealt[group].tolist()))


def _folded(question: str) -> str:
    return "".join(question.casefold().split())


def _hardnesses(table: ExampleTable, audit: AuditTable | None, progress: Progress | None) -> Iterator[str]:
    """The source's word of each row, else Spider's rules. An audit says the same and spares the parsing."""
    if audit is not None:
        return audit.texts("hardness")
    rows = counted(table, len(table), "how hard each row is", progress or Quiet())
    return (_hardness(example) for example in rows)


def _hardness(example: Example) -> str:
    from t2s_tui.sql.masked import masked

    if example.hardness:
        return example.hardness
    # Where literals cannot be masked without harm the statement is read as it is.
    return _computed(masked(example.gold), example.dialect) or _computed(example.gold, example.dialect)


@lru_cache(maxsize=16_384)
def _computed(gold: str, dialect: str) -> str:
    from t2s_tui.sql.dialects import SqlSyntaxError, parse
    from t2s_tui.sql.hardness import hardness

    try:
        return hardness(parse(gold, dialect))
    except SqlSyntaxError:
        return ""


def _check_weights(weights: Mapping[str, float]) -> None:
    if len(weights) < 2:
        raise UsageError("There are no two splits to deal rows out to", "write it as train=0.8,dev=0.2")
    for split, weight in weights.items():
        if not 0 < weight < float("inf"):
            raise UsageError(f"The share of {split} is {weight:g}", "give every split more than nothing")


def _check_parts(name: str, made: Assignment) -> None:
    used = Counter(made.codes)
    empty = [split for code, split in enumerate(made.names) if not used[code]]
    if empty:
        raise UsageError(
            f"Nothing of {name!r} would be left for the split {empty[0]}",
            "give it a larger share, or leave it out",
        )


def _check_leaks(name: str, table: ExampleTable, made: Assignment) -> None:
    databases, codes = table.codes("db_id")
    splits: dict[int, set[int]] = {}
    for database, split in zip(codes, made.codes, strict=True):
        splits.setdefault(database, set()).add(split)
    torn = [databases[code] for code, of in splits.items() if len(of) > 1]
    if torn:
        shown = ", ".join(torn[:5]) + (", ..." if len(torn) > 5 else "")
        raise UsageError(
            f"{len(torn)} databases of {name!r} would be in two splits ({shown})",
            "list whole databases as db:NAME, or say --allow-leak",
        )


def _check_holdout(name: str, wanted: set[str], present: Sequence[str]) -> None:
    shown = ", ".join(present[:_SHOWN]) + (", ..." if len(present) > _SHOWN else "")
    absent = sorted(wanted.difference(present))
    if absent:
        raise UsageError(
            f"The dataset {name!r} has no database {', '.join(absent)} (it has: {shown})",
            "hold out one or more of those",
        )
    if not wanted:
        raise UsageError("No database is held out", f"name at least one of {shown}")
    if wanted == set(present):
        raise UsageError(
            f"Holding out every database of {name!r} leaves no row to train on (it has: {shown})",
            "hold out fewer, or add a dataset with more databases",
        )
