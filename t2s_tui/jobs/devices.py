"""Which device a request needs, so that jobs queue for it. No torch: nvidia-smi and the environment tell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

#: Kinds that load a model into this machine, unless the model is an endpoint.
_LOCAL = ("train", "generate", "session")


def devices_for(kind: str, request: Mapping[str, Any]) -> list[str]:
    """The devices of which the job needs one; [] when it needs none.

    Endpoint models, evaluations and pipelines need none (a pipeline's steps queue for themselves).
    `T2S_TUI_DEVICE` overrides the choice among local devices. A probe names its own.
    """
    if kind == "probe":
        return [str(request["device"])] if request.get("device") else []
    if kind not in _LOCAL or _is_endpoint(request.get("model")):
        return []
    chosen = os.environ.get("T2S_TUI_DEVICE")
    if chosen:
        return [chosen if chosen != "cuda" else "cuda:0"]
    return [f"cuda:{name}" for name in visible_gpus()] or ["cpu"]


def visible_gpus() -> list[str]:
    """The GPUs this process may use, as CUDA_VISIBLE_DEVICES would name them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    from t2s_tui.system.telemetry import gpus

    return [str(gpu.index) for gpu in gpus()]


def confine(device: str) -> None:
    """Show CUDA only the GPU that was locked. Before torch is imported, or it has no effect."""
    if device.startswith("cuda:") and not os.environ.get("T2S_TUI_DEVICE"):
        os.environ["CUDA_VISIBLE_DEVICES"] = device.removeprefix("cuda:")


def _is_endpoint(model: object) -> bool:
    return str(model or "").lower().startswith(("http://", "https://"))
