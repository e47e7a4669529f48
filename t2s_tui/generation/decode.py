"""Greedy decoding in batches: left padding, sorted by length, rows leave the batch when they are done.

The loop is ours and not `model.generate`: rows that are done leave the key/value cache (on a CPU its copying
is half of the time), a stop is heard within one token, and a model's own generation defaults (repetition
penalties and the like) do not bend what is called greedy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from t2s_tui.errors import ModelError
from t2s_tui.generation.loading import Loaded, end_tokens, longest_input
from t2s_tui.sql.statements import statement_complete

#: Rows times tokens (prompt and answer) in one batch. Wide batches share the reading of the weights.
_TOKENS_IN_BATCH = {"cpu": 16_000, "cuda": 64_000}
_ROWS_IN_BATCH = {"cpu": 32, "cuda": 64}
#: A statement can only end with one of these (see sql/statements.py): other tokens need no look.
_ENDINGS = (";", "#", "`")
_SHRINK_AT = 0.75  # rows leave the cache when no more than this share is still going


@dataclass(frozen=True, slots=True)
class Decoded:
    """The answer to the prompt at `index`. `stopped` is eos, statement or length.

    `seconds` is the row's share of its batch: the sum over all rows is the time it took.
    """

    index: int
    text: str
    prompt_tokens: int
    new_tokens: int
    stopped: str
    seconds: float


def generate_batches(
    loaded: Loaded,
    prompts: Sequence[list[int]],
    *,
    max_new_tokens: int,
    batch_size: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    stop_at_statement: bool = True,
    on_token: Callable[[int, int], None] = lambda rows, tokens: None,
) -> Iterator[list[Decoded]]:
    """Answer every prompt; yields a finished batch at a time, each row with its place in `prompts`.

    Ends early, without the batch it was in, once `should_stop()` is true. `on_token` hears after every token
    how many rows go on and how many tokens they have. A prompt that leaves the model no room gets an empty
    answer with `stopped` length. Raises ModelError when not even one row fits into the GPU's memory.
    """
    room = longest_input(loaded.model) - 1
    too_long = [i for i, ids in enumerate(prompts) if len(ids) > room]
    if too_long:
        yield [Decoded(i, "", len(prompts[i]), 0, "length", 0.0) for i in too_long]
    order = sorted(
        (i for i in range(len(prompts)) if len(prompts[i]) <= room), key=lambda i: -len(prompts[i])
    )
    waiting = _batches(order, [len(p) for p in prompts], max_new_tokens, batch_size, loaded.device)
    decoder = _Decoder(loaded, max_new_tokens, stop_at_statement, should_stop, on_token)
    while waiting and not should_stop():
        batch = waiting.pop(0)
        try:
            done = decoder.run([(i, prompts[i]) for i in batch])
        except _out_of_memory() as error:
            if len(batch) == 1:
                raise ModelError(
                    "The GPU's memory is too small for one answer", "choose a smaller model, or free the GPU"
                ) from error
            half = len(batch) // 2
            waiting[:0] = [batch[:half], batch[half:]]
            continue
        if done is None:
            return
        yield done


def _batches(
    order: list[int], lengths: list[int], new: int, batch_size: int | None, device: str
) -> list[list[int]]:
    """Cut the order (longest first) into batches of `batch_size`, or of as many as the device takes."""
    batches: list[list[int]] = []
    kind = "cpu" if device == "cpu" else "cuda"
    at = 0
    while at < len(order):
        fitting = _TOKENS_IN_BATCH[kind] // (lengths[order[at]] + new)
        rows = batch_size or max(1, min(_ROWS_IN_BATCH[kind], fitting))
        batches.append(order[at : at + rows])
        at += rows
    return batches


def _out_of_memory() -> type[BaseException]:
    import torch

    return torch.cuda.OutOfMemoryError


class _Row:
    """One answer in the making."""

    def __init__(self, index: int, prompt_tokens: int) -> None:
        self.index = index
        self.prompt_tokens = prompt_tokens
        self.ids: list[int] = []
        self.stopped = ""


class _Decoder:
    """What stays the same over the batches of one call."""

    def __init__(
        self,
        loaded: Loaded,
        max_new_tokens: int,
        stop_at_statement: bool,
        should_stop: Callable[[], bool],
        on_token: Callable[[int, int], None],
    ) -> None:
        self.loaded = loaded
        self.limit = max_new_tokens
        self.should_stop = should_stop
        self.on_token = on_token
        self.ends = end_tokens(loaded)
        self.room = longest_input(loaded.model)
        self.endings = _ending_tokens(loaded.tokenizer) if stop_at_statement else frozenset()

    def run(self, batch: list[tuple[int, list[int]]]) -> list[Decoded] | None:
        """Decode one batch to its end; None when a stop was asked for on the way."""
        import torch

        started = time.perf_counter()
        rows = [_Row(index, len(ids)) for index, ids in batch]
        with torch.inference_mode():
            finished = self._loop(rows, [ids for _, ids in batch])
        if not finished:
            return None
        share = (time.perf_counter() - started) / len(rows)
        return [
            Decoded(r.index, self._text(r.ids), r.prompt_tokens, len(r.ids), r.stopped, share) for r in rows
        ]

    def _loop(self, rows: list[_Row], prompts: list[list[int]]) -> bool:
        import torch

        model, device = self.loaded.model, self.loaded.model.device
        ids, mask = _left_padded(prompts, device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache: Any = None
        live = list(range(len(rows)))  # places in `rows`, in the order of the tensors' first axis
        while live:
            if self.should_stop():
                return False
            out = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = out.past_key_values
            tokens = out.logits[:, -1].argmax(-1)
            for place, token in zip(live, tokens.tolist(), strict=True):
                if not rows[place].stopped:
                    self._take(rows[place], token)
            going = [at for at, place in enumerate(live) if not rows[place].stopped]
            self.on_token(len(going), max(len(row.ids) for row in rows))
            if not going:
                return True
            if len(going) <= _SHRINK_AT * len(live):
                keep = torch.tensor(going, device=device)
                cache.batch_select_indices(keep)
                mask, tokens, positions = mask[keep], tokens[keep], positions[keep]
                live = [live[at] for at in going]
            ids = tokens[:, None]
            positions = positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(live), 1)], 1)
        return True

    def _take(self, row: _Row, token: int) -> None:
        """Add a token to the row, or end it."""
        if token in self.ends:
            row.stopped = "eos"
            return
        row.ids.append(token)
        if token in self.endings and statement_complete(self._text(row.ids)):
            row.stopped = "statement"
        elif len(row.ids) >= self.limit or row.prompt_tokens + len(row.ids) >= self.room:
            row.stopped = "length"

    def _text(self, ids: list[int]) -> str:
        return str(
            self.loaded.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )


def _left_padded(prompts: list[list[int]], device: Any) -> tuple[Any, Any]:
    """(ids, mask), both (rows, longest). What stands under the padding does not matter: it is masked."""
    import torch

    longest = max(len(p) for p in prompts)
    ids = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros(len(prompts), longest, dtype=torch.long)
    for at, prompt in enumerate(prompts):
        ids[at, longest - len(prompt) :] = torch.tensor(prompt)
        mask[at, longest - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def _ending_tokens(tokenizer: Any) -> frozenset[int]:
    """Ids whose text holds a character that can end a statement.

    The vocabulary's own spelling is looked at: byte-level and SentencePiece ones leave ASCII as it is.
    """
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    return frozenset(i for word, i in vocabulary.items() if any(char in word for char in _ENDINGS))
