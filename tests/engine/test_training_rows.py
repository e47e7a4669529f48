"""Rows, labels, packs and their order: nothing but the answer and its EOS is scored."""

from __future__ import annotations

import random

import pytest

from t2s_tui.prompts.encode import Encoded
from t2s_tui.training.collate import IGNORED, collate
from t2s_tui.training.packing import alike, collate_packed, packed_length, packs
from t2s_tui.training.recipes import Recipe
from t2s_tui.training.rows import chosen, plan_batches, positions_of, steps_of

EOS = 0


def make_rows(count: int, seed: int = 1) -> list[Encoded]:
    """Rows of five schemas: a long common beginning, a question, an answer with EOS (= the padding)."""
    draw = random.Random(seed)
    schemas = [[draw.randrange(2, 250) for _ in range(draw.randrange(20, 60))] for _ in range(5)]
    rows = []
    for _ in range(count):
        prompt = [1, *draw.choice(schemas), *(draw.randrange(2, 250) for _ in range(draw.randrange(2, 9)))]
        answer = [*(draw.randrange(2, 250) for _ in range(draw.randrange(1, 12))), EOS]
        rows.append(Encoded(prompt + answer, len(prompt), False))
    return rows


def test_labels_are_the_answer_and_its_eos_even_where_padding_is_eos() -> None:
    rows = [Encoded([5, 6, 7, 8, EOS], 3, False), Encoded([5, 6, EOS], 2, False)]
    batch = collate(rows, pad_id=EOS)
    assert batch["labels"].tolist() == [
        [IGNORED] * 3 + [8, EOS],
        [IGNORED] * 2 + [EOS] + [IGNORED] * 2,
    ]
    assert batch["attention_mask"].tolist() == [[1] * 5, [1, 1, 1, 0, 0]]
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, EOS], [5, 6, EOS, EOS, EOS]]


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("epochs", [1, 2, 0.5, 1.5])
def test_a_plan_has_every_row_once_an_epoch(share: bool, epochs: float) -> None:
    rows = make_rows(37)
    recipe = Recipe(batch_size=4, gradient_accumulation=2, epochs=epochs, share_beginnings=share)
    batches = plan_batches(rows, recipe)
    assert batches == plan_batches(rows, recipe)
    assert len(batches) == round(10 * epochs)
    assert steps_of(37, recipe) == -(-len(batches) // 2)
    whole = [at for batch in batches[:10] for at in batch]
    assert len(whole) == len(set(whole))
    if epochs >= 1:
        assert sorted(whole) == list(range(37))
    if epochs == 2:
        assert sorted(at for batch in batches[10:] for at in batch) == list(range(37))
        assert batches[10:] != batches[:10]
    assert plan_batches(rows, recipe.changed({"seed": 7})) != batches


def test_both_orders_save_work() -> None:
    rows = make_rows(160)
    plain = Recipe(batch_size=8)
    scattered = [list(range(at, at + 8)) for at in range(0, 160, 8)]

    def work(recipe: Recipe, batches: list[list[int]]) -> int:
        return sum(positions_of(batch, rows, recipe) for batch in batches)

    tokens = sum(len(row.input_ids) for row in rows)
    by_length = work(plain, plan_batches(rows, plain))
    shared = plain.changed({"share_beginnings": True})
    assert tokens < by_length < work(plain, scattered)
    assert by_length < 1.05 * tokens
    assert work(shared, plan_batches(rows, shared)) < 0.6 * tokens


def test_rows_that_begin_alike_stand_together() -> None:
    rows = make_rows(50)
    groups = alike(rows)
    assert sorted(at for group in groups for at in group) == list(range(50))
    assert len(groups) == 5
    for group in groups:
        assert len({tuple(rows[at].input_ids[:15]) for at in group}) == 1


def test_a_pack_holds_its_beginning_once() -> None:
    first, second = Encoded([1, 2, 3, 4, 5, 9, EOS], 5, False), Encoded([1, 2, 3, 4, 6, 8, 7, EOS], 5, False)
    other = Encoded([40, 41, EOS], 2, False)
    assert packs([first, second, other]) == [(4, [first, second]), (0, [other])]
    assert packed_length([first, second, other]) == 4 + 3 + 4 + 3
    batch = collate_packed([first, second, other])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5, 9, EOS, 6, 8, 7, EOS, 40, 41, EOS]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 0, 1, 2]]
    assert batch["labels"].tolist() == [
        [IGNORED] * 5 + [9, EOS] + [IGNORED] + [8, 7, EOS] + [IGNORED] * 2 + [EOS]
    ]
    seen = [[at for at, yes in enumerate(line) if yes] for line in batch["attention_mask"][0, 0].tolist()]
    assert seen[3] == [0, 1, 2, 3]
    assert seen[6] == [0, 1, 2, 3, 4, 5, 6]
    assert seen[10] == [0, 1, 2, 3, 7, 8, 9, 10]
    assert seen[13] == [11, 12, 13]


def test_equal_prompts_still_leave_each_row_a_token_of_its_own() -> None:
    row = Encoded([1, 2, 3, 9, EOS], 3, False)
    assert packs([row, row]) == [(2, [row, row])]


def test_a_cap_draws_rows_by_the_seed() -> None:
    from t2s_tui.records import Example

    examples = [Example(str(i), i, "train", "d", "q", "ddl", "s", "sqlite", None, "") for i in range(30)]
    some = chosen(examples, Recipe(max_rows=10))
    assert len(some) == 10
    assert [e.number for e in some] == sorted(e.number for e in some)
    assert some == chosen(examples, Recipe(max_rows=10))
    assert some != chosen(examples, Recipe(max_rows=10, seed=1))
    assert chosen(examples, Recipe(max_rows=99)) == examples
