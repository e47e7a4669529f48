"""Greedy decoding on a real (tiny, random) model: alone or in a batch, an answer is the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from t2s_tui.generation.decode import Decoded, generate_batches
from t2s_tui.generation.loading import Loaded, load_model
from t2s_tui.generation.models import resolve_model
from t2s_tui.workspace import Workspace
from tests.model_support import one_core, tiny_model

__all__ = ["one_core", "tiny_model"]


@pytest.fixture
def loaded(tmp_path: Path, tiny_model: Path, one_core: None) -> Loaded:
    workspace = Workspace.open(tmp_path)
    return load_model(resolve_model(str(tiny_model), workspace), workspace)


def prompts(count: int) -> list[list[int]]:
    draw = random.Random(7)
    return [[draw.randrange(2, 258) for _ in range(draw.randrange(3, 40))] for _ in range(count)]


def answers(loaded: Loaded, asked: list[list[int]], **options: Any) -> list[Decoded]:
    found = [d for batch in generate_batches(loaded, asked, **options) for d in batch]
    return sorted(found, key=lambda d: d.index)


def plain(found: list[Decoded]) -> list[tuple[int, str, int, int, str]]:
    return [(d.index, d.text, d.prompt_tokens, d.new_tokens, d.stopped) for d in found]


def test_batched_answers_equal_single_ones_and_those_of_transformers(loaded: Loaded) -> None:
    import torch

    asked = prompts(9)
    together = answers(loaded, asked, max_new_tokens=20, batch_size=9, stop_at_statement=False)
    alone = answers(loaded, asked, max_new_tokens=20, batch_size=1, stop_at_statement=False)
    assert plain(together) == plain(alone)
    assert len({d.text for d in together}) > 1
    for ids, found in zip(asked, together, strict=True):
        out = loaded.model.generate(torch.tensor([ids]), max_new_tokens=20, do_sample=False)
        text = loaded.tokenizer.decode(out[0, len(ids) :], skip_special_tokens=True)
        assert found.text == text
        assert found.prompt_tokens == len(ids)


def steer(loaded: Loaded, text: str, *, then_eos: bool) -> list[int]:
    """Make the model spell `text` after its first byte, whatever comes before; returns a prompt.

    With no layers and an identity embedding, the next token is a function of the last: a lookup table.
    """
    import torch

    ids = loaded.tokenizer.encode(text, add_special_tokens=False)
    assert len(set(ids)) == len(ids), "every byte once, or the table is ambiguous"
    model = loaded.model
    size = model.config.vocab_size
    with torch.no_grad():
        model.model.layers = torch.nn.ModuleList()
        model.model.norm = torch.nn.Identity()
        model.model.embed_tokens = torch.nn.Embedding(size, size)
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.lm_head = torch.nn.Linear(size, size, bias=False)
        model.lm_head.weight.zero_()
        following = [*ids[1:], loaded.tokenizer.eos_token_id if then_eos else ids[0]]
        for now, then in zip(ids, following, strict=True):
            model.lm_head.weight[then, now] = 1
    model.requires_grad_(False)
    return [ids[0]]


def test_an_answer_ends_with_eos_and_eos_is_no_text(loaded: Loaded) -> None:
    prompt = steer(loaded, "?SELCT 1", then_eos=True)
    (found,) = answers(loaded, [prompt], max_new_tokens=50)
    assert (found.text, found.stopped, found.new_tokens) == ("SELCT 1", "eos", 7)


@pytest.mark.parametrize(
    ("spelled", "ends"),
    [
        ("?SELECT x FROM t; --", True),
        ("?sel 1\n#", False),
    ],
)
def test_an_answer_ends_where_its_statement_ends(loaded: Loaded, spelled: str, ends: bool) -> None:
    unique = "".join(dict.fromkeys(spelled))
    prompt = steer(loaded, unique, then_eos=False)
    (found,) = answers(loaded, [prompt], max_new_tokens=50)
    if not ends:  # no statement ends here: it goes round and round until the limit
        assert (found.stopped, found.new_tokens) == ("length", 50)
    else:
        assert found.stopped == "statement"
        assert found.text.endswith(";")
        assert found.text.count(";") == 1
        (on,) = answers(loaded, [prompt], max_new_tokens=50, stop_at_statement=False)
        assert (on.stopped, on.new_tokens) == ("length", 50)
        assert on.text.startswith(found.text)


def test_rows_that_are_done_leave_the_batch_and_the_others_stay_the_same(loaded: Loaded) -> None:
    loaded.model.generation_config.eos_token_id = list(range(0, 258, 8))  # so that some end early
    asked = prompts(12)
    left: list[int] = []
    found = answers(
        loaded,
        asked,
        max_new_tokens=40,
        batch_size=12,
        on_token=lambda rows, tokens: left.append(rows),
    )
    alone = answers(loaded, asked, max_new_tokens=40, batch_size=1)
    assert plain(found) == plain(alone)
    assert len({d.new_tokens for d in found}) > 1, "rows of one length would show nothing"
    assert left == sorted(left, reverse=True)


def test_long_prompts_come_first_and_indices_point_back(loaded: Loaded) -> None:
    asked = prompts(6)
    batches = list(generate_batches(loaded, asked, max_new_tokens=2, batch_size=2))
    assert [len(b) for b in batches] == [2, 2, 2]
    order = [d.prompt_tokens for b in batches for d in b]
    assert order == sorted(order, reverse=True)
    assert all(d.prompt_tokens == len(asked[d.index]) for b in batches for d in b)


def test_a_prompt_beyond_the_model_gets_an_empty_answer(loaded: Loaded) -> None:
    found = answers(loaded, [[5] * 600, [5, 6, 7], [5] * 510], max_new_tokens=9, stop_at_statement=False)
    assert (found[0].stopped, found[0].new_tokens) == ("length", 0)
    assert found[1].new_tokens > 2
    assert found[2].new_tokens <= 2  # 512 places: two are left


def test_a_stop_is_heard_within_a_token_and_drops_the_unfinished_batch(loaded: Loaded) -> None:
    tokens: list[int] = []
    batches = generate_batches(
        loaded,
        prompts(4),
        max_new_tokens=60,
        batch_size=2,
        stop_at_statement=False,
        should_stop=lambda: len(tokens) >= 63,
        on_token=lambda rows, count: tokens.append(count),
    )
    done = list(batches)
    assert len(done) <= 1
    assert len(tokens) == 63
