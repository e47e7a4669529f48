"""The trainer's voice and ear: steps become events, a stop request becomes a checkpoint and an end."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback

from t2s_tui.errors import TrainingError
from t2s_tui.progress import Progress
from t2s_tui.system.telemetry import memory_mb

_RECENT = 20  # optimizer steps that the speed and the ETA are taken from


class Reporter(TrainerCallback):
    """Says each optimizer step to `progress`.

    `tokens` are the tokens (without padding) and `positions` the places (with padding) of every optimizer
    step. The ETA is the positions that are left at the speed of this process's own recent steps: after a
    resume the time before it says nothing (TRAPS 20).
    """

    def __init__(
        self, progress: Progress, tokens: Sequence[int], positions: Sequence[int], steps_in_epoch: float
    ) -> None:
        self._progress = progress
        self._tokens = tokens
        self._positions = positions
        self._steps_in_epoch = steps_in_epoch
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RECENT + 1)  # (when, after which step)
        self.stopping = False
        self.last_loss = math.nan
        self.losses: list[float] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._recent.append((time.perf_counter(), state.global_step))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Before the step is said and saved: look whether somebody asks for something."""
        self._recent.append((time.perf_counter(), state.global_step))
        if self._progress.checkpoint_requested():
            control.should_save = True
        if state.global_step < state.max_steps and self._progress.stop_requested():
            self.stopping = control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is no number any more at step {state.global_step}",
                "lower learning_rate and train again",
            )
        self.last_loss = loss
        self.losses.append(loss)
        self._progress.step(
            state.global_step,
            state.max_steps,
            "train",
            loss=loss,
            lr=float(logs.get("learning_rate", 0.0)),
            epoch=state.global_step / self._steps_in_epoch,
            grad_norm=float(logs.get("grad_norm", 0.0)),
            memory_mb=_memory(args.device),
            **self._speed(state.global_step),
        )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._progress.event("checkpoint", step=state.global_step)

    def _speed(self, step: int) -> dict[str, float]:
        (then, first), (now, last) = self._recent[0], self._recent[-1]
        if last <= first or now <= then:
            return {}
        seconds = now - then
        left = sum(self._positions[step:])
        return {
            "tokens_per_second": sum(self._tokens[first:last]) / seconds,
            "eta_seconds": left * seconds / sum(self._positions[first:last]),
        }


def _memory(device: Any) -> float:
    """MiB: what torch holds on the GPU, or this process in main memory."""
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device) / 2**20
    return memory_mb()
