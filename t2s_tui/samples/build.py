"""Make the shipped sample data out of the hand-written domains; with --check, verify it and write nothing."""

import argparse
import json
import re
import sqlite3
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.samples import DATA_DIR, SAMPLE_FILE, database_path

DOMAINS_DIR = Path(__file__).resolve().parent / "domains"
EVAL_DOMAIN = "game"
EVAL_ROWS = 112
MIN_TRAIN_ROWS = 95
MIN_SHARE_WITH_ROWS = 0.95
MYSQL = "mysql"
SOURCES = ("schema.sql", "rows.sql", "questions.jsonl")
CREATE_TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n.*?^\);", re.MULTILINE | re.DOTALL)
DATE_LITERAL = re.compile(r"'(\d{4}-|\d{4}%|%-\d\d-)")
CLAUSES = ("LIKE", "ORDER BY", "LIMIT", "OFFSET", "GROUP BY", "HAVING")
FEATURES = (*CLAUSES, "JOIN 2", "JOIN 3", "subquery", "date")


class SampleError(Exception):
    """A hand-written file says something that cannot be built."""


@dataclass(frozen=True)
class Question:
    """One line of a domain's questions.jsonl."""

    en: str
    ko: str
    sql: str
    extra_tables: tuple[str, ...] = ()


@dataclass
class Domain:
    """One domain as read from its folder."""

    name: str
    tables: dict[str, str]
    inserts: str
    questions: list[Question]


def _question(line: str, where: str) -> Question:
    try:
        raw = json.loads(line)
        question = Question(raw["en"], raw["ko"], raw["sql"], tuple(raw.get("with", ())))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SampleError(f"{where}: not a question: {error}") from error
    if not all(isinstance(text, str) and text.strip() for text in (raw["en"], raw["ko"], raw["sql"])):
        raise SampleError(f"{where}: en, ko and sql must be texts that are not empty")
    return question


def load_domain(folder: Path) -> Domain:
    """Read one domain's three files, in NFC."""
    texts = ((folder / name).read_text(encoding="utf-8") for name in SOURCES)
    schema, inserts, lines = (unicodedata.normalize("NFC", text) for text in texts)
    tables = {match[1]: match[0] for match in CREATE_TABLE.finditer(schema)}
    if "\n".join(tables.values()).split() != schema.split():
        raise SampleError(f"{folder.name}: schema.sql holds more than well-formed CREATE TABLE statements")
    numbered = [pair for pair in enumerate(lines.splitlines(), start=1) if pair[1].strip()]
    questions = [_question(line, f"{folder.name}: line {number}") for number, line in numbered]
    return Domain(folder.name, tables, inserts, questions)


def load_domains(root: Path = DOMAINS_DIR) -> list[Domain]:
    """Read the complete domains in the order of their names; name the others on stderr."""
    found: list[Domain] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] not in "_."):
        missing = [name for name in SOURCES if not (folder / name).is_file()]
        if missing:
            print(f"skipped {folder.name}: no {', '.join(missing)}", file=sys.stderr)
        else:
            found.append(load_domain(folder))
    return found


def open_database(domain: Domain) -> sqlite3.Connection:
    """The domain's database in memory: translated from MySQL, filled, its foreign keys checked."""
    import sqlglot

    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in sqlglot.transpile("\n".join(domain.tables.values()), read=MYSQL, write="sqlite"):
            connection.execute(statement)
        connection.executescript(domain.inserts)
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    except (sqlite3.Error, sqlglot.errors.SqlglotError) as error:
        raise SampleError(f"{domain.name}: the database cannot be made: {error}") from error
    if broken:
        raise SampleError(f"{domain.name}: {len(broken)} rows break a foreign key, first in {broken[0][0]}")
    return connection


def tables_used(sql: str) -> set[str]:
    """The tables a gold query reads."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(sql, read=MYSQL)
    except sqlglot.errors.SqlglotError as error:
        raise SampleError(f"does not parse as MySQL: {sql}") from error
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - named


def rows_of(domain: Domain) -> list[dict[str, str]]:
    """The lines of sample.jsonl that one domain gives."""
    rows: list[dict[str, str]] = []
    for number, question in enumerate(domain.questions, start=1):
        row_id = f"{domain.name}-{number:03d}"
        shown = tables_used(question.sql) | set(question.extra_tables)
        if unknown := sorted(shown - domain.tables.keys()):
            raise SampleError(f"{row_id}: not in the schema: {', '.join(unknown)}")
        row = {"id": row_id, "db_id": domain.name, "split": "eval" if domain.name == EVAL_DOMAIN else "train"}
        row["context"] = "\n".join(ddl for name, ddl in domain.tables.items() if name in shown)
        row |= {"question": question.en, "question_ko": question.ko, "answer": question.sql, "dialect": MYSQL}
        rows.append(row)
    return rows


def sample_bytes(rows: Sequence[dict[str, str]]) -> bytes:
    """The whole of sample.jsonl."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")


def build(domains: Sequence[Domain]) -> None:
    """Write the JSONL and one vacuumed database a domain."""
    content = sample_bytes([row for domain in domains for row in rows_of(domain)])
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    for domain in domains:
        path = database_path(domain.name)
        connection = open_database(domain)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(path),))
        connection.close()
    SAMPLE_FILE.write_bytes(content)


def features_of(sql: str) -> set[str]:
    """Which of FEATURES one query has."""
    words = re.sub(r"'[^']*'", "''", sql)
    found = {name for name in CLAUSES if name in words}
    joins, selects, dates = words.count(" JOIN "), words.count("SELECT"), DATE_LITERAL.search(sql)
    marks = {"JOIN 2": joins == 1, "JOIN 3": joins > 1, "subquery": selects > 1, "date": bool(dates)}
    return found | {name for name, holds in marks.items() if holds}


def _check_golds(domain: Domain, connection: sqlite3.Connection) -> tuple[list[str], float]:
    faults: list[str] = []
    with_rows = 0
    for number, question in enumerate(domain.questions, start=1):
        try:
            with_rows += connection.execute(question.sql).fetchone() is not None
        except (sqlite3.Error, sqlite3.Warning) as error:
            faults.append(f"{domain.name}-{number:03d}: the gold does not run: {error}")
    share = with_rows / max(len(domain.questions), 1)
    if share < MIN_SHARE_WITH_ROWS:
        faults.append(f"{domain.name}: {share:.1%} of golds return rows, {MIN_SHARE_WITH_ROWS:.0%} wanted")
    count, is_eval = len(domain.questions), domain.name == EVAL_DOMAIN
    if count != EVAL_ROWS if is_eval else count < MIN_TRAIN_ROWS:
        wanted = f"exactly {EVAL_ROWS}" if is_eval else f"at least {MIN_TRAIN_ROWS}"
        faults.append(f"{domain.name}: {count} rows, {wanted} wanted")
    return faults, share


def _check_shipped(domain: Domain, connection: sqlite3.Connection) -> list[str]:
    path = database_path(domain.name)
    if not path.is_file():
        return [f"{domain.name}: the shipped database is missing"]
    shipped = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        same = list(shipped.iterdump()) == list(connection.iterdump())
    except sqlite3.Error as error:
        return [f"{domain.name}: the shipped database cannot be read: {error}"]
    finally:
        shipped.close()
    return [] if same else [f"{domain.name}: the shipped database is not what would be built"]


def _check_repeats(rows: Sequence[dict[str, str]]) -> list[str]:
    faults: list[str] = []
    for column in ("question", "question_ko", "answer"):
        first: dict[str, str] = {}
        for row in rows:
            text = " ".join(row[column].split()).casefold()
            if first.setdefault(text, row["id"]) != row["id"]:
                faults.append(f"{row['id']}: the {column} of {first[text]} again: {row[column]}")
    return faults


def check(domains: Sequence[Domain]) -> list[str]:
    """Print the table of the domains and return the violations, one line each."""
    faults = [] if any(domain.name == EVAL_DOMAIN for domain in domains) else [f"{EVAL_DOMAIN}: missing"]
    rows: list[dict[str, str]] = []
    print("  ".join([f"{'domain':<9}", "rows", "% rows", "tables", *FEATURES]))
    for domain in domains:
        try:
            connection = open_database(domain)
            rows += rows_of(domain)
        except SampleError as error:
            faults.append(str(error))
            continue
        golds, share = _check_golds(domain, connection)
        faults += golds + _check_shipped(domain, connection)
        connection.close()
        counts = Counter(name for question in domain.questions for name in features_of(question.sql))
        start = f"{domain.name:<9}  {len(domain.questions):>4}  {share:>6.1%}  {len(domain.tables):>6}"
        print("  ".join([start, *(f"{counts[name]:>{len(name)}}" for name in FEATURES)]))
    faults += _check_repeats(rows)
    if not SAMPLE_FILE.is_file() or SAMPLE_FILE.read_bytes() != sample_bytes(rows):
        faults.append(f"{SAMPLE_FILE.name}: not what would be built")
    return faults


def main(argv: Sequence[str] | None = None) -> int:
    """Build or check; 0 when all is well, 1 on a violation."""
    parser = argparse.ArgumentParser(prog="python -m t2s_tui.samples.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="verify the rules and the shipped data only")
    wants_check: bool = parser.parse_args(argv).check
    faults: list[str] = []
    try:
        if wants_check:
            faults = check(load_domains())
        else:
            build(load_domains())
    except SampleError as error:
        faults = [str(error)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
