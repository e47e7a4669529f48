"""Splits: by ratio over databases or rows, by list; the same rows at every call, no database torn unasked."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.datasets.add import add_dataset
from t2s_tui.datasets.assign import assign_databases, deal
from t2s_tui.datasets.audit.request import AuditRequest
from t2s_tui.datasets.audit.run import audit_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.splits import split_by_list, split_by_ratio
from t2s_tui.errors import DataError, UsageError
from t2s_tui.progress import Quiet
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.shared_data import shared

WEIGHTS = {"train": 0.8, "dev": 0.1, "test": 0.1}
LEVELS = ("easy", "medium", "hard", "extra")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row(f"db{n % 23}", f"질문 {n}", hardness=LEVELS[n % 7 % 4]) for n in range(920)]
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)))
    return workspace


def splits_of(workspace: Workspace, name: str = "a") -> dict[str, str]:
    return {example.id: example.split for example in open_examples(workspace, name)}


def test_whole_databases_are_dealt_out(workspace: Workspace) -> None:
    before = [(e.id, e.number, e.question) for e in open_examples(workspace, "a")]
    made = split_by_ratio(workspace, "a", WEIGHTS)
    table = open_examples(workspace, "a")
    assert [(e.id, e.number, e.question) for e in table] == before
    homes = {(e.db_id, e.split) for e in table}
    assert len(homes) == 23
    assert sum(made.splits.values()) == 920
    for split, share in WEIGHTS.items():
        assert abs(made.splits[split] / 920 - share) <= 40 / 920  # a database has 40 rows
    assert made.history == (
        {"step": "split", "by": "databases", "weights": WEIGHTS, "seed": 42, "allow_leak": False},
    )


def test_rows_are_dealt_out_within_database_and_hardness_when_leaks_are_allowed(workspace: Workspace) -> None:
    made = split_by_ratio(workspace, "a", WEIGHTS, allow_leak=True)
    assert {split: made.splits[split] for split in WEIGHTS} == {"train": 736, "dev": 92, "test": 92}
    strata: dict[tuple[str, str], Counter[str]] = {}
    for e in open_examples(workspace, "a"):
        strata.setdefault((e.db_id, e.hardness), Counter())[e.split] += 1
    for counts in strata.values():
        for split, share in WEIGHTS.items():
            assert abs(counts[split] - share * counts.total()) < 2


def test_rows_with_one_question_on_one_database_stay_together(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "workspace")
    rows = [row("1", f"질문 {n % 60}", answer=f"SELECT {n} FROM players") for n in range(300)]
    add_dataset(workspace, str(write(tmp_path / "a.jsonl", rows)))
    split_by_ratio(workspace, "a", {"train": 3, "test": 1}, allow_leak=True)
    homes = {(e.question, e.split) for e in open_examples(workspace, "a")}
    assert len(homes) == 60
    assert len({split for _, split in homes}) == 2


@pytest.mark.parametrize("allow_leak", [False, True])
def test_an_audit_changes_nothing_but_the_time(tmp_path: Path, allow_leak: bool) -> None:
    """Hardness is computed where the source has none: the same with an audit and without."""
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, "sample", name="a")
    add_dataset(workspace, "sample", name="b")
    audit_dataset(workspace, AuditRequest(dataset="b", processes=0), Quiet())
    for name in ("a", "b"):
        split_by_ratio(workspace, name, WEIGHTS, allow_leak=allow_leak)
    assert splits_of(workspace, "a") == splits_of(workspace, "b")


@pytest.mark.parametrize("allow_leak", [False, True])
def test_the_same_call_gives_the_same_rows_whatever_their_order(
    workspace: Workspace, tmp_path: Path, allow_leak: bool
) -> None:
    split_by_ratio(workspace, "a", WEIGHTS, allow_leak=allow_leak)
    first = splits_of(workspace)
    split_by_ratio(workspace, "a", WEIGHTS, allow_leak=allow_leak)
    assert splits_of(workspace) == first
    rows = [row(e.db_id, e.question, hardness=e.hardness) for e in open_examples(workspace, "a")]
    random.Random(1).shuffle(rows)
    other = Workspace.open(tmp_path / "other")
    add_dataset(other, str(write(tmp_path / "b.jsonl", rows)))
    split_by_ratio(other, "b", WEIGHTS, allow_leak=allow_leak)
    assert splits_of(other, "b") == first
    split_by_ratio(workspace, "a", WEIGHTS, allow_leak=allow_leak, seed=7)
    assert splits_of(workspace) != first


def test_a_split_is_the_one_that_was_written_down(workspace: Workspace) -> None:
    """On every machine and with every version: what these calls gave on the day they were written."""
    split_by_ratio(workspace, "a", WEIGHTS)
    held_out = {e.db_id for e in open_examples(workspace, "a") if e.split == "test"}
    split_by_ratio(workspace, "a", WEIGHTS, allow_leak=True)
    first = [e.number for e in open_examples(workspace, "a") if e.split == "test"][:5]
    assert (sorted(held_out), first) == (["db11", "db12"], [2, 8, 19, 25, 27])


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=6),
        st.dictionaries(st.sampled_from(LEVELS), st.integers(1, 50), min_size=1),
        min_size=3,
        max_size=25,
    ),
    st.lists(st.floats(0.05, 1), min_size=2, max_size=3),
    st.integers(0, 10),
)
def test_every_database_has_one_home_and_every_split_a_database(
    rows: dict[str, dict[str, int]], weights: list[float], seed: int
) -> None:
    named = dict(zip(("train", "dev", "test"), weights, strict=False))
    made = assign_databases(rows, named, seed)
    assert made.keys() == rows.keys()
    assert set(made.values()) == set(named)
    turned = dict(reversed(list(rows.items())))
    assert assign_databases(turned, named, seed) == made


@given(st.lists(st.integers(1, 9), max_size=200), st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
def test_shares_hold_at_every_moment(counts: list[int], weights: list[float]) -> None:
    named = {str(at): weight for at, weight in enumerate(weights)}
    given_to = [0] * len(weights)
    seen = 0
    for count, place in zip(counts, deal(counts, named), strict=True):
        given_to[place] += count
        seen += count
        for had, weight in zip(given_to, weights, strict=True):
            assert had - seen * weight / sum(weights) <= 9


def test_a_list_of_rows_and_databases(workspace: Workspace, tmp_path: Path) -> None:
    some = open_examples(workspace, "a")[0]
    listed = tmp_path / "list.txt"
    listed.write_text(f"# held out by hand\ndb:db3 test\n\n{some.id} dev  # odd\n", encoding="utf-8")
    with pytest.raises(UsageError, match="says nothing of 879 of 920 rows"):
        split_by_list(workspace, "a", listed)
    with pytest.raises(UsageError, match=r"1 databases of 'a' would be in two splits \(db0\)"):
        split_by_list(workspace, "a", listed, rest="train")
    assert open_examples(workspace, "a").split_names == ["train"]
    made = split_by_list(workspace, "a", listed, rest="train", allow_leak=True)
    assert made.splits == {"dev": 1, "train": 879, "test": 40}
    assert open_examples(workspace, "a")[0].split == "dev"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("db:db99 test", r"line 1: 'a' has no row db:db99"),
        ("\nabc", "line 2: it is not `ID SPLIT`"),
        ("db:db1 test\ndb:db1 dev", "line 2: db:db1 was in test before"),
    ],
)
def test_a_list_that_is_wrong(workspace: Workspace, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "list.txt").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=words):
        split_by_list(workspace, "a", tmp_path / "list.txt", rest="train")


def test_ratios_that_make_no_sense(workspace: Workspace, tmp_path: Path) -> None:
    for weights in ({"train": 1.0}, {"train": 1.0, "test": 0.0}, {"train": 1.0, "test": -1.0}):
        with pytest.raises(UsageError):
            split_by_ratio(workspace, "a", weights)
    with pytest.raises(UsageError, match="cannot be the name of a split"):
        split_by_ratio(workspace, "a", {"train": 1, "a/b": 1})
    with pytest.raises(UsageError, match="Nothing of 'a' would be left for the split dev"):
        split_by_ratio(workspace, "a", {"train": 1, "dev": 1e-6}, allow_leak=True)
    add_dataset(workspace, str(write(tmp_path / "one.jsonl", [row("1", "하나"), row("1", "둘")])))
    with pytest.raises(UsageError, match="--allow-leak"):
        split_by_ratio(workspace, "one", {"train": 1, "test": 1})
    assert open_examples(workspace, "a").split_names == ["train"]


def test_the_reference_holds_out_the_database_that_it_says(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    add_dataset(workspace, str(shared("ko_text2sql/test.csv")), name="ko")
    with pytest.raises(UsageError, match="has 1 databases for 2 splits"):
        split_by_ratio(workspace, "ko", {"train": 0.5, "test": 0.5})
    made = split_by_ratio(workspace, "ko", {"train": 0.5, "test": 0.5}, allow_leak=True)
    assert made.splits == {"train": 56, "test": 56}
