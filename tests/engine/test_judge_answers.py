"""Reading a completion off the wire: nothing about its shape is trusted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.evaluation.judge.answers import read_completion

KEY = "secret/ключ-0123"


def completion(content: Any, **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}], **more}


def read(value: Any) -> Any:
    return read_completion(json.dumps(value).encode(), {}, KEY)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("yes", "yes"),
        (None, ""),
        ([{"type": "text", "text": "ye"}, {"type": "text", "text": "s"}], "yes"),
        ([{"type": "image"}, 3], ""),
        ({"text": "yes"}, ""),
        (17, ""),
    ],
)
def test_the_text_of_a_message(content: Any, text: str) -> None:
    assert read(completion(content)).text == text


@pytest.mark.parametrize(
    ("usage", "kept"),
    [
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
            {"prompt_tokens": 3, "completion_tokens": 4},
        ),
        ({"prompt_tokens": "3", "completion_tokens": -4}, {}),
        ({"prompt_tokens": True, "completion_tokens": 1e3}, {}),
        ({"prompt_tokens": 10**30}, {}),
        ("none", {}),
        (None, {}),
    ],
)
def test_only_counts_are_counted(usage: Any, kept: dict[str, int]) -> None:
    answer = read(completion("yes", usage=usage))
    assert answer.usage == answer.raw["usage"] == kept


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "was not JSON"),
        (b"<html>", "was not JSON"),
        (b'{"choices": [{"mess', "was not JSON"),
        (b"\xff\xfe\x00", "was not JSON"),
        (b"[" * 100_000, "was not JSON"),
        (b"3", "no chat completion"),
        (b'["yes"]', "no chat completion"),
        (b'{"choices": {"0": 1}}', "no chat completion"),
        (b'{"choices": []}', "no chat completion"),
        (b'{"choices": [null]}', "no chat completion"),
        (b'{"choices": [{"text": "yes"}]}', "no chat completion"),
        (b'{"error": {"message": "overloaded"}}', r"no chat completion \(overloaded\)"),
        (b'{"error": "overloaded"}', r"no chat completion \(overloaded\)"),
    ],
)
def test_what_is_no_completion_is_said_in_words(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_completion(content, {}, KEY)


def test_the_key_is_in_no_part_however_it_is_escaped() -> None:
    escaped = KEY.encode("ascii", "backslashreplace").decode().replace("/", "\\/")
    body = json.dumps(completion("SAYS", system_fingerprint="SAYS")).replace("SAYS", f"the key is {escaped}")
    answer = read_completion(body.encode(), {}, KEY)
    assert answer.text == "the key is ***"
    assert KEY not in json.dumps(answer.raw, ensure_ascii=False)


def test_half_a_character_can_be_written() -> None:
    answer = read(completion("yes \ud83d", note="\udc00"))
    json.dumps(answer.raw, ensure_ascii=False).encode()
    assert answer.text == "yes ?"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(choices=json_values, usage=json_values, content=json_values)
def test_any_json_is_an_answer_or_a_value_error(choices: Any, usage: Any, content: Any) -> None:
    for value in ({"choices": choices, "usage": usage}, completion(content, usage=usage), choices):
        try:
            answer = read(value)
        except ValueError:
            continue
        assert isinstance(answer.text, str)
        json.dumps(answer.raw, ensure_ascii=False).encode()
