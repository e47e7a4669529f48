"""What the machine can do, and what follows for loading a model and computing (issue 2; TRAPS 17, 25).

On CUDA the default is 4-bit NF4 with double quantisation and bf16 compute, fp16 before Ampere; on a CPU plain
float32. NF4 on a CPU is several times slower than float32, so asking for it there is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from t2s_tui.errors import UsageError

Quantization = Literal["auto", "nf4", "none"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]

_AMPERE = 8


@dataclass(frozen=True, slots=True)
class Capability:
    """`cuda` is the major compute capability of the GPU, None without one. `amx` tells of bf16 tiles."""

    cuda: int | None = None
    amx: bool = False

    @property
    def device(self) -> str:
        return "cpu" if self.cuda is None else "cuda"


def capability() -> Capability:
    """This machine's. `T2S_TUI_DEVICE=cpu` hides the GPU. Raises UsageError when it asks for CUDA in vain."""
    import torch

    wish = os.environ.get("T2S_TUI_DEVICE", "")
    if wish != "cpu" and torch.cuda.is_available():
        return Capability(cuda=torch.cuda.get_device_capability()[0], amx=_has_amx())
    if wish.startswith("cuda"):
        raise UsageError(
            f"T2S_TUI_DEVICE asks for {wish}, and torch sees no CUDA GPU here",
            "unset it, or see `t2s-tui doctor`",
        )
    return Capability(amx=_has_amx())


def _has_amx() -> bool:
    try:
        return " amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def multiplies_fast() -> bool:
    """Whether there is a CUDA GPU or a CPU with bf16 tiles, by a look at files: torch stays unloaded."""
    hidden = os.environ.get("T2S_TUI_DEVICE", "") == "cpu"
    return _has_amx() or (not hidden and Path("/proc/driver/nvidia/version").exists())


def wants_nf4(asked: Quantization, able: Capability) -> bool:
    """Whether to load in 4 bits. Raises UsageError for NF4 without CUDA."""
    if asked == "nf4" and able.cuda is None:
        raise UsageError(
            "NF4 needs a CUDA GPU and there is none here", "set quantization to auto or none: float32 is used"
        )
    return able.cuda is not None and asked != "none"


def compute_precision(asked: Precision, able: Capability) -> Literal["fp32", "bf16", "fp16"]:
    """The precision that matrices are multiplied in. Weights of a CPU model stay float32 whatever it is.

    Raises UsageError for fp16 on a CPU and for bf16 on a GPU before Ampere.
    """
    if asked == "fp16" and able.cuda is None:
        raise UsageError("fp16 needs a CUDA GPU and there is none here", "set precision to auto or fp32")
    if asked == "bf16" and able.cuda is not None and able.cuda < _AMPERE:
        raise UsageError(
            "This GPU is older than Ampere and computes no bf16", "set precision to auto or fp16"
        )
    if asked != "auto":
        return asked
    if able.cuda is not None:
        return "bf16" if able.cuda >= _AMPERE else "fp16"
    return "bf16" if able.amx else "fp32"


def torch_dtype(precision: str) -> Any:
    """The torch dtype of a precision."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def nf4_config(able: Capability) -> Any:
    """The `BitsAndBytesConfig` of QLoRA (Dettmers et al. 2023): NF4, double quantisation, 16-bit compute."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch_dtype(compute_precision("auto", able)),
    )


def use_all_cores() -> int:
    """Let torch compute on every core this process may use; `OMP_NUM_THREADS` has the last word."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0))))
    return int(torch.get_num_threads())
