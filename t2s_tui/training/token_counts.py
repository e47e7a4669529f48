"""How long rows are for a model, counted for an audit as a training counts them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from t2s_tui.generation.loading import load_tokenizer
from t2s_tui.generation.models import resolve_model
from t2s_tui.prompts.encode import encode_answer, encode_prompt
from t2s_tui.prompts.templates import load_template
from t2s_tui.records import Example
from t2s_tui.workspace import Workspace


class PromptTokens:
    """A `TokenCounter`: prompt and answer with their special tokens, nothing cut.

    Raises NotFound, UsageError or ModelError when there is no such tokenizer or prompt.
    """

    def __init__(self, root: str, model: str, prompt: str) -> None:
        workspace = Workspace.open(root)
        self._template = load_template(prompt, workspace)
        self.tokenizer = load_tokenizer(resolve_model(model, workspace), workspace)

    @property
    def identity(self) -> str:
        """What the counts depend on beside the rows: the template's words, and which tokenizer it is."""
        about = repr((self._template, type(self.tokenizer).__name__, len(self.tokenizer)))
        return hashlib.sha256(about.encode()).hexdigest()

    def count(self, examples: Sequence[Example]) -> list[int]:
        return [
            len(encode_prompt(self.tokenizer, self._template, e.ddl, e.question))
            + len(encode_answer(self.tokenizer, e.gold))
            for e in examples
        ]
