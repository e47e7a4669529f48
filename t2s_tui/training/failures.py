"""What can go wrong on the way, in one sentence: a full disk, a full GPU."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from t2s_tui.errors import TrainingError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM = 4 << 20  # bytes: less than this free and a failed write is a full disk, whatever the library says


@contextlib.contextmanager
def in_words(run_dir: Path) -> Iterator[None]:
    """Turn a full disk and an out-of-memory GPU into TrainingError; all else passes as it is."""
    try:
        yield
    except Exception as error:
        if _out_of_memory(error):
            raise TrainingError(
                "The GPU's memory is too small for this recipe",
                "halve batch_size and double gradient_accumulation: the losses stay the same",
            ) from error
        if _disk_full(error, run_dir):
            raise TrainingError(
                f"The disk is full ({run_dir})", "free some space, then resume the job: it goes on"
            ) from error
        raise


def _out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, torch.cuda.OutOfMemoryError)


def _disk_full(error: Exception, run_dir: Path) -> bool:
    """torch and safetensors hide the error number in their own exceptions: then the disk itself is asked."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    writing = "PytorchStreamWriter" in str(error) or type(error).__name__ == "SafetensorError"
    return writing and shutil.disk_usage(run_dir).free < _NO_ROOM
