"""`check --pairs`: the contract of DESIGN.md."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.errors import UsageError
from t2s_tui.evaluation.pairs import check_pairs

ALL = ["exact", "normalized", "execution"]
DDL = "CREATE TABLE t (a INTEGER, b TEXT);"


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as db:
        db.executescript(DDL + "INSERT INTO t VALUES (1, 'x'), (2, 'y');")
    db.close()
    return str(path)


def line(**fields: Any) -> str:
    return json.dumps(
        {"id": "1", "gold": "SELECT a FROM t", "pred": "select T.a from t", "ddl": DDL} | fields
    )


def outcomes(record: dict[str, Any]) -> list[str]:
    return [record[name]["outcome"] for name in ALL]


def test_a_pair_with_a_database(database: str) -> None:
    (record,) = check_pairs([line(database=database)], ALL)
    assert list(record) == ["id", *ALL]
    assert outcomes(record) == ["fail", "pass", "pass"]
    assert all(record[name]["why"] for name in ALL)
    assert json.loads(json.dumps(record)) == record


def test_without_a_database_execution_is_unknown() -> None:
    (record,) = check_pairs([line()], ALL)
    assert outcomes(record) == ["fail", "pass", "unknown"]
    assert record["execution"]["why"] == "no database"


def test_without_a_ddl_a_database_is_enough(database: str) -> None:
    (record,) = check_pairs([line(ddl=None, database=database)], ALL)
    assert outcomes(record) == ["fail", "pass", "pass"]


def test_order_matters_and_dialect(database: str) -> None:
    down, up = "SELECT a FROM t ORDER BY a DESC", "SELECT a FROM t ORDER BY a"
    records = check_pairs(
        [
            line(gold=down, pred=up, database=database),
            line(gold=down, pred=up, database=database, order_matters=False),
            line(
                gold="SELECT b FROM t WHERE b LIKE 'x'",
                pred='SELECT b FROM t WHERE b LIKE "x"',
                dialect="mysql",
                database=database,
            ),
        ],
        ALL,
    )
    assert [r["execution"]["outcome"] for r in records] == ["fail", "pass", "pass"]


@pytest.mark.parametrize(
    ("bad", "given_id", "word"),
    [
        ("{not json", None, "not JSON"),
        ("[1, 2]", None, "not a JSON object"),
        (line(id=None), None, "`id` is missing"),
        (line(gold=None), "1", "`gold` is missing"),
        (line(gold=" "), "1", "`gold` is empty"),
        (line(pred=3), "1", "`pred` is no text"),
        (line(ddl=None), "1", "neither `ddl` nor `database`"),
        (line(dialect="klingon"), "1", "klingon"),
        (line(order_matters="yes"), "1", "`order_matters`"),
        ("[" * 100_000, None, "not JSON"),
    ],
)
def test_one_bad_line_is_an_error_and_the_rest_go_on(bad: str, given_id: str | None, word: str) -> None:
    first, second, third = check_pairs([line(id="a"), bad, "\n", line(id="b")], ALL)
    assert (first["id"], third["id"]) == ("a", "b")
    assert outcomes(first) == outcomes(third)
    assert second["id"] == given_id
    assert outcomes(second) == ["error"] * 3
    assert second["exact"]["why"].startswith("line 2: ")
    assert word in second["exact"]["why"]


def test_an_empty_prediction_is_wrong_and_not_bad(database: str) -> None:
    (record,) = check_pairs([line(pred="", database=database)], ALL)
    assert outcomes(record) == ["fail"] * 3


def test_a_database_that_is_absent_is_an_error_of_that_pair(tmp_path: Path) -> None:
    (record,) = check_pairs([line(database=str(tmp_path / "no.db"))], ALL)
    assert outcomes(record) == ["fail", "pass", "error"]
    assert not (tmp_path / "no.db").exists()


@pytest.mark.parametrize(("metric", "word"), [("bleu", "bleu"), ("judge", "judge")])
def test_metrics_that_are_not_there(metric: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        check_pairs([line()], [metric])


def test_it_streams(database: str) -> None:
    seen = []

    def lines() -> Any:
        for i in range(3):
            seen.append(i)
            yield line(id=i, database=database)

    results = check_pairs(lines(), ALL)
    assert next(iter(results))["id"] == 0
    assert seen == [0]
