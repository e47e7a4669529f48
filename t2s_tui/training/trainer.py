"""The trainer: transformers' own, with the loss over exactly the scored tokens and a fixed order of rows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from transformers import Trainer

from t2s_tui.prompts.encode import Encoded
from t2s_tui.training.checkpoints import seal
from t2s_tui.training.collate import IGNORED

_CLOCK = "seconds.txt"


class AnswerTrainer(Trainer):
    """Trains on `rows` in the order of `batches` (micro-batches of places in `rows`).

    The loss of an optimizer step is the sum of the token losses over the scored tokens, divided by the scored
    tokens of the whole effective batch (TRAPS 16). Checkpoints are sealed with hashes.
    """

    # transformers 5 asks whether `compute_loss` already divided by the effective batch: it did.
    loss_is_scaled_for_ga = True

    def __init__(
        self,
        *args: Any,
        rows: Sequence[Encoded],
        batches: Sequence[Sequence[int]],
        collator: Callable[..., Any],
        **kwargs: Any,
    ) -> None:
        self._batches = batches
        self._collator = collator
        self._before, self._started = 0.0, time.perf_counter()
        super().__init__(*args, train_dataset=rows, **kwargs)
        self.model_accepts_loss_kwargs = True  # so that earlier 5.x releases count the items as well

    @property
    def seconds(self) -> float:
        """How long this training took, the time before the checkpoint it went on from included."""
        return self._before + time.perf_counter() - self._started

    def train(self, resume_from_checkpoint: Any = None, **kwargs: Any) -> Any:
        """As transformers' own; a resumed one takes over the clock of its checkpoint."""
        if resume_from_checkpoint:
            self._before = float((Path(resume_from_checkpoint) / _CLOCK).read_text(encoding="utf-8"))
        return super().train(resume_from_checkpoint=resume_from_checkpoint, **kwargs)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """One pass over the planned micro-batches is the whole training."""
        return DataLoader(
            self.train_dataset,
            batch_sampler=_Planned(self._batches),
            collate_fn=self._collator,
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The summed loss of the scored tokens over their number in the effective batch."""
        labels = inputs["labels"]
        total = answer_loss(model, **inputs)
        count = num_items_in_batch if num_items_in_batch is not None else (labels != IGNORED).sum()
        return total / count

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        """Scored tokens of the micro-batches of one optimizer step."""
        return sum((batch["labels"] != IGNORED).sum() for batch in batch_samples).to(device)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save and seal: a checkpoint without its seal is not used (TRAPS 24)."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        if folder.exists():  # left by a process that died while it wrote it
            shutil.rmtree(folder)
        super()._save_checkpoint(model, trial)
        (folder / _CLOCK).write_text(f"{self.seconds:.3f}\n", encoding="utf-8")
        seal(folder)


def answer_loss(model: Any, labels: Any, **inputs: Any) -> Any:
    """The summed cross-entropy, in nats, of the tokens whose label is not IGNORED; a float32 scalar.

    Logits are computed only where the next token is scored: a vocabulary of 49152 costs as much a position as
    seven of SmolLM2's thirty layers.
    """
    targets = labels[:, 1:]
    scored = targets != IGNORED
    predicts = torch.cat([scored, scored.new_zeros(len(scored), 1)], 1)  # the place before each scored token
    options: dict[str, Any] = {"logits_to_keep": predicts} if _keeps_by_mask() else {}
    logits = model(**inputs, use_cache=False, **options).logits
    if logits.dim() == 3:
        logits = logits[predicts]
    return cross_entropy(logits.float(), targets[scored], reduction="sum")


def _keeps_by_mask() -> bool:
    """Whether this transformers takes a boolean mask as `logits_to_keep` (5.2x does; earlier only places)."""
    from transformers import modeling_utils

    return hasattr(modeling_utils, "slice_logits_to_keep")


class _Planned(torch.utils.data.Sampler[list[int]]):
    """A batch sampler that gives the planned batches."""

    def __init__(self, batches: Sequence[Sequence[int]]) -> None:
        self._batches = batches

    def __iter__(self) -> Any:
        return iter([list(batch) for batch in self._batches])

    def __len__(self) -> int:
        return len(self._batches)
