"""Published layouts become examples: our own small copies of each, and the real thing where it is at hand."""

from __future__ import annotations

import shutil
import sqlite3
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest

from t2s_tui.datasets.add import AddReport, add_dataset
from t2s_tui.datasets.catalogue import open_examples
from t2s_tui.datasets.formats.defog import accepted_queries
from t2s_tui.datasets.formats.spider import Schemas
from t2s_tui.errors import DataError
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace
from tests.dataset_files import row, write
from tests.fixtures import layouts
from tests.shared_data import shared


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def added(workspace: Workspace, source: Path, **options: object) -> tuple[AddReport, list[Example]]:
    report = add_dataset(workspace, str(source), name="set", **options)  # type: ignore[arg-type]
    return report, list(open_examples(workspace, "set"))


def result(example: Example) -> list[tuple[object, ...]]:
    assert example.database is not None
    connection = sqlite3.connect(f"file:{example.database}?mode=ro", uri=True)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    try:
        return connection.execute(example.gold).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("korean", [False, True])
def test_spider(workspace: Workspace, tmp_path: Path, korean: bool) -> None:
    report, (first, second) = added(workspace, layouts.spider(tmp_path / "spider", korean=korean))
    assert (report.dataset.format, report.dataset.license) == ("spider", "CC BY-SA 4.0")
    assert report.dataset.splits == {"train": 1, "dev": 1}
    assert (first.hardness, second.hardness) == ("easy", "extra")
    assert (first.dialect, first.origin) == ("sqlite", "train_spider.json:2")
    assert first.ddl == (
        'CREATE TABLE club (\n  club_id NUMERIC PRIMARY KEY,\n  "Home Town" TEXT,\n  founded NUMERIC\n);\n\n'
        "CREATE TABLE member (\n  member_id NUMERIC PRIMARY KEY,\n  club_id NUMERIC,\n  name TEXT,\n"
        "  FOREIGN KEY (club_id) REFERENCES club (club_id)\n);"
    )
    assert (result(first), result(second)) == ([(2,)], [("서울",)])
    assert first.question.startswith("클럽은" if korean else "How many")


def test_a_key_of_which_spider_names_the_first_column_is_completed_from_the_database(tmp_path: Path) -> None:
    """network_1's Friend(student_id, friend_id): the first alone would say that nobody has two friends."""
    folder = layouts.spider(tmp_path / "spider")
    entry = layouts.CLUBS_TABLES | {"primary_keys": [1, 5]}
    layouts.write_json(folder / "tables.json", [entry])
    database = folder / "database" / "clubs" / "clubs.sqlite"
    database.unlink()
    named_alone = Schemas(folder).ddl("clubs") or ""
    assert "  club_id NUMERIC PRIMARY KEY,\n  name TEXT" in named_alone
    tables = 'CREATE TABLE club (club_id INTEGER PRIMARY KEY, "Home Town" TEXT, founded INTEGER);'
    layouts.database(
        database,
        f"{tables} CREATE TABLE Member (name TEXT, member_id INTEGER, "
        "Club_ID INTEGER REFERENCES club (club_id), PRIMARY KEY (Club_ID, member_id));",
    )
    ddl = Schemas(folder).ddl("clubs") or ""
    assert "PRIMARY KEY (club_id, member_id)" in ddl
    assert ddl.count("PRIMARY KEY") == 2
    database.write_bytes(b"no database")
    assert Schemas(folder).ddl("clubs") == named_alone


def test_spiders_questions_without_its_files_take_the_schema_of_the_database(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Spider-KO on the Hub and as CSV: db_id, question, query; the databases are Spider's."""
    layouts.database(tmp_path / "db" / "clubs" / "clubs.sqlite")
    rows = [
        {"db_id": "clubs", "question": "How many clubs?", "question_ko": "클럽은 몇 개?",
         "query": "SELECT count(*) FROM club"},
        {"db_id": "gone", "question": "q", "question_ko": "질문", "query": "SELECT 1"},
    ]  # fmt: skip
    report, (only,) = added(workspace, write(tmp_path / "ko.csv", rows), databases=tmp_path / "db")
    assert (only.question, only.extra, only.hardness) == (
        "클럽은 몇 개?",
        {"question_en": "How many clubs?"},
        "easy",
    )
    assert "CREATE TABLE member" in only.ddl
    assert result(only) == [(2,)]
    assert [(p.line, p.field) for p in report.problems] == [(3, "context")]


def test_bird(workspace: Workspace, tmp_path: Path) -> None:
    report, (only,) = added(workspace, layouts.bird(tmp_path / "mini_dev"))
    assert (report.dataset.format, report.dataset.splits) == ("bird", {"dev": 1})
    assert (only.evidence, only.hardness) == ("old means founded before 2000", "moderate")
    assert only.extra == {"question_id": "7"}
    assert "PRIMARY KEY (member_id, club_id)" in only.ddl
    assert result(only) == [(1,)]


@pytest.mark.parametrize("own_database", [False, True])
def test_wikisql(workspace: Workspace, tmp_path: Path, own_database: bool) -> None:
    report, rows = added(workspace, layouts.wikisql(tmp_path / "wiki", own_database=own_database))
    assert [example.gold for example in rows] == [
        'SELECT "득점" FROM "table_1_100_1" WHERE "No." = \'7\';',
        'SELECT COUNT("선수") FROM "table_1_100_1" WHERE "득점" > 1000 AND "선수" = \'김철수\';',
        'SELECT "No." FROM "table_1_100_1" WHERE "선수" = \'o\'\'neal\';',
    ]
    assert rows[0].ddl.splitlines()[1:6] == [
        '  "선수" TEXT,', '  "No." TEXT,', '  "득점" REAL,', '  "선수 (2)" TEXT,', '  "col4" TEXT'
    ]  # fmt: skip
    assert [result(example) for example in rows] == [[(1204.0,)], [(1,)], [("34",)]]
    assert rows[0].question == "7번 선수의 득점은?"
    assert [(p.line, p.field) for p in report.problems] == [(4, "table_id"), (5, "sql")]
    assert report.dataset.splits == {"train": 3}


def test_wikisql_with_its_tables_inside(workspace: Workspace, tmp_path: Path) -> None:
    _, rows = added(workspace, layouts.lines(tmp_path / "test.jsonl", layouts.wikisql_inlined()))
    assert [result(example) for example in rows] == [[(1204.0,)], [(1,)], [("34",)]]
    assert {example.split for example in rows} == {"test"}


def test_wikisqls_bad_rows_are_reported_and_no_index_is_taken_for_another(
    workspace: Workspace, tmp_path: Path
) -> None:
    good = layouts.wikisql_inlined()[0]
    conds = {"column_index": [0], "operator_index": [-1], "condition": ["x"]}
    bad = [
        {"question": "q", "table": None, "sql": {"sel": 0, "agg": 0, "conds": []}},
        {"question": "q", "table": "x", "sql": {"sel": 0, "agg": 0, "conds": []}},
        good | {"sql": None},
        good | {"sql": {"sel": 0, "agg": -1, "conds": []}},
        good | {"sql": {"sel": 0, "agg": 0, "conds": conds}},
        good | {"sql": {"sel": -1, "agg": 0, "conds": []}},
    ]
    path = layouts.lines(tmp_path / "train.jsonl", [good, *bad])
    with path.open("a") as file:
        file.write("no JSON\n")
    report, rows = added(workspace, path)
    assert len(rows) == 1
    assert [p.line for p in report.problems] == [2, 3, 4, 5, 6, 7, 8]
    assert [p.field for p in report.problems] == ["table_id", "table_id", "sql", "sql", "sql", "sql", ""]


def test_wikisql_without_its_tables_is_one_sentence(workspace: Workspace, tmp_path: Path) -> None:
    folder = layouts.wikisql(tmp_path / "wiki")
    (folder / "train.tables.jsonl").unlink()
    with pytest.raises(DataError, match=r"put train\.tables\.jsonl of the same download beside it"):
        added(workspace, folder)


@pytest.mark.parametrize("zipped", [False, True])
def test_aihub(workspace: Workspace, tmp_path: Path, zipped: bool) -> None:
    report, rows = added(workspace, layouts.aihub(tmp_path / "nl2sql", zipped=zipped))
    assert (report.dataset.format, report.dataset.splits) == ("aihub", {"train": 1, "validation": 1})
    assert [example.question for example in rows] == [
        "면적이 1000 넘는 공원은? (Training)", "면적이 1000 넘는 공원은? (Validation)"
    ]  # fmt: skip
    assert rows[0].ddl == (
        "CREATE TABLE PARK ( -- 공원 현황\n  PARK_NM TEXT PRIMARY KEY, -- 공원명\n  AREA NUMERIC, -- 면적\n"
        "  OPEN_DE DATETIME -- 개원일\n);"
    )
    assert rows[0].extra == {"utterance_id": "Whn_1", "utterance_type": "BR02"}
    assert rows[0].hardness == "easy"
    assert result(rows[0]) == [("남산",)]
    assert report.dataset.dropped == 2
    assert {p.field for p in report.problems} == {"answer"}
    again = add_dataset(workspace, report.dataset.source, name="set")
    assert not again.added


@pytest.mark.parametrize("renamed", [False, True])
def test_one_label_file_of_aihub_finds_the_rest_of_its_tree(
    workspace: Workspace, tmp_path: Path, renamed: bool
) -> None:
    folder = layouts.aihub(tmp_path / "aihub")
    label = next((folder / "Training").rglob("TEXT_NL2SQL_label_*.json"))
    if renamed:
        label = label.rename(label.with_name("labels.json"))
    report, (only,) = added(workspace, label)
    assert (report.dataset.format, report.dataset.splits) == ("aihub", {"train": 1})
    assert result(only) == [("남산",)]


def test_defog(workspace: Workspace, tmp_path: Path) -> None:
    report, (only,) = added(workspace, layouts.defog(tmp_path / "eval"))
    assert report.dataset.format == "defog"
    start = "FROM club AS c JOIN member AS m ON c.club_id = m.club_id GROUP BY"
    town = 'c."Home Town"'
    assert only.gold == f"SELECT c.club_id, {town}, COUNT(*) {start} c.club_id, {town}"
    assert only.accepted == (
        f"SELECT c.club_id, COUNT(*) {start} c.club_id",
        f"SELECT {town}, COUNT(*) {start} {town}",
        "SELECT 'a;b', COUNT(*) FROM club",
    )
    assert (only.evidence, only.extra) == ("count all of them", {"category": "group_by"})
    assert "CREATE TABLE member" in only.ddl
    assert len(result(only)) == 2


def test_accepted_queries_are_bounded() -> None:
    assert len(accepted_queries("SELECT {" + ", ".join(f"c{n}" for n in range(12)) + "} FROM t")) == 64
    assert accepted_queries("SELECT {f(a, b) AS x} FROM t GROUP BY {}") == [
        "SELECT f(a, b) AS x FROM t GROUP BY f(a, b)"
    ]
    assert accepted_queries(" ;; ") == []


DDL = "CREATE TABLE t (\n  a INT\n);"


@pytest.mark.parametrize(
    "row",
    [
        {"question": "몇 개?", "context": DDL, "answer": "SELECT COUNT(*) FROM t"},
        {"sql_prompt": "몇 개?", "sql_context": DDL, "sql": "SELECT COUNT(*) FROM t",
         "sql_complexity": "aggregation"},
        {"text": f"봇입니다.\n\n### DDL:\n{DDL}\n\n### Question:\n몇 개?\n\n### SQL:\n"
                 "SELECT COUNT(*) FROM t</s>"},
        {"messages": [{"role": "system", "content": "bot"},
                      {"role": "user", "content": f"{DDL}\n\n몇 개?"},
                      {"role": "assistant", "content": "SELECT COUNT(*) FROM t"}]},
        {"messages": [{"role": "user", "content": f"Write.\n\n### DDL:\n{DDL}\n\n### Question:\n몇 개?"},
                      {"role": "assistant", "content": "SELECT COUNT(*) FROM t"}]},
    ],
    ids=["create-context", "gretel", "text", "messages", "messages with headings"],
)  # fmt: skip
def test_shapes_of_rows(workspace: Workspace, tmp_path: Path, row: dict[str, object]) -> None:
    _, (only,) = added(workspace, layouts.lines(tmp_path / "a.jsonl", [row]))
    assert (only.question, only.ddl, only.gold) == ("몇 개?", DDL, "SELECT COUNT(*) FROM t")
    assert only.db_id.startswith("ddl-")


def test_a_text_that_is_no_prompt_is_reported(workspace: Workspace, tmp_path: Path) -> None:
    rows = [{"text": "hello"}, {"text": f"### DDL:\n{DDL}\n\n### Question:\nq\n\n### SQL:\nSELECT 1"}]
    report, (only,) = added(workspace, layouts.lines(tmp_path / "a.jsonl", rows))
    assert only.gold == "SELECT 1"
    assert {p.line for p in report.problems} == {1}


# -- archives ---------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "tar.bz2"])
def test_an_archive_is_what_is_in_it_and_is_unpacked_once(
    workspace: Workspace, tmp_path: Path, ending: str
) -> None:
    layouts.spider(tmp_path / "in" / "spider", korean=True)
    kind = {"zip": "zip", "tar.gz": "gztar", "tar.bz2": "bztar"}[ending]
    archive = Path(shutil.make_archive(str(tmp_path / "spider-ko"), kind, tmp_path / "in"))
    report, (first, _) = added(workspace, archive)
    assert report.dataset.source == str(archive)
    shutil.rmtree(tmp_path / "in")
    assert result(first) == [(2,)]
    before = sorted(workspace.sources_dir.iterdir())
    assert not add_dataset(workspace, str(archive), name="set").added
    assert sorted(workspace.sources_dir.iterdir()) == before


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_only_what_is_read_is_unpacked(workspace: Workspace, tmp_path: Path, ending: str) -> None:
    folder = layouts.spider(tmp_path / "in" / "spider")
    (folder / "LICENSE").write_text("as you like")
    for name in ("paper.pdf", "._dev.json", "database/clubs/schema.png", "__MACOSX/dev.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no part of the data")
    kind = {"zip": "zip", "tar.gz": "gztar"}[ending]
    archive = Path(shutil.make_archive(str(tmp_path / "spider"), kind, tmp_path / "in"))
    report, rows = added(workspace, archive)
    assert (len(rows), report.problems) == (2, [])
    assert sorted(p.name for p in workspace.sources_dir.rglob("*") if p.is_file()) == [
        "LICENSE",
        "clubs.sqlite",
        "dev.json",
        "tables.json",
        "train_spider.json",
    ]


def test_birds_databases_are_found_in_the_archive_beside_its_questions(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = layouts.bird(tmp_path / "dev_20240627")
    shutil.make_archive(str(folder / "dev_databases"), "zip", folder, "dev_databases")
    shutil.rmtree(folder / "dev_databases")
    _, (only,) = added(workspace, folder)
    assert result(only) == [(1,)]
    assert Path(only.database or "").is_relative_to(workspace.sources_dir)


def test_a_table_in_a_folder_of_an_archive(workspace: Workspace, tmp_path: Path) -> None:
    write(tmp_path / "in" / "folder" / "train.csv", [row(1), row(2)])
    report, _ = added(workspace, Path(shutil.make_archive(str(tmp_path / "x"), "zip", tmp_path / "in")))
    assert report.dataset.splits == {"train": 2}


def test_a_mapped_table_without_db_id_gets_one_a_schema(workspace: Workspace, tmp_path: Path) -> None:
    other = "CREATE TABLE u (b INT);"
    rows = [{"ask": "q", "schema": ddl, "code": "SELECT 1"} for ddl in (DDL, DDL, other)]
    columns = {"question": "ask", "context": "schema", "answer": "code"}
    _, (a, b, c) = added(workspace, layouts.lines(tmp_path / "a.jsonl", rows), column_map=columns)
    assert a.db_id == b.db_id != c.db_id


def test_an_archive_that_leads_out_of_its_folder_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../../evil.csv", "db_id\n1\n")
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 nothing")
    for name in ("bad.zip", "bad.tar.gz", "cut.zip"):
        with pytest.raises(DataError, match="cannot be unpacked"):
            added(workspace, tmp_path / name)
    assert not list(tmp_path.rglob("evil.csv"))
    assert not list(workspace.sources_dir.glob("*"))


# -- the real thing ---------------------------------------------------------------------------


def shares(rows: list[Example]) -> tuple[int, int]:
    """(golds that run, golds that return something: a row that is neither NULL alone nor a count of 0)."""
    found = [result(example) for example in rows]
    empty = (None, 0)
    return len(found), sum(
        any(cell is not None for cell in first)
        and not (example.gold.startswith("SELECT COUNT(") and first[0] in empty)
        for example, rows_ in zip(rows, found, strict=True)
        for first in rows_[:1]
    )


def test_korean_wikisql(workspace: Workspace) -> None:
    _, rows = added(workspace, shared("ko_wikisql"))
    train, dev = ([e for e in rows if e.split == split] for split in ("train", "dev"))
    assert shares(train) == (1004, 975)
    assert shares(dev) == (144, 142)
    assert all(e.question == unicodedata.normalize("NFC", e.question) for e in rows)


def test_real_spider(workspace: Workspace) -> None:
    report, rows = added(workspace, shared("spider"))
    assert report.dataset.splits == {"train": 7000, "dev": 535}
    dev = [e for e in rows if e.split == "dev"]
    assert shares(dev)[0] == 535
    train = [e for e in rows if e.split == "train" and e.database]
    assert len(train) == 6386
    assert {e.hardness for e in rows} == {"easy", "medium", "hard", "extra"}


#: Golds of Spider's training set that no SQLite runs: one names a table that the database lacks, two have an
#: ORDER BY before INTERSECT.
SPIDER_BROKEN = {
    "train_spider_lite.json:15767": "no such table: Ref_Company_Types",
    "train_spider_lite.json:22567": "ORDER BY clause should come after INTERSECT not before",
    "train_spider_lite.json:22572": "ORDER BY clause should come after INTERSECT not before",
}


@pytest.mark.slow
def test_spiders_training_golds_run_but_for_those_that_are_broken(workspace: Workspace) -> None:
    _, rows = added(workspace, shared("spider"))
    said = {}
    for example in rows:
        if example.split == "train" and example.database:
            try:
                result(example)
            except sqlite3.Error as error:
                said[example.origin] = str(error)
    assert said == SPIDER_BROKEN


def test_real_defog(workspace: Workspace) -> None:
    _, rows = added(workspace, shared("defog"))
    assert shares(rows)[0] == len(rows) > 300
    assert any(e.accepted for e in rows)
    assert any(e.evidence for e in rows)


def test_wikisqls_test_questions_lack_their_tables(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="without their tables"):
        added(workspace, shared("wikisql/test.jsonl"))
