"""Rows as tokens, cut in a process of its own that keeps its tokenizer: the workbench loads none."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from screens.train_plan import quiet_environment
from t2s_tui.errors import ModelError
from t2s_tui.generation.models import BUNDLED, ModelKind, list_models, resolve_model
from t2s_tui.prompts.templates import DEFAULT_TEMPLATE
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace

Piece = tuple[str, int]


@dataclass(frozen=True, slots=True)
class CutRow:
    """A row under a model's tokenizer and a prompt: pieces are (text, how many tokens it is made of)."""

    model: str
    prompt_name: str
    prompt: tuple[Piece, ...]
    answer: tuple[Piece, ...]
    prompt_tokens: int
    answer_tokens: int


class TokenCutter:
    """Asks the helper process, which starts with the first question. One question at a time, any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def cut(self, example: Example, model: str, prompt: str) -> CutRow:
        """The tokens of a row. Raises ModelError when the model or prompt cannot be used, or at `close`."""
        asked = {
            "model": model, "prompt": prompt,
            "ddl": example.ddl, "question": example.question, "gold": example.gold,
        }  # fmt: skip
        with self._lock:
            answer = self._ask(json.dumps(asked, ensure_ascii=False))
        if "error" in answer:
            raise ModelError(str(answer["error"]), str(answer.get("next_step", "")))
        return CutRow(
            model,
            prompt,
            tuple((str(text), int(count)) for text, count in answer["prompt"]),
            tuple((str(text), int(count)) for text, count in answer["answer"]),
            int(answer["prompt_tokens"]),
            int(answer["answer_tokens"]),
        )

    def close(self) -> None:
        """End the process. Who waits for it gets a ModelError, which nobody needs any more."""
        self._closed = True
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ask(self, line: str) -> Mapping[str, Any]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or "null")
        except (OSError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            self._process = None
            process.kill()
            raise ModelError("The tokens could not be counted: the process that does it ended")
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._closed:
            raise ModelError("The tokens are no longer counted")
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "t2s_tui.generation.tokens_command", str(self._workspace.root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # the keys of the terminal are not for it
                env=quiet_environment(),
            )
        return self._process


def usual_tokens(workspace: Workspace) -> tuple[str, str]:
    """(model, prompt) of what was trained or asked last; the demo model and the book's prompt before that."""
    with workspace.store() as store:
        newest = [*((s.created_at, s.model, s.prompt) for s in store.predictions.sets())]
        newest += [(r.created_at, r.model, str(r.recipe.get("prompt", ""))) for r in store.runs.all()]
    for _, model, prompt in sorted(newest, reverse=True):
        try:
            known = resolve_model(model, workspace).kind is not ModelKind.ENDPOINT
        except ModelError:
            continue  # its folder is gone
        if known:
            return model, prompt or DEFAULT_TEMPLATE
    return BUNDLED, DEFAULT_TEMPLATE


def local_models(workspace: Workspace) -> list[str]:
    """The models whose tokenizer can be had here."""
    return list(dict.fromkeys(ref.spec for ref in list_models(workspace)))
