"""What provably means the same is never refuted: rewrites that the engine cannot prove and so must test.

That each rewrite is one is checked too, on random databases that have nothing to do with the engine's.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2s_tui.evaluation.equivalence.verdict import judge_pair
from t2s_tui.evaluation.judged import Pair
from t2s_tui.records import Outcome
from tests.random_queries import Schema
from tests.random_rows import bag, constants_in, random_database, rows_of
from tests.rewrites import FAMILIES, REWRITES, Family, Rewrite, Rewriter, wrapped

_SEEDS = st.integers(0, 2**32)
_DATABASES = 8
_DDL = """
CREATE TABLE dept (id INTEGER PRIMARY KEY, name TEXT UNIQUE, city TEXT, boss INT);
CREATE TABLE emp (id INTEGER PRIMARY KEY, name TEXT NOT NULL, dept_id INTEGER REFERENCES dept (id),
  salary INT);
CREATE TABLE tag (emp_id INTEGER NOT NULL REFERENCES emp (id), label TEXT NOT NULL, weight INT,
  PRIMARY KEY (emp_id, label));
"""
_SCHEMA: Schema = {
    "dept": ("id", "name", "city", "boss"),
    "emp": ("id", "name", "dept_id", "salary"),
    "tag": ("emp_id", "label", "weight"),
}


def agree(one: str, other: str, ddl: str, seed: int) -> None:
    """Both return the same rows on random databases: the test's own check that it is right."""
    for at in range(_DATABASES):
        rng = random.Random(seed + at)
        db = random_database(ddl, rng, constants_in(one, other), references=True)
        assert bag(rows_of(db, one)) == bag(rows_of(db, other)), (one, other)
        db.close()


def not_refuted(one: str, other: str, ddl: str, seed: int) -> None:
    """Neither way round."""
    for gold, generated in ((one, other), (other, one)):
        judged = judge_pair(Pair(gold, generated, "sqlite", ddl), seed % 1000)
        assert judged.outcome not in (Outcome.FAIL, Outcome.ERROR), (
            gold, generated, judged.why, judged.evidence.get("counterexample"),
        )  # fmt: skip


def _check(rewrite: Rewrite, family: Family, seed: int) -> None:
    one, other = rewrite(Rewriter(family, random.Random(seed)))
    agree(one, other, family.ddl, seed)
    not_refuted(one, other, family.ddl, seed)


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.__name__.strip("_"))
@settings(max_examples=1)
@given(family=st.sampled_from(FAMILIES), seed=_SEEDS)
def test_no_rewrite_is_refuted(rewrite: Rewrite, family: Family, seed: int) -> None:
    _check(rewrite, family, seed)


@settings(max_examples=12)
@given(seed=_SEEDS)
def test_no_query_of_any_shape_is_refuted_by_its_wrapping(seed: int) -> None:
    one, other = wrapped(_SCHEMA, random.Random(seed))
    not_refuted(one, other, _DDL, seed)


@pytest.mark.slow
@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.__name__.strip("_"))
@settings(max_examples=8)
@given(family=st.sampled_from(FAMILIES), seed=_SEEDS)
def test_no_rewrite_is_refuted_at_length(rewrite: Rewrite, family: Family, seed: int) -> None:
    _check(rewrite, family, seed)


@pytest.mark.slow
@settings(max_examples=100)
@given(seed=_SEEDS)
def test_no_query_of_any_shape_is_refuted_by_its_wrapping_at_length(seed: int) -> None:
    one, other = wrapped(_SCHEMA, random.Random(seed))
    not_refuted(one, other, _DDL, seed)
