"""An adapter merged into its base: one ordinary model folder, for serving or for training on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from t2s_tui.errors import ModelError, UsageError
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import COMPLETE, resolve_model
from t2s_tui.workspace import Workspace, check_name


def merge(workspace: Workspace, run_name: str, name: str | None = None) -> Path:
    """Merge the run's adapter into `<workspace>/models/<name>` (default: the run's name) and return it.

    The base is loaded unquantised: merging into live 4-bit weights would quantise them anew. Raises
    NotFound or UsageError when there is no finished adapter or the name is taken, ModelError when the
    model cannot be loaded or written.
    """
    with workspace.store() as store:
        run = store.runs.get(run_name)
    if run.adapter_path is None:
        raise UsageError(f"The run {run_name} has no finished adapter", "wait for its job, or resume it")
    target = workspace.models_dir / check_name(name or run_name, "model")
    if target.exists():
        raise UsageError(f"A model {target.name!r} is there already", "choose another --name")
    loaded = load_model(
        resolve_model(run.model, workspace),
        workspace,
        adapter=Path(run.adapter_path),
        quantization="none",
    )
    model = loaded.model
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    draft = target.with_name(f".{target.name}.draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        model.save_pretrained(draft)
        loaded.tokenizer.save_pretrained(draft)
        (draft / COMPLETE).write_text(json.dumps({"base": run.model, "run": run.name}), encoding="utf-8")
        draft.rename(target)
    except OSError as error:
        raise ModelError(
            f"The merged model cannot be written to {target} ({error.strerror or error})",
            "free some space, then merge again",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        loaded.release()
    return target
