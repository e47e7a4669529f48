"""What the machine's devices and memory do now. GPUs by nvidia-smi, so that nothing heavy is loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_QUERY = "index,name,memory.used,memory.total,utilization.gpu"
_TIMEOUT = 5.0  # seconds; a hung driver must not hold up a screen's thread for long


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. Memory in MiB, `utilisation` in percent, None where the driver does not tell."""

    index: int
    name: str
    memory_used_mb: float
    memory_total_mb: float
    utilisation: float | None


def gpus() -> list[Gpu]:
    """The GPUs nvidia-smi sees; [] where there is none, no driver, or no answer within five seconds."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []  # no driver or a hung one: as good as no GPU for a glance; doctor asks torch itself
    return parse_gpus(done.stdout) if done.returncode == 0 else []


def parse_gpus(text: str) -> list[Gpu]:
    """The lines of nvidia-smi's CSV. A value that is no number (`[N/A]`, MIG) is 0 or None."""
    found = []
    for line in text.splitlines():
        first, _, rest = line.partition(",")
        fields = [part.strip() for part in rest.rsplit(",", 3)]
        if len(fields) == 4 and first.strip().isdigit():
            name, used, total, busy = fields
            found.append(Gpu(int(first), name, _number(used) or 0.0, _number(total) or 0.0, _number(busy)))
    return found


def memory_mb(pid: int | None = None) -> float:
    """The resident memory of a process in MiB (this one by default); 0.0 when there is no such process."""
    pid = os.getpid() if pid is None else pid
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return _memory_psutil(pid)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def free_memory_mb() -> float | None:
    """Memory that programs can still take, in MiB, None where the kernel does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    values = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(values[0]) / 1024 if values else None


def _memory_psutil(pid: int) -> float:
    import psutil  # type: ignore[import-untyped]

    try:
        return float(psutil.Process(pid).memory_info().rss) / 2**20
    except psutil.Error:
        return 0.0


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
