"""From rows to tensors: padded on the right to the longest of the batch, labels only on what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from t2s_tui.prompts.encode import Encoded

#: The label of a position that is not scored, by torch's convention.
IGNORED = -100


def collate(rows: Sequence[Encoded], pad_id: int = 0) -> dict[str, Any]:
    """`input_ids`, `attention_mask` and `labels`, each (rows, longest) of int64.

    Scored are the answer and its end-of-sequence token, and nothing else; also where the padding token is the
    end-of-sequence token, since labels are made by place and not by id (TRAPS 13).
    """
    import torch

    shape = (len(rows), max(len(row.input_ids) for row in rows))
    ids = torch.full(shape, pad_id, dtype=torch.long)
    mask = torch.zeros(shape, dtype=torch.long)
    labels = torch.full(shape, IGNORED, dtype=torch.long)
    for at, row in enumerate(rows):
        length = len(row.input_ids)
        ids[at, :length] = torch.tensor(row.input_ids)
        mask[at, :length] = 1
        labels[at, row.answer_start : length] = ids[at, row.answer_start : length]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
