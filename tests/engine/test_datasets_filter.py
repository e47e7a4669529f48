"""The filter of dataset rows and their order, over Arrow."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pytest

from t2s_tui.datasets.arrow import int_array
from t2s_tui.datasets.catalogue import read_examples, write_examples
from t2s_tui.datasets.filter import RowFilter, Rows, filtered_rows, matches
from t2s_tui.datasets.filter_terms import FIELDS, Term, filter_help, parse_query
from t2s_tui.datasets.ordering import SORT_KEYS, Order, ordered
from t2s_tui.errors import UsageError
from t2s_tui.records import Example

_GIVEN = (
    # question, db, split, hardness, gold
    ("마지막 로그인 시간", "game", "train", "easy", "SELECT last_login FROM players"),
    ("Count the clans", "game", "eval", "extra", "SELECT COUNT(*) FROM clans GROUP BY leader"),
    ("클랜 리더의 이름", "game_2", "train", "", "SELECT name FROM clans JOIN players ON leader = id"),
    ("Everything: a [bold]test[/], 12:30", "shop", "dev", "hard", "SELECT * FROM orders"),
    ("마지막 주문", "shop", "train", "medium", "SELECT x FROM orders WHERE y = (SELECT MAX(y) FROM z)"),
)


def examples() -> list[Example]:
    return [
        Example(
            f"{at:012x}", at + 1, split, db, question, f"CREATE TABLE t{at} (a INT);", gold, "sqlite", None,
            f"file.csv:{at + 2}", hardness=hardness, extra={"topic": "로그"} if at == 4 else {},
        )
        for at, (question, db, split, hardness, gold) in enumerate(_GIVEN)
    ]  # fmt: skip


def audit() -> pa.Table:
    """As the audit writes it, in stretches of another length than the examples'."""
    table = pa.table(
        {
            "number": [1, 2, 3, 4, 5],
            "kinds": ["", "leak-question gold-empty", "", "near-duplicate", "gold-empty"],
            "worst": [0.0, 5.0, 0.0, 1.0, 2.0],
            "hardness": ["easy", "extra", "medium", "hard", "medium"],
            "joins": [0, 0, 1, 0, 0],
            "nesting": [0, 0, 0, 0, 1],
            "aggregates": [0, 1, 0, 0, 1],
            "question_language": ["ko", "en", "ko", "en", "ko"],
            "tokens": [10, 20, 700, -1, 40],
        }
    )
    return pa.concat_tables([table.slice(0, 2), table.slice(2)])


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    write_examples(tmp_path, examples())
    return Rows(read_examples(tmp_path).arrow, audit())


PLAIN = [
    ("", [0, 1, 2, 3, 4]),
    ("마지막", [0, 4]),
    (unicodedata.normalize("NFD", "마지막"), [0, 4]),
    ("마지막 주문", [4]),
    ('"마지막 주문"', [4]),
    ('"주문 마지막"', []),
    ("-마지막", [1, 2, 3]),
    ("COUNT the", [1]),
    ("db:game", [0, 1]),
    ("db:GAME,shop -split:train", [1, 3]),
    ("-db:game", [2, 3, 4]),
    ("split:eval,dev", [1, 3]),
    ("hard:extra", [1]),
    ('sql:"group by"', [1]),
    ("gold:join", [2]),
    ("ask:name", []),
    ("ddl:t3", [3]),
    ("extra:로그", [4]),
    ("from:file.csv:4", [2]),
    ("row:2,4", [1, 3]),
    ("row:>=4", [3, 4]),
    ("-row:>1", [0]),
    ("[bold]test[/],", [3]),
    ("12:30", [3]),
    ("000000000002", [2]),
    ("-", []),
    ("db:game 마지막 -sql:login", []),
]


@pytest.mark.parametrize(("query", "found"), PLAIN)
def test_rows_that_a_filter_leaves(rows: Rows, query: str, found: list[int]) -> None:
    assert list(filtered_rows(rows, query)) == found
    # A single example in hand is judged alike.
    assert [at for at, example in enumerate(examples()) if matches(example, query)] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("join:>=1", [2]),
        ("join:1", [2]),
        ("join:0 nest:0", [0, 1, 3]),
        ("nest:>=1 agg:1", [4]),
        ("finding:leak", [1]),
        ("finding:gold-empty", [1, 4]),
        ("finding:duplicate", []),  # a near-duplicate is another finding
        ("finding:any", [1, 3, 4]),
        ("-finding:any", [0, 2]),
        ("finding:leak,near-duplicate", [1, 3]),
        ("lang:ko tokens:>500", [2]),
        ("tokens:<0", []),
        ("hard:medium", [2, 4]),  # the audit knows the hardness where the source said nothing
    ],
)
def test_fields_of_the_audit(rows: Rows, query: str, found: list[int]) -> None:
    if query == "tokens:<0":
        assert list(filtered_rows(rows, query)) == [3]  # -1: not counted
        return
    assert list(filtered_rows(rows, query)) == found


def test_marked_rows(rows: Rows) -> None:
    marked = replace(rows, marked=int_array((2, 5)))
    assert list(filtered_rows(marked, "is:marked")) == [1, 4]
    assert list(filtered_rows(marked, "-is:marked 마지막")) == [0]
    assert list(filtered_rows(replace(rows, marked=int_array(())), "is:marked")) == []
    with pytest.raises(UsageError, match="needs marks"):
        filtered_rows(rows, "is:marked")
    with pytest.raises(UsageError, match="there is is:marked"):
        RowFilter("is:odd")


def test_without_an_audit_its_fields_say_what_to_do(rows: Rows) -> None:
    bare = Rows(rows.examples)
    with pytest.raises(UsageError, match=r"join: needs an audit of this dataset: press A"):
        filtered_rows(bare, "join:>=2")
    assert list(filtered_rows(bare, "hard:medium")) == [4]
    with pytest.raises(UsageError, match="needs an audit"):
        matches(examples()[0], "finding:leak")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour:red", "no field 'colour': there are db, split"),
        ("db:", "db: is followed by nothing"),
        ('db:""', "db: is followed by nothing"),
        ("join:many", "join:many is no number: write join:2"),
        ("join:>=1,2", "is no number"),
        ("https://x", "no field 'https'"),
    ],
)
def test_a_wrong_filter_is_said_in_words(query: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RowFilter(query)


def test_terms() -> None:
    assert parse_query('-db:a,b "x y" JOIN:>=2 "unclosed z') == (
        Term("db", ("a", "b"), negated=True),
        Term("", ("x y",)),
        Term("join", ("2",), compare=">="),
        Term("", ("unclosed z",)),
    )
    assert {field.column for field in FIELDS.values()} <= set(Example.__slots__) | {
        "joins", "nesting", "aggregates", "tokens", "question_language", "kinds"
    }  # fmt: skip


def test_help_for_what_is_being_typed() -> None:
    assert filter_help("").startswith("db: split: hard:")
    assert filter_help("split:eval -d") == "db: dialect: ddl:"
    assert filter_help("fin") == "finding: what the audit found: leak, gold-empty, any"
    assert filter_help("finding:le") == "what the audit found: leak, gold-empty, any"
    assert filter_help("로그인") == filter_help("colour:r") == ""


def test_a_scan_goes_stretch_by_stretch_and_may_be_left(rows: Rows) -> None:
    scan = RowFilter("마지막").scan(rows, stretch=2)
    first = next(scan)
    assert (list(first.rows), first.seen) == ([0], 2)
    assert [(list(part.rows), part.seen) for part in islice(scan, 5)] == [([], 4), ([4], 5)]


def test_a_filter_over_a_catalogue_without_the_later_columns(rows: Rows) -> None:
    old = Rows(rows.examples.drop_columns(["evidence", "accepted", "extra", "hardness"]))
    assert list(filtered_rows(old, "마지막")) == [0, 4]


def test_orders(rows: Rows) -> None:
    assert list(ordered(rows, Order("worst", descending=True))) == [1, 4, 3, 0, 2]  # equal ones stay in order
    assert list(ordered(rows, Order("hardness"))) == [0, 2, 4, 3, 1]
    assert list(ordered(rows, Order("db_id", descending=True))) == [3, 4, 2, 0, 1]
    assert list(ordered(rows, Order("number", descending=True))) == [4, 3, 2, 1, 0]
    found = filtered_rows(rows, "-db:game")
    assert list(ordered(rows, Order("tokens", descending=True), found)) == [2, 4, 3]
    assert list(ordered(rows, Order("question"), found)) == sorted(found, key=lambda at: _GIVEN[at][0])
    assert list(ordered(rows, Order("number"), found)) == [2, 3, 4]
    with pytest.raises(UsageError, match="no worst first before an audit"):
        ordered(Rows(rows.examples), Order("worst"))
    assert {key.column for key in SORT_KEYS.values()} <= set(rows.examples.column_names) | set(
        audit().column_names
    )


def test_the_engine_imports_no_pandas(tmp_path: Path) -> None:
    many = (replace(examples()[0], number=at) for at in range(20))
    write_examples(tmp_path, many)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from t2s_tui.datasets.catalogue import read_examples\n"
        "from t2s_tui.datasets.filter import Rows, filtered_rows\n"
        "from t2s_tui.datasets.ordering import Order, ordered\n"
        "rows = Rows(read_examples(Path(sys.argv[1])).arrow)\n"
        "assert len(ordered(rows, Order('hardness'), filtered_rows(rows, '로그인 row:>3 db:game'))) == 17\n"
        "print('pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
