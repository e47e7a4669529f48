"""The sample dataset: what the build checks, and what the shipped rows promise."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from t2s_tui.samples import SAMPLE_FILE, build, database_path

DOMAINS = {"bank", "game", "hospital", "hr", "library", "school", "shop", "travel"}
COLUMNS = ["id", "db_id", "split", "context", "question", "question_ko", "answer", "dialect"]
HANGUL = re.compile("[가-힣]")
MORE_FEATURES = {
    "COUNT": r"COUNT\(",
    "SUM": r"SUM\(",
    "AVG": r"AVG\(",
    "MIN": r"MIN\(",
    "MAX": r"MAX\(",
    "COUNT DISTINCT": r"COUNT\(DISTINCT ",
    "SELECT DISTINCT": r"SELECT DISTINCT ",
    "IN": r" IN \(",
    "BETWEEN": r" BETWEEN ",
    "IS NULL": r" IS NULL",
    "IS NOT NULL": r" IS NOT NULL",
    "AND": r" AND ",
    "OR": r" OR ",
    "LEFT JOIN": r" LEFT JOIN ",
    "NOT LIKE": r" NOT LIKE ",
}


@pytest.fixture(scope="module")
def domains() -> list[build.Domain]:
    return build.load_domains()


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in SAMPLE_FILE.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def connection(request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """The shipped database of one domain, read only."""
    uri = f"{database_path(request.param).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of one domain's folder that a test may spoil."""
    return shutil.copytree(build.DOMAINS_DIR / "shop", tmp_path / "shop")


def add_question(folder: Path, sql: str, en: str = "A new question?", ko: str = "새 질문?") -> build.Domain:
    with (folder / "questions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"en": en, "ko": ko, "sql": sql}, ensure_ascii=False) + "\n")
    return build.load_domain(folder)


def faults_of(domain: build.Domain) -> list[str]:
    with closing(build.open_database(domain)) as opened:
        return build._check_golds(domain, opened)[0]


def test_every_domain_is_complete(domains: list[build.Domain]) -> None:
    assert {domain.name for domain in domains} == DOMAINS


def test_the_builds_own_check_finds_nothing(
    domains: list[build.Domain], capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.check(domains) == []
    table = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in table] == ["domain", *sorted(DOMAINS)]


def test_the_check_command_exits_with_0() -> None:
    assert build.main(["--check"]) == 0


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_every_gold_runs_and_nearly_all_return_rows(name: str) -> None:
    domain = build.load_domain(build.DOMAINS_DIR / name)
    with closing(build.open_database(domain)) as opened:
        faults, share = build._check_golds(domain, opened)
    assert faults == []
    assert share >= 0.95


@pytest.mark.parametrize("connection", sorted(DOMAINS), indirect=True)
def test_golds_run_on_the_shipped_databases(
    connection: sqlite3.Connection, rows: list[dict[str, str]], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["connection"]
    golds = [row["answer"] for row in rows if row["db_id"] == name]
    with_rows = sum(connection.execute(gold).fetchone() is not None for gold in golds)
    assert golds
    assert with_rows >= 0.95 * len(golds)


def test_golds_are_one_mysql_statement_each(rows: list[dict[str, str]]) -> None:
    import sqlglot

    for row in rows:
        assert row["answer"].endswith(";"), row["id"]
        assert "\n" not in row["answer"], row["id"]
        assert len(sqlglot.parse(row["answer"], read="mysql")) == 1, row["id"]


def test_what_ships_is_what_is_built(domains: list[build.Domain]) -> None:
    built = [row for domain in domains for row in build.rows_of(domain)]
    assert SAMPLE_FILE.read_bytes() == build.sample_bytes(built)


def test_rows_have_the_same_columns_and_none_is_empty(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert list(row) == COLUMNS
        assert all(text.strip() for text in row.values()), row["id"]
        assert row["dialect"] == "mysql"


def test_the_split_is_by_domain(rows: list[dict[str, str]]) -> None:
    counts = Counter((row["split"], row["db_id"]) for row in rows)
    assert {domain for split, domain in counts if split == "eval"} == {"game"}
    assert counts["eval", "game"] == 112
    training = {domain: count for (split, domain), count in counts.items() if split == "train"}
    assert set(training) == DOMAINS - {"game"}
    assert all(95 <= count <= 105 for count in training.values()), training


@pytest.mark.parametrize("column", ["id", "question", "question_ko", "answer"])
def test_nothing_repeats(column: str, rows: list[dict[str, str]]) -> None:
    seen = Counter(" ".join(row[column].split()).casefold() for row in rows)
    assert [text for text, count in seen.items() if count > 1] == []


def test_both_languages_are_there(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert HANGUL.search(row["question_ko"]), row["id"]
        outside_quotes = re.sub(r"'[^']*'", "", row["question"])
        assert re.search("[a-z]{2}", outside_quotes), row["id"]


def test_all_text_is_in_nfc() -> None:
    text = SAMPLE_FILE.read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)


def test_literals_stand_in_both_questions(rows: list[dict[str, str]]) -> None:
    for row in rows:
        for literal in re.findall(r"'([^']*)'", row["answer"]):
            wanted = literal.strip("%").strip()
            assert wanted in row["question"], row["id"]
            assert wanted in row["question_ko"], row["id"]


def test_the_context_shows_the_tables_of_the_gold(rows: list[dict[str, str]]) -> None:
    for row in rows:
        shown = set(re.findall(r"^CREATE TABLE (\w+) \($", row["context"], re.MULTILINE))
        assert build.tables_used(row["answer"]) <= shown, row["id"]


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_every_domain_has_every_feature(name: str, rows: list[dict[str, str]]) -> None:
    golds = [row["answer"] for row in rows if row["db_id"] == name]
    found = set().union(*(build.features_of(gold) for gold in golds))
    assert found >= set(build.FEATURES)
    missing = {
        label for label, pattern in MORE_FEATURES.items() if not any(re.search(pattern, g) for g in golds)
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("sql", "features"),
    [
        ("SELECT name FROM t WHERE name LIKE '%a%';", {"LIKE"}),
        ("SELECT name FROM t ORDER BY a LIMIT 1 OFFSET 2;", {"ORDER BY", "LIMIT", "OFFSET"}),
        ("SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 1;", {"GROUP BY", "HAVING"}),
        ("SELECT 1 FROM a AS x JOIN b AS y ON x.i = y.i;", {"JOIN 2"}),
        ("SELECT 1 FROM a AS x JOIN b AS y ON x.i = y.i JOIN c AS z ON z.i = y.i;", {"JOIN 3"}),
        ("SELECT a FROM t WHERE a > (SELECT AVG(a) FROM t);", {"subquery"}),
        ("SELECT a FROM t WHERE d >= '2024-05-01';", {"date"}),
        ("SELECT a FROM t WHERE b = 'ORDER BY LIMIT 5';", set()),
    ],
)
def test_features_of(sql: str, features: set[str]) -> None:
    assert build.features_of(sql) == features


def test_a_gold_that_does_not_run_is_a_fault(shop: Path) -> None:
    domain = add_question(shop, "SELECT nothing FROM customers;")
    (fault,) = faults_of(domain)
    assert fault.startswith("shop-101: the gold does not run")


def test_too_few_rows_and_too_many_empty_answers_are_faults(shop: Path) -> None:
    domain = build.load_domain(shop)
    domain.questions = [build.Question("q", "질문", "SELECT name FROM customers WHERE 1 = 0;")] * 3
    faults = faults_of(domain)
    assert any("golds return rows" in fault for fault in faults)
    assert any("at least 95 wanted" in fault for fault in faults)


def test_repeats_are_faults_whatever_their_case_and_spaces(shop: Path) -> None:
    first = build.load_domain(shop).questions[0]
    domain = add_question(shop, first.sql.lower(), en=f"  {first.en.upper()}", ko=first.ko)
    faults = build._check_repeats(build.rows_of(domain))
    assert [fault.split(":")[1].split()[1] for fault in faults] == ["question", "question_ko", "answer"]
    assert all(fault.startswith("shop-101: ") for fault in faults)


def test_a_changed_row_is_not_what_ships(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    domain = add_question(shop, "SELECT MAX(points) FROM customers;")
    faults = build.check([domain])
    assert "sample.jsonl: not what would be built" in faults
    assert "game: missing" in faults


def test_changed_data_is_not_what_ships(shop: Path) -> None:
    path = shop / "rows.sql"
    path.write_text(path.read_text(encoding="utf-8").replace("Coffee Mug", "Tea Mug"), encoding="utf-8")
    domain = build.load_domain(shop)
    with closing(build.open_database(domain)) as opened:
        assert build._check_shipped(domain, opened) == [
            "shop: the shipped database is not what would be built"
        ]


def test_unknown_tables_and_broken_lines_are_named(shop: Path) -> None:
    with pytest.raises(build.SampleError, match="shop-101: not in the schema: ghosts"):
        build.rows_of(add_question(shop, "SELECT a FROM ghosts;"))
    with (shop / "questions.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"en": "no gold"}\n')
    with pytest.raises(build.SampleError, match="shop: line 102: not a question"):
        build.load_domain(shop)


def test_korean_written_in_parts_is_composed(shop: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "고객 포인트의 최솟값은?")
    domain = add_question(shop, "SELECT MIN(points) FROM customers;", ko=decomposed)
    assert domain.questions[-1].ko == "고객 포인트의 최솟값은?"
