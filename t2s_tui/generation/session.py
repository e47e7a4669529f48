"""One question at a time, with the model kept in memory: the Generate screen's interactive job."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from t2s_tui.errors import ModelError, UsageError
from t2s_tui.generation.decode import Decoded, generate_batches
from t2s_tui.generation.endpoint import EndpointSettings, answer_all
from t2s_tui.generation.loading import load_model
from t2s_tui.generation.models import ModelKind, resolve_model
from t2s_tui.prompts.encode import encode_prompt
from t2s_tui.prompts.templates import load_template, render_messages
from t2s_tui.sql.statements import first_statement
from t2s_tui.workspace import Workspace

MAX_NEW_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """One generated answer, as in a Prediction: `raw` the whole text, `sql` the first statement of it."""

    raw: str
    sql: str
    prompt_tokens: int
    new_tokens: int
    stopped: str
    seconds: float


class Answerer:
    """A model, the adapter of a training run on it or none, and a prompt.

    Making one loads the model. Raises NotFound, UsageError or ModelError with the next step.
    """

    def __init__(self, workspace: Workspace, model: str, adapter: str | None, prompt: str) -> None:
        self._ref = resolve_model(model, workspace)
        self._template = load_template(prompt, workspace)
        folder: Path | None = None
        if adapter is not None:
            with workspace.store() as store:
                run = store.runs.get(adapter)
            if run.adapter_path is None:
                raise UsageError(
                    f"The run {adapter} has no finished adapter", "wait for its job, or resume it"
                )
            folder = Path(run.adapter_path)
        local = self._ref.kind is not ModelKind.ENDPOINT
        self._loaded = load_model(self._ref, workspace, adapter=folder) if local else None

    def answer(self, ddl: str, question: str, dialect: str = "sqlite") -> Answer:
        """Answer one question. `dialect` is the DDL's; no template speaks of it yet. Raises ModelError."""
        started = time.perf_counter()
        found = self._locally(ddl, question) if self._loaded else self._remotely(ddl, question)
        seconds = time.perf_counter() - started
        return Answer(
            found.text,
            first_statement(found.text),
            found.prompt_tokens,
            found.new_tokens,
            found.stopped,
            seconds,
        )

    def release(self) -> None:
        """Give the memory back."""
        if self._loaded is not None:
            self._loaded.release()

    def _locally(self, ddl: str, question: str) -> Decoded:
        assert self._loaded is not None
        ids = encode_prompt(self._loaded.tokenizer, self._template, ddl, question)
        found = [
            d for batch in generate_batches(self._loaded, [ids], max_new_tokens=MAX_NEW_TOKENS) for d in batch
        ]
        if found[0].stopped == "length" and found[0].new_tokens == 0:
            raise ModelError("The prompt is longer than the model can read", "leave tables out of the DDL")
        return found[0]

    def _remotely(self, ddl: str, question: str) -> Decoded:
        found: list[Decoded] = []
        messages = render_messages(self._template, ddl, question)
        answer_all(
            self._ref,
            [messages],
            max_new_tokens=MAX_NEW_TOKENS,
            settings=EndpointSettings(),
            on_answer=found.append,
        )
        return found[0]
