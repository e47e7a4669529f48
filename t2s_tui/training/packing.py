"""Rows that begin alike share their beginning: the same loss and gradients for half of the work.

Questions about one schema repeat its DDL, which is most of their tokens. A pack holds the common beginning
once and each row's own rest after it. Every token attends to the beginning and to its own row, at the
positions it would have had alone, so that the losses are those of the single rows (exactly without dropout).
The idea is that of prefix sharing in serving (e.g. Hydragen, Juravsky et al. 2024), turned on training.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from t2s_tui.prompts.encode import Encoded
from t2s_tui.training.collate import IGNORED

#: Rows share their beginning when it is at least this share of the shorter prompt.
_WORTH = 0.75


def shared(first: Encoded, second: Encoded) -> int:
    """How many tokens both prompts begin with. One token of each prompt is always left over.

    The left one predicts the first token of the row's answer: it must see its own row.
    """
    most = min(first.answer_start, second.answer_start) - 1
    a, b = first.input_ids, second.input_ids
    if a[:most] == b[:most]:
        return most
    return next(at for at in range(most) if a[at] != b[at])


def alike(rows: Sequence[Encoded]) -> list[list[int]]:
    """The places of the rows in groups that begin alike; every row is in one group."""
    order = sorted(range(len(rows)), key=lambda at: rows[at].input_ids)
    groups = [order[:1]] if order else []
    for before, at in pairwise(order):
        if _worth_sharing(rows[before], rows[at]):
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def shuffled_alike(groups: Sequence[Sequence[int]], draw: random.Random) -> list[int]:
    """All places in a new order in which those of a group stand together."""
    order = [draw.sample(list(group), len(group)) for group in groups]
    draw.shuffle(order)
    return [at for group in order for at in group]


def packs(rows: Sequence[Encoded]) -> list[tuple[int, list[Encoded]]]:
    """The rows of a micro-batch, in order, as (length of the common beginning, rows) of each pack."""
    found: list[tuple[int, list[Encoded]]] = []
    for row in rows:
        alone: tuple[int, list[Encoded]] = (0, [row])
        if found:
            common, members = found[-1]
            both = shared(members[-1], row)
            joined = (both if len(members) == 1 else min(common, both), [*members, row])
            if _length(joined) < _length(found[-1]) + _length(alone):
                found[-1] = joined
                continue
        found.append(alone)
    return found


def packed_length(rows: Sequence[Encoded]) -> int:
    """How many tokens a micro-batch has when packed."""
    return sum(map(_length, packs(rows)))


def collate_packed(rows: Sequence[Encoded]) -> dict[str, Any]:
    """The micro-batch as one sequence of T tokens: `input_ids`, `position_ids` and `labels` of (1, T) and
    `attention_mask` of (1, 1, T, T), true where the token of the row may look at that of the column.
    """
    import torch

    ids: list[int] = []
    positions: list[int] = []
    labels: list[int] = []
    owner: list[tuple[int, int]] = []  # (pack, row in it; 0 is the common beginning) of each token
    for number, (common, members) in enumerate(packs(rows)):
        ids += members[0].input_ids[:common]
        positions += range(common)
        labels += [IGNORED] * common
        owner += [(number, 0)] * common
        for at, row in enumerate(members, start=1):
            rest = row.input_ids[common:]
            ids += rest
            positions += range(common, len(row.input_ids))
            labels += [IGNORED] * (row.answer_start - common) + row.input_ids[row.answer_start :]
            owner += [(number, at)] * len(rest)
    pack, member = torch.tensor(owner).T
    same_pack = pack[:, None] == pack[None, :]
    visible = (member[None, :] == 0) | (member[:, None] == member[None, :])
    before = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": (same_pack & visible & before)[None, None],
        "labels": torch.tensor([labels]),
    }


def _length(pack: tuple[int, list[Encoded]]) -> int:
    common, members = pack
    return common + sum(len(row.input_ids) - common for row in members)


def _worth_sharing(first: Encoded, second: Encoded) -> bool:
    return shared(first, second) >= _WORTH * min(first.answer_start, second.answer_start)
