"""Comparing rows: against the plain way of doing it, and how many alike questions are found."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2s_tui.datasets.audit.cross import NONE, Keys, Like, duplicates, in_another_split, near_duplicates
from t2s_tui.datasets.audit.language import language
from t2s_tui.datasets.audit.similar import THRESHOLD, bands, key, letters, similarity

_WORDS = "플레이어 클랜 아이템 점수가 가장 높은 이름을 보여줘 마지막 로그인 players with the highest score"
_ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40)


@given(_ROWS)
def test_against_the_plain_way(rows: list[tuple[int, int, int]]) -> None:
    splits, databases, questions = (np.array(column) for column in zip(*rows, strict=True))
    keys = Keys(splits.astype(np.int32), databases.astype(np.int32), questions.astype(np.uint64), None)
    assert duplicates(keys).tolist() == [
        next((other for other in range(at) if rows[other] == rows[at]), NONE) for at in range(len(rows))
    ]
    assert in_another_split(keys.questions, keys.splits).tolist() == [
        next((o for o, (split, _, question) in enumerate(rows) if question == asked and split != own), NONE)
        for own, _, asked in rows
    ]


def _near(texts: Sequence[str]) -> Like:
    same = np.zeros(len(texts), dtype=np.int32)
    questions = np.array([key(letters(text)) for text in texts], dtype=np.uint64)
    keys = Keys(same, same, questions, bands(texts))
    return near_duplicates(keys, duplicates(keys), lambda row: texts[row], lambda pairs: None)


def test_nearly_all_alike_questions_are_found() -> None:
    """English and Korean questions with a letter changed here and there, against comparing each with each."""
    pick = random.Random(42)
    words = _WORDS.split()
    found = expected = wrong = 0
    for _ in range(300):
        text = " ".join(pick.choices(words, k=9))
        changed = list(text)
        for _ in range(pick.randrange(1, 4)):
            changed[pick.randrange(len(changed))] = pick.choice("가나다abc ")
        other = "".join(changed)
        near = _near([text, other])
        alike = similarity(text, other) >= THRESHOLD and letters(text) != letters(other)
        expected += alike
        found += alike and near.row[1] == 0
        wrong += not alike and near.row[1] != NONE
        assert near.row[0] == NONE
    assert wrong == 0
    assert expected > 100
    assert found >= 0.97 * expected


def test_signs_case_and_spaces_make_no_difference() -> None:
    assert letters("  How MANY, players? ") == letters("how many players")
    assert letters("로그인 한\n플레이어!") == letters("로그인한 플레이어")
    assert similarity("레벨이 10인 플레이어는?", "레벨이 10인 플레이어는") == 1
    assert similarity("레벨이 10인 플레이어의 이름을 보여줘", "레벨이 10인 플레이어 이름을 보여줘") > 0.8
    assert similarity("가장 높은 레벨은?", "클랜은 모두 몇 개야?") < 0.2
    assert similarity("", "") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("플레이어의 이름을 보여줘", "ko"),
        ("players 테이블의 name과 level을 보여줘", "ko"),
        ("Show the names of all players", "en"),
        ("How many players are called 홍?", "en"),
        ("プレイヤーの名前", "ja"),
        ("显示所有玩家的名字", "zh"),
        ("Покажи имена", "ru"),
        ("¿Cuántos jugadores hay?", "en"),  # Latin letters: no more is known
        ("42 + 1", ""),
        ("", ""),
    ],
)
def test_languages_by_their_script(text: str, expected: str) -> None:
    assert language(text) == expected
