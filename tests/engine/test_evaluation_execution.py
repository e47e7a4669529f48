"""Exact, normalised and execution verdicts on pairs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.evaluation.comparison import STRICT, mode_named
from t2s_tui.evaluation.exact import exact_form, judge_exact
from t2s_tui.evaluation.execution import Execution
from t2s_tui.evaluation.execution_stream import ExecutionStream
from t2s_tui.evaluation.gold_store import GoldStore
from t2s_tui.evaluation.judged import Judged, Pair
from t2s_tui.evaluation.normalized import judge_normalized
from t2s_tui.evaluation.result_rows import difference, value_key
from t2s_tui.evaluation.sandbox import QueryResult, Sandbox
from t2s_tui.records import Outcome
from tests.shared_data import shared

PASS, FAIL, UNKNOWN, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR


@pytest.fixture(scope="module")
def execution() -> Iterator[Execution]:
    with Execution(timeout=1.0, max_rows=50) as made:
        yield made


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "game.db"
    with sqlite3.connect(path) as db:
        db.executescript(
            """CREATE TABLE players (id INTEGER, name TEXT, level INTEGER, joined TEXT, score REAL);
            INSERT INTO players VALUES (1, 'Kim', 3, '2024-01-05', 1.5), (2, 'Lee', 3, '2023-12-31', NULL),
              (3, 'Park', 9, '2024-03-01', 0.1), (4, 'Kim', 1, '2024-01-05', 0.2);"""
        )
    db.close()
    return path


def judge(execution: Execution, database: Path | None, gold: str, generated: str, **more: object) -> Judged:
    return execution.judge(Pair(gold, generated, database=database, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gold", "generated", "outcome", "why"),
    [
        (
            "SELECT name FROM players",
            "SELECT name FROM players ORDER BY id DESC",
            PASS,
            "the same result (4 rows)",
        ),
        ("SELECT name FROM players ORDER BY id", "SELECT name FROM players", PASS, "in order"),
        (
            "SELECT name FROM players ORDER BY id",
            "SELECT name FROM players ORDER BY id DESC",
            FAIL,
            "another order",
        ),
        ("SELECT DISTINCT name FROM players", "SELECT name FROM players", FAIL, "4 rows where gold has 3"),
        ("SELECT id, name FROM players", "SELECT name FROM players", FAIL, "1 column where gold has 2"),
        ("SELECT id, name FROM players", "SELECT name, id FROM players", FAIL, "columns in another order"),
        (
            "SELECT id FROM players WHERE level = 3",
            "SELECT id FROM players WHERE level = 9",
            FAIL,
            "1 row where gold",
        ),
        (
            "SELECT id FROM players WHERE id = 1",
            "SELECT id FROM players WHERE id = 2",
            FAIL,
            "1 of 1 row is not",
        ),
        ("SELECT COUNT(*) FROM players", "SELECT COUNT(*) * 1.0 FROM players", PASS, "1 row"),
        ("SELECT 0.1 + 0.2", "SELECT 0.3", PASS, "1 row"),
        ("SELECT score FROM players WHERE id = 2", "SELECT NULL", PASS, "weak"),
        ("SELECT name FROM players WHERE id = 99", "SELECT name FROM players WHERE id = 77", PASS, "weak"),
        ("SELECT '1'", "SELECT 1", FAIL, "1 of 1 row is not"),
        (
            "SELECT id FROM players WHERE name = 'order by x'",
            "SELECT id FROM players WHERE 0",
            PASS,
            "no rows",
        ),
        (
            "SELECT id FROM players WHERE id IN (SELECT id FROM players ORDER BY level LIMIT 9)",
            "SELECT id FROM players ORDER BY id DESC",
            PASS,
            "4 rows",
        ),
        ("SELECT id FROM players", "SELECT nope FROM players", FAIL, "no such column: nope"),
        ("SELECT id FROM players", "SELECT id FROM", FAIL, "does not parse at line 1, column"),
        (
            "SELECT id FROM players",
            "SELECT id FROM players WHERE name = 'x",
            FAIL,
            "does not parse at line 1, column 37",
        ),
        ("SELECT id FROM players", "사용자를 알려주세요", FAIL, "does not parse at line 1, column 1"),
        ("SELECT id FROM players", "DELETE FROM players", FAIL, "refused: DELETE"),
        ("SELECT id FROM players", "", FAIL, "there is no SQL"),
        ("SELECT nope FROM players", "SELECT id FROM players", ERROR, "gold does not run: no such column"),
        ("SELECT id FROM", "SELECT id FROM players", ERROR, "gold does not"),
        ("DELETE FROM players", "DELETE FROM players", ERROR, "gold does not run"),
        (
            "SELECT id FROM players",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
            FAIL,
            "longer than 1 s",
        ),
        (
            "SELECT a.id FROM players a, players b, players c",
            "SELECT b.id FROM players a, players b, players c",
            UNKNOWN,
            "longer than 50 rows",
        ),
        (
            "SELECT id FROM players",
            "SELECT a.id FROM players a, players b, players c",
            FAIL,
            "it returns more than gold",
        ),
    ],
)
def test_strict_execution(
    execution: Execution, database: Path, gold: str, generated: str, outcome: Outcome, why: str
) -> None:
    judged = judge(execution, database, gold, generated)
    assert (judged.outcome, why in judged.why) == (outcome, True), judged.why
    assert bool(judged.evidence.get("weak")) is ("weak" in judged.why)
    json.dumps(judged.evidence)


def test_order_can_be_asked_for_or_not(execution: Execution, database: Path) -> None:
    down, up = "SELECT id FROM players ORDER BY id DESC", "SELECT id FROM players ORDER BY id"
    assert judge(execution, database, up, down, ordered=False).outcome is PASS
    assert judge(execution, database, "SELECT id FROM players", down, ordered=True).outcome is FAIL


def test_no_database_is_unknown_and_a_broken_one_is_an_error(execution: Execution, tmp_path: Path) -> None:
    assert judge(execution, None, "SELECT 1", "SELECT 1") == Judged(UNKNOWN, "no database")
    gone = judge(execution, tmp_path / "gone.db", "SELECT 1", "SELECT 1")
    assert gone.outcome is ERROR
    assert "no database file" in gone.why


def test_the_evidence_says_what_ran_and_what_came(execution: Execution, database: Path) -> None:
    judged = judge(
        execution,
        database,
        "SELECT name FROM players WHERE YEAR(joined) = 2023",
        'SELECT name FROM players WHERE name = "Lee" LIMIT 1, 2',
        dialect="mysql",
    )
    assert judged.outcome is FAIL
    assert judged.evidence["engine"] == f"sqlite {sqlite3.sqlite_version}"
    assert judged.evidence["gold"] == {"columns": ["name"], "rows": [["Lee"]], "count": 1, "truncated": False}
    assert judged.evidence["generated"]["rows"] == []
    assert judged.evidence["ran"] == "SELECT name FROM players WHERE name = 'Lee' LIMIT 2 OFFSET 1"


def test_a_quoted_name_that_was_read_as_a_string_is_noted(execution: Execution, database: Path) -> None:
    sql = 'SELECT name AS "Who" FROM players WHERE "name" = "Kim" ORDER BY "Who"'
    judged = judge(execution, database, "SELECT name FROM players WHERE name = 'Kim'", sql)
    assert judged.outcome is PASS
    assert judged.evidence["notes"] == ['SQLite read "Kim" as a string: no column has that name']
    plain = judge(execution, database, "SELECT name FROM players", 'SELECT "name" FROM players')
    assert "notes" not in plain.evidence


def test_what_another_engine_knows_is_not_held_against_the_model(
    execution: Execution, database: Path
) -> None:
    gold, generated = (
        "SELECT id FROM players WHERE id IN (1, 4)",
        "SELECT id FROM players WHERE name REGEXP '^K'",
    )
    judged = judge(execution, database, gold, generated, dialect="mysql")
    assert (judged.outcome, judged.evidence["engine"].split()[0]) == (PASS, "duckdb")
    wrong = judge(execution, database, gold, generated.replace("^K", "^L"), dialect="mysql")
    assert (wrong.outcome, wrong.evidence["engine"].split()[0]) == (FAIL, "duckdb")
    nowhere = "SELECT id FROM players WHERE MAKEDATE(2024, level) > joined"
    judged = judge(execution, database, gold, nowhere, dialect="mysql")
    assert judged.outcome is UNKNOWN
    assert "MAKEDATE" in judged.why
    invented = judge(
        execution, database, "SELECT id FROM players", "SELECT FOO(id) FROM players", dialect="mysql"
    )
    assert invented.outcome is FAIL


def test_gold_runs_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    run_all = Sandbox.run_all

    def counting(self: Sandbox, database: Path, queries: list[str], **more: float) -> object:
        ran.extend(queries)
        return run_all(self, database, queries, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "run_all", counting)
    with Execution() as execution:
        for generated in ("SELECT 1", "SELECT 2", "SELECT 3"):
            judge(execution, database, "SELECT id FROM players", generated)
    assert ran.count("SELECT id FROM players") == 1
    assert len(ran) == 4


def test_a_query_runs_once_however_it_is_spaced_and_golds_own_text_not_at_all(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    run_all = Sandbox.run_all

    def counting(self: Sandbox, database: Path, queries: list[str], **more: float) -> object:
        ran.extend(queries)
        return run_all(self, database, queries, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "run_all", counting)
    gold = "SELECT id, name FROM players"
    same = ["select id ,name\nfrom PLAYERS;", "SELECT id,  name FROM players"]
    wrong = ["SELECT id, level FROM players", "select ID, level from players "]
    pairs = [Pair(gold, sql, database=database) for sql in (*same, *wrong, *wrong)]
    with ExecutionStream(STRICT, 2) as stream:
        said = [answer["execution"].outcome for _, answer in stream.answers(enumerate(pairs))]
    assert said == [PASS] * 2 + [FAIL] * 4
    assert sorted(ran) == [wrong[0], gold]


def test_a_stream_says_what_one_by_one_says_and_keeps_the_order(database: Path) -> None:
    golds = ["SELECT id FROM players", "SELECT name FROM players ORDER BY id", "SELECT nope FROM players"]
    sqls = ["SELECT id FROM players", "DELETE FROM players", "SELECT x", "SELECT name FROM players", ""]
    pairs = [Pair(gold, sql, database=database) for gold in golds for sql in sqls] * 20
    mixed = [
        *pairs,
        Pair("SELECT 1", "SELECT 1"),
        Pair(golds[0], "SELECT `id` FROM players", "mysql", None, database),
    ]
    with ExecutionStream(STRICT, 2) as stream, Execution() as alone:
        for key, answer in stream.answers([*enumerate(mixed), (-1, None)]):
            assert answer == ({"execution": alone.judge(mixed[key])} if key >= 0 else {})
        assert key == -1


def test_a_slow_gold_is_kept_on_disk_until_its_database_changes(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    slow = QueryResult(("a", "b"), ((1, b"\x00"), (None, "한")), False, 1.0, frozenset({("t", "a")}))
    quick = QueryResult(("a",), ((1,),), False, 0.0001)
    store = GoldStore(tmp_path / "golds.sqlite")
    store.put("sqlite 3", copy, 10, "slow", slow)
    store.put("sqlite 3", copy, 10, "quick", quick)
    store.close()
    again = GoldStore(tmp_path / "golds.sqlite")
    assert again.get("sqlite 3", copy, 10, "slow") == slow
    assert again.get("sqlite 3", copy, 10, "quick") is None
    assert again.get("sqlite 3", copy, 11, "slow") is None
    with sqlite3.connect(copy) as db:
        db.execute("CREATE TABLE more (a)")
    db.close()
    assert again.get("sqlite 3", copy, 10, "slow") is None
    again.close()
    (tmp_path / "golds.sqlite").write_bytes(b"no database" * 99)
    broken = GoldStore(tmp_path / "golds.sqlite")
    broken.put("sqlite 3", copy, 10, "slow", slow)
    assert broken.get("sqlite 3", copy, 10, "slow") is None
    broken.close()


def test_long_evidence_is_cut_but_counted(execution: Execution, database: Path) -> None:
    many = "SELECT a.id, x'00ff', 1e999 FROM players a, players b, players c LIMIT 45"
    judged = judge(execution, database, many, many)
    assert judged.outcome is PASS
    side = judged.evidence["gold"]
    assert (len(side["rows"]), side["count"]) == (20, 45)
    assert side["rows"][0] == [1, "x'00ff'", "Inf"]


_cells = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, 0.5, "1", "a"]))
_tables = st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(_cells, min_size=n, max_size=n), max_size=5))


@given(_tables, st.randoms())
def test_bags_do_not_care_about_order_and_lists_do(rows: list[list[object]], random: object) -> None:
    columns = ["c"] * (len(rows[0]) if rows else 1)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    as_floats = [[float(v) if isinstance(v, int) else v for v in row] for row in shuffled]
    assert difference((columns, rows), (columns, as_floats), ordered=False) is None
    same = [list(map(value_key, r)) for r in rows] == [list(map(value_key, r)) for r in shuffled]
    assert (difference((columns, rows), (columns, shuffled), ordered=True) is None) is same
    if rows:
        assert difference((columns, rows), (columns, rows[1:]), ordered=False) is not None


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("SELECT 1", " SELECT\n 1 ; ", True),
        ("SELECT 'a  b'", "SELECT 'a b'", False),
        ("SELECT a", "select a", False),
        ("SELECT '각'", "SELECT '\u1100\u1161\u11a8'", True),
        ("SELECT 1 -- x\nFROM t", "SELECT 1 -- x FROM t", False),
        ("SELECT 1", "", False),
    ],
)
def test_exact(a: str, b: str, same: bool) -> None:
    assert (exact_form(a) == exact_form(b)) is same
    assert (judge_exact(Pair(a, b)).outcome is PASS) is same


def test_normalized() -> None:
    ddl = "CREATE TABLE t (a INT, b INT);"
    assert judge_normalized(Pair("SELECT a FROM t", "select T.A from t;", ddl=ddl)).outcome is PASS
    differs = judge_normalized(Pair("SELECT a FROM t", "SELECT b FROM t", ddl=ddl))
    assert differs.outcome is FAIL
    assert differs.evidence == {
        "gold": "SELECT a FROM t",
        "generated": "SELECT b FROM t",
        "faults": ["projection"],
    }
    assert judge_normalized(Pair("SELECT a FROM t", "SELECT 'x")).why.startswith(
        "does not parse at line 1, column 8"
    )
    assert judge_normalized(Pair("SELECT a FROM t", " ")).why == "there is no SQL"
    assert judge_normalized(Pair("SELECT 'x", "SELECT a FROM t")).outcome is ERROR


def test_normalized_takes_any_accepted_query_and_minds_order_only_where_gold_does() -> None:
    ddl = "CREATE TABLE t (a INT, b INT);"
    pair = Pair("SELECT a FROM t", "SELECT b FROM t ORDER BY b", ddl=ddl, accepted=("SELECT b FROM t",))
    assert judge_normalized(pair).outcome is PASS
    assert judge_normalized(replace(pair, ordered=True)).evidence["faults"] == ["ordering"]
    ordered = Pair("SELECT a FROM t ORDER BY a", "SELECT a FROM t", ddl=ddl)
    assert judge_normalized(ordered).evidence["faults"] == ["ordering"]
    assert judge_normalized(replace(ordered, ordered=False)).outcome is PASS


def test_normalized_reads_the_tables_from_the_database_where_there_is_no_ddl(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b INT)")
    pair = Pair("SELECT COUNT(*) FROM t", "SELECT COUNT(a) FROM t", database=path)
    assert judge_normalized(pair).outcome is PASS
    assert judge_normalized(replace(pair, database=tmp_path / "absent.sqlite")).outcome is FAIL


def test_normalized_names_the_faults_of_what_it_fails() -> None:
    ddl = "CREATE TABLE t (a INT, b INT);"
    raw = "SELECT a FROM t WHERE a > 2; ### Explanation"
    talkative = Pair("SELECT a FROM t WHERE a > 1", "SELECT a FROM t WHERE a > 2", ddl=ddl, raw=raw)
    assert judge_normalized(talkative).evidence["faults"] == ["value", "run-on text"]
    assert judge_normalized(Pair("SELECT a FROM t", "", ddl=ddl)).evidence["faults"] == ["empty"]
    assert judge_normalized(Pair("SELECT a FROM t", "SELECT 'x", ddl=ddl)).evidence["faults"] == ["syntax"]


def test_tricky_pairs_on_their_witness_rows(tmp_path: Path) -> None:
    """Pairs that differ are told apart on the rows that show it. (SQLite's; DuckDB's need DuckDB.)"""
    lines = shared("equivalence/tricky_cases.jsonl").read_text("utf-8").splitlines()
    wrong = []
    with Execution() as execution:
        for case in map(json.loads, lines):
            if case["dialect"] != "sqlite" or not (case["equivalent"] or "witness" in case):
                continue
            path = tmp_path / f"{case['id']}.db"
            with sqlite3.connect(path) as db:
                db.executescript(case["ddl"])
                db.executescript(case.get("witness") or "")
            db.close()
            pair = Pair(case["gold"], case["pred"], database=path, ordered=case["strict_order"])
            if (execution.judge(pair).outcome is PASS) is not case["equivalent"]:
                wrong.append(case["id"])
    assert wrong == []


@pytest.mark.parametrize("model", ["codes_1b", "codes_7b", "dail_gpt4"])
def test_mode_test_suite_agrees_with_the_published_comparator_on_every_row(model: str) -> None:
    lines = shared(f"spider_predictions/{model}.jsonl").read_text("utf-8").splitlines()
    disagree = []
    with Execution(mode=mode_named("test-suite")) as execution:
        for row in map(json.loads, lines):
            path = shared(f"spider/database/{row['db_id']}/{row['db_id']}.sqlite")
            outcome = execution.judge(Pair(row["gold"], row["pred"], database=path)).outcome
            if (outcome is PASS) != bool(row["ex"]):
                disagree.append(row["i"])
    assert (len(lines), disagree) == (535, [])
