"""Templates: the reference one to the byte, and those that people add."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

import t2s_tui.prompts
from t2s_tui.errors import DataError, NotFound
from t2s_tui.prompts.templates import list_templates, load_template, render_messages, render_text
from t2s_tui.workspace import Workspace

#: The reference template as the issue gives it. It is written out here on purpose: do not import it.
REFERENCE = (
    "당신은 SQL을 생성하는 SQL 봇입니다. "
    "DDL의 테이블을 활용한 Question을 해결할 수 있는 SQL 쿼리를 생성하세요.\n"
    "\n### DDL:\n{ddl}\n\n### Question:\n{question}\n\n### SQL:\n{query}"
)


def test_the_book_template_is_the_reference_byte_for_byte() -> None:
    file = Path(t2s_tui.prompts.__file__).parent / "book.txt"
    assert file.read_bytes() == REFERENCE.encode("utf-8")
    template = load_template("book")
    assert template.text.encode("utf-8") == REFERENCE.encode("utf-8")
    assert (template.kind, template.language) == ("text", "ko")
    filled = render_text(template, "CREATE TABLE t (a INT);", "몇 개인가요?", "SELECT COUNT(*) FROM t;")
    assert filled == REFERENCE.format(
        ddl="CREATE TABLE t (a INT);", question="몇 개인가요?", query="SELECT COUNT(*) FROM t;"
    )


@pytest.mark.parametrize("name", ["book", "book-en"])
def test_a_prompt_ends_where_the_answer_begins(name: str) -> None:
    template = load_template(name)
    prompt = render_text(template, "d", "q")
    assert prompt.endswith("### SQL:\n")
    assert render_text(template, "d", "q", "SELECT 1;") == prompt + "SELECT 1;"


def test_the_english_twin_differs_in_its_first_line_only() -> None:
    twin = load_template("book-en")
    assert twin.language == "en"
    assert twin.text.split("\n")[1:] == REFERENCE.split("\n")[1:]


def test_what_is_filled_in_is_not_looked_at() -> None:
    template = load_template("book")
    ddl, question = "CREATE TABLE t (a TEXT DEFAULT '{question}{}%s\\1');", "{query} {ddl} {0}"
    assert render_text(template, ddl, question) == REFERENCE.replace("{query}", "").replace(
        "{question}", question, 1
    ).replace("{ddl}", ddl, 1)


def test_messages() -> None:
    (only,) = render_messages(load_template("book"), "d", "q")
    assert only == {"role": "user", "content": render_text(load_template("book"), "d", "q")}
    system, user = render_messages(load_template("chat"), "THE DDL", "THE QUESTION")
    assert (system["role"], user["role"]) == ("system", "user")
    assert "THE DDL" in user["content"]
    assert "THE QUESTION" in user["content"]
    assert "{" not in system["content"] + user["content"]
    preview = render_text(load_template("chat"), "d", "q", "SELECT 1;")
    assert preview.endswith("\n\nSELECT 1;")


def test_people_add_templates_and_hide_built_in_ones(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "w")
    text = "-- {ddl}\r\n-- 질문 {question}\r\n{query}\n\n"
    name = "내것"
    (workspace.prompts_dir / f"{unicodedata.normalize('NFD', name)}.txt").write_bytes(
        b"\xef\xbb\xbf" + text.encode()
    )
    mine = load_template(name, workspace)
    assert (mine.name, mine.kind, mine.language) == (name, "text", "ko")
    assert render_text(mine, "d", "q", "S") == "-- d\n-- 질문 q\nS"
    (workspace.prompts_dir / "book.txt").write_text("{ddl}{question}{query}")
    assert render_text(load_template("book", workspace), "d", "q") == "dq"
    assert [t.name for t in list_templates(workspace)] == ["book", "book-en", "chat", name]
    assert [t.name for t in list_templates()] == ["book", "book-en", "chat"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{ddl} {query}", "has no {question}"),
        ("{ddl} {ddl} {question} {query}", "has {ddl} 2 times"),
        ("{ddl} {question} {query} and then", "goes on after {query}"),
        ("[user]\n{ddl} {question}\n{query}", "chat that does not end"),
        ("[system]\n{ddl} {question}\n[assistant]\n{query}", "chat that does not end"),
    ],
)
def test_a_file_that_is_no_template_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    workspace = Workspace.open(tmp_path / "w")
    (workspace.prompts_dir / "bad.txt").write_text(text)
    with pytest.raises(DataError) as caught:
        load_template("bad", workspace)
    assert words in str(caught.value)


def test_an_unknown_template_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="book, book-en, chat"):
        load_template("nope", Workspace.open(tmp_path / "w"))
    (tmp_path / "w" / "prompts" / "latin.txt").write_bytes("é{ddl}{question}{query}".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        load_template("latin", Workspace.open(tmp_path / "w"))
