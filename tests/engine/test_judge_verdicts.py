"""Reading answers, drawn by chance: what cannot be read is never a word, and wrapping changes none."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.evaluation.judge.verdicts import read_answer

YES, NO = ("yes", "Yes", "y", "예", "네"), ("no", "NO", "n", "아니오", "아니요", "아닙니다")
WORDS = {**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)}
WRAPPED = ("{}", "```json\n{}\n```", "```\n{}\n```", "Here it is:\n{}\nDone.", " {}\n\n")
BARE = ("{}", "{}.", '"{}"', "**{}**", "`{}`", "답: {}", "Answer: {}.", "{{'resolve_yn': '{}'}}")
texts = st.text(max_size=60)
words = st.sampled_from(sorted(WORDS))


def _answer(word: str, rationale: str) -> str:
    return json.dumps({"rationale": rationale, "fault": "", "resolve_yn": word}, ensure_ascii=False)


@given(texts)
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_answer(text).yes in (True, False, None)


@given(words, texts, st.sampled_from(WRAPPED))
def test_a_json_answer_is_its_word_in_whatever_it_is_wrapped(word: str, rationale: str, around: str) -> None:
    said = read_answer(around.replace("{}", _answer(word, rationale)))
    assert said.yes is WORDS[word]


@given(words, texts)
def test_thoughts_are_passed_over(word: str, thought: str) -> None:
    other = "no" if WORDS[word] else "yes"
    thought = thought.replace("<", "").replace(">", "")
    for text in (
        f'<think>{thought} {{"resolve_yn": "{other}"}}</think>\n{_answer(word, "")}',
        f"{thought} {other}</think>{word}",
    ):
        assert read_answer(text).yes is WORDS[word]
    assert read_answer(f"<think>{thought} {_answer(word, '')}").yes is None


@given(words, texts, st.data())
def test_an_answer_that_is_cut_off_has_no_word(word: str, rationale: str, data: st.DataObject) -> None:
    text = json.dumps({"details": {"resolve_yn": word}, "rationale": rationale, "resolve_yn": word})
    end = data.draw(st.integers(0, len(text) - 1))
    assert read_answer(text[:end]).yes is None


@given(words, words, texts)
def test_two_answers_count_only_where_they_agree(one: str, other: str, rationale: str) -> None:
    said = read_answer(f"{_answer(one, rationale)}\n{_answer(other, rationale)}").yes
    assert said is (WORDS[one] if WORDS[one] is WORDS[other] else None)


@given(words, st.sampled_from(BARE))
def test_a_bare_word_is_read_also_decomposed(word: str, around: str) -> None:
    text = around.format(word)
    assert read_answer(text).yes is WORDS[word]
    assert read_answer(unicodedata.normalize("NFD", text)).yes is WORDS[word]


@given(words, st.text(st.characters(categories=("L",)), min_size=1, max_size=12))
def test_a_word_among_others_is_no_answer(word: str, other: str) -> None:
    for text in (f"{word} {other}", f"{other} {word}", f"{word}, {other}"):
        assert read_answer(text).yes is None or other.casefold() in {"답", "정답", "판정", "답변"}
