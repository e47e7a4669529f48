"""An adapter on the Hub: its files without a path of this machine, and a card with its recipe and scores."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.errors import ModelError, UsageError
from t2s_tui.generation.models import BUNDLED_HUB_ID, ModelKind, resolve_model
from t2s_tui.records import TrainingRun
from t2s_tui.workspace import Workspace

#: The columns of the card's table of scores.
SCORE_COLUMNS = ("predictions", "metric", "right", "of", "accuracy", "95% interval")
_CARD, _CONFIG, _BASE = "README.md", "adapter_config.json", "base_model_name_or_path"


@dataclass(frozen=True, slots=True)
class Published:
    """Where an adapter is now."""

    repo: str
    url: str
    files: int


def push(
    workspace: Workspace,
    run_name: str,
    repo: str,
    *,
    base: str | None = None,
    private: bool = True,
    scores: Sequence[Sequence[str]] = (),
) -> Published:
    """Upload the adapter of a finished run to `repo` (OWNER/NAME), which is made where it is missing.

    Pushing again uploads what has changed. `base` is the Hub id of a base model that is a folder here,
    `scores` are rows of SCORE_COLUMNS for the card. Raises NotFound or UsageError (no adapter, no token, a
    base without Hub id, a bad name), ModelError when the Hub refuses or cannot be reached.
    """
    from huggingface_hub import get_token

    with workspace.store() as store:
        run = store.runs.get(run_name)
    if run.adapter_path is None:
        raise UsageError(f"The run {run_name} has no finished adapter", "wait for its job, or resume it")
    token, known_as = get_token(), base_id(workspace, run.model, base)
    if not token:
        raise UsageError("There is no token for the Hub", "set HF_TOKEN to one that may write")
    with tempfile.TemporaryDirectory(dir=workspace.root) as folder:
        draft = Path(folder)
        _stage(Path(run.adapter_path), draft, known_as, card_of(run, known_as, scores))
        return _upload(draft, repo, token, private=private, what=f"t2s-tui: {run_name}")


def base_id(workspace: Workspace, model: str, asked: str | None = None) -> str:
    """The Hub id under which others find the base model. Raises UsageError when there is none."""
    if asked:
        return asked
    found = resolve_model(model, workspace)
    if found.kind is ModelKind.BUNDLED:
        return BUNDLED_HUB_ID
    if found.kind is ModelKind.HUB:
        return found.spec
    raise UsageError(f"The base model {model} is a folder on this machine", "name its Hub id with --base")


def card_of(run: TrainingRun, base: str, scores: Sequence[Sequence[str]]) -> str:
    """The model card: front matter, what it is, the scores, the recipe."""
    lines = [
        "---",
        f"base_model: {base}",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "tags: [text-to-sql, lora, t2s-tui]",
        "---",
        "",
        f"# {run.name}",
        "",
        f"A LoRA adapter of [{base}](https://huggingface.co/{base}): SQL for a question and a DDL,",
        f"trained with t2s-tui on the split `{run.split}` of the dataset `{run.dataset}`.",
        "",
    ]
    if scores:
        rows = [SCORE_COLUMNS, ["---"] * len(SCORE_COLUMNS), *scores]
        lines += ["## Scores", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    recipe = {key: value for key, value in run.recipe.items() if value is not None}
    lines += ["## Recipe", "", "```json", json.dumps(recipe, ensure_ascii=False, indent=2), "```", ""]
    return "\n".join(lines)


def _stage(adapter: Path, draft: Path, base: str, card: str) -> None:
    """Copy what others need; the base by its Hub id, not by a path."""
    for file in adapter.iterdir():
        if file.is_file() and file.name != _CARD:
            shutil.copyfile(file, draft / file.name)
    config = json.loads((draft / _CONFIG).read_text(encoding="utf-8"))
    config[_BASE] = base
    (draft / _CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
    (draft / _CARD).write_text(card, encoding="utf-8")


def _upload(draft: Path, repo: str, token: str, *, private: bool, what: str) -> Published:
    import httpx2  # what huggingface_hub talks through
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(token=token)
    try:
        url = api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(repo_id=url.repo_id, folder_path=draft, commit_message=what)
    except HFValidationError as error:
        raise UsageError(f"{repo!r} is no name of a repository", "write it as OWNER/NAME") from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        raise ModelError(
            f"The Hub refuses {repo} (HTTP {status})",
            "check that the token may write there, then push again: what has arrived is kept",
        ) from error
    except (httpx2.HTTPError, OSError) as error:
        raise ModelError(
            f"The Hub cannot be reached ({type(error).__name__})", "check the network, then push again"
        ) from error
    return Published(url.repo_id, str(url), sum(1 for _ in draft.iterdir()))
